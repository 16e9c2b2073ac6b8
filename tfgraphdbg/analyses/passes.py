"""Recording -> what Grappler did, pass by pass: the passes, the fate of every op, and what was left undone and why.

Times are MetaOptimizer's own where its log gives one; else they are the time between two dumps, which includes
writing one. Fates are exact: they follow from the edits alone. For a function that XLA compiles they come from its HLO.
"""

from __future__ import annotations

import itertools
from collections import Counter

from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.fates import FATES, Fate, OpFate, PassFates, pass_fates
from tfgraphdbg.analyses.hlo_auto_clusters import auto_clusters_table, recorded_clusters
from tfgraphdbg.analyses.hlo_fates import XlaAccount
from tfgraphdbg.analyses.hlo_tables import summary_of, tables_of, xla_account
from tfgraphdbg.analyses.pass_findings import pass_findings
from tfgraphdbg.analyses.pass_options import pass_option_findings, pass_options_table
from tfgraphdbg.graph_model import GraphModel, garbage_collection_paused
from tfgraphdbg.message_words import listed
from tfgraphdbg.recording import MissingEvidence, Recording, Tracing
from tfgraphdbg.report import Column, Report, Series, Table, report_target
from tfgraphdbg.rewrites import META_OPTIMIZER, RewriteHistory

EVIDENCE = "grappler-passes"

FateCounts = Counter[tuple[str, int | None, Fate]]
"""How many ops had which fate, by the pass (empty: none) and its iteration."""


def explain_passes(recording: Recording, options: AnalysisOptions) -> Report:
    """What each pass did to the graph of one tracing, and what became of each of its ops."""
    if options.tracing is None and recording.meta.main_tracing is None:
        return _nothing(recording, f"no tf.function was traced ({recording.meta.outcome})")
    tracing = options.tracing or recording.main_tracing
    with garbage_collection_paused():
        return _explained(recording, tracing)


def _explained(recording: Recording, tracing: Tracing) -> Report:
    own = recording.own_rewrites(tracing)
    if own is None:
        compiled = xla_account(recording, tracing)
        return _nothing(recording, "", tracing) if compiled is None else _xla_report(recording, compiled)
    fates = pass_fates(recording, tracing)
    assert fates is not None
    counts = Counter((fate.pass_name or "", fate.iteration, fate.fate) for fate in fates.fates.values())
    return Report(
        analysis="passes",
        title=_title(recording, tracing, own, counts),
        target=report_target(recording),
        findings=pass_findings(recording, tracing),
        tables=(
            _passes_table(own),
            _counts_table(counts),
            _fates_table(fates),
            _functions_table(recording.rewrites(tracing)),
            *_clusters_tables(recording, tracing, own),
            pass_options_table(recording),
        ),
        series=(_timeline(own),),
        missing=(*recording.missing, *_compiled_inside(recording.graph("optimized", tracing))),
        stage="optimized",
    )


def _compiled_inside(ran: GraphModel) -> tuple[MissingEvidence, ...]:
    """What cannot be told of functions with `jit_compile=True` that the graph calls: XLA compiles each as a whole."""
    marked = {index for index, attrs in enumerate(ran.attr_sets) if attrs.get("_XlaMustCompile")}
    if not marked:
        return ()
    compiled = {str(ran.attrs_of(op).get("f", op.name)) for op in ran.ops if op.attrs in marked}
    words = f"XLA compiles {listed(sorted(compiled))}, and gives no HLO of a function that another one calls"
    return (MissingEvidence("xla-passes", f"{words}: its ops are told as they were traced"),)


def _xla_report(recording: Recording, compiled: XlaAccount) -> Report:
    """Grappler leaves a function alone that XLA compiles as a whole; XLA's own edits are told by its HLO."""
    counts = summary_of(compiled)
    words = ", ".join(f"{counts.fates[fate]:,} {fate}" for fate in FATES if counts.fates.get(fate))
    guessed = f" ({counts.guessed:,} guessed)" if counts.guessed else ""
    return Report(
        analysis="passes",
        title=f"{recording.target.name}: of {sum(counts.fates.values()):,} traced ops XLA made {counts.instructions:,} "
        f"instructions, in {counts.fusions:,} fusion{'s' * (counts.fusions != 1)}: {words}{guessed}",
        target=report_target(recording),
        findings=pass_option_findings(recording),
        tables=(*tables_of(compiled), pass_options_table(recording)),
        missing=tuple(gap for gap in recording.missing if gap.evidence != EVIDENCE),
        stage="traced",
    )


def _nothing(recording: Recording, reason: str, tracing: Tracing | None = None) -> Report:
    missing = recording.missing
    if reason or not any(gap.evidence == EVIDENCE for gap in missing):
        reason = reason or _why_unknown(recording, tracing)
        missing = (*missing, MissingEvidence(EVIDENCE, reason))
    why = next(gap.reason for gap in missing if gap.evidence == EVIDENCE)
    title = f"{recording.target.name}: what Grappler did is not known: {why}"
    return Report("passes", title, report_target(recording), tables=(pass_options_table(recording),), missing=missing)


