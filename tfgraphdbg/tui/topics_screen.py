"""The part of the passes mode that is about all passes: findings, options, and why there are no passes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import getters, on

from tfgraphdbg.recording import Tracing
from tfgraphdbg.tui import empty_states
from tfgraphdbg.tui.finding_rows import finding_sections, found_findings
from tfgraphdbg.tui.messages import GraphWanted, NotesRead
from tfgraphdbg.tui.option_rows import option_rows, option_sections
from tfgraphdbg.tui.pass_lines import PassGroup
from tfgraphdbg.tui.pass_notes import PassNotes
from tfgraphdbg.tui.prose_rows import prose_sections
from tfgraphdbg.tui.shared_view import SharedView
from tfgraphdbg.tui.topic_lines import MISSING_PASSES, WAITING, Topic, topic_lines
from tfgraphdbg.tui.tracing_screen import TracingScreen
from tfgraphdbg.tui.visit_history import Place
from tfgraphdbg.tui.widgets.edit_list import EditList
from tfgraphdbg.tui.widgets.note_list import NoteList
from tfgraphdbg.tui.widgets.pass_list import PassList
from tfgraphdbg.tui.widgets.search_box import SearchBox

SEARCH_HINT = "words in the name, the type, the line, or what an op became"

TOPIC_SEARCH_HINT = "words that stand in what is told: a rule, an op, a line, a pass, who decided"


class TopicsScreen(TracingScreen):
    """Shows at the right what is said of all passes."""

    search = getters.query_one("#search", SearchBox)
    passes = getters.query_one("#passes", PassList)
    edit = getters.query_one("#edit", EditList)
    notes = getters.query_one("#notes", NoteList)

    def __init__(self, view: SharedView) -> None:
        super().__init__(view)
        self._shown_topic: tuple[int, Topic, str] | None = None
        """Of which tracing, which topic, and for which search."""
        self.why_none = ""
        """Why there are no passes; empty when there are."""
        self._wanted_finding: int | None = None
        """The finding to go to as soon as it is there."""

    def list_passes(self, tracing: Tracing, groups: Sequence[PassGroup], why_none: str = "") -> None:
        """List these passes, or why there are none, below what is said of all."""
        notes = self.view.known_notes(tracing)
        topics = topic_lines(notes) if notes else WAITING
        self.why_none = why_none
        self.passes.show(groups, topics if groups else (*topics, MISSING_PASSES))
        if notes is None:
            self.find_notes(tracing)
        self.go_to_wanted()

    @on(NotesRead)
    def tell_topics(self, event: NotesRead) -> None:
        """Say how many findings there are, and show them where they are waited for."""
        if self.shown_tracing and event.tracing == self.shown_tracing.index:
            self.passes.tell(topic_lines(event.notes))
            self.go_to_wanted()

    def show_finding(self, place: int) -> None:
        """Show a finding, once it is known."""
        self._wanted_finding = place
        self.go_to_wanted()

    def go_to_wanted(self) -> None:
        """Go to the finding that is wanted, if it is there."""
        tracing, place = self.shown_tracing, self._wanted_finding
        if tracing is None or place is None or not self.passes.row_count or self.view.known_notes(tracing) is None:
            return
        self._wanted_finding = None
        self.search.set_text("")
        self.passes.go_to("findings")
        self.show_topic("findings", tracing)
        self.notes.focus()
        self.notes.go_to_section(place)

    def show_topic(self, topic: Topic, tracing: Tracing) -> None:
        """Show what is behind a line above the passes, as far as the search matches it."""
        self.show_notes(shown=True)
        text, words = self.search.text, tuple(self.search.text.lower().split())
        is_anew = self._shown_topic != (tracing.index, topic, text)
        self._shown_topic = (tracing.index, topic, text)
        notes = self.view.known_notes(tracing)
        if topic == "passes":
            self.notes.border_title = "Passes"
            self.search.set_count("")
            self.notes.show(partial(prose_sections, self.why_none), words, "", anew=is_anew)
        elif notes is None:
            self.notes.border_title = topic.capitalize()
            self.search.set_count("")
            self.notes.show(lambda _: (), (), empty_states.LOOKING)
        elif topic == "findings":
            self._show_findings(notes, words, anew=is_anew)
        else:
            self._show_options(notes, words, anew=is_anew)

    def _show_findings(self, notes: PassNotes, words: tuple[str, ...], *, anew: bool) -> None:
        found, total = len(found_findings(notes, words)), len(notes.findings)
        self.notes.border_title = "Findings, the most severe and costly first"
        self.search.set_count(f"{found:,} of {total:,} findings" if words else f"{total:,} finding{'s' * (total != 1)}")
        rows = partial(finding_sections, notes, words)
        if not total:
            rows = partial(prose_sections, empty_states.no_findings(notes))
        self.notes.show(rows, words, empty_states.NO_NOTE_HITS, anew=anew)

    def _show_options(self, notes: PassNotes, words: tuple[str, ...], *, anew: bool) -> None:
        found, total = len(option_rows(notes.options, words)), len(notes.options.rows)
        self.notes.border_title = "Options: which passes are on, and who decided"
        self.search.set_count(f"{found:,} of {total:,} passes" if words else f"{total:,} passes")
        self.notes.show(
            partial(option_sections, notes.options, self.recording.target.name, words),
            words,
            empty_states.NO_NOTE_HITS if total else empty_states.NO_OPTIONS,
            anew=anew,
        )

    def show_notes(self, *, shown: bool) -> None:
        """Show at the right what is said of all passes, or else what one of them did."""
        if self.notes.display is not shown:
            self.notes.display, self.edit.display = shown, not shown
            self.search.set_hint("search", TOPIC_SEARCH_HINT if shown else SEARCH_HINT)
            self.refresh_bindings()

    @property
    def right(self) -> EditList | NoteList:
        """What is shown beside the list of passes."""
        return self.notes if self.notes.display else self.edit

    @on(PassList.PassChosen)
    def pass_chosen(self) -> None:
        """Go to what the pass did, or to what is said of all."""
        self.right.focus()

    def action_search(self) -> None:
        """Type a search."""
        self.search.edit()

    def action_show_panel(self, name: str) -> None:
        """Move the focus to `passes`, else to what is shown beside them."""
        (self.passes if name == "passes" else self.right).focus()

    @on(NoteList.OpWanted)
    def op_wanted(self, event: NoteList.OpWanted) -> None:
        """Show an op of a finding in the graph that ran."""
        tracing = self.shown_tracing
        if event.jump is not None and tracing is not None:
            self.post_message(GraphWanted(Place(tracing.index, event.jump.stage, event.jump.op_id)))
