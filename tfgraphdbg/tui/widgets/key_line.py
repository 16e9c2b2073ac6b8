"""The last line of the screen: the keys that matter here."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget


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
        self._keys: Sequence[tuple[str, str, str]] = ()

    def show(self, keys: Sequence[tuple[str, str, str]]) -> None:
        """Show these: key, key as displayed, word."""
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render(self) -> Text:
        """The keys in order, until the line is full."""
        key_style = self.get_component_rich_style("keys--key")
        word_style = self.get_component_rich_style("keys--word")
        text = Text(" ", no_wrap=True, overflow="crop")
        for key, displayed, word in self._keys:
            if text.cell_len + cell_len(displayed) + cell_len(word) + 1 > self.size.width - 1:
                break
            clickable = Style(meta={"key": key})
            text.append(displayed, key_style + clickable)
            text.append(f" {word}", word_style + clickable)
            text.append("   ")
        return text

    def on_click(self, event: Click) -> None:
        """Act as if the clicked key had been pressed."""
        key = event.style.meta.get("key")
        if key:
            self.post_message(self.KeyClicked(key))