def _why_unknown(recording: Recording, tracing: Tracing | None) -> str:
    if recording.target.kind == "graph_def":
        return "a GraphDef file has the structure of one graph only"
    if tracing is not None and tracing.role == "nested" and not tracing.stages:
        return f"{tracing.function} is part of the graphs that call it, and is accounted for there"
    return f"{tracing.function if tracing else 'the function'} was recorded without its passes"


def _title(recording: Recording, tracing: Tracing, own: RewriteHistory, counts: FateCounts) -> str:
    """`model.py:step: 49 ops given to Grappler -> 34: 9 folded, 5 fused, 3 merged, 2 removed, in 11.2 ms`."""
    by_fate: Counter[Fate] = Counter()
    for (_, iteration, fate), ops in counts.items():
        if iteration is not None:
            by_fate[fate] += ops
    words = ", ".join(f"{by_fate[fate]:,} {fate}" for fate in FATES if by_fate[fate])
    given = recording.graph("lowered", tracing)
    before = len(given.top_level_ops)
    after = own.steps[-1].ops if own.steps else before
    spent = sum(step.ms or 0.0 for step in own.steps)
    replayed = " (replayed in another process)" if own.source == "replayed" else ""
    others = sum(map(recording.has_rewrites, recording.tracings)) - 1
    of = f"{tracing.function} (one of {others + 1}, --function shows another): " if others else ""
    checked = ", and just these ran" if own.difference == "" else ""
    made = f"Grappler made {after:,} ops of the {before:,} that it was given{replayed}{checked}"
    return f"{recording.target.name}: {of}{made}, in {spent:,.1f} ms: {words or 'it changed nothing'}"


def _passes_table(own: RewriteHistory) -> Table:
    columns = (
        Column("pass"),
        Column("iteration"),
        Column("removed"),
        Column("added"),
        Column("changed"),
        Column("ms", "ms", "measured"),
        Column("timed by"),
        Column("ops"),
        Column("note"),
    )
    rows = tuple(
        (
            step.short_name,
            step.iteration,
            len(step.removed),
            len(step.added),
            len(step.changed),
            step.ms,
            step.timed_by,
            step.ops,
            step.note or ("MetaOptimizer itself, between two runs" if step.short_name == META_OPTIMIZER else ""),
        )
        for step in own.steps
    )
    return Table("passes", "Grappler's passes in the order in which they ran", columns, rows)


def _counts_table(counts: FateCounts) -> Table:
    order = sorted(counts, key=lambda key: (FATES.index(key[2]), -counts[key], key[0], key[1] or 0))
    rows = tuple((fate, counts[name, iteration, fate], name or None, iteration) for name, iteration, fate in order)
    columns = (Column("fate"), Column("ops"), Column("pass"), Column("iteration"))
    return Table("fate-counts", "How many ops had which fate", columns, rows)


def _fates_table(fates: PassFates) -> Table:
    columns = (
        Column("op"),
        Column("op_type"),
        Column("fate"),
        Column("pass"),
        Column("iteration"),
        Column("into"),
    )
    by_fate: dict[str, list[OpFate]] = {fate: [] for fate in _TELLING}
    for fate in fates.fates.values():
        by_fate[fate.fate].append(fate)
    rows: tuple[OpFate, ...] = tuple(itertools.chain.from_iterable(by_fate.values()))
    return Table("fates", "The fate of every op that was traced or that inlining made", columns, rows)


_TELLING = ("fused", "folded", "merged", "changed", "moved", "new", "inlined", "removed", "kept")
"""Fates in the order of their rows, the most telling first."""


def _functions_table(histories: tuple[RewriteHistory, ...]) -> Table:
    columns = (
        Column("function"),
        Column("as"),
        Column("ops before"),
        Column("ops after"),
        Column("edits"),
        Column("ms", "ms", "measured"),
    )
    rows = tuple(
        (
            history.function,
            history.item,
            len(history.first_ops),
            history.steps[-1].ops if history.steps else len(history.first_ops),
            sum(not step.is_empty for step in history.steps),
            round(sum(step.ms or 0.0 for step in history.steps), 3),
        )
        for history in histories
        if history.function
    )
    return Table("functions", "Library functions that stayed calls, each optimized by itself", columns, rows)


def _clusters_tables(recording: Recording, tracing: Tracing, own: RewriteHistory) -> tuple[Table, ...]:
    """What XLA's auto-clustering took out of the graph that Grappler left; nothing for most programs."""
    clusters = recorded_clusters(recording, tracing) if own.difference else None
    return () if clusters is None else (auto_clusters_table(clusters),)


def _timeline(own: RewriteHistory) -> Series:
    """Ops in the graph over the time that the passes took."""
    points, spent = [], 0.0
    for step in own.steps:
        spent += step.ms or 0.0
        points.append((round(spent, 3), float(step.ops)))
    return Series("ops-after-pass", "ops", "ms", tuple(points))
