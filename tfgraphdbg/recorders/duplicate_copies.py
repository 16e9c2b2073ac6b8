"""The last ops of two equal computations -> the ops of both, side by side, down to what they share."""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.graph_model import CONTROL, GraphModel, InputRef, OpNode

MAX_OPS_OF_COPY = 32


def ops_of_copies(model: GraphModel, first: str, second: str) -> list[tuple[str, str]]:
    """Pairs of ops in order of computation. Raises ValueError when they do not match, or are too many for a trial."""
    pairs = {(first, second): None}
    waiting = [(first, second)]
    while waiting:
        one, other = (model.by_id[name] for name in waiting.pop())
        if one.op_type != other.op_type:
            raise ValueError(f"{one.op_type} and {other.op_type} do not match in the copies")
        for pair in _inputs_side_by_side(model, one, other):
            if pair not in pairs:
                pairs[pair] = None
                waiting.append(pair)
        if len(pairs) > MAX_OPS_OF_COPY:
            raise ValueError(f"a copy has more than {MAX_OPS_OF_COPY} ops")
    return list(pairs)[::-1]


def _inputs_side_by_side(model: GraphModel, one: OpNode, other: OpNode) -> Iterator[tuple[str, str]]:
    """The producers of two equal ops that are not the same; of a sum or product, in whichever order they match."""
    mine, others = _data_inputs(one), _data_inputs(other)
    types = [[model.by_id[read.name].op_type for read in reads] for reads in (mine, others)]
    if len(mine) == 2 and (types[0] != types[1] or mine[0] == others[1] or mine[1] == others[0]):
        others.reverse()
    for left, right in zip(mine, others, strict=True):
        if left.name != right.name:
            yield left.name, right.name


def _data_inputs(op: OpNode) -> list[InputRef]:
    return [read for read in op.input_refs() if read.output != CONTROL]
