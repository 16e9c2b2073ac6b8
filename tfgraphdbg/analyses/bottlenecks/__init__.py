"""Recording -> where the time of a step goes: by op, by source line, along the critical path, and over threads.

Times are measured by TensorFlow's profiler over several steady runs; estimates are those of Grappler's cost model.
"""

from __future__ import annotations

from tfgraphdbg.analyses.bottlenecks.first_call import first_call_tables, tracing_findings
from tfgraphdbg.analyses.bottlenecks.loop_times import iteration_series, iterations_table
from tfgraphdbg.analyses.bottlenecks.parallelism import busy_threads_series, parallelism_table
from tfgraphdbg.analyses.bottlenecks.step import MeasuredStep, measured_step
from tfgraphdbg.analyses.bottlenecks.step_tables import (
    hlo_table,
    kernels_table,
    path_table,
    steps_table,
    unjoined_table,
)
from tfgraphdbg.analyses.bottlenecks.time_findings import time_findings
from tfgraphdbg.analyses.bottlenecks.time_tables import lines_table, ops_table, scopes_table
from tfgraphdbg.analyses.bottlenecks.title import title_of
from tfgraphdbg.analyses.bottlenecks.whole_step import compiled_title, functions_table, functions_with_times
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.known_target import is_in_place
from tfgraphdbg.graph_model import garbage_collection_paused
from tfgraphdbg.measured_times import TimesPart
from tfgraphdbg.recording import MissingEvidence, OpMetric, Recording, Tracing
from tfgraphdbg.report import Report, Series, Table, ordered, report_target

EVIDENCE = "op-times"


def find_bottlenecks(recording: Recording, options: AnalysisOptions) -> Report:
    """Where the time of one tracing's steps goes, and what can be done about it."""
    if options.tracing is None and recording.meta.main_tracing is None:
        return _nothing(recording, f"no tf.function was traced ({recording.meta.outcome})", None)
    tracing = options.tracing or recording.main_tracing
    with garbage_collection_paused():
        times = recording.times(tracing)
        if times is not None and times.steps and tracing.stage("optimized") is None and tracing.jit_compile:
            return _compiled(recording, tracing, times)
        if times is None or not times.steps or tracing.stage("optimized") is None:
            return _nothing(recording, _why_no_times(recording, tracing), tracing)
        functions = _functions(recording, tracing)
        step = measured_step(recording, tracing, times, options.device_model)
        return Report(
            analysis="bottlenecks",
            title=title_of(_name(recording, tracing, functions), step),
            target=report_target(recording),
            findings=ordered([*time_findings(step, tracing), *tracing_findings(recording, tracing)]),
            tables=(*_tables(step), *functions, *first_call_tables(recording, tracing)),
            series=_series(step),
            missing=(*recording.missing, *_gaps(step, recording, tracing)),
            stage="optimized",
            metric=OpMetric("self time", "us", "optimized", {op.time.op: op.time.self_us for op in step.ops}),
        )


def _functions(recording: Recording, tracing: Tracing) -> tuple[Table, ...]:
    table = functions_table(recording, tracing)
    return (table,) if table else ()


def _name(recording: Recording, tracing: Tracing, functions: tuple[Table, ...]) -> str:
    """What the title is of: the target, and which of its functions when several were timed."""
    return f"{tracing.function} of {recording.target.name}" if functions else recording.target.name


def _compiled(recording: Recording, tracing: Tracing, times: TimesPart) -> Report:
    """XLA leaves no ops to time, only its own instructions, where its trace tells them."""
    functions = _functions(recording, tracing)
    reason = f"XLA compiles {tracing.function} and runs it as one, so it has no ops to time one by one"
    reason += ": the table hlo has the instructions that XLA's trace tells" if times.hlo_us else ""
    return Report(
        analysis="bottlenecks",
        title=compiled_title(_name(recording, tracing, functions), times),
        target=report_target(recording),
        findings=ordered(tracing_findings(recording, tracing)),
        tables=(
            *([hlo_table(times)] if times.hlo_us else []),
            steps_table(times),
            *functions,
            *first_call_tables(recording, tracing),
        ),
        missing=(*recording.missing, *(MissingEvidence(EVIDENCE, told) for told in (reason, times.note) if told)),
        stage=tracing.default_stage,
    )


def _tables(step: MeasuredStep) -> tuple[Table, ...]:
    times, summary = step.times, step.summary
    return (
        lines_table(step.lines, summary),
        ops_table(step.ops, summary),
        scopes_table(step.ops, summary),
        *(
            [path_table(step.path, times, {op.time.op: op.node.op_type for op in step.ops})]
            if step.measured is not None
            else []
        ),
        *([iterations_table(step.loops, summary)] if step.loops else []),
        parallelism_table(step.parallelism),
        steps_table(times),
        *([kernels_table(times)] if times.kernels else []),
        *([hlo_table(times)] if times.hlo_us else []),
        unjoined_table(times, summary),
    )


def _series(step: MeasuredStep) -> tuple[Series, ...]:
    return (busy_threads_series(step.parallelism), *iteration_series(step.loops))


def _gaps(step: MeasuredStep, recording: Recording, tracing: Tracing) -> list[MissingEvidence]:
    gaps = []
    if step.times.note:
        gaps.append(MissingEvidence(EVIDENCE, step.times.note))
    if step.measured is None:
        count = len(step.times.timeline.op)
        gaps.append(MissingEvidence("critical-path", f"a step has {count:,} executions of ops, too many to connect"))
    known = {gap.evidence for gap in recording.missing}
    if recording.estimates(tracing) is None and "estimates" not in known:
        gaps.append(MissingEvidence("estimates", "Grappler's cost model was not asked about this graph"))
    return gaps


def _why_no_times(recording: Recording, tracing: Tracing) -> str:
    told = next((gap.reason for gap in recording.missing if gap.evidence == EVIDENCE), "")
    if told:
        return told
    if tracing.jit_compile:
        return f"XLA compiles {tracing.function} and runs it as one; none of its runs were timed"
    if tracing.stage("optimized") is None:
        return f"{tracing.function} never ran as a graph while it was recorded, so there is nothing to time"
    others = functions_with_times(recording)
    if others:
        return f"no steps of {tracing.function} were timed, but those of others: --function {others[0]} shows them"
    return f"no steps of {tracing.function} were timed; to have them: {_how_to_time(recording, tracing)}"


def _how_to_time(recording: Recording, tracing: Tracing) -> str:
    """What to type to have measured times."""
    kind, name = recording.target.kind, recording.target.name
    if is_in_place(recording):
        if kind == "program":
            return "tfgraphdbg.watch(steps=10), and call the function more than once inside of it"
        return f"tfgraphdbg.record({name}, ..., steps=10)"
    return f"tfgraphdbg record {name} --steps 10"


def _nothing(recording: Recording, reason: str, tracing: Tracing | None) -> Report:
    told = [gap for gap in recording.missing if gap.evidence != EVIDENCE]
    return Report(
        analysis="bottlenecks",
        title=f"{recording.target.name}: no times were measured",
        target=report_target(recording),
        findings=ordered(tracing_findings(recording, tracing)) if tracing else (),
        tables=first_call_tables(recording, tracing) if tracing else (),
        missing=(MissingEvidence(EVIDENCE, reason), *told),
        stage=tracing.default_stage if tracing else "",
    )
