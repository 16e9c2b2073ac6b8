"""What becomes known of the ops on screen while they are looked at: their lives, and the findings on them."""

from __future__ import annotations

from textual import getters, on, work
from textual.events import ScreenResume

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.recording import Tracing
from tfgraphdbg.tui import empty_states
from tfgraphdbg.tui.messages import ConsumersFound, LivesFound, NotesRead, TimesRead, WorkFailed
from tfgraphdbg.tui.op_times import are_of_stage, has_times
from tfgraphdbg.tui.staged_screen import StagedScreen
from tfgraphdbg.tui.widgets.op_browser import OpBrowser

FOLLOWING = "following it through the passes ..."


class FollowedScreen(StagedScreen):
    """A mode that shows ops, and what became of them."""

    browser = getters.query_one("#browser", OpBrowser)

    def tell_known(self, index: int) -> None:
        """Show what is known already of the ops of a tracing."""
        tracing = self.recording.tracings[index]
        lives = self.view.known_lives(tracing)
        self.browser.tell_lives(lives, FOLLOWING if lives is None and self.view.has_passes(tracing) else "")
        self.tell_known_findings(index)
        self.tell_known_times(index)

    def tell_known_times(self, index: int) -> None:
        """Show how long the ops of a tracing took, as far as that is known."""
        tracing = self.recording.tracings[index]
        times, slack = self.view.times.known(tracing), self.view.known_slack(tracing)
        self.browser.tell_times(times, slack, by_time=self.view.by_time)

    def tell_known_findings(self, index: int) -> None:
        """Show which findings the ops of a tracing take part in, as far as that is known."""
        notes = self.view.known_notes(self.recording.tracings[index])
        self.browser.tell_findings(notes.parts if notes else {})

    @on(ConsumersFound)
    def follow_lives(self) -> None:
        """Work out what became of the ops, once everything else is there."""
        tracing = self.shown_tracing
        if tracing and has_times(self.recording, tracing) and self.view.times.known(tracing) is None:
            self._read_times(tracing)
        if tracing and self.view.has_passes(tracing) and self.view.known_lives(tracing) is None:
            self.find_lives(tracing)

    @on(LivesFound)
    def tell_lives(self, event: LivesFound) -> None:
        """Complete the op that is looked at, then look for findings."""
        tracing = self.shown_tracing
        if tracing is None or event.tracing != tracing.index:
            return
        self.browser.tell_lives(event.lives, event.note)
        if event.lives is not None and self.view.known_notes(tracing) is None:
            self.find_notes(tracing)

    @on(NotesRead)
    def tell_findings(self, event: NotesRead) -> None:
        """Complete the op that is looked at."""
        if self.shown_tracing and event.tracing == self.shown_tracing.index:
            self.browser.tell_findings(event.notes.parts)

    @on(ScreenResume)
    def tell_found_elsewhere(self) -> None:
        """Show what another mode has worked out."""
        if self.shown_tracing is not None and self.is_mounted:
            self.tell_known_times(self.shown_tracing.index)

    @work(thread=True, exclusive=True, exit_on_error=False, group="times")
    def _read_times(self, tracing: Tracing) -> None:
        try:
            self.post_message(TimesRead(tracing.index, self.view.times.get(tracing)))
        except DebuggerError as error:
            self.post_message(WorkFailed(error))

    @on(TimesRead)
    def tell_times(self, event: TimesRead) -> None:
        """Complete the op that is looked at, and colour the others where that is wanted."""
        if self.shown_tracing and event.tracing == self.shown_tracing.index:
            self.tell_known_times(event.tracing)

    def action_colour_by_time(self) -> None:
        """Give ops the colours of their times, or of their types again."""
        tracing = self.shown_tracing
        if tracing is None:
            return
        if not has_times(self.recording, tracing):
            self.notify(empty_states.no_times_to_colour(self.recording, tracing), severity="warning", markup=False)
            return
        if tracing.jit_compile and not self.view.by_time:
            self.notify(empty_states.compiled_whole(tracing), severity="warning", markup=False)
            return
        self.view.by_time = not self.view.by_time
        if self.view.by_time and not are_of_stage(self.shown_stage):
            self.notify(empty_states.times_are_elsewhere(tracing), markup=False)
        if self.view.times.known(tracing) is None:
            self._read_times(tracing)
        self.tell_known_times(tracing.index)
