"""Measured graph -> the critical path where iterations cannot be told apart: each op's latest execution before.

In nested loops TensorFlow runs iterations of the outer one at once, and their inner loops' executions mix. There, what
an execution waited for is taken to be the latest one of each op that it depends on, whatever the iteration.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from tfgraphdbg.analyses.bottlenecks.measured_graph import MeasuredGraph
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.measured_times import Timeline


def has_nested_loops(measured: MeasuredGraph) -> bool:
    """Whether one of its loops runs inside of another."""
    frames = measured.frames.frames
    return any(frame.is_loop and frames[frame.parent].is_loop for frame in frames)


def rows_backward_by_time(graph: GraphModel, measured: MeasuredGraph, timeline: Timeline, slop_ns: int) -> list[int]:
    """From the execution that ended last, each time to the one that ended last of those that it may have waited for.

    An end up to `slop_ns` after a start counts as before it.
    """
    rows_of: dict[int, list[int]] = {}
    for node, row in enumerate(measured.rows):
        if row >= 0:
            rows_of.setdefault(measured.op[node], []).append(row)
    op_of = {row: op for op, rows in rows_of.items() for row in rows}
    for rows in rows_of.values():
        rows.sort(key=timeline.end_ns.__getitem__)
    ends = {op: [timeline.end_ns[row] for row in rows] for op, rows in rows_of.items()}
    sources: dict[int, Sequence[int]] = {}
    row = max(op_of, key=lambda row: (timeline.end_ns[row], row), default=-1)
    path = [row] if row >= 0 else []
    while row >= 0:
        op, start = op_of[row], timeline.start_ns[row]
        if op not in sources:
            sources[op] = _timed_sources(graph, op, rows_of)
        found = -1
        for source in sources[op]:
            place = bisect_right(ends[source], start + slop_ns) - 1
            before = rows_of[source][place] if place >= 0 else -1
            if before >= 0 and timeline.start_ns[before] < start:
                found = max(found, before, key=lambda row: timeline.end_ns[row] if row >= 0 else -1)
        row = found
        if row >= 0:
            path.append(row)
    return path


def _timed_sources(graph: GraphModel, op: int, timed: dict[int, list[int]]) -> list[int]:
    """The timed ops that an op depends on directly, or through ops that are not timed."""
    seen = {op}
    waiting = list(graph.input_positions[op])
    found = []
    while waiting:
        source = waiting.pop()
        if source < 0 or (source in seen and source != op):
            continue
        seen.add(source)
        if source in timed:
            found.append(source)
        else:
            waiting.extend(graph.input_positions[source])
    return list(dict.fromkeys(found))
