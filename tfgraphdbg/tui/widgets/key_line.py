"""The last line of the screen: the keys that matter here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

GAP = "   "


@dataclass(frozen=True)
class ShownKey:
    """A key of the key line."""

    key: str
    displayed: str
    word: str
    stays: bool = False
    """Whether others make room for it."""

    @property
    def cells(self) -> int:
        """How wide it is, with the space behind it."""
        return cell_len(self.displayed) + cell_len(self.word) + 1 + cell_len(GAP)


class KeyLine(Widget):
    """Shows as many keys as fit; one widget, where Textual's Footer mounts one for each key."""

    COMPONENT_CLASSES = {"keys--key", "keys--word"}
    ALLOW_SELECT = False

    class KeyClicked(Message):
        """The user clicked a key."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys: Sequence[ShownKey] = ()

    def show(self, keys: Sequence[ShownKey]) -> None:
        """Show these."""
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render(self) -> Text:
        """The keys in order, as many as fit."""
        key_style = self.get_component_rich_style("keys--key")
        word_style = self.get_component_rich_style("keys--word")
        text = Text(" ", no_wrap=True, overflow="crop")
        for key in self._fitting():
            clickable = Style(meta={"key": key.key})
            text.append(key.displayed, key_style + clickable)
            text.append(f" {key.word}", word_style + clickable)
            text.append(GAP)
        return text

    def _fitting(self) -> list[ShownKey]:
        """Those that stay, and the first others that leave room for them."""
        # One cell at either end is left free; the last key needs no gap behind it.
        room = self.size.width - 2 + cell_len(GAP)
        chosen: set[ShownKey] = set()
        for stays in (True, False):
            for key in (key for key in self._keys if key.stays is stays):
                if key.cells > room:
                    break
                room -= key.cells
                chosen.add(key)
        return [key for key in self._keys if key in chosen]

    def on_click(self, event: Click) -> None:
        """Act as if the clicked key had been pressed."""
        key = event.style.meta.get("key")
        if key:
            self.post_message(self.KeyClicked(key))
