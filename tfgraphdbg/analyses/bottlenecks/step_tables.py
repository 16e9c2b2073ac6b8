"""Measured times -> the tables beside those of ops: steps, loops, the path, and what belongs to no op."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.critical_path import PathStep
from tfgraphdbg.analyses.bottlenecks.measured_graph import MeasuredGraph, Passes
from tfgraphdbg.analyses.bottlenecks.measured_ops import StepSummary
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.measured_times import TimesPart
from tfgraphdbg.report import Cell, Column, Series, Table

Row = tuple[Cell, ...]

_WAIT_WORDS = {"none": "", "start": "the call from Python", "executor": "the executor"}


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
    ends: list[int] = [0] * len(frames)
    spent: list[int] = [0] * len(frames)
    ops: list[set[int]] = [set() for _ in frames]
    timeline = times.timeline
    for node, row in enumerate(measured.rows):
        if row >= 0:
            frame = measured.frames.of_op[measured.op[node]]
            ends[frame] = max(ends[frame], timeline.end_ns[row])
            spent[frame] += timeline.self_ns[row]
            ops[frame].add(measured.op[node])
    asked = _frames_that_time_their_condition(graph, measured, ops)
    loops = []
    for number, frame_ in enumerate(frames):
        passes = measured.passes[number]
        if frame_.is_loop and passes.start_ns:
            durations = _durations(passes, ends[number], number in asked)
            loops.append(LoopTime(frame_.name, len(durations), len(ops[number]), spent[number] / 1e3, durations))
    return tuple(sorted(loops, key=lambda loop: -loop.whole_us))


def _frames_that_time_their_condition(
    graph: GraphModel, measured: MeasuredGraph, timed: Sequence[set[int]]
) -> set[int]:
    """In these the last pass of each run only asks whether to go on."""
    found = set()
    for position, op in enumerate(graph.ops):
        if op.op_type == "LoopCond":
            frame = measured.frames.of_op[position]
            if timed[frame] & {position, *graph.input_positions[position]}:
                found.add(frame)
    return found


def _durations(passes: Passes, end: int, last_only_asks: bool) -> tuple[float, ...]:
    found = []
    for place, start in enumerate(passes.start_ns):
        if not passes.is_last(place):
            found.append((passes.start_ns[place + 1] - start) / 1e3)
        elif not last_only_asks and place + 1 == passes.number:
            found.append(max(0, end - start) / 1e3)
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
        reason = _WAIT_WORDS.get(step.waited_for, "")
        if step.waited_for == "thread":
            reason = f"its thread, which ran {times.ops[timeline.op[step.busy_with]].op}"
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
