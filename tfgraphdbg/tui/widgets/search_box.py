"""The search box: text, how much it found, and one line of help or of what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantBlur, DescendantFocus
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widgets import Input, Static


class SearchInput(Input):
    """A text field whose keys Enter, Down and Escape lead back to what was found."""

    BINDING_GROUP_TITLE = "Search box"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.show_panel('found')", "To the list", tooltip="Go to what was found", id="search.done"),
        Binding("down", "screen.show_panel('found')", "To the list", show=False, id="search.down"),
        Binding("escape", "screen.leave_search", "Clear", tooltip="Clear the search", id="search.leave"),
    ]

    # The field has a fixed size; Textual would lay the whole screen out anew for each letter.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)


class SearchBox(Vertical):
    """Posts what is typed; is told what came of it."""

    @dataclass
    class Edited(Message):
        """The search is now `text`."""

        text: str

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._hint = ""

    def compose(self) -> ComposeResult:
        """The field with its hit count, and the line below."""
        with Horizontal(id="search-row"):
            yield Static("/", id="search-sign")
            field = SearchInput(id="search-field", compact=True, select_on_focus=False)
            field.cursor_blink = False
            yield field
            yield Static(id="search-count")
        yield Static(id="search-hint")

    @property
    def text(self) -> str:
        """What is in the field."""
        return self.query_one(SearchInput).value

    def set_text(self, text: str) -> None:
        """Put a search into the field, without a message."""
        field = self.query_one(SearchInput)
        with field.prevent(Input.Changed):
            field.value = text
            field.cursor_position = len(text)

    def edit(self) -> None:
        """Let the user type."""
        self.query_one(SearchInput).focus()

    def set_hint(self, placeholder: str, hint: str) -> None:
        """Say what can be searched for here."""
        self.query_one(SearchInput).placeholder = placeholder
        self._hint = hint
        self._say(hint, "")

    def set_count(self, count: str) -> None:
        """Say how much was found; what was wrong before is no longer."""
        self._say(self._hint, count)
        self.remove_class("-wrong")

    def set_error(self, message: str) -> None:
        """Say why the search cannot be understood."""
        self._say(message, "")
        self.add_class("-wrong")

    def _say(self, hint: str, count: str) -> None:
        # Their places have a fixed size, so a search needs no new layout.
        self.query_one("#search-hint", Static).update(Text(hint, no_wrap=True, overflow="ellipsis"), layout=False)
        self.query_one("#search-count", Static).update(Text(count, no_wrap=True), layout=False)

    @on(DescendantFocus)
    def show_hint(self) -> None:
        """Explain while the user types."""
        self.add_class("-typing")

    @on(DescendantBlur)
    def hide_hint(self) -> None:
        """Give the line back to the list."""
        self.remove_class("-typing")

    @on(Input.Changed)
    def pass_on(self, event: Input.Changed) -> None:
        """Turn the field's message into this widget's own."""
        event.stop()
        self.post_message(self.Edited(event.value))
