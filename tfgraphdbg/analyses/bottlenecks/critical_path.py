"""Measured graph -> the chain of executions that set the length of a step, from their real start and end times.

An execution waits for the last of its inputs, and then for its thread: the runtime queues ops on threads, so that one
whose inputs are all there may still wait for another that has nothing to do with it. Both belong to the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tfgraphdbg.analyses.bottlenecks.measured_graph import MeasuredGraph
from tfgraphdbg.analyses.bottlenecks.path_by_time import SourcesByTime, has_nested_loops
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
    after_thread: bool
    """Whether it waited for its thread, which ran the execution before it on the path, and not for its inputs."""
    is_first: bool
    """Whether it waited for no op: then it is counted from the begin of the step."""

    @property
    def waited_for(self) -> WaitKind:
        """What it waited for beside the output of the op before it on the path."""
        if self.after_thread:
            return "thread"
        if self.wait_ns <= SAME_MOMENT_NS:
            return "none"
        return "start" if self.is_first else "executor"


def critical_path(graph: GraphModel, measured: MeasuredGraph, timeline: Timeline) -> tuple[PathStep, ...]:
    """The path in order of time: self times and waits add up to the end of its last op."""
    nested = has_nested_loops(measured)
    inputs = SourcesByTime(graph, measured, timeline, SAME_MOMENT_NS) if nested else _Sources(measured, timeline)
    walk = _walk_backward(inputs, _Threads(timeline), timeline)
    walk.reverse()
    steps = []
    ready = 0
    for place, (row, after_thread) in enumerate(walk):
        start, end = timeline.start_ns[row], timeline.end_ns[row]
        if place + 1 < len(walk):
            # Its reader went on before it ended: a call whose body goes on, or clocks that differ a little.
            end = max(min(end, timeline.start_ns[walk[place + 1][0]]), start)
        self_ns = max(0, min(timeline.self_ns[row], end - max(start, ready)))
        wait = max(0, max(end, ready) - ready - self_ns)
        steps.append(PathStep(row, self_ns, wait, after_thread, place == 0))
        ready = max(end, ready)
    return tuple(steps)


def _walk_backward(inputs: _Sources | SourcesByTime, threads: _Threads, timeline: Timeline) -> list[tuple[int, bool]]:
    """From the execution that ended last, each time to the one that it waited for; with whether that was its thread."""
    path: list[tuple[int, bool]] = []
    row = inputs.last
    while row >= 0:
        source = inputs.of(row)
        # Going only back in time, it ends, whatever the graph says.
        if source >= 0 and timeline.start_ns[source] >= timeline.start_ns[row]:
            source = -1
        ready = timeline.end_ns[source] if source >= 0 else 0
        last = threads.before(row)
        held = timeline.end_ns[last] - ready if last >= 0 else 0
        # What ran on its thread until most of the wait was over held it up; the rest is the executor's.
        after_thread = held > SAME_MOMENT_NS and 2 * held >= timeline.start_ns[row] - ready
        path.append((row, after_thread))
        row = last if after_thread else source
    return path


class _Sources:
    """What each execution waited for by the graph: of what it reads, the one that ended last."""

    def __init__(self, measured: MeasuredGraph, timeline: Timeline) -> None:
        self._measured = measured
        self._timeline = timeline
        self._latest = _latest_given(measured)
        self._node_of = {row: node for node, row in enumerate(measured.rows) if row >= 0}
        self.last = max(self._node_of, key=lambda row: (timeline.end_ns[row], self._node_of[row]), default=-1)
        """The row of the execution that ended last."""

    def of(self, row: int) -> int:
        """The row of what an execution waited for; -1 for none."""
        measured, start = self._measured, self._timeline.start_ns[row]
        found, when = -1, -1
        for source in measured.before[self._node_of[row]] if row in self._node_of else ():
            given = self._latest[source]
            if given >= 0 and when < measured.known_ns[given] <= start + SAME_MOMENT_NS:
                found, when = given, measured.known_ns[given]
        return measured.rows[found] if found >= 0 else -1


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
    """What each thread ran, in order of start."""

    def __init__(self, timeline: Timeline) -> None:
        self._before: list[int] = []
        latest: dict[int, int] = {}
        for row, thread in enumerate(timeline.thread):
            last = latest.get(thread, -1)
            # What runs nested in another execution waits for no thread.
            nested = last >= 0 and timeline.end_ns[last] > timeline.start_ns[row] + SAME_MOMENT_NS
            self._before.append(-1 if nested else last)
            if last < 0 or timeline.end_ns[row] >= timeline.end_ns[last]:
                latest[thread] = row

    def before(self, row: int) -> int:
        """The execution that its thread ended last before it began; -1 for none."""
        return self._before[row]
