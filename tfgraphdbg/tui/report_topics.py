"""A report -> the lines of the list at the left: findings, each table, each plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import Literal, NamedTuple

from tfgraphdbg.report import SEVERITY_ORDER, Report
from tfgraphdbg.tui.cell_text import visible
from tfgraphdbg.tui.heat import share_words
from tfgraphdbg.tui.table_cells import TableCells, cells_of
from tfgraphdbg.views.human_units import human_quantity

TopicKind = Literal["missing", "findings", "table", "plot"]


class ReportTopic(NamedTuple):
    """One line. `name` is that of the table or of the plot; `note` says most of what is behind it."""

    kind: TopicKind
    name: str
    label: str
    note: str = ""
    warns: bool = False


PLOTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("busy threads over time", ("busy-threads",)),
    ("time of each iteration", ("iteration-time",)),
    ("eager time line", ("eager-python", "eager-dispatch", "eager-kernel")),
)
"""Plots by their label, and the names of the series that each shows."""

LABELS = {"trace": "op trace", "matches": "both modes", "gap": "eager against graph", "cost": "cost of a call"}
"""What tables are called where their name says too little."""


def missing_topic(label: str) -> ReportTopic:
    """Stands first where what the report is about was not recorded."""
    return ReportTopic("missing", "", label, "not recorded", True)


def report_topics(report: Report, first: str = "") -> tuple[ReportTopic, ...]:
    """The table named `first`, findings, then tables with rows in the order of the report, then plots."""
    tables = sorted((table for table in report.tables if table.rows), key=lambda table: table.name != first)
    topics = [_table_topic(report, table.name) for table in tables]
    if topics or report.findings:
        topics.insert(1 if tables and tables[0].name == first else 0, _findings(report))
    return (*topics, *_plots(report))


def _findings(report: Report) -> ReportTopic:
    counts = Counter(finding.severity for finding in report.findings)
    severe = [f"{counts[name]} {name}{'s' * (counts[name] > 1)}" for name in SEVERITY_ORDER[:-1] if counts[name]]
    told = severe or dict.fromkeys(finding.rule for finding in report.findings)
    return ReportTopic("findings", "", f"findings ({len(report.findings):,})", ", ".join(told), bool(severe))


def _table_topic(report: Report, name: str) -> ReportTopic:
    cells = cells_of(report, name)
    note = _NOTES[name](cells) if name in _NOTES else f"{len(cells):,}" if len(cells) > 1 else ""
    return ReportTopic("table", name, LABELS.get(name, name.replace("-", " ")), note)


def _first_line(cells: TableCells) -> str:
    file, line = cells.text(0, "file"), cells.text(0, "line")
    place = f"{PurePath(file).name}:{line}" if line else file
    return f"{share_words(cells.number(0, 'share'))} {visible(place)}"


def _first_op(cells: TableCells) -> str:
    return f"{share_words(cells.number(0, 'share'))} {visible(cells.text(0, 'op_type'))}"


def _first_scope(cells: TableCells) -> str:
    return f"{share_words(cells.number(0, 'share'))} {visible(cells.text(0, 'scope'))}"


def _path_length(cells: TableCells) -> str:
    own = sum(cells.amount(row, "self_us") for row in range(len(cells)))
    return f"{len(cells):,} ops, {human_quantity(own, 'us')}"


def _count(cells: TableCells) -> str:
    return f"{len(cells):,} ops"


_NOTES: dict[str, Callable[[TableCells], str]] = {
    "lines": _first_line,
    "ops": _first_op,
    "scopes": _first_scope,
    "critical-path": _path_length,
    "trace": _count,
}


def _plots(report: Report) -> Iterator[ReportTopic]:
    known = {series.name for series in report.series if series.points}
    for label, names in PLOTS:
        if known & set(names):
            yield ReportTopic("plot", label, label)
    told = {name for _, names in PLOTS for name in names}
    for name in known - told:
        yield ReportTopic("plot", name, visible(name.replace("-", " ")))


def series_names(plot: str) -> Sequence[str]:
    """The series that a plot shows."""
    return next((names for label, names in PLOTS if label == plot), (plot,))
