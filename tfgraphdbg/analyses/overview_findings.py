"""Recording -> the findings of `overview`: what is wrong with the recording, and the top of all other analyses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tfgraphdbg.analyses.pass_findings import pass_findings
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.report import Finding, ordered

_PYTHON_FILE_OR_MODULE = re.compile(r"(?P<file>.*?\.py)(?![^\s:])|(?P<module>[\w.]+)(?=:)")


MAX_INFOS = 3
"""Findings of severity `info` that are taken over from each other analysis, the most costly ones."""


def overview_findings(recording: Recording, tracing: Tracing | None) -> tuple[Finding, ...]:
    """What is wrong with the recording itself, then the most important findings of the other analyses."""
    from tfgraphdbg.analyses.bottlenecks.time_findings import op_time_findings

    findings: list[Finding] = []
    if recording.meta.outcome != "complete":
        findings.append(_partial(recording))
    elif recording.meta.main_tracing is None:
        findings.append(_nothing_traced(recording))
    if tracing is not None:
        findings += _most_important(pass_findings(recording, tracing, search=False))
        findings += _most_important(ordered(list(op_time_findings(recording, tracing))))
    return ordered(findings)


def _most_important(findings: tuple[Finding, ...]) -> Iterator[Finding]:
    """All errors and warnings; of the rest, which are in order, the first few."""
    infos = [finding for finding in findings if finding.severity == "info"]
    yield from (finding for finding in findings if finding.severity != "info")
    yield from infos[:MAX_INFOS]


def _partial(recording: Recording) -> Finding:
    return Finding(
        rule="recording-partial",
        severity="warning",
        message=f"the run ended early: {recording.meta.outcome}",
        evidence={"tracings": len(recording.tracings), "missing": len(recording.missing)},
        suggestion="what is shown was recorded before that; record again for the rest",
    )


def _nothing_traced(recording: Recording) -> Finding:
    return Finding(
        rule="nothing-traced",
        severity="warning",
        message=f"no tf.function was traced or ran in {recording.target.name}",
        evidence={"tracings": len(recording.tracings)},
        suggestion=_what_to_record(recording.target.name),
    )


def _what_to_record(target: str) -> str:
    """A command that records one function; the whole target, without its function or arguments, is its file."""
    found = _PYTHON_FILE_OR_MODULE.match(target)
    if not found:
        return "call a tf.function while recording, or record one: tfgraphdbg.record(function, *inputs)"
    return f"name a function of the file: tfgraphdbg overview {found['file'] or found['module']}:FUNCTION"
