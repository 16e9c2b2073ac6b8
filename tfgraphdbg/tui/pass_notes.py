"""A tracing -> what is worth knowing of its passes as a whole, with what it takes to show that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tfgraphdbg.analyses.pass_findings import pass_findings
from tfgraphdbg.analyses.pass_options import pass_option_findings, pass_options_table
from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.report import Finding, SourceLine, Table


class FindingPart(NamedTuple):
    """That an op takes part in a finding, number `place` of all: as one of its ops, or as what stands in the way."""

    place: int
    finding: Finding
    blocks: bool


class PassNotes(NamedTuple):
    """Findings and options, and of what they name: types of ops, and lines of code."""

    findings: tuple[Finding, ...]
    options: Table
    op_types: Mapping[str, str]
    code: Mapping[SourceLine, str]
    parts: Mapping[str, tuple[FindingPart, ...]]
    """By id of the op, in the optimized graph."""
    has_passes: bool
    """Whether it was recorded what the passes did."""
    searched: bool
    """Whether the graph that ran is there, in which missed chances show."""
    unknown: str = ""
    """Why findings are not known; empty when they are."""


def read_notes(recording: Recording, tracing: Tracing, *, has_passes: bool) -> PassNotes:
    """All findings on the passes of a tracing, and the options that they ran with."""
    unknown, findings = "", pass_option_findings(recording)
    searched = has_passes and tracing.stage("optimized") is not None
    if has_passes:
        try:
            findings = pass_findings(recording, tracing)
        except DebuggerError as error:
            unknown = error.message
    types: dict[str, str] = {}
    if searched and not unknown:
        ops = recording.graph("optimized", tracing).by_id
        named = {name for finding in findings for name in (*finding.ops, *blocking(finding))}
        types = {name: ops[name].op_type for name in named if name in ops}
    code = {} if unknown else code_of(recording, findings)
    options, parts = pass_options_table(recording), _parts(findings)
    return PassNotes(findings, options, types, code, parts, has_passes, searched, unknown)


def has_options(recording: Recording) -> bool:
    """Whether it was recorded which passes were on."""
    return bool(pass_options_table(recording).rows)


def blocking(finding: Finding) -> tuple[str, ...]:
    """Ids of the ops that stand in the way."""
    return tuple(map(str, finding.evidence.get("blocking", ())))


def _parts(findings: tuple[Finding, ...]) -> Mapping[str, tuple[FindingPart, ...]]:
    parts: dict[str, list[FindingPart]] = {}
    for place, finding in enumerate(findings):
        for name, blocks in {**dict.fromkeys(blocking(finding), True), **dict.fromkeys(finding.ops, False)}.items():
            parts.setdefault(name, []).append(FindingPart(place, finding, blocks))
    return {name: tuple(found) for name, found in parts.items()}


def code_of(recording: Recording, findings: tuple[Finding, ...]) -> Mapping[SourceLine, str]:
    """The code of each line that a finding names, as it was recorded."""
    return dict(_code_lines(recording, {source for finding in findings for source in finding.sources}))


def _code_lines(recording: Recording, sources: set[SourceLine]) -> Iterator[tuple[SourceLine, str]]:
    for file in {source.file for source in sources}:
        lines = recording.sources.get(file, "").split("\n")
        for source in sources:
            if source.file == file and 0 < source.line <= len(lines):
                yield source, lines[source.line - 1].strip()
