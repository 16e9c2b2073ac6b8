"""What became of each traced op in the graph that ran: the op that stands for it, and the words for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tfgraphdbg.analyses.fates import OpFate, pass_fates
from tfgraphdbg.analyses.op_pairing import role
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.recording import Recording, Tracing

MOST_OPS_FOR_FATES = 30_000
"""A larger graph is told by origins alone: following every pass would take seconds."""

SAME = "same"
TRACED_ONLY = "traced"
GONE = "ran eagerly, gone in the graph"

_GONE_FATES = frozenset({"folded", "merged", "removed"})


class GraphEnd(NamedTuple):
    """Of one traced op."""

    optimized: str = ""
    """Id of the op that stands for it; empty for none."""
    status: str = GONE

    @property
    def is_gone(self) -> bool:
        """Whether the graph that ran does not compute it."""
        return self.status.startswith(GONE)

    @property
    def is_fused(self) -> bool:
        """Whether it is computed together with others."""
        return self.status.startswith("fused")


class GraphEnds(NamedTuple):
    """Of all traced ops of a tracing."""

    ends: Mapping[str, GraphEnd]
    origins: Mapping[str, tuple[str, ...]]
    """By id of an op that ran: the traced ops that it came from."""
    told_by: str
    """`passes`, `origins`, or empty when no optimized graph was recorded."""


def graph_ends(recording: Recording, tracing: Tracing, traced: GraphModel) -> GraphEnds:
    """What became of each op of `traced`, as exactly as can be told at once."""
    if tracing.stage("optimized") is None:
        return GraphEnds({op.id: GraphEnd("", TRACED_ONLY) for op in traced.ops}, {}, "")
    optimized = recording.graph("optimized", tracing)
    if len(traced) <= MOST_OPS_FOR_FATES and recording.has_rewrites(tracing):
        fates = pass_fates(recording, tracing)
        if fates is not None:
            became = _Became(traced, optimized, fates.origins)
            ends = {op.id: _by_fate(fates.fates.get(op.id), op, became) for op in traced.ops}
            return GraphEnds(ends, fates.origins, "passes")
    origins = {op.id: op.origins for op in optimized.ops}
    first: dict[str, str] = {}
    for id_, of_op in origins.items():
        for origin in of_op:
            first.setdefault(origin, id_)
            if origin == id_:
                first[origin] = id_
    became = _Became(traced, optimized, origins)
    ends = {op.id: became.end_of(op, into) if (into := first.get(op.id)) else GraphEnd() for op in traced.ops}
    return GraphEnds(ends, origins, "origins")


def _by_fate(fate: OpFate | None, op: OpNode, became: _Became) -> GraphEnd:
    if fate is None:
        return GraphEnd()
    into = fate.into if fate.into and fate.into in became.optimized.by_id else ""
    if fate.fate in _GONE_FATES:
        return GraphEnd(into, f"{GONE} ({fate.fate})")
    if not into:
        return GraphEnd()
    if fate.fate == "fused":
        return GraphEnd(into, f"fused into {became.optimized.by_id[into].op_type}")
    return became.end_of(op, into)


class _Became(NamedTuple):
    """Tells what it means that one op stands for another."""

    traced: GraphModel
    optimized: GraphModel
    origins: Mapping[str, tuple[str, ...]]

    def end_of(self, op: OpNode, into: str) -> GraphEnd:
        """The end of `op` when `into` stands for it in the graph that ran."""
        now = self.optimized.by_id[into]
        if role(now) == role(op):
            return GraphEnd(into, SAME)
        if self._is_another_op(op, now):
            return GraphEnd(into, f"{GONE} (removed)")
        return GraphEnd(
            into, f"fused into {now.op_type}" if now.op_type.startswith("_Fused") else f"changed to {now.op_type}"
        )

    def _is_another_op(self, op: OpNode, now: OpNode) -> bool:
        """Whether `now` is an op that was there before beside `op`, and only hands on the value of it."""
        known = self.traced.by_id
        others = (known[id_] for id_ in self.origins.get(now.id, ()) if id_ != op.id and id_ in known)
        return any(role(other) == role(now) for other in others)
