"""The log mode: what the user's program printed and what TensorFlow logged."""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.tui import empty_states
from tfgraphdbg.tui.messages import TextOpened, WorkFailed
from tfgraphdbg.tui.mode_screen import ModeScreen
from tfgraphdbg.tui.widgets.text_pane import TextPane


class LogScreen(ModeScreen):
    """Output of the program, then TensorFlow's log, as one text."""

    BINDING_GROUP_TITLE = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Find", id="log.search"),
        Binding("escape", "leave_search", "Back to the text", show=False, id="log.leave-search"),
    ]

    pane = getters.query_one(TextPane)

    def compose_body(self) -> ComposeResult:
        """One text."""
        yield TextPane(empty="\nreading ...")

    def on_mount(self) -> None:
        """Read in the background."""
        self.pane.focus_panel("text")
        self._read()

    @work(thread=True, exclusive=True, exit_on_error=False, group="log")
    def _read(self) -> None:
        try:
            self.post_message(TextOpened(None, log_lines(self.recording.console, self.recording.log)))
        except DebuggerError as error:
            self.post_message(WorkFailed(error))

    @on(TextOpened)
    def show_text(self, event: TextOpened) -> None:
        """Show what was read."""
        self.pane.show(event.lines, empty_states.NOTHING_LOGGED)

    def action_search(self) -> None:
        """Type a search."""
        self.pane.edit_search()

    def action_leave_search(self) -> None:
        """Forget the search."""
        self.pane.leave_search()

    def action_show_panel(self, name: str) -> None:
        """Go from the search box to the text."""
        self.pane.focus_panel(name)


OWN_DUMP = "Dumped Graph to"
"""TensorFlow logs this for each file that recording makes it write; of the program it says nothing."""


def log_lines(console: str, log: str) -> list[str]:
    """What the program printed, then what TensorFlow logged, with a heading each; nothing if both are empty."""
    printed = console.splitlines() if console.strip() else []
    logged = log.splitlines() if log.strip() else []
    if not printed and not logged:
        return []
    kept = [line for line in logged if OWN_DUMP not in line]
    left_out = len(logged) - len(kept)
    note = f"({left_out:,} line{'' if left_out == 1 else 's'} with '{OWN_DUMP}' left out: recording causes them)"
    return [
        *("── What the program printed ──", "", *(printed or ["(nothing)"]), ""),
        *("── What TensorFlow logged ──", "", *([note, ""] if left_out else [])),
        *(kept or ([] if left_out else ["(nothing)"])),
    ]
