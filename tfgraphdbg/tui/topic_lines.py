"""What is to be said of the passes as a whole -> the lines above them in the list: findings and options."""

from __future__ import annotations

from collections import Counter
from typing import Literal, NamedTuple

from tfgraphdbg.report import SEVERITY_ORDER
from tfgraphdbg.tui.option_rows import option_rows, switched_off
from tfgraphdbg.tui.pass_notes import PassNotes

Topic = Literal["findings", "options", "passes"]


class TopicLine(NamedTuple):
    """One line. `note` says most of what is behind it; `warns` makes it stand out."""

    topic: Topic
    name: str
    note: str = ""
    warns: bool = False


MISSING_PASSES = TopicLine("passes", "passes", "not known", True)
"""Stands where the passes would be."""

WAITING = (TopicLine("findings", "findings", "looking ..."), TopicLine("options", "options"))
"""The lines before it is known what they lead to."""


def topic_lines(notes: PassNotes) -> tuple[TopicLine, ...]:
    """How many findings there are and how severe, and which passes were switched off."""
    counts = Counter(finding.severity for finding in notes.findings)
    severe = [f"{counts[name]} {name}{'s' * (counts[name] > 1)}" for name in SEVERITY_ORDER[:-1] if counts[name]]
    told = severe or dict.fromkeys(finding.rule for finding in notes.findings)
    name = "findings: not known" if notes.unknown else f"findings ({len(notes.findings):,})"
    off = switched_off(notes.options)
    return (
        TopicLine("findings", name, ", ".join(told), bool(severe) or bool(notes.unknown)),
        TopicLine("options", "options", f"off: {', '.join(off)}" if off else _set_by(notes), bool(off)),
    )


def _set_by(notes: PassNotes) -> str:
    """Who decided anything, where no pass is switched off."""
    origins = dict.fromkeys(row.origin for row in option_rows(notes.options) if row.origin)
    deciders = [origin for origin in origins if origin != "default"]
    return f"set by {', '.join(deciders)}" if deciders else "all as by default" if origins else ""
