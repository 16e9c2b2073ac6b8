"""Measured graph -> the chain of executions that set the length of a step, from their real start and end times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from tfgraphdbg.analyses.bottlenecks.measured_graph import MeasuredGraph
from tfgraphdbg.analyses.bottlenecks.path_by_time import has_nested_loops, rows_backward_by_time
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.measured_times import Timeline

WaitKind = Literal["start", "thread", "executor", "none"]

SAME_MOMENT_NS = 1_000
"""Clocks of threads are read a little before and after an op's work: an end this much after a start is still before."""


class PathStep(NamedTuple):
    """One execution on the path, and the time that passed before it with none of the path's ops running."""

    row: int
    """Of the timeline."""
    self_ns: int
    wait_ns: int
    """Since what it waited for was there; what ran nested in it on its thread counts here too."""
    thread_ns: int
    """Of that, the time in which its thread still ran other ops."""
    busy_with: int
    """The row of the last of those other ops; -1 for none."""
    is_first: bool
    """Whether it waited for no op: then it is counted from the begin of the step."""

    @property
    def waited_for(self) -> WaitKind:
        """What most of the wait was for."""
        if self.wait_ns <= SAME_MOMENT_NS:
            return "none"
        if 2 * self.thread_ns >= self.wait_ns:
            return "thread"
        return "start" if self.is_first else "executor"


def critical_path(graph: GraphModel, measured: MeasuredGraph, timeline: Timeline) -> tuple[PathStep, ...]:
    """The path in order of time: self times and waits add up to the end of its last op."""
    if has_nested_loops(measured):
        rows = rows_backward_by_time(graph, measured, timeline, SAME_MOMENT_NS)
    else:
        rows = [measured.rows[node] for node in _nodes_backward(measured, timeline)]
    rows.reverse()
    earlier = _Threads(timeline)
    steps = []
    ready = 0
    for place, row in enumerate(rows):
        start, end = timeline.start_ns[row], timeline.end_ns[row]
        if place + 1 < len(rows):
            # Its reader went on before it ended: a call whose body goes on, or clocks that differ a little.
            end = max(min(end, timeline.start_ns[rows[place + 1]]), start)
        self_ns = min(timeline.self_ns[row], end - max(start, ready))
        busy, last = earlier.busy_before(row, ready)
        self_ns = max(0, self_ns)
        wait = max(0, max(end, ready) - ready - self_ns)
        steps.append(PathStep(row, self_ns, wait, min(busy, wait), last, place == 0))
        ready = max(end, ready)
    return tuple(steps)


def _nodes_backward(measured: MeasuredGraph, timeline: Timeline) -> list[int]:
    """From the execution that ended last, each time to the one that ended last of those that it waited for."""
    latest = _latest_given(measured)
    timed = [node for node, row in enumerate(measured.rows) if row >= 0]
    if not timed:
        return []
    node = max(timed, key=lambda node: (timeline.end_ns[measured.rows[node]], node))
    path = [node]
    while True:
        start = timeline.start_ns[measured.rows[node]]
        found, when = -1, -1
        for source in measured.before[node]:
            given = latest[source]
            if given >= 0 and when < measured.known_ns[given] <= start + SAME_MOMENT_NS:
                found, when = given, measured.known_ns[given]
        # Going only back in time, it ends, whatever the graph says.
        if found < 0 or timeline.start_ns[measured.rows[found]] >= start:
            return path
        path.append(found)
        node = found


def _latest_given(measured: MeasuredGraph) -> Sequence[int]:
    """For each node the timed one behind what it gives: itself, or of those that it waits for the last to end."""
    rows, known = measured.rows, measured.known_ns
    latest = [node if row >= 0 else -1 for node, row in enumerate(rows)]
    for node in measured.order:
        if rows[node] < 0:
            best, when = -1, -1
            for source in measured.before[node]:
                given = latest[source]
                if given >= 0 and known[given] > when:
                    best, when = given, known[given]
            latest[node] = best
    return latest


class _Threads:
    """Which executions each thread had, in order."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._place: list[int] = []
        self._rows: dict[int, list[int]] = {}
        for row, thread in enumerate(timeline.thread):
            own = self._rows.setdefault(thread, [])
            self._place.append(len(own))
            own.append(row)

    def busy_before(self, row: int, since_ns: int) -> tuple[int, int]:
        """How long the thread of an execution ran others from `since_ns` to its start, and the last of them or -1."""
        busy, last = 0, -1
        start = self._timeline.start_ns[row]
        for other in self._earlier(row):
            end = self._timeline.end_ns[other]
            if end <= since_ns and self._timeline.start_ns[other] <= since_ns:
                break
            if end <= start + SAME_MOMENT_NS:
                last = other if last < 0 else last
                begin = max(self._timeline.start_ns[other], since_ns)
                busy += max(0, min(end, start) - begin)
                start = min(start, begin)
        return busy, last

    def _earlier(self, row: int) -> Iterator[int]:
        own = self._rows[self._timeline.thread[row]]
        for place in range(self._place[row] - 1, -1, -1):
            yield own[place]
