"""What an analysis says, free of any output format: findings, tables, series and missing evidence."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from tfgraphdbg.recording import Basis, MissingEvidence, OpMetric, Recording

SCHEMA_VERSION = 1
"""Of the JSON that a report becomes; a promise to scripts."""

Severity = Literal["error", "warning", "info"]

SEVERITY_ORDER: tuple[Severity, ...] = ("error", "warning", "info")

Cell = str | int | float | bool | None


class SourceLine(msgspec.Struct, frozen=True):
    """A line of the user's program."""

    file: str
    line: int
    function: str = ""


class Finding(msgspec.Struct, frozen=True):
    """One thing worth knowing: what was seen, where, how it is known and what to do."""

    rule: str
    """A stable kebab-case id that scripts may match."""
    severity: Severity
    message: str
    """One sentence."""
    evidence: dict[str, Any] = {}
    """Numbers and names; a key's unit is its suffix (`_ms`, `_us`, `_bytes`)."""
    ops: tuple[str, ...] = ()
    sources: tuple[SourceLine, ...] = ()
    suggestion: str = ""
    basis: Basis = "measured"
    cost: float = 0.0
    """Orders findings of one severity, the most costly first; not shown."""


class Column(msgspec.Struct, frozen=True):
    """A column of a table. `unit` is None for names and plain counts."""

    name: str
    unit: str | None = None
    basis: Basis | None = None
    """How its numbers are known; None for names and exact counts."""


class Table(msgspec.Struct, frozen=True):
    """Rows in the order to show them; each row has one cell a column."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Series(msgspec.Struct, frozen=True):
    """A curve to plot: points are (x, y)."""

    name: str
    unit: str
    x_unit: str
    points: tuple[tuple[float, float], ...]


class ReportTarget(msgspec.Struct, frozen=True):
    """What a report is about."""

    name: str
    tensorflow: str
    devices: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """The answer of one analysis; every view can show every report."""

    analysis: str
    title: str
    target: ReportTarget
    findings: tuple[Finding, ...] = ()
    tables: tuple[Table, ...] = ()
    series: tuple[Series, ...] = ()
    missing: tuple[MissingEvidence, ...] = ()
    stage: str = ""
    """The stage whose graph to show beside it; empty for none."""
    metric: OpMetric | None = None
    """How to colour that graph."""

    def table(self, name: str) -> Table:
        """The table of that name. Raises KeyError when there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


def report_target(recording: Recording) -> ReportTarget:
    """What a report on `recording` is about."""
    return ReportTarget(
        recording.target.name,
        recording.meta.versions.get("tensorflow", ""),
        tuple(device.name for device in recording.meta.devices),
    )


def ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """The most severe, then the most costly, first."""
    return tuple(sorted(findings, key=lambda finding: (SEVERITY_ORDER.index(finding.severity), -finding.cost)))
