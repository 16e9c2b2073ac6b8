"""A function that XLA compiled whole, or one of several that were timed -> what is told of its steps as a whole."""

from __future__ import annotations

from statistics import median

import msgspec

from tfgraphdbg.analyses.bottlenecks.measured_ops import step_summary
from tfgraphdbg.analyses.time_words import duration
from tfgraphdbg.measured_times import StepTime, TimesPart, times_part
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.report import Column, Table


class _Steps(msgspec.Struct, frozen=True):
    """Of a TimesPart only what is read at once."""

    steps: tuple[StepTime, ...]


def functions_with_times(recording: Recording) -> list[str]:
    """The names of functions that were timed."""
    names = set(recording.parts.names())
    return [tracing.function for tracing in recording.tracings if times_part(tracing.index) in names]


def functions_table(recording: Recording, shown: Tracing) -> Table | None:
    """Every tracing with times; None when there is only one."""
    names = set(recording.parts.names())
    rows = []
    for tracing in recording.tracings:
        if times_part(tracing.index) in names:
            steps = recording.parts.decode(times_part(tracing.index), _Steps).steps
            if steps:
                wall = round(median(step.wall_us for step in steps), 3)
                rows.append((tracing.function, tracing.index, len(steps), wall))
    if len(rows) < 2:
        return None
    columns = (Column("function"), Column("tracing"), Column("steps"), Column("wall_us", "us", "measured"))
    title = f"Functions that were timed; this report tells of {shown.function}: --function NAME shows another"
    return Table("functions", title, columns, tuple(rows))


def compiled_title(target: str, times: TimesPart) -> str:
    """How long a step takes that XLA runs as one."""
    summary = step_summary(times)
    spread = f"median of {summary.steps}, {duration(summary.low_us)} to {duration(summary.high_us)}"
    return f"{target}: {duration(summary.wall_us)} a step ({spread}), which XLA runs as one compiled program"
