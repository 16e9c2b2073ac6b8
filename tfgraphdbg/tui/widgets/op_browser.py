"""One graph stage: search box, scope tree, op list and op detail, kept in step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.events import DescendantFocus
from textual.message import Message

from tfgraphdbg.analyses.op_life import OpLives
from tfgraphdbg.errors import UsageError
from tfgraphdbg.graph_model import Edge, OpNode
from tfgraphdbg.op_query import OpQuery, parse_query
from tfgraphdbg.recording import StackTable
from tfgraphdbg.tui import empty_states
from tfgraphdbg.tui.detail_row import Jump, QueryJump
from tfgraphdbg.tui.heat import legend
from tfgraphdbg.tui.messages import ConsumersFound, OpsFound, SourceColoured, StageMapped
from tfgraphdbg.tui.op_facts import facts_of
from tfgraphdbg.tui.op_times import are_of_stage
from tfgraphdbg.tui.opened_stage import OpenedStage, find_consumers, map_stage
from tfgraphdbg.tui.pass_notes import FindingPart
from tfgraphdbg.tui.source_colours import CodeLine, coloured_lines, plain_lines
from tfgraphdbg.tui.widgets.op_detail import OpDetail
from tfgraphdbg.tui.widgets.op_list import OpList
from tfgraphdbg.tui.widgets.row_line import RowLine
from tfgraphdbg.tui.widgets.scope_tree import ScopeTree
from tfgraphdbg.tui.widgets.search_box import SearchBox
from tfgraphdbg.tui.widgets.time_colours import TimeColours

SEARCH_HINT = "words   type:MatMul   line:42   file:   device:   scope:   dtype:   in:   -not"


class OpBrowser(TimeColours):
    """Shows what it is given, and posts where its user wants to go."""

    @dataclass
    class JumpWanted(Message):
        """The user followed a link."""

        jump: Jump

    search = getters.query_one("#search", SearchBox)
    detail = getters.query_one("#detail", OpDetail)

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._consumers: Mapping[str, tuple[Edge, ...]] | None = None
        self._op: OpNode | None = None
        self._wanted = ""
        """Id of the op that the user last chose; a search that does not find it does not forget it."""
        self._lives: OpLives | None = None
        self._lives_note = ""
        self._finding_parts: Mapping[str, tuple[FindingPart, ...]] = {}
        self._code: dict[str, tuple[CodeLine, ...]] = {}

    def compose(self) -> ComposeResult:
        """Search above; scopes, ops and detail below, side by side where there is room."""
        yield SearchBox("search")
        yield RowLine(legend(), "legend")
        with Container(id="panels"):
            with Container(id="navigation"):
                yield ScopeTree("scopes")
                yield OpList("ops")
            yield OpDetail("detail", "\nNo op is chosen.")

    def on_mount(self) -> None:
        """Name the panels."""
        self.scopes.border_title, self.ops.border_title, self.detail.border_title = "Scopes", "Ops", "Op"
        self.search.set_hint("search", SEARCH_HINT)

    @property
    def op(self) -> OpNode | None:
        """The op that is looked at."""
        return self._op

    @property
    def query_text(self) -> str:
        """What is searched for."""
        return self.search.text

    def lists(self, op_id: str) -> bool:
        """Whether the present search finds this op."""
        position = self.stage.index.positions.get(op_id, -1) if self.stage else -1
        return self.ops.row_of(position) is not None

    def tell_lives(self, lives: OpLives | None, note: str) -> None:
        """Tell of each op what became of it; `note` says why that is not known, or not yet."""
        if lives is not self._lives or note != self._lives_note:
            self._lives, self._lives_note = lives, note
            self.look_at(self.ops.current)

    def tell_findings(self, parts: Mapping[str, tuple[FindingPart, ...]]) -> None:
        """Tell of each op, by its id, which findings it takes part in."""
        if parts is not self._finding_parts:
            self._finding_parts = parts
            self.look_at(self.ops.current)

    def wait_for(self, stage: str) -> None:
        """Say that a stage is on its way."""
        self.stage = None
        self.ops.empty = empty_states.reading(stage)
        self.scopes.clear()
        self._list(None, OpQuery(), ())

    def show(self, stage: OpenedStage) -> None:
        """List the ops of a stage at once; its scopes and consumers follow."""
        self.stage, self._consumers = stage, None
        self.ops.empty = empty_states.NO_HITS if stage.index.ops else empty_states.no_ops(stage.place.stage)
        self.colour_ops()
        self.go(stage.place.op_id, stage.place.query)
        # The ops are painted first: another thread at work would delay that.
        self.call_after_refresh(self._map, stage)

    def go(self, op_id: str, query: str) -> None:
        """List what `query` finds, with the cursor on an op; the first one if it is not among them."""
        self._wanted = op_id
        self.search.set_text(query)
        self._search_for(query)

    @work(thread=True, exclusive=True, exit_on_error=False, group="map")
    def _map(self, stage: OpenedStage) -> None:
        self.post_message(StageMapped(stage, map_stage(stage)))
        self.post_message(ConsumersFound(stage, find_consumers(stage)))

    @on(StageMapped)
    def show_scopes(self, event: StageMapped) -> None:
        """Fill the tree."""
        if event.stage is self.stage:
            self.scopes.show(event.map.scopes, event.map.functions)

    @on(ConsumersFound)
    def show_consumers(self, event: ConsumersFound) -> None:
        """Complete the op that is looked at."""
        if event.stage is self.stage:
            self._consumers = event.consumers
            self.look_at(self.ops.current)

    @on(SearchBox.Edited)
    def search_edited(self, event: SearchBox.Edited) -> None:
        """Search while the user types."""
        event.stop()
        self._search_for(event.text)

    def _search_for(self, text: str) -> None:
        try:
            query = parse_query(text)
        except UsageError as error:
            self.search.set_error(error.message)
            return
        if self.stage and query.terms:
            self._find(self.stage, text, query)
        elif self.stage:
            self._list(self.stage, query, range(len(self.stage.index.ops)))

    @work(thread=True, exclusive=True, exit_on_error=False, group="find")
    def _find(self, stage: OpenedStage, text: str, query: OpQuery) -> None:
        self.post_message(OpsFound(stage, text, query, stage.index.search(query)))

    @on(OpsFound)
    def list_found(self, event: OpsFound) -> None:
        """List what was found, unless the user typed on or went elsewhere."""
        if event.stage is self.stage and event.text == self.search.text:
            self._list(event.stage, event.query, event.positions)

    def _list(self, stage: OpenedStage | None, query: OpQuery, positions: Sequence[int]) -> None:
        if stage is None:
            self.ops.show((), (), StackTable(), (), -1)
            self.search.set_count("")
        else:
            index = stage.index
            wanted = index.positions.get(self._wanted, -1) if self._wanted else -1
            self.ops.show(index.ops, positions, index.stacks, query.words, wanted)
            total = f"{len(index.ops):,} ops"
            self.search.set_count(f"{len(positions):,} of {total}" if query.terms else total)
        self.look_at(self.ops.current)

    @on(OpList.OpHighlighted)
    def op_highlighted(self, event: OpList.OpHighlighted) -> None:
        """Show the op under the cursor, unless the cursor has moved on."""
        if event.op is self.ops.current:
            self._wanted = event.op.id
            self.look_at(event.op)

    def look_at(self, op: OpNode | None) -> None:
        stage = self.stage
        if op is None or stage is None:
            self.detail.show(None, "", self._code)
            return
        self._op = op
        facts = facts_of(op, stage.graph, stage.index.stacks, self._consumers)
        found = self._finding_parts.get(op.id, ()) if are_of_stage(stage.place.stage) else ()
        facts = replace(facts, lives=self._lives, lives_note=self._lives_note, findings=found)
        by_time = self.coloured_times is not None
        facts = replace(facts, times=self.times, slack=self.slack, by_time=by_time)
        for file in {frame.file for frame in facts.user_frames}:
            if file in stage.sources and file not in self._code:
                self._code[file] = plain_lines(stage.sources[file])
                self._colour(file, stage.sources[file])
        self.detail.show(facts, stage.place.stage, self._code)

    @work(thread=True, exit_on_error=False, group="colour")
    def _colour(self, file: str, source: str) -> None:
        self.post_message(SourceColoured(file, coloured_lines(source)))

    @on(SourceColoured)
    def show_coloured(self, event: SourceColoured) -> None:
        """Show the same code in colours."""
        self._code[event.file] = event.lines
        self.look_at(self.ops.current)

    @on(OpList.OpChosen)
    def op_chosen(self) -> None:
        """Go to the details."""
        self.detail.focus()

    @on(OpDetail.Followed)
    def pass_jump_on(self, event: OpDetail.Followed) -> None:
        """The screen knows the way."""
        self.post_message(self.JumpWanted(event.jump))

    @on(ScopeTree.ScopeChosen)
    def scope_chosen(self, event: ScopeTree.ScopeChosen) -> None:
        """The ops of a scope are what a search finds."""
        self.post_message(self.JumpWanted(QueryJump(event.query)))

    @on(DescendantFocus, "#ops, #detail")
    def op_accepted(self) -> None:
        """Whoever goes from the search box to an op has chosen it."""
        if self._op:
            self._wanted = self._op.id

    def focus_panel(self, name: str) -> None:
        """Move the focus to `scopes` or `detail`, else to the op list."""
        {"scopes": self.scopes, "detail": self.detail}.get(name, self.ops).focus()

    def edit_search(self) -> None:
        """Let the user type a search."""
        self.search.edit()

    def leave_search(self) -> None:
        """Clear the search and go to what is listed."""
        if self.search.text:
            self.go(self._wanted, "")
        self.ops.focus()
