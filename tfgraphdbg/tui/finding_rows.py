"""Findings -> rows that tell them, one section for each, wrapped to a width."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Protocol

from rich.cells import cell_len

from tfgraphdbg.report import Finding, SourceLine
from tfgraphdbg.tui.cell_text import paragraph, visible
from tfgraphdbg.tui.detail_row import DetailRow, OpJump, Part
from tfgraphdbg.tui.finding_signs import severity_part
from tfgraphdbg.tui.pass_notes import blocking
from tfgraphdbg.views.human_units import human_evidence, human_quantity

LABEL_WIDTH = 11

MOST_OPS = 8
"""Of a finding, in rows of their own."""

TOLD_APART = frozenset({"proof", "confirmed", "trial", "gain_us", "blocking"})
"""Evidence that has rows of its own."""


class ToldFindings(Protocol):
    """Findings, and of what they name: types of ops, and lines of code."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, in order."""

    @property
    def op_types(self) -> Mapping[str, str]:
        """By id of the op."""

    @property
    def code(self) -> Mapping[SourceLine, str]:
        """The code of each line."""


def found_findings(notes: ToldFindings, words: Sequence[str]) -> list[Finding]:
    """The findings that hold all of the lowercase `words`."""
    return [finding for finding in notes.findings if all(word in _text(finding) for word in words)]


def _text(finding: Finding) -> str:
    places = (f"{source.file}:{source.line} {source.function}" for source in finding.sources)
    evidence = (f"{label} {value}" for label, value in human_evidence(finding.evidence))
    told = (finding.severity, finding.rule, finding.message, finding.suggestion)
    return "\n".join((*told, *finding.ops, *evidence, *places)).lower()


def finding_sections(notes: ToldFindings, words: Sequence[str], width: int) -> list[list[DetailRow]]:
    """One section for each finding that matches; Enter on any of its rows leads to its first op."""
    return [_section(notes, finding, width) for finding in found_findings(notes, words)]


def _section(notes: ToldFindings, finding: Finding, width: int) -> list[DetailRow]:
    first = OpJump(finding.ops[0], "optimized") if finding.ops else None
    rows = [
        _heading(finding),
        *(DetailRow((Part(f"  {line}", "strong"),)) for line in paragraph(finding.message, width - 2)),
        *_labelled("to do", finding.suggestion, width),
        *_proof(finding, width),
        *_evidence(finding, width),
        *_ops("ops", finding.ops, notes),
        *_ops("in the way", blocking(finding), notes),
        *_places(notes, finding, width),
        DetailRow(),
    ]
    return [row if row.jump or not row.parts else row._replace(jump=first) for row in rows]


def _heading(finding: Finding) -> DetailRow:
    return DetailRow((severity_part(finding.severity, finding.severity), Part(visible(finding.rule), "heading")))


def _labelled(label: str, text: str, width: int) -> Iterator[DetailRow]:
    lines = paragraph(text, width - LABEL_WIDTH - 2) if text else []
    for number, line in enumerate(lines):
        yield DetailRow((Part(f"  {'' if number else label:<{LABEL_WIDTH}}", "dim"), Part(line)))


def _proof(finding: Finding, width: int) -> Iterator[DetailRow]:
    """How a missed chance is known, and what it would gain: an estimate, which is said."""
    evidence = finding.evidence
    if "proof" not in evidence:
        return
    of = f" for {evidence['confirmed']:,} of {evidence['count']:,}" if _is_partly_confirmed(finding) else ""
    proof = f"confirmed by a trial{of}" if evidence["proof"] == "confirmed" else "rule: known from the rules alone"
    trial = str(evidence.get("trial", ""))
    yield from _labelled("proof", f"{proof}: {trial}" if trial else proof, width)
    if "gain_us" in evidence:
        gain = human_quantity(evidence["gain_us"], "us")
        yield from _labelled("gain", f"about {gain} a run, estimated by Grappler's cost model", width)


def _is_partly_confirmed(finding: Finding) -> bool:
    return bool(0 < finding.evidence.get("confirmed", 0) < finding.evidence.get("count", 0))


def _evidence(finding: Finding, width: int) -> Iterator[DetailRow]:
    rest = {key: value for key, value in finding.evidence.items() if key not in TOLD_APART}
    told = ", ".join(f"{label}: {value}" for label, value in human_evidence(rest))
    # The basis of a missed chance is that of its gain.
    yield from _labelled("evidence" if "proof" in finding.evidence else finding.basis, told, width)


def _ops(label: str, ops: Sequence[str], notes: ToldFindings) -> Iterator[DetailRow]:
    shown = ops if len(ops) <= MOST_OPS else ops[: MOST_OPS - 1]
    type_width = max((cell_len(visible(notes.op_types.get(name, ""))) for name in shown), default=0)
    for number, name in enumerate(shown):
        kind = visible(notes.op_types.get(name, ""))
        gap = " " * (type_width - cell_len(kind) + 2 * (type_width > 0))
        begin = Part(f"  {'' if number else label:<{LABEL_WIDTH}}", "dim")
        yield DetailRow(
            (begin, Part(f"{kind}{gap}", "accent"), Part(visible(name), "link")), OpJump(name, "optimized"), 2
        )
    if len(shown) < len(ops):
        yield DetailRow((Part(f"  {'':<{LABEL_WIDTH}}and {len(ops) - len(shown):,} more", "dim"),))


def _places(notes: ToldFindings, finding: Finding, width: int) -> Iterator[DetailRow]:
    """Each line of the user's program, with its code as it was recorded."""
    for number, source in enumerate(finding.sources):
        begin = Part(f"  {'' if number else 'at':<{LABEL_WIDTH}}", "dim")
        inside = f" in {visible(source.function)}" if source.function else ""
        file = visible(PurePath(source.file).name)
        yield DetailRow((begin, Part(file), Part(f":{source.line}"), Part(inside, "dim")), None, 1)
        if source in notes.code:
            yield DetailRow((Part(f"  {'':<{LABEL_WIDTH}}  {visible(notes.code[source])}", "dim"),))
