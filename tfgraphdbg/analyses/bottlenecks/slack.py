"""Measured graph -> how much later each op could end without delaying the step, all else running as it did."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.critical_path import SAME_MOMENT_NS, PathStep
from tfgraphdbg.analyses.bottlenecks.measured_graph import MeasuredGraph
from tfgraphdbg.measured_times import Timeline


class Slack(NamedTuple):
    """The longest chain of the measured graph by the ops' own times, and the room that each op has."""

    longest_ns: int
    """The step could not be shorter than this with these ops, however many threads there are."""
    of_op: dict[int, int]
    """Nanoseconds by position in the graph, the least of all executions of an op; 0 on the critical path."""


def slack_of(measured: MeasuredGraph, timeline: Timeline, path: Sequence[PathStep]) -> Slack:
    """The longest chain, and the room of each op between its end and what waited for it: readers, and its thread."""
    return Slack(_longest_ns(measured, timeline), _least_by_op(measured, _rooms(measured, timeline, path)))


def _longest_ns(measured: MeasuredGraph, timeline: Timeline) -> int:
    rows, before = measured.rows, measured.before
    ends = [timeline.self_ns[row] if row >= 0 else 0 for row in rows]
    for node in measured.order:
        latest = 0
        for source in before[node]:
            if ends[source] > latest:
                latest = ends[source]
        ends[node] += latest
    return max(ends, default=0)


def _rooms(measured: MeasuredGraph, timeline: Timeline, path: Sequence[PathStep]) -> dict[int, int]:
    """The room of each timed execution, by row: a walk back in time, since what waits for one starts after it."""
    last = max(timeline.end_ns, default=0)
    latest = [last] * len(measured.rows)
    rooms = {step.row: 0 for step in path}
    followers = _followers(timeline)
    before, rows, starts, ends = measured.before, measured.rows, timeline.start_ns, timeline.end_ns
    for node in _back_in_time(measured, timeline):
        row, limit = rows[node], latest[node]
        if row >= 0:
            follower = followers[row]
            if follower >= 0:
                limit = min(limit, starts[follower] + rooms.get(follower, last))
            room = 0 if row in rooms else max(0, limit - ends[row])
            rooms[row] = room
            limit = starts[row] + room
        for source in before[node]:
            if limit < latest[source]:
                latest[source] = limit
    return rooms


def _back_in_time(measured: MeasuredGraph, timeline: Timeline) -> list[int]:
    """Nodes from the last to the first; one that was not timed stands with the first that waits for it."""
    rows, starts = measured.rows, timeline.start_ns
    never = max(timeline.end_ns, default=0) + 1
    when = [starts[row] if row >= 0 else never for row in rows]
    backward = measured.order[::-1]
    for node in backward:
        moment = when[node]
        for source in measured.before[node]:
            if rows[source] < 0 and moment < when[source]:
                when[source] = moment
    return sorted(backward, key=when.__getitem__, reverse=True)


def _followers(timeline: Timeline) -> list[int]:
    """By row, what its thread ran next, once it had ended; -1 for nothing."""
    rows_of: dict[int, list[int]] = {}
    for row, thread in enumerate(timeline.thread):
        rows_of.setdefault(thread, []).append(row)
    found = [-1] * len(timeline.thread)
    for rows in rows_of.values():
        starts = [timeline.start_ns[row] for row in rows]
        for place, row in enumerate(rows):
            after = place + 1
            if after < len(rows) and starts[after] < timeline.end_ns[row] - SAME_MOMENT_NS:
                after = bisect_left(starts, timeline.end_ns[row] - SAME_MOMENT_NS, after)
            if after < len(rows):
                found[row] = rows[after]
    return found


def _least_by_op(measured: MeasuredGraph, rooms: dict[int, int]) -> dict[int, int]:
    least: dict[int, int] = {}
    for op, row in zip(measured.op, measured.rows, strict=True):
        if row in rooms:
            room = rooms[row]
            if room < least.get(op, room + 1):
                least[op] = room
    return least
