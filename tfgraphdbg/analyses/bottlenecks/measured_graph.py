"""GraphModel and one step's timeline -> the graph of executions: what each waited for, through loops and calls.

A node is one execution of an op. Ops that the profiler does not time have nodes too, of no duration, so that
executions are connected through them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.frames import EXIT, MERGE, ROOT, Frames, frames_of, topological_order
from tfgraphdbg.graph_model import LOOP_BACK_OP_TYPES, GraphModel
from tfgraphdbg.measured_times import TimesPart

MAX_NODES = 1_000_000
"""Above this, seconds would pass until an answer is there."""


class Passes(NamedTuple):
    """How often a frame ran in the step: one entry for each of its iterations, over all its runs."""

    start_ns: Sequence[int]
    outer: Sequence[int]
    """The iteration of the frame around it."""

    @property
    def number(self) -> int:
        """How many iterations there were."""
        return len(self.outer)

    def is_first(self, place: int) -> bool:
        """Whether a run of the loop begins with it."""
        return place == 0 or self.outer[place - 1] != self.outer[place]

    def is_last(self, place: int) -> bool:
        """Whether a run of the loop ends with it."""
        return place + 1 == len(self.outer) or self.outer[place + 1] != self.outer[place]


class MeasuredGraph(NamedTuple):
    """The executions of one step. All but `frames` and `passes` are by node."""

    before: Sequence[Sequence[int]]
    """The nodes that a node waits for."""
    order: Sequence[int]
    """Nodes, each after those that it waits for."""
    op: Sequence[int]
    """Position in the graph."""
    rows: Sequence[int]
    """The row of the timeline; -1 for an execution that was not timed."""
    known_ns: Sequence[int]
    """When what a node gives was there at the latest: the end of a timed execution; -1 when not timed."""
    frames: Frames
    passes: Sequence[Passes]
    """By frame."""


def measured_graph(graph: GraphModel, times: TimesPart) -> MeasuredGraph | None:
    """Connect the executions of the timeline; None when they are too many."""
    builder = _Builder(graph, times, frames_of(graph))
    return builder.build() if builder.size <= MAX_NODES else None


class _Builder:
    def __init__(self, graph: GraphModel, times: TimesPart, frames: Frames) -> None:
        self._graph = graph
        self._frames = frames
        self._timeline = times.timeline
        self._rows_of = _rows_of(graph, times)
        self._passes = _passes(frames, self._rows_of, times.timeline.start_ns)
        counts = [passes.number for passes in self._passes]
        self._first: list[int] = []
        self.size = 0
        for frame in frames.of_op:
            self._first.append(self.size)
            self.size += counts[frame]

    def build(self) -> MeasuredGraph:
        op = [place for place, frame in enumerate(self._frames.of_op) for _ in range(self._passes[frame].number)]
        rows = self._placed_rows()
        ends = self._timeline.end_ns
        known = [ends[row] if row >= 0 else -1 for row in rows]
        if len(self._frames.frames) == 1:
            before: list[Sequence[int]] = [
                sources if -1 not in sources else [source for source in sources if source >= 0]
                for sources in self._graph.input_positions
            ]
        else:
            before = list(self._all_before())
            self._connect_calls(before, op, rows, known)
        return MeasuredGraph(before, topological_order(before), op, rows, known, self._frames, self._passes)

    def _placed_rows(self) -> list[int]:
        rows = [-1] * self.size
        for position, own in self._rows_of.items():
            passes = self._passes[self._frames.of_op[position]]
            for row, place in zip(own, _iterations(own, passes, self._timeline.start_ns), strict=False):
                rows[self._first[position] + place] = row
        return rows

    def _all_before(self) -> Iterator[list[int]]:
        for position, sources in enumerate(self._graph.input_positions):
            known = [source for source in sources if source >= 0]
            before: list[list[int]] = [[] for _ in range(self._passes[self._frames.of_op[position]].number)]
            for source in known:
                self._connect(position, source, before)
            yield from before

    def _connect(self, position: int, source: int, before: list[list[int]]) -> None:
        """Add to what each iteration of an op waits for those iterations of `source` whose output it reads."""
        ops, first = self._graph.ops, self._first[source]
        frame, given = self._frames.of_op[position], self._frames.of_output[source]
        runs_in = self._frames.of_op[source]
        if ops[position].op_type in EXIT and self._frames.frames[given].parent == frame != given:
            inner = self._passes[given]
            # Where the condition is not timed, the last iteration that is known is one of the body.
            firsts = [first, *(self._first[back] for back in self._closing(source))]
            for place, outer in enumerate(inner.outer):
                if inner.is_last(place):
                    before[outer].extend(start + place for start in firsts)
        elif runs_in != given == frame:
            own, is_merge = self._passes[frame], ops[position].op_type in MERGE
            for place, outer in enumerate(own.outer):
                if not is_merge or own.is_first(place):
                    before[place].append(first + outer)
        elif runs_in == frame:
            own, back = self._passes[frame], ops[source].op_type in LOOP_BACK_OP_TYPES
            for place in range(len(before)):
                if not back or not own.is_first(place):
                    before[place].append(first + place - back)

    def _closing(self, switch: int) -> list[int]:
        """The NextIteration ops that give the loop variable of a Switch its next value."""
        ops, inputs = self._graph.ops, self._graph.input_positions
        merges = [place for place in inputs[switch] if place >= 0 and ops[place].op_type in MERGE]
        return [
            back for place in merges for back in inputs[place] if back >= 0 and ops[back].op_type in LOOP_BACK_OP_TYPES
        ]

    def _connect_calls(self, before: list[Sequence[int]], op: list[int], rows: list[int], known: list[int]) -> None:
        """A function's body waits for what its caller waits for, and readers of the caller wait for the body."""
        starts = self._timeline.start_ns
        for number, frame in enumerate(self._frames.frames):
            if frame.caller < 0 or not self._passes[number].start_ns:
                continue
            caller = self._first[frame.caller]
            body = [place for place, of in enumerate(self._frames.of_op) if of == number]
            read = {source for place in body for source in self._graph.input_positions[place]}
            passes = self._passes[number]
            for outer in range(self._passes[frame.parent].number):
                inside = [place for place, of in enumerate(passes.outer) if of == outer]
                if not inside:
                    continue
                for place in body:
                    if not self._graph.input_positions[place]:
                        for turn in inside:
                            before[self._first[place] + turn] = before[caller + outer]
                end = len(before)
                ends = [self._first[place] + inside[-1] for place in body if place not in read]
                for node, sources in enumerate(before):
                    if caller + outer in sources:
                        before[node] = [end if source == caller + outer else source for source in sources]
                before.append([*ends, caller + outer])
                op.append(frame.caller)
                rows.append(-1)
                known.append(-1)
                # The caller ends after its body: what its readers really waited for is the body's last op.
                if rows[caller + outer] >= 0:
                    known[caller + outer] = starts[rows[caller + outer]]


