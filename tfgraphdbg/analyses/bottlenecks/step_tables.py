"""Measured times -> the tables beside those of ops: steps, the path, and what belongs to no op."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfgraphdbg.analyses.bottlenecks.critical_path import PathStep
from tfgraphdbg.analyses.bottlenecks.measured_ops import StepSummary
from tfgraphdbg.measured_times import TimesPart
from tfgraphdbg.report import Cell, Column, Table

Row = tuple[Cell, ...]

_WAIT_WORDS = {
    "none": "",
    "start": "the call from Python",
    "executor": "the executor",
    "thread": "its thread, which ran the op above",
}


def path_table(path: Sequence[PathStep], times: TimesPart, types: Mapping[str, str]) -> Table:
    """The critical path in order of time; `types`: the op type of each op."""
    columns = (
        Column("op"),
        Column("op_type"),
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
        start = timeline.start_ns[step.row] / 1e3
        rows.append((op, types.get(op, ""), start, step.self_ns / 1e3, step.wait_ns / 1e3, reason))
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
