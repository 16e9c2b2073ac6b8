"""Recording -> what became of each op from stage to stage, or from one recording to another.

Between stages of one recording every change is what TensorFlow is meant to do, so findings are `info`. Between two
recordings a dtype, shape or device that changed, or a graph that grew by more than a tenth, is a `warning`: nobody
asked for it by name, and it changes results, memory or speed. Another op type alone is `info`.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tfgraphdbg.analyses.change_findings import change_findings
from tfgraphdbg.analyses.change_kinds import CHANGE_KINDS
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.op_changes import Changes, recording_changes, stage_changes
from tfgraphdbg.analyses.op_totals import OpTotals, op_totals
from tfgraphdbg.analyses.scope_rollup import scope_counts, scope_rows
from tfgraphdbg.graph_model import GraphModel, garbage_collection_paused
from tfgraphdbg.recording import MissingEvidence, Recording, Tracing
from tfgraphdbg.report import Column, Report, Table, report_target

__all__ = ["Changes", "compare_graphs", "recording_changes", "stage_changes"]


class Side(NamedTuple):
    """One of the two graphs to compare, by where it is recorded."""

    recording: Recording
    tracing: Tracing
    stage: str

    @property
    def graph(self) -> GraphModel:
        """Its graph."""
        return self.recording.graph(self.stage, self.tracing)


def compare_graphs(recording: Recording, options: AnalysisOptions) -> Report:
    """Compare two stages of one tracing, or one stage of two recordings; options say which."""
    sides = _stage_sides(recording, options) if options.against is None else _recording_sides(recording, options)
    if isinstance(sides, MissingEvidence):
        title = f"{recording.target.name}: nothing to compare, {sides.reason}"
        return Report("diff", title, report_target(recording), missing=(*recording.missing, sides))
    with garbage_collection_paused():
        return _report(*sides, between_recordings=options.against is not None)


def _report(before: Side, after: Side, between_recordings: bool) -> Report:
    compare = recording_changes if between_recordings else stage_changes
    changes = compare(before.graph, after.graph)
    totals = op_totals(before.graph, after.graph, changes)
    return Report(
        analysis="diff",
        title=_title(before, after, totals),
        target=report_target(after.recording),
        findings=change_findings(after.graph, changes, totals, after.recording.stacks, between_recordings),
        tables=(_changes_table(changes), _scopes_table(before.graph, after.graph, changes), _ops_table(changes)),
        missing=tuple(dict.fromkeys((*before.recording.missing, *after.recording.missing))),
        stage=after.stage,
    )


def _stage_sides(recording: Recording, options: AnalysisOptions) -> tuple[Side, Side] | MissingEvidence:
    if options.tracing is None and recording.meta.main_tracing is None:
        return MissingEvidence("graphs", f"no tf.function was traced ({recording.meta.outcome})")
    tracing = options.tracing or recording.main_tracing
    graphs = _graph_stages(tracing)
    before = options.stage or ("traced" if "traced" in graphs else next(iter(graphs), "traced"))
    after = options.against_stage or _last_stage(graphs, before)
    if not after:
        return MissingEvidence("stage-optimized", f"only one graph of {tracing.function} was recorded")
    return Side(recording, tracing, before), Side(recording, tracing, after)


def _graph_stages(tracing: Tracing) -> tuple[str, ...]:
    return tuple(stage.name for stage in tracing.stages if stage.kind == "graph")


def _last_stage(graphs: tuple[str, ...], before: str) -> str:
    """The stage to compare with when none is named: the optimized one, else the latest other one."""
    others = [stage for stage in graphs if stage != before]
    return "optimized" if "optimized" in others else next(reversed(others), "")


def _recording_sides(recording: Recording, options: AnalysisOptions) -> tuple[Side, Side] | MissingEvidence:
    against = options.against
    assert against is not None
    for one in (recording, against):
        if one.meta.main_tracing is None:
            return MissingEvidence("graphs", f"no tf.function was traced in {one.target.name} ({one.meta.outcome})")
    tracing = options.tracing or recording.main_tracing
    other = _counterpart(tracing, against)
    common = [stage for stage in _graph_stages(tracing) if stage in _graph_stages(other)]
    default = "optimized" if "optimized" in common else next(reversed(common), "")
    stage = options.stage or default
    after = options.against_stage or stage
    if not stage:
        return MissingEvidence("graphs", "the two recordings have no stage in common")
    return Side(recording, tracing, stage), Side(against, other, after)


def _counterpart(tracing: Tracing, against: Recording) -> Tracing:
    """The tracing to compare with: of the same function, of the same signature if there is one; else the main one."""
    same = [other for other in against.tracings if (other.function, other.role) == (tracing.function, tracing.role)]
    exact = [other for other in same if other.signature == tracing.signature and other.stages]
    if exact:
        return exact[0]
    return max(same, key=lambda other: (len(other.stages), other.run_ms), default=against.main_tracing)


def _title(before: Side, after: Side, totals: OpTotals) -> str:
    """In words of which the first four numbers add up: `17 traced ops -> 12 optimized: 6 gone, 1 new, 2 changed`."""
    was, now = f"{totals.before:,}", f"{totals.after:,}"
    counts = f"{totals.gone:,} gone, {totals.new:,} new, {totals.changed:,} changed"
    name = before.recording.target.name
    if before.recording is after.recording:
        was, now = f"{was} {before.stage} ops{totals.before_words}", f"{now} {after.stage}{totals.after_words}"
        return f"{name}: {was} -> {now}: {counts}"
    stages = before.stage if before.stage == after.stage else f"{before.stage} against {after.stage}"
    names = f"{name} against {after.recording.target.name}"
    return f"{names}, {stages}: {was} ops{totals.before_words} -> {now}{totals.after_words}: {counts}"


def _changes_table(changes: Changes) -> Table:
    counts = Counter(change.kind for change in changes.ops)
    rows = tuple((kind, counts[kind]) for kind in CHANGE_KINDS if counts[kind])
    return Table("changes", "Changes by kind", (Column("change"), Column("ops")), rows)


def _scopes_table(before: GraphModel, after: GraphModel, changes: Changes) -> Table:
    columns = (Column("scope"), Column("removed"), Column("added"), Column("changed"))
    counts = (
        scope_counts(before.by_id[id_] for id_, status in changes.of_before.items() if status == "removed"),
        scope_counts(after.by_id[id_] for id_, status in changes.of_after.items() if status == "added"),
        scope_counts(after.by_id[id_] for id_, status in changes.of_after.items() if status == "changed"),
    )
    return Table("scopes", "Changes by name scope in the traced graph, most first", columns, scope_rows(counts))


def _ops_table(changes: Changes) -> Table:
    # A change is a row as it is: its fields are these columns.
    columns = (Column("op"), Column("change"), Column("before"), Column("after"))
    return Table("ops", "Ops that changed, the most telling changes first", columns, changes.ops)
