"""What every mode of the app has: the title above, the keys below, and errors that do not end it."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.app import ComposeResult
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from tfgraphdbg.recording import Recording
from tfgraphdbg.tui.background_work import BackgroundWork
from tfgraphdbg.tui.messages import WorkFailed
from tfgraphdbg.tui.widgets.key_line import KeyLine, ShownKey
from tfgraphdbg.tui.widgets.title_line import TitleLine

ALWAYS_SHOWN = ("app.help", "app.quit")
"""Ids of the keys that are never left out of the last line for want of room."""


class ModeScreen(BackgroundWork, Screen[None]):
    """A full screen about the recording; a subclass composes its middle."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (160, "-wide")]

    # Widgets show their focus themselves; Textual would paint the whole screen anew for it.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.recording = recording

    def compose(self) -> ComposeResult:
        """Title, middle, keys."""
        yield TitleLine(self.recording.meta, id="title")
        yield from self.compose_body()
        yield KeyLine(id="keys")

    def compose_body(self) -> Iterable[Widget]:
        """The middle of the screen."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Keep the last line true to what has the focus."""
        self.bindings_updated_signal.subscribe(self, lambda _: self._show_keys())

    def _show_keys(self) -> None:
        shown: dict[str, ShownKey] = {}
        for active in self.active_bindings.values():
            # While the user types into a field, other keys are letters.
            typing = isinstance(self.focused, Input) and active.node is not self.focused
            if active.binding.show and active.enabled and not typing:
                binding = active.binding
                displayed, stays = self.app.get_key_display(binding), binding.id in ALWAYS_SHOWN
                shown.setdefault(binding.action, ShownKey(binding.key, displayed, binding.description, stays))
        self.query_one(KeyLine).show(tuple(shown.values()))

    @on(KeyLine.KeyClicked)
    async def press(self, event: KeyLine.KeyClicked) -> None:
        """Do what a clicked key does."""
        active = self.active_bindings.get(event.key)
        if active:
            await self.app.run_action(active.binding.action, active.node)

    @on(WorkFailed)
    def show_failure(self, event: WorkFailed) -> None:
        """Say what could not be read; everything else still works."""
        from tfgraphdbg.tui.modals.message_screen import error_screen

        self.app.push_screen(error_screen(event.error))
