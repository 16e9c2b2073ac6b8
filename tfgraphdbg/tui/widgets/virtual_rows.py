"""A list of any length that draws only the rows on screen: what op list, scope tree, detail and text are made of."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.css.styles import RenderStyles
from textual.events import Click, MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp, Resize
from textual.geometry import Region, Size
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widget import Widget

from tfgraphdbg.tui.cell_text import cut

WHEEL_ROWS = 3

MOST_DRAWN = 2000
"""Rows kept as drawn."""


class VirtualRows(Widget, can_focus=True, inherit_bindings=False):
    """Rows with a cursor. A subclass says how many rows there are, draws one, and hears of the cursor.

    It scrolls by itself: Textual's ScrollView lays the whole screen out anew whenever the number of rows changes.
    """

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
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--cursor",
        "rows--cursor-idle",
        "rows--dim",
        "rows--accent",
        "rows--strong",
        "rows--match",
        "rows--warning",
        "rows--thumb",
    }
    ALLOW_SELECT = False

    # Rows have no size of their own; Textual would lay the screen out once more whenever this one changes.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)

    cursor: reactive[int] = reactive(0, repaint=False)
    """The row that keys act on."""

    def __init__(self, id: str | None = None, empty: str = "") -> None:
        super().__init__(id=id)
        self.empty = empty
        """What is said when there are no rows."""
        self.top = 0
        """The first row on screen."""
        self.left = 0
        """The first column on screen."""
        self._painted: list[Strip] = []
        self._drawn: dict[tuple[int, bool], Strip] = {}
        """Rows as they were drawn, without and with the cursor; forgotten when rows, colours or sizes change."""
        self._styles: dict[tuple[Style, str], Style] = {}

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """Segments of one row, at most `width` cells together; each with `base` in its style."""
        raise NotImplementedError

    def cursor_moved(self, row: int) -> None:
        """Called when the cursor comes to another row."""

    def row_chosen(self, row: int) -> None:
        """Called when the user opens a row by Enter or a double click."""

    def fit_width(self) -> None:
        """Called when the width changed."""

    @property
    def content_width(self) -> int:
        """Cells of the widest row; here rows fit themselves to the widget."""
        return self.row_width

    @property
    def row_width(self) -> int:
        """Cells of a row that are in sight; the last column is the scroll bar's."""
        return max(self.size.width - 1, 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are rows, where the height is not fixed."""
        return self.row_count

    # Moving

    def rows_changed(self, cursor: int = 0) -> None:
        """Show other rows, with the cursor on the given one."""
        self._drawn.clear()
        self.set_reactive(VirtualRows.cursor, self.validate_cursor(cursor))
        self.show_cursor()
        self._paint()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, self.row_count - 1))

    def watch_cursor(self) -> None:
        """Show where it is now and tell the subclass."""
        self.show_cursor()
        self._paint()
        if self.row_count:
            self.cursor_moved(self.cursor)

    def show_cursor(self) -> None:
        """Scroll as little as brings the cursor into view."""
        top = min(max(self.top, self.cursor - self.size.height + 1), self.cursor)
        self.top = max(0, min(top, self.row_count - self.size.height))

    def scroll_rows(self, top: int, left: int) -> None:
        """Scroll to this row and column; the cursor stays where it is."""
        self.top = max(0, min(top, self.row_count - self.size.height))
        if left != self.left:
            self.left = max(0, min(left, self.content_width - self.row_width))
            self._drawn.clear()
        self._paint()

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
        self._paint()

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        if self.row_count:
            self.row_chosen(self.cursor)

    # Mouse

    def on_click(self, event: Click) -> None:
        """Move the cursor to the clicked row; a second click opens it."""
        offset = event.get_content_offset(self)
        if offset is None or offset.x >= self.row_width or self.top + offset.y >= self.row_count:
            return
        self.cursor = self.top + offset.y
        if event.chain == 2:
            self.row_chosen(self.cursor)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll down."""
        event.stop()
        self.scroll_rows(self.top + WHEEL_ROWS, self.left)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll up."""
        event.stop()
        self.scroll_rows(self.top - WHEEL_ROWS, self.left)

    def on_mouse_down(self, event: MouseDown) -> None:
        """Take hold of the scroll bar."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.x >= self.row_width and self._has_bar:
            self.capture_mouse()
            self._drag_bar(offset.y)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Drag the scroll bar."""
        if self.app.mouse_captured is self:
            self._drag_bar(event.get_content_offset_capture(self).y)

    def on_mouse_up(self, event: MouseUp) -> None:
        """Let the scroll bar go."""
        self.release_mouse()

    def _drag_bar(self, y: int) -> None:
        share = y / max(self.size.height - 1, 1)
        self.scroll_rows(round(share * (self.row_count - self.size.height)), self.left)

    @property
    def _has_bar(self) -> bool:
        return self.row_count > self.size.height

    # Drawing

    def on_resize(self, event: Resize) -> None:
        """Fit the rows to the new size, and keep the cursor in view."""
        self.fit_width()
        self.rows_changed(self.cursor)

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._styles.clear()
        self._drawn.clear()
        self._painted.clear()

    def style_of(self, base: Style, name: str) -> Style:
        """`base` with one component class laid over it; its colours may be translucent."""
        key = (base, name)
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = _laid_over(base, self.get_component_styles(f"rows--{name}"))
        return style

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        if len(self._painted) != self.size.height:
            self._painted = self._drawn_lines()
        return self._painted[y]

    def _paint(self) -> None:
        """Draw what is in sight, and let Textual paint the lines that differ."""
        if not self.is_attached or not self._painted:
            return
        before, self._painted = self._painted, self._drawn_lines()
        if len(before) != len(self._painted):
            self.refresh()
            return
        changed = [y for y, line in enumerate(self._painted) if line != before[y]]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def _drawn_lines(self) -> list[Strip]:
        base = self.rich_style
        width, count = self.row_width, self.row_count
        thumb = self._thumb()
        bar = {True: Segment(" ", self.style_of(base, "thumb")), False: Segment(" ", base)}
        notice = [] if count else self.empty.splitlines()
        lines = []
        for y in range(self.size.height):
            if self.top + y < count:
                line = self._drawn_row(self.top + y, width, base)
            else:
                text = cut(f"  {notice[y]}", width) if y < len(notice) else ""
                line = Strip([Segment(text, self.style_of(base, "dim"))]).adjust_cell_length(width, base)
            lines.append(Strip([*line, bar[y in thumb]], width + 1))
        return lines

    def _drawn_row(self, row: int, width: int, base: Style) -> Strip:
        has_cursor = row == self.cursor
        line = self._drawn.get((row, has_cursor))
        if line is None:
            if has_cursor:
                base = self.style_of(base, "cursor" if self.has_focus else "cursor-idle")
            line = Strip(self.draw_row(row, self.content_width, base))
            if self.left:
                line = line.crop(self.left, self.left + width)
            if len(self._drawn) > MOST_DRAWN:
                self._drawn.clear()
            line = self._drawn[row, has_cursor] = line.adjust_cell_length(width, base)
        return line

    def _thumb(self) -> range:
        """The lines where the scroll bar is drawn."""
        height, count = self.size.height, self.row_count
        if not self._has_bar:
            return range(0)
        length = max(height * height // count, 1)
        start = round(self.top * (height - length) / (count - height))
        return range(start, start + length)


def _laid_over(base: Style, over: RenderStyles) -> Style:
    assert base.color is not None
    assert base.bgcolor is not None
    color, background = Color.from_rich_color(base.color), Color.from_rich_color(base.bgcolor)
    if over.has_rule("background"):
        background += over.background
    if over.has_rule("color"):
        color = background + over.color
    return base + Style.from_color(color.rich_color, background.rich_color) + over.text_style
