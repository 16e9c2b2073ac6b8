"""What the modes that show one tracing have in common: which one it is, and choosing another."""

from __future__ import annotations

from textual import on, work
from textual.events import ScreenResume

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.recording import Tracing
from tfgraphdbg.tui.messages import LivesFound, NotesRead
from tfgraphdbg.tui.mode_screen import ModeScreen
from tfgraphdbg.tui.shared_view import SharedView


class TracingScreen(ModeScreen):
    """A mode about one tracing; all such modes show the same one."""

    def __init__(self, view: SharedView) -> None:
        super().__init__(view.recording)
        self.view = view

    @property
    def shown_tracing(self) -> Tracing | None:
        """The tracing on screen or on its way there; None when the recording has no main one."""
        raise NotImplementedError

    def show_tracing(self, tracing: Tracing) -> None:
        """Show another tracing."""
        raise NotImplementedError

    @work(thread=True, exclusive=True, exit_on_error=False, group="lives")
    def find_lives(self, tracing: Tracing) -> None:
        """Work out what became of the ops of a tracing; a message says what was found."""
        try:
            self.post_message(LivesFound(tracing.index, self.view.lives(tracing)))
        except DebuggerError as error:
            self.post_message(LivesFound(tracing.index, None, f"not known: {error.message}"))

    @work(thread=True, exclusive=True, exit_on_error=False, group="notes")
    def find_notes(self, tracing: Tracing) -> None:
        """Read what is worth knowing of the passes of a tracing; a message says so."""
        self.post_message(NotesRead(tracing.index, self.view.notes(tracing)))

    @on(ScreenResume)
    def follow(self) -> None:
        """Show the tracing that was chosen in another mode."""
        shown, wanted = self.shown_tracing, self.view.tracing
        if wanted is not None and self.is_mounted and (shown is None or shown.index != wanted):
            self.show_tracing(self.recording.tracings[wanted])

    def action_choose_tracing(self) -> None:
        """Choose a tracing from a list: the main one first, those without a graph last."""
        from tfgraphdbg.tui.modals.choice_screen import ChoiceScreen, tracing_choices

        main = self.recording.meta.main_tracing
        tracings = sorted(self.recording.tracings, key=lambda tracing: (tracing.index != main, not tracing.stages))
        if tracings:
            present = tracings.index(self.shown_tracing) if self.shown_tracing else 0
            screen = ChoiceScreen("Tracings", tracing_choices(tracings, main), present)
            self.app.push_screen(screen, lambda entry: None if entry is None else self.show_tracing(tracings[entry]))
