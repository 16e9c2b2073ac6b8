"""The graph mode: which tracing and stage is on screen, and the way from place to place."""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.op_query import OpIndex
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.tui import empty_states
from tfgraphdbg.tui.cell_text import visible
from tfgraphdbg.tui.detail_rows import OpJump, QueryJump
from tfgraphdbg.tui.messages import StageOpened, TextOpened, WorkFailed
from tfgraphdbg.tui.mode_screen import ModeScreen
from tfgraphdbg.tui.opened_stage import open_stage
from tfgraphdbg.tui.visit_history import Place, VisitHistory
from tfgraphdbg.tui.widgets.op_browser import OpBrowser
from tfgraphdbg.tui.widgets.stage_bar import StageBar
from tfgraphdbg.tui.widgets.text_pane import TextPane


class GraphScreen(ModeScreen):
    """Browse the stages of the recorded tracings."""

    AUTO_FOCUS = "#ops"
    BINDING_GROUP_TITLE = "Graph"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="graph.search"),
        Binding("right_square_bracket", "step_stage(1)", "Next stage", id="graph.next-stage"),
        Binding("left_square_bracket", "step_stage(-1)", "Previous stage", show=False, id="graph.previous-stage"),
        Binding("s", "choose_stage", "Stages", tooltip="Choose a stage", show=False, id="graph.choose-stage"),
        Binding("t", "choose_tracing", "Tracings", tooltip="Choose a tracing", id="graph.choose-tracing"),
        Binding("b,backspace,alt+left", "back", "Back", tooltip="Back to where you came from", id="graph.back"),
        Binding("f,alt+right", "forward", "Forward", show=False, id="graph.forward"),
        Binding("tab", "app.focus_next", "Next panel", show=False, id="graph.next-panel"),
        Binding("shift+tab", "app.focus_previous", "Previous panel", show=False, id="graph.previous-panel"),
        Binding("escape", "leave_search", "All ops", tooltip="Clear the search", show=False, id="graph.leave-search"),
    ]

    stages = getters.query_one("#stages", StageBar)
    browser = getters.query_one("#browser", OpBrowser)
    text = getters.query_one("#text", TextPane)

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording)
        self._history = VisitHistory()
        self._place: Place | None = None
        """The stage that is on screen or on its way there."""
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
        """Open the first stage of the main tracing."""
        main = self.recording.meta.main_tracing
        if main is None:
            self._show_nothing(empty_states.no_tracing(self.recording))
        else:
            self._go(_start_of(self.recording.tracings[main]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that choose are there where there is a choice."""
        if action == "choose_tracing":
            return len(self.recording.tracings) > 1
        if action in ("choose_stage", "step_stage"):
            return self._tracing is not None and len(self._tracing.stages) > 1
        return True

    @property
    def _tracing(self) -> Tracing | None:
        return self.recording.tracings[self._place.tracing] if self._place else None

    def _present(self, place: Place) -> Place:
        op = self.browser.op
        return place._replace(op_id=op.id if op else "", query=self.browser.query_text)

    def _leave_for(self, place: Place) -> None:
        if self._place:
            self._history.leave(self._present(self._place))
        self._go(place)

    def _go(self, place: Place) -> None:
        if self._listed and self._listed[:2] == place[:2]:
            self.browser.go(place.op_id, place.query)
            return
        self._place, self._listed = place, None
        tracing = self.recording.tracings[place.tracing]
        stage = tracing.stage(place.stage)
        self.stages.show(tracing, len(self.recording.tracings), place.stage)
        self.refresh_bindings()
        if stage is None:
            self._show_nothing(empty_states.no_stage(self.recording, tracing))
        elif stage.kind == "text":
            self._open_text(place, tracing)
        else:
            self.browser.wait_for(place.stage)
            self._open_graph(place, tracing, self.browser.op, self._indexes.get(place[:2]))

    @work(thread=True, exclusive=True, exit_on_error=False, group="stage")
    def _open_graph(self, place: Place, tracing: Tracing, near: OpNode | None, known: OpIndex | None) -> None:
        try:
            self.post_message(StageOpened(place, open_stage(self.recording, tracing, place, near, known)))
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
        if event.asked != self._place:
            return
        opened = event.stage
        if event.asked.op_id and event.asked.op_id != opened.place.op_id:
            self.notify(f"This stage has no op {visible(event.asked.op_id)}", severity="warning", markup=False)
        self._listed = opened.place
        self._indexes[opened.place[:2]] = opened.index
        self._show_body("browser")
        self.browser.show(opened)

    @on(TextOpened)
    def show_text(self, event: TextOpened) -> None:
        """Show a compiler's text in place of the graph."""
        if event.place == self._place:
            self._show_body("text")
            self.text.show(event.lines, empty_states.EMPTY_TEXT)

    @on(WorkFailed)
    def show_unreadable(self, event: WorkFailed) -> None:
        """Say in place of the graph which stage is damaged; a modal says how."""
        if event.place and event.place == self._place:
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
        if self._place is None:
            return
        tracing, present, _, _ = self._place
        if isinstance(event.jump, QueryJump):
            self._leave_for(Place(tracing, present, query=event.jump.query))
            self.browser.focus_panel("ops")
        elif isinstance(event.jump, OpJump):
            stage = event.jump.stage or present
            if self.recording.tracings[tracing].stage(stage) is None:
                self.notify(f"The stage {visible(stage)} was not recorded", severity="warning", markup=False)
                return
            keeps_search = stage == present and self.browser.lists(event.jump.op_id)
            query = self.browser.query_text if keeps_search else ""
            self._leave_for(Place(tracing, stage, event.jump.op_id, query))

    @on(StageBar.StageClicked)
    def stage_clicked(self, event: StageBar.StageClicked) -> None:
        """Show that stage."""
        self._go_to_stage(event.stage)

    def _go_to_stage(self, stage: str) -> None:
        """Show another stage, at the op that stands for the present one, with the same search."""
        if self._place and stage != self._place.stage:
            self._leave_for(Place(self._place.tracing, stage, query=self.browser.query_text))

    def action_step_stage(self, step: int) -> None:
        """Go to the next or the previous stage, around the end."""
        names = [stage.name for stage in self._tracing.stages] if self._tracing else []
        if self._place and self._place.stage in names:
            self._go_to_stage(names[(names.index(self._place.stage) + step) % len(names)])

    def action_choose_stage(self) -> None:
        """Choose a stage from a list."""
        from tfgraphdbg.tui.modals.choice_screen import ChoiceScreen, stage_choices

        if self._place and self._tracing and self._tracing.stages:
            names = [stage.name for stage in self._tracing.stages]
            screen = ChoiceScreen("Stages", stage_choices(self._tracing.stages), names.index(self._place.stage))
            self.app.push_screen(screen, lambda entry: None if entry is None else self._go_to_stage(names[entry]))

    def action_choose_tracing(self) -> None:
        """Choose a tracing from a list: the main one first, those without a graph last."""
        from tfgraphdbg.tui.modals.choice_screen import ChoiceScreen, tracing_choices

        main = self.recording.meta.main_tracing
        tracings = sorted(self.recording.tracings, key=lambda tracing: (tracing.index != main, not tracing.stages))
        if tracings:
            present = tracings.index(self._tracing) if self._tracing else 0
            screen = ChoiceScreen("Tracings", tracing_choices(tracings, main), present)
            self.app.push_screen(
                screen, lambda entry: None if entry is None else self._leave_for(_start_of(tracings[entry]))
            )

    def action_back(self) -> None:
        """Go back to where the last jump came from."""
        place = self._history.back(self._present(self._place)) if self._place else None
        if place:
            self._go(place)

    def action_forward(self) -> None:
        """Undo going back."""
        place = self._history.forward(self._present(self._place)) if self._place else None
        if place:
            self._go(place)

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
