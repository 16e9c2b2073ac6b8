"""The inputs of ops in GraphDef notation: which are data, who makes them, and how often each op is read."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable

from tfgraphdbg.graph_model import OpNode, parse_input


def data_inputs(op: OpNode) -> tuple[str, ...]:
    """Its data inputs; control inputs come last and are left out."""
    inputs = op.inputs
    if inputs and inputs[-1][:1] == "^":
        return tuple([text for text in inputs if text[:1] != "^"])
    return inputs


def output_of(text: str) -> int:
    """The output that a data input reads."""
    return 0 if ":" not in text else parse_input(text).output


def producer(text: str) -> str:
    """The op that makes a data input."""
    return text if ":" not in text else parse_input(text).name


def count_reads(ops: Iterable[OpNode]) -> Counter[str]:
    """How often the data of each op is read."""
    reads = Counter(itertools.chain.from_iterable(op.inputs for op in ops))
    # Most inputs are plain names and count as they are.
    for text in [text for text in reads if ":" in text or text[:1] == "^"]:
        times = reads.pop(text)
        if text[:1] != "^":
            reads[producer(text)] += times
    return reads
