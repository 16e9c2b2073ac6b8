"""Going from place to place: stage by stage, pass by pass, by choosing from a list, and back again."""

from __future__ import annotations

from typing import Literal

from textual import on, work

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.recording import Tracing
from tfgraphdbg.tui.messages import StagesRead, WorkFailed
from tfgraphdbg.tui.shared_view import SharedView
from tfgraphdbg.tui.stage_order import pass_beside, stage_beside, stage_entries
from tfgraphdbg.tui.tracing_screen import TracingScreen
from tfgraphdbg.tui.visit_history import Place, VisitHistory


class StagedScreen(TracingScreen):
    """A mode that shows one stage of one tracing."""

    def __init__(self, view: SharedView) -> None:
        super().__init__(view)
        self._history = VisitHistory()
        self.place: Place | None = None
        """The stage that is on screen or on its way there."""

    @property
    def shown_tracing(self) -> Tracing | None:
        """The tracing of the stage on screen or on its way there."""
        return self.recording.tracings[self.place.tracing] if self.place else None

    @property
    def shown_stage(self) -> str:
        """The stage on screen or on its way there."""
        return self.place.stage if self.place else ""

    def present(self, place: Place) -> Place:
        """`place` with the op and the search that are on screen."""
        raise NotImplementedError

    def go(self, place: Place) -> None:
        """Show a place."""
        raise NotImplementedError

    def leave_for(self, place: Place) -> None:
        """Show a place, and remember the present one to come back to."""
        if self.place:
            self._history.leave(self.present(self.place))
        self.go(place)

    def go_to_stage(self, stage: str) -> None:
        """Show another stage, at the op that stands for the present one, with the same search."""
        if self.place and stage != self.place.stage:
            self.leave_for(Place(self.place.tracing, stage, query=self.present(self.place).query))

    def action_step_stage(self, step: int) -> None:
        """Go to the next or the previous stage, around the end."""
        stage = stage_beside(self.shown_tracing, self.shown_stage, step) if self.shown_tracing else None
        if stage is not None:
            self.go_to_stage(stage)

    def action_step_pass(self, step: int) -> None:
        """Go to the graph after the next or the previous pass that changed something."""
        if self.shown_tracing and self.view.has_passes(self.shown_tracing):
            self._read_stages(self.shown_tracing, "next" if step > 0 else "previous")

    def action_choose_stage(self) -> None:
        """Choose a stage from a list."""
        if self.shown_tracing and self.shown_tracing.stages:
            self._read_stages(self.shown_tracing, "choose")

    @work(thread=True, exclusive=True, exit_on_error=False, group="stages")
    def _read_stages(self, tracing: Tracing, wanted: Literal["choose", "next", "previous"]) -> None:
        try:
            entries = stage_entries(tracing, self.recording.own_rewrites(tracing, checked=False))
        except DebuggerError as error:
            self.post_message(WorkFailed(error))
            entries = stage_entries(tracing, None)
        self.post_message(StagesRead(tracing.index, entries, wanted))

    @on(StagesRead)
    def go_to_wanted(self, event: StagesRead) -> None:
        """Let the user choose a stage, or go to the pass beside the present stage."""
        from tfgraphdbg.tui.modals.choice_screen import ChoiceScreen, stage_choices

        if self.shown_tracing is None or event.tracing != self.shown_tracing.index:
            return
        if event.wanted != "choose":
            stage = pass_beside(event.entries, self.shown_stage, 1 if event.wanted == "next" else -1)
            if stage is not None:
                self.go_to_stage(stage)
            return
        names = [entry.name for entry in event.entries]
        present = names.index(self.shown_stage) if self.shown_stage in names else 0
        screen = ChoiceScreen("Stages", stage_choices(event.entries), present)
        self.app.push_screen(screen, lambda entry: None if entry is None else self.go_to_stage(names[entry]))

    def action_back(self) -> None:
        """Go back to where the last jump came from."""
        place = self._history.back(self.present(self.place)) if self.place else None
        if place:
            self.go(place)

    def action_forward(self) -> None:
        """Undo going back."""
        place = self._history.forward(self.present(self.place)) if self.place else None
        if place:
            self.go(place)
