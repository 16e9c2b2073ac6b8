"""Measured times -> the tables beside those of ops: steps, loops, the path, and what belongs to no op."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.critical_path import PathStep
from tfgraphdbg.analyses.bottlenecks.frames import MERGE
from tfgraphdbg.analyses.bottlenecks.measured_graph import MeasuredGraph, Passes
from tfgraphdbg.analyses.bottlenecks.measured_ops import StepSummary
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.measured_times import TimesPart
from tfgraphdbg.report import Cell, Column, Series, Table

Row = tuple[Cell, ...]

_WAIT_WORDS = {
    "none": "",
    "start": "the call from Python",
    "executor": "the executor",
    "thread": "its thread, which ran the op above",
}


class LoopTime(NamedTuple):
    """A while loop of the profiled step."""

    name: str
    iterations: int
    ops: int
    """Ops in it that were timed."""
    self_us: float
    """Of its ops, over all iterations."""
    iteration_us: tuple[float, ...]
    """From the start of an iteration to that of the next; of the last one of a run, to the end of its last op."""

    @property
    def whole_us(self) -> float:
        """All iterations together."""
        return sum(self.iteration_us)


def loop_times(graph: GraphModel, measured: MeasuredGraph, times: TimesPart) -> tuple[LoopTime, ...]:
    """Every while loop in which something was timed, the longest first."""
    frames = measured.frames.frames
    spent: list[int] = [0] * len(frames)
    ops: list[Counter[int]] = [Counter() for _ in frames]
    timeline = times.timeline
    for node, row in enumerate(measured.rows):
        if row >= 0:
            frame = measured.frames.of_op[measured.op[node]]
            spent[frame] += timeline.self_ns[row]
            ops[frame][measured.op[node]] += 1
    asked = _frames_that_only_ask_last(graph, measured, ops)
    loops = []
    for number, frame_ in enumerate(frames):
        passes = measured.passes[number]
        if frame_.is_loop and passes.start_ns:
            durations = _durations(passes, _ends_of_passes(measured, times, number), number in asked)
            loops.append(LoopTime(frame_.name, len(durations), len(ops[number]), spent[number] / 1e3, durations))
    return tuple(sorted(loops, key=lambda loop: -loop.whole_us))


def _frames_that_only_ask_last(graph: GraphModel, measured: MeasuredGraph, counts: Sequence[Counter[int]]) -> set[int]:
    """The last pass of each run of these loops computes their condition alone, so it is no iteration."""
    found = set()
    for position, op in enumerate(graph.ops):
        if op.op_type == "LoopCond":
            frame = measured.frames.of_op[position]
            asking = _condition_ops(graph, position)
            others = max([count for of, count in counts[frame].items() if of not in asking], default=0)
            if others < measured.passes[frame].number:
                found.add(frame)
    return found


def _condition_ops(graph: GraphModel, loop_cond: int) -> set[int]:
    """The ops that a loop's condition is computed with, up to the loop variables."""
    found = {loop_cond}
    waiting = [loop_cond]
    while waiting:
        for source in graph.input_positions[waiting.pop()]:
            if source >= 0 and source not in found and graph.ops[source].op_type not in MERGE:
                found.add(source)
                waiting.append(source)
    return found


def _ends_of_passes(measured: MeasuredGraph, times: TimesPart, frame: int) -> list[int]:
    """The end of the last op in each pass of a loop, those of loops inside it left out."""
    starts = measured.passes[frame].start_ns
    ends = list(starts)
    number = measured.passes[frame].number
    node = 0
    for of in measured.frames.of_op:
        if of == frame:
            for place in range(number):
                row = measured.rows[node + place]
                if row >= 0:
                    ends[place] = max(ends[place], times.timeline.end_ns[row])
        node += measured.passes[of].number
    return ends


def _durations(passes: Passes, ends: Sequence[int], last_only_asks: bool) -> tuple[float, ...]:
    """Of each iteration, to the start of the next one; of the last one of a run, to the end of its last op."""
    found = []
    for place, start in enumerate(passes.start_ns):
        if not passes.is_last(place):
            found.append((passes.start_ns[place + 1] - start) / 1e3)
        elif not last_only_asks:
            found.append(max(0, ends[place] - start) / 1e3)
    return tuple(found)


