"""One tracing's eager run beside its graph: all that the tables and findings of `eager` are made from."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tfgraphdbg.analyses.eager.call_cost import CallCost, EagerTimes, call_cost, eager_times
from tfgraphdbg.analyses.eager.graph_ends import GraphEnds, graph_ends
from tfgraphdbg.analyses.eager.match_keys import Places
from tfgraphdbg.analyses.eager.op_matches import Match, match_ops
from tfgraphdbg.analyses.lost_tracings import lost_tracing_ms
from tfgraphdbg.eager_run import EagerOp, EagerPart
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.measured_times import TimesPart
from tfgraphdbg.recording import Frame, Recording, StackTable, Tracing


class ComparedRun(NamedTuple):
    """What is not there is empty or None; `missing` of the report says why."""

    part: EagerPart
    stacks: StackTable
    eager_total: EagerTimes | None
    cost: CallCost | None
    graph_times: TimesPart | None
    traced: GraphModel
    matches: dict[int, Match]
    graph: GraphEnds

    def line_of(self, op: EagerOp) -> Frame | None:
        """The user's line that ran it."""
        return self.stacks.user_frame(op.stack)


def compared_run(recording: Recording, tracing: Tracing) -> ComparedRun:
    """Read, align and add up what was recorded of one tracing."""
    part = recording.eager(tracing) or EagerPart(())
    total = eager_times(part)
    traced = recording.graph("traced", tracing) if tracing.stage("traced") else GraphModel("", "traced", ())
    graph = graph_ends(recording, tracing, traced) if part.ops else GraphEnds({}, {}, "")
    places = Places(recording.stacks, tracing)
    costs = recording.call_costs(tracing)
    lost_ms = lost_tracing_ms(recording, tracing)
    if costs is not None and lost_ms:
        costs = msgspec.structs.replace(costs, trace_ms=costs.trace_ms + lost_ms)
    return ComparedRun(
        part,
        recording.stacks,
        total,
        call_cost(costs, total),
        recording.times(tracing),
        traced,
        match_ops(part.ops, traced.ops, places, _unused_functions(traced, graph)),
        graph,
    )


def _unused_functions(traced: GraphModel, graph: GraphEnds) -> frozenset[str]:
    """Library functions of which nothing is left in the graph that ran."""
    used = {op.function for op in traced.ops if (end := graph.ends.get(op.id)) and not end.is_gone}
    return frozenset(traced.functions) - used
