"""Rows of a long list -> the lines on screen and a scroll bar; only what changed is painted."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.css.styles import RenderStyles
from textual.events import MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widget import Widget

from tfgraphdbg.tui.cell_text import cut

WHEEL_ROWS = 3

MOST_DRAWN = 2000
"""Rows kept as drawn."""


class PaintedRows(Widget):
    """Draws the rows in sight, however many there are.

    It scrolls by itself: Textual's ScrollView lays the whole screen out anew whenever the number of rows changes.
    """

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

    def __init__(self, id: str | None = None, empty: str = "") -> None:
        super().__init__(id=id)
        self.empty = empty
        """What is said when there are no rows."""
        self.top = 0
        """The first row on screen."""
        self.left = 0
        """The first column on screen."""
        self._painted: list[Strip] = []
        """The lines that Textual was given and keeps; none while it is to ask for all of them."""
        self._drawn: dict[tuple[int, bool], Strip] = {}
        """Rows as they were drawn, without and with the cursor."""
        self._styles: dict[tuple[Style, str], Style] = {}

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    @property
    def cursor_row(self) -> int:
        """The row that is drawn with a cursor."""
        raise NotImplementedError

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """Segments of one row, at most `width` cells together; each with `base` in its style."""
        raise NotImplementedError

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

    # Scrolling

    def scroll_rows(self, top: int, left: int) -> None:
        """Scroll to this row and column."""
        self.top = max(0, min(top, self.row_count - self.size.height))
        if left != self.left:
            self.left = max(0, min(left, self.content_width - self.row_width))
            self._drawn.clear()
        self.paint()

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
        if offset is not None and offset.x >= self.row_width and self.row_count > self.size.height:
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

    # Drawing

    def forget_drawn(self) -> None:
        """Draw rows anew when they are painted next: they are others, or other in size."""
        self._drawn.clear()

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._styles.clear()
        self._drawn.clear()
        self._paint_all()

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

    def paint(self) -> None:
        """Draw what is in sight, and let Textual paint the lines that differ."""
        if not self.is_attached or not self._painted:
            return
        before, self._painted = self._painted, self._drawn_lines()
        if len(before) != len(self._painted):
            self._paint_all()
            return
        changed = [y for y, line in enumerate(self._painted) if line != before[y]]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def _paint_all(self) -> None:
        """Let Textual ask for every line: it keeps those it has, also when the styles are worked out anew."""
        self._painted.clear()
        self.refresh()

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
        has_cursor = row == self.cursor_row
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
        if count <= height:
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
