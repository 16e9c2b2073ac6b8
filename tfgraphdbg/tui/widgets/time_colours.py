"""The part of the op browser that gives ops and scopes the colours of their times."""

from __future__ import annotations

from textual import getters, on, work
from textual.containers import Vertical

from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.tui.background_work import BackgroundWork
from tfgraphdbg.tui.messages import ScopesTimed
from tfgraphdbg.tui.op_times import OpTimes, SlackTimes, are_of_stage, scope_shares
from tfgraphdbg.tui.opened_stage import OpenedStage
from tfgraphdbg.tui.widgets.op_list import OpList
from tfgraphdbg.tui.widgets.scope_tree import ScopeTree


class TimeColours(BackgroundWork, Vertical):
    """A subclass composes the lists and the legend, and knows the stage."""

    scopes = getters.query_one("#scopes", ScopeTree)
    ops = getters.query_one("#ops", OpList)

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.stage: OpenedStage | None = None
        """The stage on screen."""
        self.times: OpTimes | None = None
        self.slack: SlackTimes | None = None
        self._by_time = False

    def look_at(self, op: OpNode | None) -> None:
        """Show the details of an op."""
        raise NotImplementedError

    def tell_times(self, times: OpTimes | None, slack: SlackTimes | None, *, by_time: bool) -> None:
        """Tell of each op how long it took; `by_time`: and give ops the colours of that."""
        if (times, slack, by_time) == (self.times, self.slack, self._by_time):
            return
        self.times, self.slack, self._by_time = times, slack, by_time
        self.colour_ops()
        self.look_at(self.ops.current)

    @property
    def coloured_times(self) -> OpTimes | None:
        """The times that the ops on screen have the colours of; None while they have others."""
        stage = self.stage
        return self.times if self._by_time and stage and are_of_stage(stage.place.stage) else None

    def colour_ops(self) -> None:
        """Give the ops on screen the colours that are wanted."""
        times = self.coloured_times
        self.query_one("#legend").display = times is not None
        self.ops.colour(times)
        if times is None or self.stage is None:
            self.scopes.colour(None)
        else:
            self.scopes.colour({})
            self._sum_scopes(self.stage, times)

    @work(thread=True, exclusive=True, exit_on_error=False, group="scope times")
    def _sum_scopes(self, stage: OpenedStage, times: OpTimes) -> None:
        self.post_message(ScopesTimed(stage, times, scope_shares(stage.graph, times)))

    @on(ScopesTimed)
    def colour_scopes(self, event: ScopesTimed) -> None:
        """Colour the tree, unless another stage or other colours are wanted by now."""
        if event.stage is self.stage and event.times is self.coloured_times:
            self.scopes.colour(event.shares)