def iterations_table(loops: Sequence[LoopTime], summary: StepSummary) -> Table:
    """One row a loop."""
    columns = (
        Column("loop"),
        Column("iterations"),
        Column("ops"),
        *(Column(name, "us", "measured") for name in ("whole_us", "median_us", "low_us", "high_us", "self_us")),
        Column("share", "share", "measured"),
    )
    rows: tuple[Row, ...] = tuple(
        (
            loop.name,
            loop.iterations,
            loop.ops,
            round(loop.whole_us, 3),
            round(median(loop.iteration_us), 3) if loop.iteration_us else None,
            round(min(loop.iteration_us), 3) if loop.iteration_us else None,
            round(max(loop.iteration_us), 3) if loop.iteration_us else None,
            round(loop.self_us, 3),
            round(summary.wall_share(loop.whole_us), 4),
        )
        for loop in loops
    )
    title = "While loops of the step with the median wall time: time of an iteration; share of the step's wall time"
    return Table("iterations", title, columns, rows)


def iteration_series(loops: Sequence[LoopTime]) -> tuple[Series, ...]:
    """The time of each iteration of the longest loop."""
    if not loops or not loops[0].iteration_us:
        return ()
    points = tuple((float(place), round(us, 3)) for place, us in enumerate(loops[0].iteration_us))
    return (Series("iteration-time", "us", "iteration", points),)


def path_table(path: Sequence[PathStep], times: TimesPart) -> Table:
    """The critical path in order of time."""
    columns = (
        Column("op"),
        Column("start_us", "us", "measured"),
        Column("self_us", "us", "measured"),
        Column("wait_us", "us", "measured"),
        Column("waited_for"),
    )
    timeline = times.timeline
    rows: list[Row] = []
    for step in path:
        reason = _WAIT_WORDS[step.waited_for]
        op = times.ops[timeline.op[step.row]].op
        rows.append((op, timeline.start_ns[step.row] / 1e3, step.self_ns / 1e3, step.wait_ns / 1e3, reason))
    title = "The chain of ops that set the step's length, in order: self times and waits add up to its end"
    return Table("critical-path", title, columns, tuple(rows))


def steps_table(times: TimesPart) -> Table:
    """One row a profiled step, in order."""
    names = ("wall_us", "busy_us", "op_us", "executor_us", "unjoined_us")
    columns = (Column("step"), *(Column(name, "us", "measured") for name in names))
    rows: tuple[Row, ...] = tuple(
        (place, *(round(getattr(step, name), 3) for name in names)) for place, step in enumerate(times.steps)
    )
    title = "Profiled steps: wall time from call to return; busy time is summed over threads"
    return Table("steps", title, columns, rows)


def unjoined_table(times: TimesPart, summary: StepSummary) -> Table:
    """Events of the profile that no op of the optimized graph could be found for."""
    columns = (
        Column("event"),
        Column("calls"),
        Column("self_us", "us", "measured"),
        Column("share", "share", "measured"),
        Column("reason"),
    )
    ordered = sorted(times.unjoined, key=lambda event: (-event.self_us, event.name))
    rows: tuple[Row, ...] = tuple(
        (event.name, event.calls, round(event.self_us, 3), round(summary.share(event.self_us), 5), event.reason)
        for event in ordered
    )
    title = "Time that belongs to no op of the optimized graph; share of the busy time of all threads"
    return Table("unjoined", title, columns, rows)


def kernels_table(times: TimesPart) -> Table:
    """Kernels on the streams of a device."""
    total = sum(kernel.us for kernel in times.kernels) or 1.0
    columns = (
        Column("kernel"),
        Column("op"),
        Column("stream"),
        Column("calls"),
        Column("us", "us", "measured"),
        Column("share", "share", "measured"),
    )
    ordered = sorted(times.kernels, key=lambda kernel: (-kernel.us, kernel.name))
    rows: tuple[Row, ...] = tuple(
        (kernel.name, kernel.op or None, kernel.stream, kernel.calls, round(kernel.us, 3), round(kernel.us / total, 4))
        for kernel in ordered
    )
    return Table("kernels", "Kernels on the device's streams; share of the time of all kernels", columns, rows)


def hlo_table(times: TimesPart) -> Table:
    """What XLA's own trace tells of its instructions."""
    total = sum(times.hlo_us.values()) or 1.0
    columns = (Column("instruction"), Column("us", "us", "measured"), Column("share", "share", "measured"))
    ordered = sorted(times.hlo_us.items(), key=lambda entry: (-entry[1], entry[0]))
    rows: tuple[Row, ...] = tuple((name, round(us, 3), round(us / total, 4)) for name, us in ordered)
    title = "HLO instructions of the functions that XLA compiled; share of the time of all of them"
    return Table("hlo", title, columns, rows)
