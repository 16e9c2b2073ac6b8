"""Recording -> what eager execution of a function costs beside its graph, in all, line by line and op by op."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.eager.call_cost import CallCost
from tfgraphdbg.analyses.eager.compared_run import ComparedRun, compared_run
from tfgraphdbg.analyses.eager.cost_tables import cost_table, gap_table
from tfgraphdbg.analyses.eager.eager_findings import eager_findings, skipped_python
from tfgraphdbg.analyses.eager.eager_tables import lines_table, timeline_series, trace_table
from tfgraphdbg.analyses.eager.gap_shares import GapPart, gap_parts
from tfgraphdbg.analyses.eager.matches_table import matches_table
from tfgraphdbg.analyses.known_target import graph_advice, how_to_run_eagerly
from tfgraphdbg.analyses.time_words import duration
from tfgraphdbg.graph_model import garbage_collection_paused
from tfgraphdbg.recording import MissingEvidence, Recording, Tracing
from tfgraphdbg.report import Report, Table, report_target

EVIDENCE = "eager-ops"
COSTS = "call-costs"

ROUGH_FROM = 2.0
"""How much longer the profiled eager runs took than plain ones, for their shares to be called rough."""


def explain_eager(recording: Recording, options: AnalysisOptions) -> Report:
    """What a call of one function costs eagerly and as a graph, and which graph op each eager op became."""
    if options.tracing is None and recording.meta.main_tracing is None:
        return _nothing(recording, f"no tf.function was traced ({recording.meta.outcome})")
    tracing = options.tracing or recording.main_tracing
    with garbage_collection_paused():
        if recording.eager(tracing) is None and recording.call_costs(tracing) is None:
            return _nothing(recording, how_to_run_eagerly(recording, tracing))
        run = compared_run(recording, tracing)
        gap = gap_parts(run)
        return Report(
            analysis="eager",
            title=f"{recording.target.name}: {_verdict(run)}",
            target=report_target(recording),
            findings=eager_findings(run, gap, tracing.calls, partial(graph_advice, recording, tracing)),
            tables=_tables(run, gap),
            series=timeline_series(run),
            missing=(*recording.missing, *_gaps(recording, tracing, run)),
            stage=tracing.default_stage if tracing.stages else "",
        )


def _tables(run: ComparedRun, gap: tuple[GapPart, ...]) -> tuple[Table, ...]:
    tables = cost_table(run), gap_table(run, gap), lines_table(run), trace_table(run), matches_table(run)
    return tuple(table for table in tables if table.rows)


def _verdict(run: ComparedRun) -> str:
    cost = run.cost
    if cost is None:
        return f"{len(run.part.ops):,} ops ran eagerly; what a call costs in both modes was not measured"
    both = f"{duration(cost.eager.median)} a call eagerly, {duration(cost.graph.median)} as a graph"
    if cost.eager.is_above(cost.graph):
        pays = f"tracing pays back after {cost.break_even_calls:,} calls"
        return f"{both}: eager is {cost.ratio:.2f}x slower{_what_it_is(cost)}; {_skipped(run) or pays}"
    if cost.graph.is_above(cost.eager):
        return f"{both}: the graph is {cost.graph.median / cost.eager.median:.2f}x slower, and never pays back"
    return f"{both}: no difference beyond the spread"


def _skipped(run: ComparedRun) -> str:
    """A graph that does less work in a call than eager execution does is not faster at the same."""
    slow = skipped_python(run)
    if not slow:
        return ""
    frame, us = slow[0]
    return f"but {duration(us)} of it is Python at line {frame.line} of {frame.function}, which a graph call skips"


def _what_it_is(cost: CallCost) -> str:
    if cost.parts is None:
        return ""
    parts = {"Python": cost.parts.python_us, "dispatch": cost.parts.dispatch_us, "kernels": cost.parts.kernel_us}
    return f" ({', '.join(f'{cost.share(us):.0%} {name}' for name, us in parts.items())})"


def _nothing(recording: Recording, reason: str) -> Report:
    missing = recording.missing
    if not any(gap.evidence == EVIDENCE for gap in missing):
        missing = (*missing, MissingEvidence(EVIDENCE, reason))
    why = next(gap.reason for gap in missing if gap.evidence == EVIDENCE)
    title = f"{recording.target.name}: what eager execution costs is not known: {why}"
    return Report("eager", title, report_target(recording), missing=missing)


def _gaps(recording: Recording, tracing: Tracing, run: ComparedRun) -> Iterator[MissingEvidence]:
    known = {gap.evidence for gap in recording.missing}
    costs = recording.call_costs(tracing)
    if not run.part.ops and EVIDENCE not in known:
        yield MissingEvidence(EVIDENCE, f"no op of {tracing.function} was seen to run eagerly")
    if run.part.ops and run.eager_total is None:
        yield MissingEvidence("eager-times", "no eager op was timed: the profiler gave no event for any of them")
    elif run.eager_total and run.eager_total.untimed_ops:
        untimed = run.eager_total.untimed_ops
        yield MissingEvidence("eager-times", f"{untimed:,} of {len(run.part.ops):,} eager ops have no times")
    if run.cost and run.eager_total and run.eager_total.wall_us > ROUGH_FROM * run.cost.eager.median:
        times = run.eager_total.wall_us / run.cost.eager.median
        yield MissingEvidence(
            "eager-times", f"profiled eager runs took {times:.1f}x as long as plain ones: shares are rough"
        )
    if costs is None and COSTS not in known:
        yield MissingEvidence(COSTS, f"eager and graph calls of {tracing.function} were not timed side by side")
    if run.cost and (run.graph_times is None or not run.graph_times.ops):
        yield MissingEvidence("op-times", "the graph's ops were not timed one by one: the gap is not told in kernels")
    for evidence, note in ((EVIDENCE, run.part.note), (COSTS, costs.note if costs else "")):
        if note:
            yield MissingEvidence(evidence, note)