def _rows_of(graph: GraphModel, times: TimesPart) -> dict[int, list[int]]:
    """The rows of the timeline of each op, by its position in the graph, in order of their start."""
    position_of = {op.id if op.function else op.name: position for position, op in enumerate(graph.ops)}
    places = [position_of.get(op.op, -1) for op in times.ops]
    rows_of: dict[int, list[int]] = {}
    for row, op in enumerate(times.timeline.op):
        position = places[op]
        if position >= 0:
            if position in rows_of:
                rows_of[position].append(row)
            else:
                rows_of[position] = [row]
    return rows_of


def _passes(frames: Frames, rows_of: dict[int, list[int]], start_ns: Sequence[int]) -> list[Passes]:
    """A frame's iterations are those of its op that ran most often: of a loop, its condition."""
    clocks: dict[int, list[int]] = {}
    if len(frames.frames) > 1:
        for position, rows in rows_of.items():
            frame = frames.of_op[position]
            if frame != ROOT and len(rows) > len(clocks.get(frame, ())):
                clocks[frame] = rows
    passes: list[Passes | None] = [None] * len(frames.frames)
    passes[ROOT] = Passes((0,), (0,))

    def passes_of(frame: int) -> Passes:
        found = passes[frame]
        if found is None:
            around = passes_of(frames.frames[frame].parent)
            starts = [start_ns[row] for row in clocks.get(frame, ())]
            outer = [max(place, 0) for place in _by_time(starts, around)]
            # A frame in which nothing was timed still passes values on, once for each run.
            found = Passes(starts, outer) if starts else Passes((), range(around.number))
            passes[frame] = found
        return found

    return [passes_of(frame) for frame in range(len(frames.frames))]


def _iterations(rows: Sequence[int], passes: Passes, start_ns: Sequence[int]) -> Sequence[int]:
    """Which iterations of its frame the executions of an op belong to.

    By their order where each iteration has one, or each but the last of a run, as in a loop's body; else by time:
    in some iterations the profiler skips an op that takes next to no time.
    """
    count, total = len(rows), passes.number
    if count >= total:
        return range(total)
    body = [place for place in range(total) if not passes.is_last(place)]
    if count == len(body):
        return body
    found: list[int] = []
    for place, guess in enumerate(_by_time([start_ns[row] for row in rows], passes)):
        earliest = found[-1] + 1 if found else 0
        found.append(min(max(earliest, guess), total - (count - place)))
    return found


def _by_time(starts: Sequence[int], passes: Passes) -> list[int]:
    """The iteration in which something started. Those of `passes` begin with an op that may not be its first:

    what ran before the very first one is taken to run before it in every iteration.
    """
    if starts and passes.start_ns and starts[0] < passes.start_ns[0]:
        return [min(bisect_left(passes.start_ns, start), passes.number - 1) for start in starts]
    return [bisect_right(passes.start_ns, start) - 1 for start in starts]
