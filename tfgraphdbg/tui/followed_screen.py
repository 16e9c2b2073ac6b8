"""What becomes known of the ops on screen while they are looked at: their lives, and the findings on them."""

from __future__ import annotations

from textual import getters, on

from tfgraphdbg.tui.messages import ConsumersFound, LivesFound, NotesRead
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

    def tell_known_findings(self, index: int) -> None:
        """Show which findings the ops of a tracing take part in, as far as that is known."""
        notes = self.view.known_notes(self.recording.tracings[index])
        self.browser.tell_findings(notes.parts if notes else {})

    @on(ConsumersFound)
    def follow_lives(self) -> None:
        """Work out what became of the ops, once everything else is there."""
        tracing = self.shown_tracing
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
