"""Any table of a report -> a sheet: words at the left, numbers in their units, shares as bars."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tfgraphdbg.report import Cell, Column, Table
from tfgraphdbg.tui.bars import ShareBar
from tfgraphdbg.tui.cell_text import visible
from tfgraphdbg.tui.detail_row import Part
from tfgraphdbg.tui.heat import heat
from tfgraphdbg.tui.sheet import Sheet, SheetCell, SheetColumn, SheetRow
from tfgraphdbg.views.human_units import human_number, human_quantity

BAR_WIDTH = 12
MOST_WIDTH = 30
ROWS_MEASURED = 200
"""Rows that decide how wide a column is."""

MANY_COLUMNS = 5
"""A table of one row and so many columns is shown as one row a column."""


def plain_sheet(table: Table) -> Sheet:
    """The table as it is; a single long row is turned."""
    if len(table.rows) == 1 and len(table.columns) > MANY_COLUMNS:
        return _turned(table)

    def make(row: int) -> SheetRow:
        cells: list[SheetCell] = []
        for column, value in zip(table.columns, table.rows[row], strict=True):
            cells.append(_part(value, column))
            if column.unit == "share":
                cells.append(ShareBar(value if isinstance(value, int | float) else 0.0))
        return SheetRow(tuple(cells))

    def text_of(row: int) -> str:
        pairs = zip(table.rows[row], table.columns, strict=True)
        return " ".join(cell_words(value, column.unit) for value, column in pairs)

    return Sheet(table.title, _columns(table), len(table.rows), make, text_of)


def cell_words(value: Cell, unit: str | None) -> str:
    """A cell as a person reads it, visible."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return human_quantity(value, unit) if unit else human_number(value)
    return visible(value)


def title_of(column: Column) -> str:
    """The name of a column as words, without the unit, which its numbers have."""
    if column.name in ("us", "ms"):
        return "time"
    name = column.name.removesuffix("_us").removesuffix("_ms")
    return name.replace("_", " ") + (" (estimated)" if column.basis == "estimated" else "")


def _part(value: Cell, column: Column) -> Part:
    words = cell_words(value, column.unit)
    is_share = column.unit == "share" and isinstance(value, int | float)
    return Part(words, heat(float(value)) if is_share and value is not None else "")


def _columns(table: Table) -> tuple[SheetColumn, ...]:
    """As wide as what the first rows hold; the widest column of words takes what is left."""
    measured = table.rows[:ROWS_MEASURED]
    widths = [
        max(map(cell_len, (title_of(column), *(cell_words(row[place], column.unit) for row in measured))))
        for place, column in enumerate(table.columns)
    ]
    words = [place for place, column in enumerate(table.columns) if _holds_words(measured, place)]
    widest = max(words, key=widths.__getitem__, default=-1)
    columns = []
    for place, column in enumerate(table.columns):
        width = 0 if place == widest else min(widths[place], MOST_WIDTH)
        rank = 0 if place == widest else 1 if column.unit == "share" else place + 1
        columns.append(SheetColumn(title_of(column), width, place not in words, rank))
        if column.unit == "share":
            columns.append(SheetColumn("", BAR_WIDTH, rank=len(table.columns) + 1))
    return tuple(columns)


def _holds_words(rows: Sequence[Sequence[Cell]], place: int) -> bool:
    return any(isinstance(row[place], str) for row in rows)


def _turned(table: Table) -> Sheet:
    width = max((cell_len(title_of(column)) for column in table.columns), default=0)
    columns = (SheetColumn("", min(width, MOST_WIDTH)), SheetColumn(""))
    row = table.rows[0]

    def make(place: int) -> SheetRow:
        return SheetRow((Part(title_of(table.columns[place]), "dim"), _part(row[place], table.columns[place])))

    return Sheet(table.title, columns, len(row), make, lambda place: title_of(table.columns[place]), "numbers")
