"""A case of `tests/data/fixtures/fates` -> a recording of its graphs and edits, and the fates that it expects.

    # Title: what happens.
    == given
    x = Placeholder
    ...
    == remapper 1
    the graph after that pass, in the notation of `tests/graph_text.py`
    == fates
    product fused by remapper 1 into relu

The first graph is the traced one; `== lowered` follows where the runtime changed it, and then one graph a pass. A step
`== NAME of FUNCTION` holds the graphs of a library function that stays a call, from `== body of FUNCTION` on.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.fate_words import ExpectedFates, expected_fates
from tests.graph_text import graph_of
from tests.hand_built import packed_recording, recording_of
from tfgraphdbg.graph_model import AttrValue, GraphModel, OpNode
from tfgraphdbg.recording import Recording, rewrites_part
from tfgraphdbg.recording_file import encode_part
from tfgraphdbg.rewrites import RewriteHistory, RewritePart, RewriteStep

FIXTURES = Path(__file__).parent / "data" / "fixtures" / "fates"

_SECTION = re.compile(r"(?m)^== (.+)\n")


class FateCase(NamedTuple):
    """One case."""

    title: str
    recording: Recording
    expected: ExpectedFates


def fate_case(path: Path) -> FateCase:
    """Read one file."""
    title, _, rest = path.read_text(encoding="utf-8").partition("\n")
    assert title.startswith("# "), path
    text, _, expected = rest.partition("== fates\n")
    return FateCase(title[2:], fate_recording(text), expected_fates(expected))


def fate_recording(text: str) -> Recording:
    """The recording of the graphs of a case."""
    _, *rest = _SECTION.split(text)
    own: list[tuple[str, str]] = []
    called: dict[str, list[tuple[str, str]]] = {}
    for name, graph in zip(rest[::2], rest[1::2], strict=True):
        step, of, item = name.partition(" of ")
        (called.setdefault(item, []) if of else own).append((step, graph))
    return _recording(own, called)


def _recording(own: list[tuple[str, str]], called: dict[str, list[tuple[str, str]]]) -> Recording:
    traced, last_text = graph_of(own[0][1]), own[-1][1]
    lowered = graph_of(own.pop(1)[1] if own[1:] and own[1][0] == "lowered" else own[0][1], "lowered")
    graphs = [_Given(lowered.top_level_ops, lowered.attr_sets), *(_Given.read(text) for _, text in own[1:])]
    history = _history([name for name, _ in own[1:]], graphs)
    last = graphs[-1]
    bodies = tuple(op for op in graph_of(last_text).ops if op.function)
    functions = tuple(dict.fromkeys(op.function for op in bodies))
    optimized = GraphModel("graph", "optimized", (*last.ops, *bodies), last.attr_sets, functions)
    packed = packed_recording([traced, lowered, optimized])
    others = [_called(item, steps) for item, steps in called.items()]
    packed[rewrites_part(0)] = encode_part(RewritePart((history, *others)))
    return recording_of(packed)


class _Given(NamedTuple):
    """The top-level ops of one text, and their attrs."""

    ops: tuple[OpNode, ...]
    attr_sets: tuple[dict[str, AttrValue], ...]

    @staticmethod
    def read(text: str) -> _Given:
        graph = graph_of(text)
        return _Given(graph.top_level_ops, graph.attr_sets)

    def moved(self, offset: int) -> tuple[OpNode, ...]:
        """Its ops with indices into a table of attrs in which its own begin at `offset`."""
        return tuple(
            OpNode(op.name, op.op_type, op.inputs, op.device, op.attrs + offset if op.attrs >= 0 else -1, op.outputs)
            for op in self.ops
        )


def _called(item: str, steps: list[tuple[str, str]]) -> RewriteHistory:
    graphs = [_Given.read(text) for _, text in steps]
    history = _history([name for name, _ in steps[1:]], graphs)
    function = item.partition("_specialized_for_")[0]
    attr_sets = (*graphs[0].attr_sets, *history.attr_sets)
    return RewriteHistory(item, function, history.steps, attr_sets, graphs[0].moved(0), difference=None)


def _history(names: list[str], graphs: list[_Given]) -> RewriteHistory:
    attr_sets = list(graphs[0].attr_sets)
    before = {op.name: op for op in graphs[0].moved(0)}
    steps = []
    for name, graph in zip(names, graphs[1:], strict=True):
        after = {op.name: op for op in graph.moved(len(attr_sets))}
        attr_sets += graph.attr_sets
        pass_name, _, iteration = name.partition(" ")
        steps.append(
            RewriteStep(
                pass_name,
                int(iteration),
                tuple(name for name in before if name not in after),
                tuple(op for op in after.values() if op.name not in before),
                tuple(op for op in after.values() if op.name in before and _differ(before[op.name], op, attr_sets)),
                len(after),
            )
        )
        before = after
    return RewriteHistory("graph", "", tuple(steps), tuple(attr_sets[len(graphs[0].attr_sets) :]), difference="")


def _differ(was: OpNode, now: OpNode, attr_sets: list[dict[str, AttrValue]]) -> bool:
    attrs = [attr_sets[op.attrs] if op.attrs >= 0 else {} for op in (was, now)]
    return (was.op_type, was.inputs, was.device) != (now.op_type, now.inputs, now.device) or attrs[0] != attrs[1]
