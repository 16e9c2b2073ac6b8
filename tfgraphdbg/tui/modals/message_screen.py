"""A text to read and close: an error, missing evidence."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.recording import Recording
from tfgraphdbg.tui.cell_text import as_sentence, visible, visible_code


class MessageScreen(ModalScreen[None]):
    """A titled box over the screen; the app lives on."""

    BINDING_GROUP_TITLE = "Message"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,m", "dismiss", "Close", id="message.close"),
        Binding("down,j", "scroll(1)", "Scroll down", show=False, id="message.down"),
        Binding("up,k", "scroll(-1)", "Scroll up", show=False, id="message.up"),
    ]

    def __init__(self, title: str, text: Text, *, is_error: bool = False) -> None:
        super().__init__(classes="-error" if is_error else "")
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "Esc close"
            with VerticalScroll(can_focus=False):
                yield Static(self._text)

    def action_scroll(self, lines: int) -> None:
        """Scroll the text."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def error_screen(error: DebuggerError) -> MessageScreen:
    """What happened, then what to do next."""
    text = Text(as_sentence(error.message))
    if error.detail:
        lines = "\n".join(visible_code(line) for line in error.detail.splitlines())
        text = Text(lines + "\n\n").append_text(text)
    if error.hint:
        text.append("\n\n" + as_sentence(error.hint), "bold")
    text.append("\n\nThe rest of the recording can still be looked at.", "dim")
    return MessageScreen("Cannot show this", text, is_error=True)


def evidence_screen(recording: Recording) -> MessageScreen:
    """How the run ended, and each piece of evidence that could not be had."""
    text = Text()
    if recording.meta.outcome != "complete":
        text.append("The run ended early. ", "bold").append(as_sentence(recording.meta.outcome))
        text.append("\nWhat was recorded before that is kept.\n\n", "dim")
    for gap in recording.missing:
        text.append(visible(gap.evidence), "bold").append(f"\n{visible(gap.reason)}\n\n")
    if not text:
        text.append("Everything that was asked for was recorded.")
    text.rstrip()
    return MessageScreen("Missing evidence", text)
