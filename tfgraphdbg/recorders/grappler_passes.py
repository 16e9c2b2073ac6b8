"""The edits of Grappler's passes, from the dumps of the real run -> the rewrite history of a tracing."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from tfgraphdbg.graph_model import AttrValue, OpNode, garbage_collection_paused
from tfgraphdbg.recorders import tensorflow_internals
from tfgraphdbg.recorders.graph_def_bytes import parse_graph, parse_node
from tfgraphdbg.recorders.graph_defs import OpConversion, OpFacts, attr_value, converted_graph
from tfgraphdbg.recorders.grappler_dumps import GrapplerDumps
from tfgraphdbg.recorders.pass_edits import PassEdits, RawStep
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recording import GraphPart
from tfgraphdbg.rewrites import RewriteHistory, RewriteStep, apply_steps

AttrSets = Sequence[dict[str, AttrValue]]


class Lowered(NamedTuple):
    """The graph that Grappler was given, as recorded, and the conversion that goes on with the edits."""

    edits: PassEdits
    part: GraphPart
    conversion: OpConversion


def record_lowered(writer: RecordingWriter, index: int, edits: PassEdits | str, facts: OpFacts) -> Lowered | None:
    """Write the stage `lowered` of a tracing, or the reason why there is none."""
    if isinstance(edits, str):
        miss_passes(writer, index, edits)
        return None
    assert edits.first is not None
    try:
        graph_def = parse_graph(edits.first, edits.is_text)
    except ValueError as error:
        miss_passes(writer, index, f"the first dump is damaged: {error}")
        return None
    conversion = OpConversion(facts)
    part = converted_graph(graph_def, writer.tracing(index).concrete_function, "lowered", conversion)
    writer.add_graph(index, part, graph_def.SerializeToString())
    return Lowered(edits, part, conversion)


def record_passes(
    writer: RecordingWriter, index: int, lowered: Lowered, optimized: GraphPart, dumps: GrapplerDumps
) -> None:
    """Write what each pass did to a tracing's graph and to the library functions that it still calls."""
    function = writer.tracing(index).function
    try:
        own = history_of_graph(lowered.edits, lowered.part, lowered.conversion, optimized)
        called = dumps.edits_of_functions(frozenset(optimized.functions) | frozenset(lowered.part.functions))
        facts = lowered.conversion.facts
        others = [history_of_function(item, name, edits, facts) for item, (name, edits) in called.items()]
    except ValueError as error:
        writer.miss_of(function, "grappler-passes", f"a dump is damaged: {error}")
        return
    uncalled = _UNCALLED if dumps.source == "replayed" and optimized.functions else ""
    early = "" if lowered.edits.ended or lowered.edits.problem else _NO_LAST
    for reason in (lowered.edits.problem, *lowered.edits.gaps, early, uncalled):
        if reason:
            writer.miss_of(function, "grappler-passes", reason)
    histories = [msgspec.structs.replace(history, source=dumps.source) for history in (own, *others)]
    writer.add_rewrites(index, tuple(histories))


_NO_LAST = "Grappler's last dump was not written: Grappler ended early, or the disk is full"

_UNCALLED = "functions that it still calls are optimized when they first run, which a replay leaves out"


def miss_passes(writer: RecordingWriter, index: int, reason: str) -> None:
    """Say why a tracing has neither the graph that Grappler was given nor its passes."""
    for evidence in ("stage-lowered", "grappler-passes"):
        writer.miss_of(writer.tracing(index).function, evidence, reason)


def history_of_graph(
    edits: PassEdits, lowered: GraphPart, conversion: OpConversion, optimized: GraphPart | None
) -> RewriteHistory:
    """What Grappler did to a tracing's own graph. `conversion` is the one that made `lowered`, and goes on.

    Raises ValueError when a node of a dump is damaged.
    """
    given = {op.name: op for op in lowered.ops if not op.function}
    shared = len(lowered.attr_sets)
    with garbage_collection_paused():
        steps = _Steps(conversion, given, edits).all()
        difference = None
        if optimized is not None:
            last = apply_steps(given, steps).values()
            ran = [op for op in optimized.ops if not op.function]
            difference = difference_of(last, conversion.attr_sets, ran, optimized.attr_sets)
    attr_sets = tuple(conversion.attr_sets[shared:])
    return RewriteHistory(edits.item, "", steps, attr_sets, difference=difference)


def history_of_function(item: str, function: str, edits: PassEdits, facts: OpFacts) -> RewriteHistory:
    """What Grappler did to a library function that stayed a call. Raises ValueError when a node is damaged."""
    assert edits.first is not None
    conversion = OpConversion(_FactsInside(facts, function))
    with garbage_collection_paused():
        given = {node.name: conversion.op(node, function) for node in parse_graph(edits.first, edits.is_text).node}
        steps = _Steps(conversion, given, edits, function).all()
    return RewriteHistory(item, function, steps, tuple(conversion.attr_sets), tuple(given.values()))


