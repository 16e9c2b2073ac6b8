"""Table -> aligned lines of text that fit a terminal, or complete ones for a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from tfgraphdbg.foreign_text import shorten_middle, visible
from tfgraphdbg.report import Cell, Column, Table
from tfgraphdbg.views.human_units import decimals_of, human_number, unit_of_key

MAX_TERMINAL_ROWS = 30

MAX_PIPED_ROWS = dict.fromkeys(("ops", "fates", "critical-path", "trace", "matches"), 50)
"""By table, of those that can have a row an op: thousands of lines of text help nobody."""

_INDENT = 2
_GAP = 2
_NARROWEST_TEXT = 12
_WIDEST_PIPED_TEXT = 80
_NO_VALUE = "-"


class _ShownColumn(NamedTuple):
    """One column as text: every cell is a string, not yet cut or padded."""

    header: str
    cells: tuple[str, ...]
    numeric: bool
    width: int


def table_lines(table: Table, width: int | None) -> Iterator[Text]:
    """The header, a rule and the rows. With a width: names are cut in their middle, and long tables end early.

    Without one, only a table of ops ends early.
    """
    if not table.rows:
        yield Text(" " * _INDENT + "(no rows)", "dim")
        return
    rows = table.rows[: MAX_PIPED_ROWS.get(table.name) if width is None else MAX_TERMINAL_ROWS]
    columns = [_shown(column, [row[place] for row in rows]) for place, column in enumerate(table.columns)]
    columns, hidden = _fit(columns, width)
    yield Text(_joined([column.header for column in columns], columns), "bold")
    yield Text(_joined(["-" * column.width for column in columns], columns), "dim")
    for place in range(len(rows)):
        yield Text(_joined([column.cells[place] for column in columns], columns))
    if len(rows) < len(table.rows):
        yield _note(f"... {len(table.rows) - len(rows):,} more rows (-f csv or -f json shows all)")
    if hidden:
        yield _note(f"columns that do not fit: {', '.join(hidden)} (-f csv or -f json shows all)")


def _note(words: str) -> Text:
    return Text(" " * _INDENT + words, "dim italic")


def _shown(column: Column, cells: Sequence[Cell]) -> _ShownColumn:
    numbers = [cell for cell in cells if isinstance(cell, int | float) and not isinstance(cell, bool)]
    numeric = bool(numbers) and all(cell is None or isinstance(cell, int | float) for cell in cells)
    floats = [abs(number) for number in numbers if isinstance(number, float)]
    decimals = decimals_of(max((number for number in floats if number < float("inf")), default=0.0))
    is_share = "share" in (column.unit, unit_of_key(column.name))
    texts = tuple(_cell_text(cell, decimals, is_share) for cell in cells)
    header = _header(column)
    return _ShownColumn(header, texts, numeric, max(cell_len(text) for text in (header, *texts)))


def _header(column: Column) -> str:
    unit = column.unit if column.unit and column.unit not in column.name.split("_") else None
    words = [visible(column.name), f"[{visible(unit)}]" if unit else ""]
    known = f"({column.basis})" if column.basis in ("estimated", "guessed") else ""
    return " ".join(word for word in (*words, known) if word)


def _cell_text(cell: Cell, decimals: int, is_share: bool) -> str:
    if cell is None:
        return _NO_VALUE
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return visible(cell)
    if is_share and abs(cell) < 1e6:
        return f"{cell:.1%}"
    if isinstance(cell, float) and (1e-4 <= abs(cell) < 1e15 or not cell):
        return f"{cell:,.{decimals}f}" if abs(cell) >= 10.0**-decimals or not cell else f"{cell:.3g}"
    return human_number(cell)


def _fit(columns: list[_ShownColumn], width: int | None) -> tuple[list[_ShownColumn], list[str]]:
    """Narrow the widest texts until all columns fit; hide the last ones where that is not enough."""
    if width is None:
        # One name of 600 characters must not push every row apart: it alone sticks out.
        return [
            column if column.numeric else column._replace(width=min(column.width, _WIDEST_PIPED_TEXT))
            for column in columns
        ], []
    hidden: list[str] = []
    while len(columns) > 1 and _width_of([_least(column) for column in columns]) > width:
        hidden.insert(0, columns[-1].header)
        columns = columns[:-1]
    widths = [column.width for column in columns]
    excess = _width_of(widths) - width
    while excess > 0:
        slack = [current - _least(column) for current, column in zip(widths, columns, strict=True)]
        widest = max(range(len(widths)), key=lambda place: (slack[place] > 0, widths[place]))
        if slack[widest] <= 0:
            break
        others = [current for place, current in enumerate(widths) if place != widest and slack[place] > 0]
        step = min(excess, slack[widest], max(1, widths[widest] - max(others, default=0)))
        widths[widest] -= step
        excess -= step
    return [_narrowed(column, limit) for column, limit in zip(columns, widths, strict=True)], hidden


def _least(column: _ShownColumn) -> int:
    return column.width if column.numeric else min(column.width, max(_NARROWEST_TEXT, min(cell_len(column.header), 24)))


def _width_of(widths: Sequence[int]) -> int:
    return _INDENT + sum(widths) + _GAP * (len(widths) - 1)


def _narrowed(column: _ShownColumn, width: int) -> _ShownColumn:
    if column.width <= width:
        return column
    cells = tuple(_cut_to_cells(text, width) for text in column.cells)
    return column._replace(header=_cut_to_cells(column.header, width), cells=cells, width=width)


def _cut_to_cells(text: str, width: int) -> str:
    length = width
    while cell_len(shortened := shorten_middle(text, length)) > width:
        length -= 1
    return shortened


def _joined(texts: Sequence[str], columns: Sequence[_ShownColumn]) -> str:
    padded = []
    for text, column in zip(texts, columns, strict=True):
        padding = " " * (column.width - cell_len(text))
        padded.append(padding + text if column.numeric else text + padding)
    return (" " * _INDENT + (" " * _GAP).join(padded)).rstrip()
