"""A long text, such as HLO or a log, with line numbers, and the lines that a search found."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType

from tfgraphdbg.tui.cell_text import visible_code
from tfgraphdbg.tui.widgets.matches import highlighted
from tfgraphdbg.tui.widgets.virtual_rows import VirtualRows

MOST_CELLS = 10_000
"""A longer line is cut: no one scrolls that far, and one line could be the whole file."""


class TextView(VirtualRows):
    """Lines of foreign text; long ones are reached by scrolling sideways."""

    BINDING_GROUP_TITLE = "Text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_match(1)", "Next match", id="text.next"),
        Binding("N", "next_match(-1)", "Previous match", id="text.previous"),
        Binding("l,right", "sideways(8)", "Scroll right", show=False, id="text.right"),
        Binding("h,left", "sideways(-8)", "Scroll left", show=False, id="text.left"),
    ]

    def __init__(self, id: str | None = None, empty: str = "") -> None:
        super().__init__(id, empty)
        self._lines: Sequence[str] = ()
        self._width = 0
        self._words: tuple[str, ...] = ()
        self._matches: Sequence[int] = ()

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines from the first one on."""
        self._lines, self._words, self._matches = lines, (), ()
        longest = max((min(len(line), MOST_CELLS) for line in lines), default=0)
        self.left = 0
        self._width = longest + self._gutter + 1
        self.rows_changed()

    def mark(self, words: tuple[str, ...], matches: Sequence[int]) -> None:
        """Mark `words`, which occur in the lines `matches`, and go to the next of those lines."""
        self._words, self._matches = words, matches
        place = bisect_left(matches, self.cursor)
        self.rows_changed(matches[place % len(matches)] if matches else self.cursor)

    @property
    def row_count(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    @property
    def content_width(self) -> int:
        """Cells of the longest line with its number."""
        return max(self._width, self.row_width)

    @property
    def _gutter(self) -> int:
        return len(str(len(self._lines))) + 4

    def action_next_match(self, step: int) -> None:
        """Go to the next line that the search found, around the end."""
        if self._matches:
            after = bisect_right(self._matches, self.cursor)
            place = after if step > 0 else bisect_left(self._matches, self.cursor) - 1
            self.cursor = self._matches[place % len(self._matches)]

    def action_sideways(self, cells: int) -> None:
        """Scroll to the right or the left."""
        self.scroll_rows(self.top, self.left + cells)

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """Line number and line."""
        number = Segment(f" {row + 1:>{self._gutter - 4}} │ ", self.style_of(base, "dim"))
        line = visible_code(self._lines[row][:MOST_CELLS])
        return [number, *highlighted(line, self._words, base, self.style_of(base, "match"))]
