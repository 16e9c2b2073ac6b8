"""Report -> CSV: its tables, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from tfgraphdbg.foreign_text import visible
from tfgraphdbg.report import Cell, Report, Table
from tfgraphdbg.views.contract import TextOptions

_FORMULA_STARTS = ("=", "+", "-", "@", "\t")


def render(report: Report, options: TextOptions) -> str:
    """The report's tables as CSV: a header line, then one line a row.

    A report of one table is plain CSV. Of several, each follows a line `# name: title`, with an empty line between.
    A text that a spreadsheet would run as a formula starts with `'`. A newline inside a name stays, quoted; other
    control characters are shown as escapes. Lines end in a bare newline.
    """
    out = io.StringIO()
    for place, table in enumerate(report.tables):
        if len(report.tables) > 1:
            out.write("\n" if place else "")
            out.write(f"# {visible(table.name)}: {visible(table.title)}\n")
        csv.writer(out, lineterminator="\n").writerows(_lines(table))
    return out.getvalue()


def _lines(table: Table) -> Iterator[list[str | int | float | None]]:
    yield [_guarded(column.name) for column in table.columns]
    for row in table.rows:
        yield [_plain(cell) for cell in row]


def _plain(cell: Cell) -> str | int | float | None:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return _guarded(cell) if isinstance(cell, str) else cell


def _guarded(text: str) -> str:
    shown = visible(text, keep="\n\t")
    return f"'{shown}" if shown.startswith(_FORMULA_STARTS) else shown
