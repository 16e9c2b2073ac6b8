"""A sheet: a line of column titles, and below it the rows, some of which open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from tfgraphdbg.tui.cell_text import cut, shortened
from tfgraphdbg.tui.detail_row import OpJump, Part, QueryJump
from tfgraphdbg.tui.heat import HEAT_STYLES
from tfgraphdbg.tui.sheet import Sheet, SheetCell, SheetColumn, SheetRow, fitting
from tfgraphdbg.tui.widgets.matches import highlighted
from tfgraphdbg.tui.widgets.virtual_rows import VirtualRows


class SheetHead(Widget):
    """The titles of the columns."""

    COMPONENT_CLASSES = {"rows--dim"}
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._titles: Sequence[tuple[str, int, bool]] = ()

    def show(self, titles: Sequence[tuple[str, int, bool]]) -> None:
        """Show these: text, width, whether at the right."""
        if titles != self._titles:
            self._titles = titles
            self.refresh()

    def render(self) -> Text:
        """As wide as the columns below."""
        style = self.get_component_rich_style("rows--dim")
        words = (f"{cut(title, width):{'>' if right else '<'}{width}}" for title, width, right in self._titles)
        return Text(f"   {' '.join(words)}", style, no_wrap=True, overflow="crop")


class SheetList(VirtualRows):
    """The rows; Enter goes to the op of a row, or opens it where there is none."""

    BINDING_GROUP_TITLE = "Tables of times"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "choose", "Go to the op", tooltip="Go to this op in the graph, or open the line", id="sheet.go"
        ),
        Binding("l,right", "open", "Open", tooltip="Open this row: the ops of a line", id="sheet.open"),
        Binding(
            "h,left", "close", "Close", tooltip="Close this row, or go to the topics", show=False, id="sheet.close"
        ),
        Binding("s", "show_graph", "In the graph", tooltip="Show this row's ops in the graph", id="sheet.graph"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--heading",
        "rows--bar",
        "rows--python",
        "rows--dispatch",
        "rows--kernel",
        *(f"rows--{style}" for style in HEAT_STYLES),
    }

    @dataclass
    class RowChosen(Message):
        """The user wants to go where a row leads."""

        jump: OpJump | QueryJump

    @dataclass
    class Left(Message):
        """The user wants to go back to what chose this sheet."""

    def __init__(self, head: SheetHead, id: str | None = None) -> None:
        super().__init__(id)
        self._head = head
        self._sheet = Sheet("")
        self._positions: Sequence[int] = ()
        self._words: tuple[str, ...] = ()
        self._widths: list[tuple[int, int]] = []
        self._opened: dict[int, Sequence[SheetRow]] = {}
        self._visible: list[tuple[int, int]] | None = None
        """Position and child (-1: the row itself) of each visible row; None while no row is open."""

    def show(self, sheet: Sheet, positions: Sequence[int], words: tuple[str, ...], empty: str) -> None:
        """Show the rows at these positions with `words` marked; from the top, unless they are the same as before."""
        same = sheet is self._sheet and words == self._words
        cursor = self.cursor if same else 0
        if not same:
            self._opened, self._visible, self.top = {}, None, 0
        self._sheet, self._positions, self._words, self.empty = sheet, positions, words, empty
        self._fit()
        self.rows_changed(cursor)

    @property
    def row_count(self) -> int:
        """How many rows are visible."""
        return len(self._positions) if self._visible is None else len(self._visible)

    def fit_width(self) -> None:
        """Choose the columns anew."""
        self._fit()

    def _fit(self) -> None:
        columns = self._sheet.columns
        self._widths = fitting(columns, self.row_width - 3)
        self._head.show([(columns[place].title, width, columns[place].right) for place, width in self._widths])

    def entry(self, row: int) -> tuple[int, int]:
        """Position in the sheet of a visible row, and the number of the child; -1 for the row itself."""
        return (self._positions[row], -1) if self._visible is None else self._visible[row]

    def row_at(self, row: int) -> SheetRow:
        """A visible row."""
        position, child = self.entry(row)
        return self._sheet.make(position) if child < 0 else self._opened[position][child]

    def row_chosen(self, row: int) -> None:
        """Go where it leads; a row that leads to several ops opens first."""
        chosen = self.row_at(row)
        if isinstance(chosen.jump, OpJump) or (chosen.jump and chosen.children is None):
            self.post_message(self.RowChosen(chosen.jump))
        elif chosen.children is not None:
            self._open_or_close(row)

    def action_show_graph(self) -> None:
        """Show in the graph what the row is about."""
        jump = self.row_at(self.cursor).jump if self.row_count else None
        if jump is not None:
            self.post_message(self.RowChosen(jump))

    def action_open(self) -> None:
        """Open the row; where there is nothing to open, go where it leads."""
        if not self.row_count:
            return
        position, child = self.entry(self.cursor)
        row = self.row_at(self.cursor)
        if child < 0 and row.children is not None and position not in self._opened:
            self._open_or_close(self.cursor)
        elif child < 0 and row.children is not None and self._opened[position]:
            self.cursor += 1
        elif row.jump is not None:
            self.post_message(self.RowChosen(row.jump))

    def action_close(self) -> None:
        """Close the row that the cursor is in; where none is open, go back."""
        if self.row_count:
            position, child = self.entry(self.cursor)
            if position in self._opened:
                self._open_or_close(self.cursor - child - 1)
                return
        self.post_message(self.Left())

    def _open_or_close(self, row: int) -> None:
        position, _ = self.entry(row)
        if self._opened.pop(position, None) is None:
            make = self._sheet.make(position).children
            self._opened[position] = make() if make else ()
        if self._opened:
            self._visible = [
                (each, child)
                for each in self._positions
                for child in range(-1, len(self._opened[each]) if each in self._opened else 0)
            ]
        else:
            self._visible = None
        self.rows_changed(row if self._opened else self._positions.index(position))

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """A mark where it opens, then its cells."""
        position, child = self.entry(row)
        entry = self.row_at(row)
        mark = " " if entry.children is None else "▾" if position in self._opened else "▸"
        segments = [Segment(f" {mark} " if child < 0 else "   ", self.style_of(base, "dim"))]
        for place, cells in self._widths:
            column = self._sheet.columns[place]
            # What is listed below a row is ops and their types, whatever its own cells are.
            is_name = column.is_name or child >= 0
            segments += self._cell(entry.cells[place], column._replace(width=cells, is_name=is_name), base)
            segments.append(Segment(" ", base))
        return segments

    def _cell(self, cell: SheetCell, column: SheetColumn, base: Style) -> list[Segment]:
        width = column.width
        if not isinstance(cell, str | Part):
            return [
                Segment(part.text, self.style_of(base, part.style) if part.style else base)
                for part in cell.parts(width)
            ]
        text, name = (cell, "") if isinstance(cell, str) else cell
        style = self.style_of(base, name) if name else base
        text = shortened(text, width) if column.is_name else cut(text, width)
        gap = Segment(" " * (width - cell_len(text)), base)
        words = highlighted(text, self._words, style, self.style_of(style, "match"))
        return [gap, *words] if column.right else [*words, gap]


class SheetPanel(Vertical):
    """Titles above rows, in one frame."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._head = SheetHead()
        self.rows = SheetList(self._head, "sheet")

    def compose(self) -> ComposeResult:
        """The two."""
        yield self._head
        yield self.rows
