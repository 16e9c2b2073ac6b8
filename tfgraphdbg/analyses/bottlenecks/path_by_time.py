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


class SourcesByTime:
    """What each execution waited for: of those that it may have waited for, the one that ended last.

    An end up to `slop_ns` after a start counts as before it.
    """

    def __init__(self, graph: GraphModel, measured: MeasuredGraph, timeline: Timeline, slop_ns: int) -> None:
        self._graph = graph
        self._timeline = timeline
        self._slop_ns = slop_ns
        self._rows_of: dict[int, list[int]] = {}
        for node, row in enumerate(measured.rows):
            if row >= 0:
                self._rows_of.setdefault(measured.op[node], []).append(row)
        self._op_of = {row: op for op, rows in self._rows_of.items() for row in rows}
        for rows in self._rows_of.values():
            rows.sort(key=timeline.end_ns.__getitem__)
        self._ends = {op: [timeline.end_ns[row] for row in rows] for op, rows in self._rows_of.items()}
        self._sources: dict[int, Sequence[int]] = {}
        self.last = max(self._op_of, key=lambda row: (timeline.end_ns[row], row), default=-1)
        """The row of the execution that ended last."""

    def of(self, row: int) -> int:
        """The row of what an execution waited for; -1 for none."""
        op, start = self._op_of.get(row, -1), self._timeline.start_ns[row]
        if op < 0:
            return -1
        if op not in self._sources:
            self._sources[op] = _timed_sources(self._graph, op, self._rows_of)
        found, when = -1, -1
        for source in self._sources[op]:
            place = bisect_right(self._ends[source], start + self._slop_ns) - 1
            before = self._rows_of[source][place] if place >= 0 else -1
            if before >= 0 and self._timeline.start_ns[before] < start and self._timeline.end_ns[before] > when:
                found, when = before, self._timeline.end_ns[before]
        return found


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
