"""The graph mode: which tracing and stage is on screen, and the way from place to place."""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.op_query import OpIndex
from tfgraphdbg.recording import Tracing
from tfgraphdbg.tui import empty_states
from tfgraphdbg.tui.cell_text import visible
from tfgraphdbg.tui.detail_row import FindingJump, OpJump, QueryJump
from tfgraphdbg.tui.followed_screen import FollowedScreen
from tfgraphdbg.tui.messages import FindingWanted, StageOpened, TextOpened, WorkFailed
from tfgraphdbg.tui.opened_stage import Near, OpenedStage, open_stage
from tfgraphdbg.tui.shared_view import SharedView
from tfgraphdbg.tui.stage_order import edit_counts, is_after_pass, stage_counts
from tfgraphdbg.tui.visit_history import Place
from tfgraphdbg.tui.widgets.op_browser import OpBrowser
from tfgraphdbg.tui.widgets.stage_bar import StageBar
from tfgraphdbg.tui.widgets.text_pane import TextPane

MOST_PASSES_KEPT = 3
"""Graphs after a pass that can be gone back to at once: each is as large as the whole graph."""


class GraphScreen(FollowedScreen):
    """Browse the stages of the recorded tracings."""

    AUTO_FOCUS = "#ops"
    BINDING_GROUP_TITLE = "Graph"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="graph.search"),
        Binding("right_square_bracket", "step_stage(1)", "Next stage", id="graph.next-stage"),
        Binding("left_square_bracket", "step_stage(-1)", "Previous stage", show=False, id="graph.previous-stage"),
        Binding("right_curly_bracket", "step_pass(1)", "Next pass", show=False, id="graph.next-pass"),
        Binding("left_curly_bracket", "step_pass(-1)", "Previous pass", show=False, id="graph.previous-pass"),
        Binding("s", "choose_stage", "Stages", tooltip="Choose a stage", show=False, id="graph.choose-stage"),
        Binding("t", "choose_tracing", "Tracings", tooltip="Choose a tracing", id="graph.choose-tracing"),
        Binding("c", "colour_by_time", "Times", tooltip="Colour ops by time, or by type", id="graph.colour"),
        Binding("backspace,alt+left", "back", "Back", tooltip="Back to where you came from", id="graph.back"),
        Binding("f,alt+right", "forward", "Forward", show=False, id="graph.forward"),
        Binding("tab", "app.focus_next", "Next panel", show=False, id="graph.next-panel"),
        Binding("shift+tab", "app.focus_previous", "Previous panel", show=False, id="graph.previous-panel"),
        Binding("escape", "leave_search", "All ops", tooltip="Clear the search", show=False, id="graph.leave-search"),
    ]

    stages = getters.query_one("#stages", StageBar)
    text = getters.query_one("#text", TextPane)

    def __init__(self, view: SharedView) -> None:
        super().__init__(view)
        self._listed: Place | None = None
        """The stage that the browser lists; None while it lists none."""
        self._indexes: dict[tuple[int, str], OpIndex] = {}

    def compose_body(self) -> ComposeResult:
        """Stages; then a graph, or a text, or a word on why there is neither."""
        yield StageBar("stages")
        yield OpBrowser("browser")
        yield TextPane("text")
        yield Static(id="nothing", markup=False)

    def on_mount(self) -> None:
        """Open the first stage of the tracing that is looked at."""
        main = self.view.tracing
        if main is None:
            self._show_nothing(empty_states.no_tracing(self.recording))
        else:
            self.go(_start_of(self.recording.tracings[main]))

    def show_tracing(self, tracing: Tracing) -> None:
        """Show the first stage of another tracing."""
        self.leave_for(_start_of(tracing))

    def visit(self, place: Place) -> None:
        """Show a place that another mode leads to."""
        if self.place and self.place.tracing == place.tracing:
            self.tell_known_findings(place.tracing)
        self.leave_for(place)
        self.action_show_panel("found")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that choose are there where there is a choice."""
        if action == "choose_tracing":
            return len(self.recording.tracings) > 1
        if action == "step_pass":
            return self.shown_tracing is not None and self.view.has_passes(self.shown_tracing)
        if action in ("choose_stage", "step_stage"):
            return self.shown_tracing is not None and len(self.shown_tracing.stages) > 1
        return True

    def present(self, place: Place) -> Place:
        """`place` with the op and the search that are on screen."""
        op = self.browser.op
        return place._replace(op_id=op.id if op else "", query=self.browser.query_text)

    def go(self, place: Place) -> None:
        """Show a place."""
        if self._listed and self._listed[:2] == place[:2]:
            self.browser.go(place.op_id, place.query)
            return
        near = Near(self.place.tracing, self.browser.op) if self.place and self.browser.op else None
        self.place, self._listed, self.view.tracing = place, None, place.tracing
        tracing = self.recording.tracings[place.tracing]
        stage = tracing.stage(place.stage)
        self.stages.show(tracing, len(self.recording.tracings), has_passes=self.view.has_passes(tracing))
        self.stages.choose(place.stage, stage_counts(stage) if stage else "")
        self.refresh_bindings()
        if stage is None and not is_after_pass(place.stage):
            self._show_nothing(empty_states.no_stage(self.recording, tracing))
        elif stage is not None and stage.kind == "text":
            self._open_text(place, tracing)
        else:
            self.browser.wait_for(place.stage)
            self._open_graph(place, near, self._indexes.get(place[:2]))

    @work(thread=True, exclusive=True, exit_on_error=False, group="stage")
    def _open_graph(self, place: Place, near: Near | None, known: OpIndex | None) -> None:
        try:
            self.post_message(StageOpened(place, open_stage(self.view, place, near, known)))
        except DebuggerError as error:
            self.post_message(WorkFailed(error, place))

    @work(thread=True, exclusive=True, exit_on_error=False, group="stage")
    def _open_text(self, place: Place, tracing: Tracing) -> None:
        try:
            self.post_message(TextOpened(place, self.recording.text(place.stage, tracing).splitlines()))
        except DebuggerError as error:
            self.post_message(WorkFailed(error, place))

    @on(StageOpened)
    def show_stage(self, event: StageOpened) -> None:
        """Show a graph, unless the user went elsewhere meanwhile."""
        if event.asked != self.place:
            return
        opened = event.stage
        if event.asked.op_id and event.asked.op_id != opened.place.op_id:
            self.notify(f"This stage has no op {visible(event.asked.op_id)}", severity="warning", markup=False)
        elif opened.said:
            self.notify(visible(opened.said), markup=False)
        self._listed = opened.place
        self._keep(opened)
        self._show_body("browser")
        self.tell_known(opened.place.tracing)
        self.browser.show(opened)

    def _keep(self, opened: OpenedStage) -> None:
        key = opened.place[:2]
        self._indexes[key] = self._indexes.pop(key, opened.index)
        if is_after_pass(opened.place.stage):
            steps = opened.history.steps_until(opened.place.stage) if opened.history else ()
            self.stages.choose(opened.place.stage, f"{edit_counts(steps[-1])}  {steps[-1].ops:,} ops" if steps else "")
        for old in [key for key in self._indexes if is_after_pass(key[1])][:-MOST_PASSES_KEPT]:
            del self._indexes[old]

    @on(TextOpened)
    def show_text(self, event: TextOpened) -> None:
        """Show a compiler's text in place of the graph."""
        if event.place == self.place:
            self._show_body("text")
            self.text.show(event.lines, empty_states.EMPTY_TEXT)

    @on(WorkFailed)
    def show_unreadable(self, event: WorkFailed) -> None:
        """Say in place of the graph which stage is damaged; a modal says how."""
        if event.place and event.place == self.place:
            self._show_nothing(empty_states.unreadable(event.place.stage))

    def _show_nothing(self, why: str) -> None:
        self.query_one("#nothing", Static).update(why)
        self._show_body("nothing")

    def _show_body(self, name: str) -> None:
        for part in ("browser", "text", "nothing"):
            self.query_one(f"#{part}").display = part == name
        focused = self.focused
        if focused is None or not all(node.display for node in focused.ancestors_with_self):
            self.action_show_panel("found")

    @on(OpBrowser.JumpWanted)
    def jump(self, event: OpBrowser.JumpWanted) -> None:
        """Follow a link to an op of this or another stage, or to what a search finds."""
        if self.place is None:
            return
        tracing, present, _, _ = self.place
        if isinstance(event.jump, QueryJump):
            self.leave_for(Place(tracing, present, query=event.jump.query))
            self.browser.focus_panel("ops")
        elif isinstance(event.jump, FindingJump):
            self.post_message(FindingWanted(event.jump.place))
        elif isinstance(event.jump, OpJump):
            stage = event.jump.stage or present
            if self.recording.tracings[tracing].stage(stage) is None and not is_after_pass(stage):
                self.notify(f"The stage {visible(stage)} was not recorded", severity="warning", markup=False)
                return
            keeps_search = stage == present and self.browser.lists(event.jump.op_id)
            query = self.browser.query_text if keeps_search else ""
            self.leave_for(Place(tracing, stage, event.jump.op_id, query))

    @on(StageBar.StageClicked)
    def stage_clicked(self, event: StageBar.StageClicked) -> None:
        """Show that stage, or a list to choose from."""
        if event.stage:
            self.go_to_stage(event.stage)
        else:
            self.action_choose_stage()

    def action_search(self) -> None:
        """Type a search: for ops, or in the text that is shown."""
        (self.text if self.text.display else self.browser).edit_search()

    def action_leave_search(self) -> None:
        """Clear the search and go to what it listed."""
        (self.text if self.text.display else self.browser).leave_search()

    def action_show_panel(self, name: str) -> None:
        """Move the focus to `scopes`, `ops`, `detail`, or to whatever was `found`."""
        (self.text if self.text.display else self.browser).focus_panel(name)


def _start_of(tracing: Tracing) -> Place:
    return Place(tracing.index, tracing.stages[0].name if tracing.stages else "")
