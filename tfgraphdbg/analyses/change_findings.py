"""Changes of ops -> findings: like changes together, with their count, their first ops and the user's lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tfgraphdbg.analyses.change_kinds import ChangeKind, OpChange
from tfgraphdbg.analyses.op_changes import Changes
from tfgraphdbg.analyses.op_totals import OpTotals
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import StackTable
from tfgraphdbg.report import Finding, Severity, SourceLine, ordered

MAX_GROUPS = 8
"""Findings a rule; what is left becomes one more."""

MAX_OPS = 20
MAX_SOURCES = 3

NOTABLE_GROWTH = 0.1


class _Rule(NamedTuple):
    kind: ChangeKind
    what: str
    between_recordings: Severity


_RULES = (
    _Rule("op-type-changed", "op type", "info"),
    _Rule("dtype-changed", "dtype", "warning"),
    _Rule("shape-changed", "shape", "warning"),
    _Rule("device-changed", "device", "warning"),
)


def change_findings(
    after: GraphModel, changes: Changes, totals: OpTotals, stacks: StackTable, between_recordings: bool
) -> tuple[Finding, ...]:
    """One finding for the count of ops, and for each rule one for every kind of change, the most frequent first."""
    findings = list(_count_finding(totals, between_recordings))
    for rule in _RULES:
        severity = rule.between_recordings if between_recordings else "info"
        found = [change for change in changes.ops if change.kind == rule.kind]
        findings += _grouped(rule, severity, found, after, stacks)
    return ordered(findings)


def _count_finding(totals: OpTotals, between_recordings: bool) -> Iterable[Finding]:
    was, now = totals.before, totals.after
    if was == now:
        return
    grew = between_recordings and now > was * (1 + NOTABLE_GROWTH)
    share = f", {(now - was) / was:+.1%}" if was else ""
    yield Finding(
        rule="op-count-changed",
        severity="warning" if grew else "info",
        message=f"{_ops(was)}{totals.before_words} became {now:,}{totals.after_words}{share}",
        evidence=totals._asdict(),
        suggestion="see the table scopes for where they were added" if grew else "",
        cost=float(abs(now - was)),
    )


def _grouped(
    rule: _Rule, severity: Severity, found: list[OpChange], after: GraphModel, stacks: StackTable
) -> Iterable[Finding]:
    groups: dict[tuple[str, str], list[OpChange]] = {}
    for change in found:
        groups.setdefault(_group_of(change), []).append(change)
    largest = sorted(groups.items(), key=lambda item: -len(item[1]))
    for (was, now), members in largest[:MAX_GROUPS]:
        yield Finding(
            rule=rule.kind,
            severity=severity,
            message=f"{_ops(len(members))} changed {rule.what}: {was} -> {now}",
            evidence={"before": was, "after": now, "count": len(members)},
            ops=tuple(change.op for change in members[:MAX_OPS]),
            sources=_sources(members, after, stacks),
            cost=float(len(members)),
        )
    rest = [change for _, members in largest[MAX_GROUPS:] for change in members]
    if rest:
        yield Finding(
            rule=rule.kind,
            severity=severity,
            message=f"{_ops(len(rest))} more changed {rule.what}, in {len(largest) - MAX_GROUPS:,} other ways",
            evidence={"count": len(rest), "ways": len(largest) - MAX_GROUPS},
            ops=tuple(change.op for change in rest[:MAX_OPS]),
            sources=_sources(rest, after, stacks),
        )


def _group_of(change: OpChange) -> tuple[str, str]:
    """What changes must share to be one finding: of shapes, only the sizes that differ, as a batch size does."""
    if change.kind != "shape-changed":
        return change.before, change.after
    was, now = change.before.strip("[]").split(","), change.after.strip("[]").split(",")
    if len(was) != len(now) or "[" in change.before[1:] or "[" in change.after[1:]:
        return change.before, change.after
    pairs = dict.fromkeys(pair for pair in zip(was, now, strict=True) if pair[0] != pair[1])
    return ", ".join(old for old, _ in pairs), ", ".join(new for _, new in pairs)


def _ops(count: int) -> str:
    return f"{count:,} op" if count == 1 else f"{count:,} ops"


def _sources(changes: list[OpChange], after: GraphModel, stacks: StackTable) -> tuple[SourceLine, ...]:
    distinct = dict.fromkeys(after.by_id[change.op].stack for change in changes)
    frames = filter(None, map(stacks.user_frame, distinct))
    lines = dict.fromkeys(SourceLine(frame.file, frame.line, frame.function) for frame in frames)
    return tuple(lines)[:MAX_SOURCES]
