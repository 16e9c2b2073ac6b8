"""Rewrite history -> what is worth knowing of the passes themselves: slow ones, failed ones, doubts about a replay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tfgraphdbg.analyses.hlo_auto_clusters import recorded_clusters
from tfgraphdbg.analyses.missed_chances import chance_findings
from tfgraphdbg.analyses.pass_options import pass_option_findings
from tfgraphdbg.chances import TriedChance, find_chances
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.report import Finding, ordered
from tfgraphdbg.rewrites import RewriteHistory, RewriteStep

NOTEWORTHY_MS = 1_000.0
SLOW_MS = 10_000.0
"""A pass that takes longer than this makes people wait."""

NOTEWORTHY_SHARE = 0.10
SLOW_SHARE = 0.25
"""Of the first call, in which all passes run."""


def pass_findings(recording: Recording, tracing: Tracing, search: bool = True) -> tuple[Finding, ...]:
    """All that is worth knowing of what Grappler did to one tracing, and of what it left undone.

    `search` looks for missed chances where the recording has none; that takes up to a second on a large graph.
    """
    return ordered(
        [
            *_history_findings(recording, tracing),
            *_missed(recording, tracing, search),
            *pass_option_findings(recording),
        ]
    )


def _missed(recording: Recording, tracing: Tracing, search: bool) -> list[Finding]:
    """Chances as tried while TensorFlow was at hand; of a recording without trials, those that the rules find."""
    if tracing.stage("optimized") is None:
        return []
    optimized = recording.graph("optimized", tracing)
    part = recording.chances(tracing)
    if part is not None:
        return chance_findings(part.chances, optimized, recording.stacks)
    if not search:
        return []
    lowered = recording.graph("lowered", tracing) if tracing.stage("lowered") is not None else None
    found = [TriedChance(chance) for chance in find_chances(optimized, lowered)]
    return chance_findings(found, optimized, recording.stacks)


def _history_findings(recording: Recording, tracing: Tracing) -> Iterator[Finding]:
    own = recording.own_rewrites(tracing, checked=False)
    if own is None:
        return
    yield from _slow_passes(own, tracing)
    yield from _failed_passes(own)
    clusters = recorded_clusters(recording, tracing) if own.difference else None
    # XLA makes its clusters after Grappler: then the last graph of the passes is not the one that runs.
    if clusters is None or clusters.unexplained:
        yield from _mismatch(own, tracing)


def _slow_passes(own: RewriteHistory, tracing: Tracing) -> Iterator[Finding]:
    runs: dict[str, list[RewriteStep]] = defaultdict(list)
    for step in own.steps:
        if step.ms is not None:
            runs[step.short_name].append(step)
    first_call = tracing.first_run_ms
    for name, steps in runs.items():
        spent = sum(step.ms or 0.0 for step in steps)
        share = spent / first_call if first_call else None
        if spent < NOTEWORTHY_MS or (share is not None and share < NOTEWORTHY_SHARE):
            continue
        is_slow = spent >= SLOW_MS and (share is None or share >= SLOW_SHARE)
        evidence: dict[str, object] = {"pass": name, "ms": round(spent, 1), "runs": len(steps)}
        words = ""
        if share is not None:
            evidence |= {"first_call_ms": first_call, "share": round(share, 3)}
            words = f", {share:.0%} of the first call"
        yield Finding(
            rule="slow-pass",
            severity="warning" if is_slow else "info",
            message=f"the pass {name} took {spent / 1e3:,.1f} s{words}",
            evidence=evidence,
            suggestion=f"see what it is worth: record again with --without {name}; a smaller graph (a loop by tf.range "
            "or tf.scan in place of an unrolled one) makes every pass faster",
            cost=spent,
        )


def _failed_passes(own: RewriteHistory) -> Iterator[Finding]:
    for step in own.steps:
        if step.note.startswith("failed"):
            yield Finding(
                rule="failed-pass",
                severity="warning",
                message=f"the pass {step.short_name} {step.note}",
                evidence={"pass": step.short_name, "iteration": step.iteration, "note": step.note},
                suggestion=f"record again with --without {step.short_name} to see what the others do alone",
            )
        elif step.note.startswith("Grappler failed"):
            yield Finding(
                rule="optimization-failed",
                severity="warning",
                message=step.note,
                evidence={"note": step.note, "ops": step.ops},
                suggestion="the graph ran unoptimized: make it smaller, or find the pass that fails or takes too long "
                "with --without PASS",
            )


def _mismatch(own: RewriteHistory, tracing: Tracing) -> Iterator[Finding]:
    if not own.difference:
        return
    replayed = own.source == "replayed"
    what = "the replayed passes end in another graph than" if replayed else "the dumps of the passes end before"
    yield Finding(
        rule="replay-mismatch",
        severity="warning",
        message=f"{what} the one that {tracing.function} ran: {own.difference}",
        evidence={"source": own.source, "difference": own.difference},
        suggestion="trust the fates of ops that did run, and record with `tfgraphdbg record` for the real run's passes",
        basis="measured",
    )
