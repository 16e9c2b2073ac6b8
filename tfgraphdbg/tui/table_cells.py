"""A table of a report, read by the names of its columns."""

from __future__ import annotations

from tfgraphdbg.report import Cell, Report, Table


class TableCells:
    """Cells by row and column name; a column that the table lacks is empty."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._places = {column.name: place for place, column in enumerate(table.columns)}

    def __len__(self) -> int:
        return len(self.table.rows)

    def has(self, column: str) -> bool:
        """Whether there is a column of this name."""
        return column in self._places

    def cell(self, row: int, column: str) -> Cell:
        """One cell; None where there is nothing."""
        place = self._places.get(column)
        return None if place is None else self.table.rows[row][place]

    def text(self, row: int, column: str) -> str:
        """A cell as text; empty where there is nothing."""
        value = self.cell(row, column)
        return "" if value is None else str(value)

    def number(self, row: int, column: str) -> float | None:
        """A cell as a number; None where there is none."""
        value = self.cell(row, column)
        return float(value) if isinstance(value, int | float) else None

    def amount(self, row: int, column: str) -> float:
        """A cell as a number; 0 where there is none."""
        return self.number(row, column) or 0.0


def cells_of(report: Report, name: str) -> TableCells:
    """The table of that name; without rows when the report has none."""
    found = next((table for table in report.tables if table.name == name), None)
    return TableCells(found or Table(name, name, (), ()))