class _FactsInside(OpFacts):
    """The facts of a function body that was instantiated by itself: its arguments are `_Arg`s again."""

    def __init__(self, facts: OpFacts, function: str) -> None:
        self._facts = facts
        self._function = function

    def stack(self, op_id: str) -> int:
        """The stack of a traced op."""
        return self._facts.stack(op_id)

    def origins(self, node: Any, function: str) -> tuple[str, ...]:
        """The traced op of that name in the function, or what the runtime's own notes say."""
        return self._facts.origins(node, self._function)

    def shapes(self, node: Any, origins: tuple[str, ...]) -> Any:
        """As they were traced."""
        return self._facts.shapes(node, origins)


class _Steps:
    """The steps of one graph, converted in order; what a dump changed and our model does not show is no change."""

    def __init__(
        self, conversion: OpConversion, given: Mapping[str, OpNode], edits: PassEdits, function: str = ""
    ) -> None:
        self._conversion = conversion
        self._now = dict(given)
        self._edits = edits
        self._function = function

    def all(self) -> tuple[RewriteStep, ...]:
        """Every step, in order."""
        return tuple([self._step(raw) for raw in self._edits.steps])

    def _step(self, raw: RawStep) -> RewriteStep:
        added = [self._op(node) for node in raw.added.values()]
        changed = [op for name, node in raw.changed.items() if self._is_new(name, op := self._op(node))]
        for name in raw.removed:
            del self._now[name]
        self._now.update((op.name, op) for op in (*added, *changed))
        return RewriteStep(
            raw.pass_name,
            raw.iteration,
            raw.removed,
            tuple(added),
            tuple(changed),
            raw.nodes,
            raw.ms,
            raw.timed_by,
            raw.note,
        )

    def _op(self, node: bytes) -> OpNode:
        return self._conversion.op(parse_node(node, self._edits.is_text), self._function)

    def _is_new(self, name: str, after: OpNode) -> bool:
        attrs = self._conversion.attr_sets
        return _shown(self._now[name], attrs) != _shown(after, attrs)


def _shown(op: OpNode, attr_sets: AttrSets) -> tuple[object, ...]:
    return op.op_type, op.inputs, op.device, attr_sets[op.attrs] if op.attrs >= 0 else {}


def difference_of(last: Iterable[OpNode], last_attrs: AttrSets, ran: Iterable[OpNode], ran_attrs: AttrSets) -> str:
    """How the graph after the last pass differs from the one that ran, in one sentence; empty for not at all.

    Attrs that begin with `_` are the runtime's own notes, such as `_XlaHasReferenceVars`, which come after Grappler.
    An attr that only one side spells out is the same when it says what the op has without it.
    """
    ours, theirs = ({op.name: op for op in ops} for ops in (last, ran))
    gone = ours.keys() - theirs.keys()
    new = theirs.keys() - ours.keys()
    if gone or new:
        example = min(gone or new)
        others = "other" if len(new) == 1 else "others"
        return f"{_ops(len(gone))} of it did not run and {len(new):,} {others} did, such as {example!r}"
    equal_attrs = functools.lru_cache(maxsize=None)(
        lambda op_type, a, b: _same_attrs(op_type, _attrs(last_attrs, a), _attrs(ran_attrs, b))
    )
    different = [
        name
        for name, op in ours.items()
        if (op.op_type, op.inputs, op.device) != ((other := theirs[name]).op_type, other.inputs, other.device)
        or not equal_attrs(op.op_type, op.attrs, other.attrs)
    ]
    if not different:
        return ""
    if len(different) == 1:
        return f"1 op differs, {different[0]!r}"
    return f"{_ops(len(different))} differ, such as {min(different)!r}"


def _ops(count: int) -> str:
    return "1 op" if count == 1 else f"{count:,} ops"


def _same_attrs(op_type: str, ours: Mapping[str, AttrValue], theirs: Mapping[str, AttrValue]) -> bool:
    if ours == theirs:
        return True
    defaults = _default_attrs(op_type)
    return {**defaults, **ours} == {**defaults, **theirs}


@functools.cache
def _default_attrs(op_type: str) -> Mapping[str, AttrValue]:
    definition = tensorflow_internals.op_def_of(op_type)
    attrs = () if definition is None else definition.attr
    return {attr.name: attr_value(attr.default_value) for attr in attrs if attr.HasField("default_value")}


def _attrs(attr_sets: AttrSets, index: int) -> Mapping[str, AttrValue]:
    return {name: value for name, value in attr_sets[index].items() if name[0] != "_"} if index >= 0 else {}
