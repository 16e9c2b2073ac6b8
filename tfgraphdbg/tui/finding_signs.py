"""How the severity of a finding looks in a row."""

from __future__ import annotations

from tfgraphdbg.report import Severity
from tfgraphdbg.tui.detail_row import Part

_SIGNS: dict[Severity, str] = {"error": "✖", "warning": "▲", "info": "●"}


def severity_part(severity: Severity, words: str) -> Part:
    """A sign and words, in the colour of a severity."""
    return Part(f"{_SIGNS[severity]} {words}  ", "accent" if severity == "info" else "warning")
