"""Measured graph -> how much later each op could end without delaying the step, were there threads enough."""

from __future__ import annotations

from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.measured_graph import MeasuredGraph
from tfgraphdbg.measured_times import Timeline


class Slack(NamedTuple):
    """The longest chain of the measured graph by the ops' own times, and the room that all others have."""

    longest_ns: int
    """The step could not be shorter than this with these ops, however many threads there are."""
    of_op: dict[int, int]
    """Nanoseconds by position in the graph, the least of all executions of an op."""


def slack_of(measured: MeasuredGraph, timeline: Timeline) -> Slack:
    """Two walks over the graph: when each execution can end at the earliest, and at the latest."""
    rows, before, order = measured.rows, measured.before, measured.order
    own = [timeline.self_ns[row] if row >= 0 else 0 for row in rows]
    ends = own.copy()
    for node in order:
        latest = 0
        for source in before[node]:
            if ends[source] > latest:
                latest = ends[source]
        ends[node] += latest
    longest = max(ends, default=0)
    behind = [0] * len(rows)
    for node in reversed(order):
        needed = own[node] + behind[node]
        for source in before[node]:
            if behind[source] < needed:
                behind[source] = needed
    of_op: dict[int, int] = {}
    for node in order:
        if rows[node] >= 0:
            room = longest - ends[node] - behind[node]
            op = measured.op[node]
            if room < of_op.get(op, room + 1):
                of_op[op] = room
    return Slack(longest, of_op)
