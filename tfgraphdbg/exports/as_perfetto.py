"""A recording -> a trace for Perfetto: one step op by op, the eager run, and all that the profiler saw."""

from __future__ import annotations

from tfgraphdbg.errors import UsageError
from tfgraphdbg.exports.eager_slices import add_eager, has_times
from tfgraphdbg.exports.op_arguments import OpArguments
from tfgraphdbg.exports.profiler_slices import add_profile
from tfgraphdbg.exports.step_slices import add_step
from tfgraphdbg.exports.trace_events import TraceEvents
from tfgraphdbg.exports.xspace import planes_of
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import Recording, Tracing


def perfetto_trace(recording: Recording, tracing: Tracing) -> bytes:
    """The trace as JSON. Raises UsageError when neither a step nor an eager run was measured."""
    times, eager = recording.times(tracing), recording.eager(tracing)
    profile = recording.profiler_trace(tracing)
    measured = times is not None and bool(times.timeline.op)
    eager_measured = eager is not None and has_times(eager)
    if not (measured or eager_measured or profile):
        raise UsageError(
            _nothing(recording, tracing), "record its times: tfgraphdbg record TARGET --steps 10 -o run.tfgdbg"
        )
    graph = _ran(recording, tracing)
    arguments = OpArguments(graph, recording.stacks)
    trace = TraceEvents()
    if times is not None and measured:
        add_step(trace, times, graph, arguments)
    if eager is not None and eager_measured:
        add_eager(trace, eager, recording.stacks)
    if profile:
        add_profile(trace, planes_of(profile), arguments)
    target = recording.meta.target.name
    versions = recording.meta.versions
    return trace.as_json({"target": target, "function": tracing.function, "versions": versions})


def _ran(recording: Recording, tracing: Tracing) -> GraphModel:
    """The graph whose ops the times are of; an empty one when no graph was recorded."""
    if any(stage.kind == "graph" for stage in tracing.stages):
        return recording.graph(tracing.default_stage, tracing)
    return GraphModel(tracing.concrete_function, "optimized", (), (), ())


def _nothing(recording: Recording, tracing: Tracing) -> str:
    gap = next((gap.reason for gap in recording.missing if gap.evidence in {"op-times", "times"}), "")
    return f"there are no times of {tracing.function} to export" + (f": {gap}" if gap else "")
