"""Recording -> what `overview` finds wrong with it: it ended early, or nothing was traced."""

from __future__ import annotations

import re

from tfgraphdbg.recording import Recording
from tfgraphdbg.report import Finding

_PYTHON_FILE_OR_MODULE = re.compile(r"(?P<file>.*?\.py)(?![^\s:])|(?P<module>[\w.]+)(?=:)")


def overview_findings(recording: Recording) -> tuple[Finding, ...]:
    """None for a whole recording with a graph."""
    if recording.meta.outcome != "complete":
        return (_partial(recording),)
    if recording.meta.main_tracing is None:
        return (_nothing_traced(recording),)
    return ()


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
