"""One line of parts, each in its own style: a legend, a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

from tfgraphdbg.tui.detail_row import Part
from tfgraphdbg.tui.heat import HEAT_STYLES


class RowLine(Widget):
    """Shows the beginning of the line where there is too little room."""

    COMPONENT_CLASSES = {
        *(f"rows--{style}" for style in HEAT_STYLES),
        *(
            f"rows--{name}"
            for name in ("dim", "strong", "accent", "warning", "heading", "python", "dispatch", "kernel")
        ),
    }
    ALLOW_SELECT = False

    def __init__(self, parts: Sequence[Part] = (), id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts = tuple(parts)

    def show(self, parts: Sequence[Part]) -> None:
        """Show another line."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.refresh()

    def render(self) -> Text:
        """All parts in a row."""
        text = Text(" ", no_wrap=True, overflow="ellipsis")
        for part in self._parts:
            text.append(part.text, self.get_component_rich_style(f"rows--{part.style}") if part.style else "")
        return text
