"""Rows made of parts, each in its own style, in sections that keys go between."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style

from tfgraphdbg.tui.cell_text import cut, shortened
from tfgraphdbg.tui.detail_rows import DetailRows
from tfgraphdbg.tui.heat import HEAT_STYLES
from tfgraphdbg.tui.widgets.matches import highlighted
from tfgraphdbg.tui.widgets.virtual_rows import VirtualRows


class PartRows(VirtualRows):
    """Draws rows; a subclass makes them and hears of keys."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--heading",
        "rows--link",
        *(f"rows--{style}" for style in HEAT_STYLES),
    }

    def __init__(self, id: str | None = None, empty: str = "") -> None:
        super().__init__(id, empty)
        self._rows = DetailRows(())
        self._words: tuple[str, ...] = ()
        """Marked wherever they occur."""

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """The parts of a row, the flexible one shortened."""
        parts, _, flexible = self._rows[row]
        texts = [part.text for part in parts]
        free = width - 1 - sum(Segment(text).cell_length for text in texts)
        if free < 0 and flexible >= 0:
            texts[flexible] = shortened(texts[flexible], max(Segment(texts[flexible]).cell_length + free, 8))
        segments = [Segment(" ", base)]
        left = width - 1
        for part, text in zip(parts, texts, strict=True):
            text = cut(text, left)
            left -= Segment(text).cell_length
            style = self.style_of(base, part.style) if part.style else base
            segments += highlighted(text, self._words, style, self.style_of(style, "match"))
        return segments
