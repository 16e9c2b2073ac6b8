"""A text with its own search box: what compiler stages and the log are shown in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tfgraphdbg.tui.background_work import BackgroundWork
from tfgraphdbg.tui.widgets.search_box import SearchBox
from tfgraphdbg.tui.widgets.text_view import TextView


class TextPane(BackgroundWork, Vertical):
    """Finds lines while the user types; capitals do not matter."""

    @dataclass
    class LinesFound(Message):
        """A search was answered: these lines hold all of its words."""

        text: str
        words: tuple[str, ...]
        matches: Sequence[int]

    def __init__(self, id: str | None = None, empty: str = "") -> None:
        super().__init__(id=id)
        self._empty = empty
        self._lines: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        """Search box above, text below."""
        yield SearchBox()
        yield TextView(empty=self._empty)

    def on_mount(self) -> None:
        """Say how to search here."""
        self.query_one(SearchBox).set_hint("find in this text", "words that stand in one line   n, N: next, previous")

    def show(self, lines: Sequence[str], empty: str = "") -> None:
        """Show these lines, or `empty` when there are none."""
        self._lines = lines
        view = self.query_one(TextView)
        view.empty = empty or view.empty
        view.show(lines)
        box = self.query_one(SearchBox)
        box.set_text("")
        box.set_count(f"{len(lines):,} lines")

    def edit_search(self) -> None:
        """Let the user type a search."""
        self.query_one(SearchBox).edit()

    def leave_search(self) -> None:
        """Forget the search and go to the text."""
        box = self.query_one(SearchBox)
        if box.text:
            box.set_text("")
            self._find("", self._lines)
        self.focus_panel("text")

    def focus_panel(self, name: str) -> None:
        """Move the focus to the text."""
        self.query_one(TextView).focus()

    @on(SearchBox.Edited)
    def find(self, event: SearchBox.Edited) -> None:
        """Look for the words in the background."""
        event.stop()
        self._find(event.text, self._lines)

    @work(thread=True, exclusive=True, exit_on_error=False, group="find")
    def _find(self, text: str, lines: Sequence[str]) -> None:
        words = tuple(text.lower().split())
        matches = [place for place, line in enumerate(lines) if _has_all(line.lower(), words)] if words else []
        self.post_message(self.LinesFound(text, words, matches))

    @on(LinesFound)
    def show_found(self, event: LinesFound) -> None:
        """Mark what was found, unless the user typed on."""
        event.stop()
        box = self.query_one(SearchBox)
        if event.text == box.text:
            self.query_one(TextView).mark(event.words, event.matches)
            found = f"{len(event.matches):,} of {len(self._lines):,} lines"
            box.set_count(found if event.words else f"{len(self._lines):,} lines")


def _has_all(line: str, words: tuple[str, ...]) -> bool:
    return all(word in line for word in words)
