"""Recording -> all that the tables and findings of a step's time start from, computed once."""

from __future__ import annotations

from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.critical_path import PathStep, critical_path
from tfgraphdbg.analyses.bottlenecks.loop_times import LoopTime, loop_times
from tfgraphdbg.analyses.bottlenecks.measured_graph import MeasuredGraph, measured_graph
from tfgraphdbg.analyses.bottlenecks.measured_ops import MeasuredOp, StepSummary, measured_ops, step_summary
from tfgraphdbg.analyses.bottlenecks.parallelism import Parallelism, parallelism_of
from tfgraphdbg.analyses.bottlenecks.slack import Slack, slack_of
from tfgraphdbg.analyses.bottlenecks.time_tables import LineTime, line_times
from tfgraphdbg.measured_times import TimesPart
from tfgraphdbg.recording import Recording, Tracing


class MeasuredStep(NamedTuple):
    """A step as it ran, and what follows from it."""

    times: TimesPart
    summary: StepSummary
    ops: tuple[MeasuredOp, ...]
    """The one with the most time first."""
    lines: tuple[LineTime, ...]
    parallelism: Parallelism
    measured: MeasuredGraph | None
    """None when there are too many executions to connect; then there is no path, no slack and no loop."""
    path: tuple[PathStep, ...]
    slack: Slack | None
    loops: tuple[LoopTime, ...]


def measured_step(recording: Recording, tracing: Tracing, times: TimesPart, device_model: str) -> MeasuredStep:
    """Everything of one tracing's profiled steps."""
    graph = recording.graph("optimized", tracing)
    measured = measured_graph(graph, times)
    path = critical_path(graph, measured, times.timeline) if measured is not None else ()
    slack = slack_of(measured, times.timeline, path) if measured is not None else None
    ops = measured_ops(recording, tracing, times, slack, device_model)
    return MeasuredStep(
        times,
        step_summary(times),
        ops,
        line_times(ops),
        parallelism_of(times),
        measured,
        path,
        slack,
        loop_times(graph, measured, times) if measured is not None else (),
    )
