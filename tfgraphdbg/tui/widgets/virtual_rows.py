"""A list of any length with a cursor: what op list, scope tree, detail and text are made of."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.reactive import reactive

from tfgraphdbg.tui.widgets.painted_rows import PaintedRows


class VirtualRows(PaintedRows, can_focus=True, inherit_bindings=False):
    """Rows with a cursor. A subclass says how many rows there are, draws one, and hears of the cursor."""

    BINDING_GROUP_TITLE = "In every list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Next row", show=False, id="rows.down"),
        Binding("up,k", "move(-1)", "Previous row", show=False, id="rows.up"),
        Binding("pagedown,ctrl+f,space", "page(1)", "Next page", show=False, id="rows.page-down"),
        Binding("pageup,ctrl+b", "page(-1)", "Previous page", show=False, id="rows.page-up"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False, id="rows.half-down"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False, id="rows.half-up"),
        Binding("home,g", "edge(0)", "First row", show=False, id="rows.first"),
        Binding("end,G", "edge(-1)", "Last row", show=False, id="rows.last"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    """The row that keys act on."""

    @property
    def cursor_row(self) -> int:
        """The row that is drawn with a cursor."""
        return self.cursor

    def cursor_moved(self, row: int) -> None:
        """Called when the cursor comes to another row."""

    def row_chosen(self, row: int) -> None:
        """Called when the user opens a row by Enter or a double click."""

    def fit_width(self) -> None:
        """Called when the width changed."""

    def rows_changed(self, cursor: int = 0) -> None:
        """Show other rows, with the cursor on the given one."""
        self.forget_drawn()
        self.set_reactive(VirtualRows.cursor, self.validate_cursor(cursor))
        self.show_cursor()
        self.paint()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, self.row_count - 1))

    def watch_cursor(self) -> None:
        """Show where it is now and tell the subclass."""
        self.show_cursor()
        self.paint()
        if self.row_count:
            self.cursor_moved(self.cursor)

    def show_cursor(self) -> None:
        """Scroll as little as brings the cursor into view."""
        top = min(max(self.top, self.cursor - self.size.height + 1), self.cursor)
        self.top = max(0, min(top, self.row_count - self.size.height))

    def action_move(self, rows: int) -> None:
        """Move the cursor by some rows."""
        self._move_to(self.cursor + rows)

    def action_page(self, pages: float) -> None:
        """Move the cursor by pages."""
        self._move_to(self.cursor + round(pages * max(self.size.height - 1, 1)))

    def action_edge(self, row: int) -> None:
        """Move the cursor to the first (0) or the last (-1) row."""
        self._move_to(row % max(self.row_count, 1))

    def _move_to(self, row: int) -> None:
        self.cursor = row
        # The wheel may have left the cursor out of sight.
        self.show_cursor()
        self.paint()

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        if self.row_count:
            self.row_chosen(self.cursor)

    def on_click(self, event: Click) -> None:
        """Move the cursor to the clicked row; a second click opens it."""
        offset = event.get_content_offset(self)
        if offset is None or offset.x >= self.row_width or self.top + offset.y >= self.row_count:
            return
        self.cursor = self.top + offset.y
        if event.chain == 2:
            self.row_chosen(self.cursor)

    def on_resize(self, event: Resize) -> None:
        """Fit the rows to the new size, and keep the cursor in view."""
        self.fit_width()
        self.rows_changed(self.cursor)
