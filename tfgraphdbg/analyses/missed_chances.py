"""Missed chances -> findings: equal ones of one line of the user's together, with what they cost and what to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from tfgraphdbg.chances.contract import ChanceRule, TriedChance
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import Frame, StackTable
from tfgraphdbg.report import Finding, Severity, SourceLine, ordered

MAX_GROUPS = 8
"""Findings a rule; what is left becomes one more."""

MAX_OPS = 20
MAX_SOURCES = 3

WORTH_A_WARNING_US = 10.0
"""What one run must gain, by the cost model's estimate, before a chance is a warning: less drowns in its noise."""

_IN_THE_USERS_HANDS = frozenset(
    {
        *("bias-by-add", "control-dependency", "fetched-op"),
        *("stateful", "control-inputs", "size-limit", "string", "in-loop"),
        *("not-inverse", "non-constant-permutation", "op-between", "no-rewrite"),
    }
)
"""Blockers that go away by another way of writing the same; others change results, or the machine's set-up."""

_WHAT: dict[ChanceRule, str] = {
    "missed-fusion": "was not fused into one op",
    "duplicate-computation": "is computed more than once",
    "constant-computation": "is computed from constants in every run",
    "cast-chain": "casts more often than needed",
    "transpose-chain": "transposes more often than needed",
}


class _Group(NamedTuple):
    """Chances that differ in their ops only, and lie on one line of the user's."""

    members: list[TriedChance]

    @property
    def gain_us(self) -> float | None:
        gains = [member.gain_us for member in self.members if member.gain_us is not None]
        return sum(gains) if gains else None

    @property
    def confirmed(self) -> int:
        return sum(member.proof == "confirmed" for member in self.members)

    @property
    def cost(self) -> float:
        return self.gain_us or 0.0


def chance_findings(tried: Sequence[TriedChance], graph: GraphModel, stacks: StackTable) -> list[Finding]:
    """Findings on the chances of one graph, the most severe first; those that a trial refuted are not told."""
    groups: dict[tuple[ChanceRule, str, str, Frame | None], list[TriedChance]] = {}
    for member in tried:
        if member.proof == "refuted":
            continue
        chance = member.chance
        line = next(iter(_frames(chance.ops, graph, stacks)), None)
        groups.setdefault((chance.rule, chance.pattern, chance.blocker, line), []).append(member)
    of_rule: dict[ChanceRule, list[_Group]] = {}
    for (rule, *_), members in groups.items():
        of_rule.setdefault(rule, []).append(_Group(members))
    findings: list[Finding] = []
    for rule, found in of_rule.items():
        largest = sorted(found, key=lambda group: (-group.cost, -len(group.members)))
        findings += [_finding(group, graph, stacks) for group in largest[:MAX_GROUPS]]
        findings += _the_rest(rule, largest[MAX_GROUPS:], graph, stacks)
    return list(ordered(findings))


def _finding(group: _Group, graph: GraphModel, stacks: StackTable) -> Finding:
    first = next((member for member in group.members if member.proof == "confirmed"), group.members[0])
    chance, count = first.chance, len(group.members)
    sources = _sources(group.members, graph, stacks)
    times = f", {count:,} times{' on this line' if sources else ''}; one of them" if count > 1 else ""
    gain = "" if group.gain_us is None else f" (estimated gain: about {_microseconds(group.gain_us)} a run)"
    return Finding(
        rule=chance.rule,
        severity=_severity(chance.blocker, group),
        message=f"{chance.pattern} {_WHAT[chance.rule]}{times}: {chance.reason}{gain}",
        evidence=_evidence(first, group),
        ops=_ops(group.members),
        sources=sources,
        suggestion=chance.advice,
        basis="guessed" if group.gain_us is None and not group.confirmed else "estimated",
        cost=group.cost,
    )


def _microseconds(gain_us: float) -> str:
    """In words of two digits: the cost model is often several times too high or too low."""
    if gain_us < 0.1:
        return "less than 0.1 us"
    rounded = float(f"{gain_us:.2g}")
    return f"{rounded / 1e3:,.3g} ms" if rounded >= 1e3 else f"{rounded:,.3g} us"


def _severity(blocker: str, group: _Group) -> Severity:
    lost = group.confirmed and group.cost >= WORTH_A_WARNING_US
    return "warning" if lost and blocker in _IN_THE_USERS_HANDS else "info"


def _evidence(first: TriedChance, group: _Group) -> dict[str, Any]:
    chance = first.chance
    evidence: dict[str, Any] = {
        "pattern": chance.pattern,
        "blocker": chance.blocker,
        **chance.detail,
        "count": len(group.members),
        "proof": "confirmed" if group.confirmed else "rule",
    }
    if group.confirmed:
        evidence["confirmed"] = group.confirmed
    if first.trial:
        evidence["trial"] = first.trial
    if group.gain_us is not None:
        evidence["gain_us"] = group.gain_us
    if chance.blocking:
        evidence["blocking"] = list(chance.blocking[:MAX_OPS])
    return evidence


def _the_rest(rule: ChanceRule, groups: list[_Group], graph: GraphModel, stacks: StackTable) -> Iterator[Finding]:
    members = [member for group in groups for member in group.members]
    if members:
        yield Finding(
            rule=rule,
            severity="info",
            message=f"{len(members):,} more: what {_WHAT[rule]}, in {len(groups):,} other ways or on other lines",
            evidence={"count": len(members), "ways": len(groups)},
            ops=_ops(members),
            sources=_sources(members, graph, stacks),
            basis="guessed",
        )


def _ops(members: Iterable[TriedChance]) -> tuple[str, ...]:
    """The ops of one chance after another, as many as are named."""
    return tuple(dict.fromkeys(op for member in members for op in member.chance.ops))[:MAX_OPS]


def _sources(members: Iterable[TriedChance], graph: GraphModel, stacks: StackTable) -> tuple[SourceLine, ...]:
    ops = dict.fromkeys(op for member in members for op in (*member.chance.ops, *member.chance.blocking))
    lines = dict.fromkeys(
        SourceLine(frame.file, frame.line, frame.function) for frame in _frames(tuple(ops), graph, stacks)
    )
    return tuple(lines)[:MAX_SOURCES]


def _frames(ops: Sequence[str], graph: GraphModel, stacks: StackTable) -> Iterator[Frame]:
    """The user's own frames that made these ops, in order, each stack once."""
    known = (graph.by_id.get(op) for op in ops)
    distinct = dict.fromkeys(op.stack for op in known if op is not None)
    yield from filter(None, map(stacks.user_frame, distinct))
