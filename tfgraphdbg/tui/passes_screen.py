"""The passes mode: the list of passes, and what the chosen one did to which op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.markup import escape
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Static

from tfgraphdbg.analyses.edited_ops import FateGroup, PassRef, edited_ops
from tfgraphdbg.analyses.op_life import OpLives
from tfgraphdbg.recording import Tracing
from tfgraphdbg.tui import empty_states
from tfgraphdbg.tui.cell_text import visible
from tfgraphdbg.tui.edit_rows import EditRow, edit_rows, op_count
from tfgraphdbg.tui.long_lived import kept_for_good
from tfgraphdbg.tui.messages import EditFound, GraphWanted, LivesFound
from tfgraphdbg.tui.pass_lines import PassLine, pass_groups, summary
from tfgraphdbg.tui.pass_notes import has_options
from tfgraphdbg.tui.pass_places import place_after, place_of
from tfgraphdbg.tui.shared_view import SharedView
from tfgraphdbg.tui.topic_lines import TopicLine
from tfgraphdbg.tui.topics_screen import SEARCH_HINT, TopicsScreen
from tfgraphdbg.tui.widgets.edit_list import EditList
from tfgraphdbg.tui.widgets.note_list import NoteList
from tfgraphdbg.tui.widgets.pass_list import PassList
from tfgraphdbg.tui.widgets.search_box import SearchBox

MOST_EDITS_KEPT = 8
"""Edits that are shown again at once; the largest have tens of thousands of ops."""


class PassesScreen(TopicsScreen):
    """Browse what Grappler did to the ops of a tracing."""

    AUTO_FOCUS = ""
    BINDING_GROUP_TITLE = "Passes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", tooltip="Search what this pass did", id="passes.search"),
        Binding("s", "show_graph", "Graph after", tooltip="Show the graph after this pass", id="passes.graph"),
        Binding(
            "z", "toggle_empty", "Hide empty", tooltip="Hide or show passes that changed nothing", id="passes.empty"
        ),
        Binding("t", "choose_tracing", "Tracings", tooltip="Choose a tracing", id="passes.choose-tracing"),
        Binding("tab", "app.focus_next", "Next panel", show=False, id="passes.next-panel"),
        Binding("shift+tab", "app.focus_previous", "Previous panel", show=False, id="passes.previous-panel"),
        Binding("escape", "leave_search", "All ops", tooltip="Clear the search", show=False, id="passes.leave-search"),
    ]

    def __init__(self, view: SharedView) -> None:
        super().__init__(view)
        self._tracing: Tracing | None = None
        self._lives: OpLives | None = None
        self._line: PassLine | TopicLine | None = None
        """The line of the list of which more is shown or on its way there."""
        self._edits: dict[tuple[int, PassRef], tuple[FateGroup, ...]] = {}
        self._hides_empty = False

    def compose_body(self) -> ComposeResult:
        """What the passes did together; then the two lists, or a word on why there are none."""
        yield Static(id="summary", markup=False)
        yield SearchBox("search")
        with Container(id="panels"):
            yield PassList("passes")
            yield EditList("edit")
            yield NoteList("notes")
        yield Static(id="nothing", markup=False)

    def on_mount(self) -> None:
        """Show the tracing that is looked at."""
        self.passes.border_title, self.edit.border_title = "Passes", "Edit"
        self.search.set_hint("search", SEARCH_HINT)
        if self.view.tracing is None:
            self._show_nothing(empty_states.no_tracing(self.recording))
        else:
            self.show_tracing(self.recording.tracings[self.view.tracing])

    @property
    def shown_tracing(self) -> Tracing | None:
        """The tracing whose passes are shown."""
        return self._tracing

    def show_tracing(self, tracing: Tracing) -> None:
        """Show the passes of another tracing, once they are known."""
        self._tracing, self._lives, self._line = tracing, None, None
        self.view.tracing = tracing.index
        self.refresh_bindings()
        self._say("")
        self.passes.empty = empty_states.FOLLOWING_OPS
        self.passes.show(())
        self.edit.show((), (), "")
        self.show_notes(shown=False)
        if self.view.has_passes(tracing):
            self._show_lists()
            self.find_lives(tracing)
        elif has_options(self.recording):
            self._show_lists()
            self.list_passes(tracing, (), empty_states.no_passes(self.recording, tracing))
        else:
            self._show_nothing(empty_states.no_passes(self.recording, tracing))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that choose are there where there is a choice."""
        if action == "choose_tracing":
            return len(self.recording.tracings) > 1
        if action == "toggle_empty" and not (self._tracing and self.view.has_passes(self._tracing)):
            return False
        if action == "show_graph" and isinstance(self._line, TopicLine):
            return False
        if action in ("search", "show_graph", "toggle_empty", "show_panel"):
            return self.query_one("#panels").display if self.is_mounted else False
        return True

    @on(LivesFound)
    def show_passes(self, event: LivesFound) -> None:
        """List the passes, unless the user went elsewhere meanwhile."""
        if self._tracing is None or event.tracing != self._tracing.index:
            return
        if event.lives is None:
            self.list_passes(self._tracing, (), empty_states.unknown_passes(self._tracing, event.note))
            return
        self._lives = event.lives
        self._say(summary(event.lives), event.lives.own.difference or "")
        self.list_passes(self._tracing, pass_groups(event.lives))

    def _say(self, words: str, difference: str = "") -> None:
        function = visible(self._tracing.function) if self._tracing else ""
        count = len(self.recording.tracings)
        which = f" {self._tracing.index + 1} of {count} (t)" if self._tracing and count > 1 else ""
        warning = f"  ▲ not quite what ran: {visible(difference)}" if difference else ""
        text = Text(f" {function}{which}{warning}  {words}", no_wrap=True, overflow="ellipsis")
        self.query_one("#summary", Static).update(text, layout=False)

    def _show_nothing(self, why: str) -> None:
        self.query_one("#nothing", Static).update(why)
        self.set_focus(None)
        self._show_body(lists=False)

    def _show_lists(self) -> None:
        self._show_body(lists=True)
        if self.focused is None:
            self.passes.focus()

    def _show_body(self, *, lists: bool) -> None:
        self.search.display = self.query_one("#panels").display = lists
        self.query_one("#nothing").display = not lists
        self.refresh_bindings()

    # What a pass did

    @on(PassList.PassHighlighted)
    def pass_highlighted(self, event: PassList.PassHighlighted) -> None:
        """Show what the pass under the cursor did, unless the cursor has moved on."""
        if event.line is self.passes.current:
            self._line = event.line
            self._find_edit()

    def _find_edit(self) -> None:
        """Show the ops of the chosen pass that the search matches."""
        line, lives, tracing = self._line, self._lives, self._tracing
        if isinstance(line, TopicLine) and tracing is not None:
            self.show_topic(line.topic, tracing)
        elif isinstance(line, PassLine) and tracing is not None and lives is not None:
            self.show_notes(shown=False)
            self._find_pass(tracing, lives, line)

    def _find_pass(self, tracing: Tracing, lives: OpLives, line: PassLine) -> None:
        self.edit.border_title = escape(visible(line.title))
        known = self._edits.get((tracing.index, line.ref))
        if line.kind == "heading":
            self._show_edit(line, (), empty_states.STAYED_CALLS)
        elif line.kind == "function":
            self._show_edit(line, (), empty_states.function_passes(line.name))
        elif line.is_empty:
            self._show_edit(line, (), empty_states.pass_without_edit(line.note))
        else:
            self._read_edit(tracing.index, lives, line, known, self.search.text)

    @work(thread=True, exclusive=True, exit_on_error=False, group="edit")
    def _read_edit(
        self, tracing: int, lives: OpLives, line: PassLine, known: tuple[FateGroup, ...] | None, text: str
    ) -> None:
        with kept_for_good():
            groups = known if known is not None else edited_ops(lives, line.ref)
            rows = edit_rows(groups, text.lower().split())
            self.post_message(EditFound(tracing, line, text, groups, rows))

    @on(EditFound)
    def show_found(self, event: EditFound) -> None:
        """Show what was found, unless the user typed on or went elsewhere."""
        if self._tracing is None or (event.tracing, event.line) != (self._tracing.index, self._line):
            return
        self._edits[event.tracing, event.line.ref] = event.groups
        for old in list(self._edits)[:-MOST_EDITS_KEPT]:
            del self._edits[old]
        if event.text == self.search.text:
            self._show_edit(event.line, event.rows, empty_states.NO_EDIT_HITS, sum(group.ops for group in event.groups))

    def _show_edit(self, line: PassLine, rows: Sequence[EditRow], empty: str, total: int = 0) -> None:
        words = tuple(self.search.text.lower().split())
        self.edit.show(rows, words, empty)
        count = op_count(rows)
        self.search.set_count(f"{count:,} of {total:,} ops" if words and total else f"{count:,} ops")

    @on(SearchBox.Edited)
    def search_edited(self, event: SearchBox.Edited) -> None:
        """Search while the user types."""
        event.stop()
        self._find_edit()

    # Where the user wants to go

    @on(EditList.OpChosen)
    def op_chosen(self, event: EditList.OpChosen) -> None:
        """Show an op in the graph: after the pass where it is still there, else before it."""
        if self._lives and isinstance(self._line, PassLine) and self._tracing:
            place = place_of(self._lives, self._tracing.index, self._line.ref, event.name)
            if place is None:
                self.notify(f"No recorded stage holds {visible(event.name)}", severity="warning", markup=False)
            else:
                self.post_message(GraphWanted(place))

    def action_show_graph(self) -> None:
        """Show the graph after the chosen pass."""
        if self._lives and isinstance(self._line, PassLine) and self._tracing and self._line.kind != "heading":
            self.post_message(GraphWanted(place_after(self._lives, self._tracing.index, self._line.ref)))

    def action_toggle_empty(self) -> None:
        """Hide passes that changed nothing, or show them again."""
        self._hides_empty = not self._hides_empty
        self.passes.hide_empty(self._hides_empty)

    def action_leave_search(self) -> None:
        """Clear the search and go to what is listed."""
        if self.search.text:
            self.search.set_text("")
            self._find_edit()
        self.right.focus()
