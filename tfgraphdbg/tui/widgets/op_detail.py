"""All that is known of one op, with edges to walk along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tfgraphdbg.tui.detail_row import FrameJump, Jump
from tfgraphdbg.tui.detail_rows import DetailRows, detail_rows
from tfgraphdbg.tui.op_facts import OpFacts
from tfgraphdbg.tui.source_colours import COLOURS, CodeLine
from tfgraphdbg.tui.widgets.part_rows import PartRows


class OpDetail(PartRows):
    """Rows about one op; Enter follows the edge, origin, function or frame under the cursor."""

    BINDING_GROUP_TITLE = "Op detail"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l,right", "choose", "Follow", tooltip="Follow this edge, origin or call", id="detail.follow"),
        Binding("h,left", "screen.show_panel('ops')", "Ops", show=False, id="detail.ops"),
        Binding("n", "next_link(1)", "Next link", show=False, id="detail.next-link"),
        Binding("N", "next_link(-1)", "Previous link", show=False, id="detail.previous-link"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"rows--code-{colour}" for colour in COLOURS}

    @dataclass
    class Followed(Message):
        """The user wants to go there."""

        jump: Jump

    def __init__(self, id: str | None = None, empty: str = "") -> None:
        super().__init__(id, empty)
        self._facts: OpFacts | None = None
        self._stage = ""
        self._code: Mapping[str, tuple[CodeLine, ...]] = {}
        self._frame = 0

    def show(self, facts: OpFacts | None, stage: str, code: Mapping[str, tuple[CodeLine, ...]]) -> None:
        """Show an op; its cursor stays where it is when only more became known of the same op."""
        same = facts is not None and self._facts is not None and facts.op == self._facts.op and stage == self._stage
        self._facts, self._stage, self._code = facts, stage, code
        if not same:
            self._frame = 0
        self._fill(self.cursor if same and self.has_focus else -1)

    def _fill(self, cursor: int) -> None:
        self._rows = DetailRows(())
        if self._facts:
            self._rows = detail_rows(self._facts, self._stage, self._code, self._frame, self.row_width - 2)
        if cursor < 0:
            cursor = next((row for row in range(len(self._rows)) if self._rows[row].jump), 0)
            self.top = 0
        self.rows_changed(cursor)

    def fit_width(self) -> None:
        """Wrap what is wrapped anew."""
        self._fill(self.cursor)

    def row_chosen(self, row: int) -> None:
        """Follow the link of this row; a frame's code is shown here."""
        jump = self._rows[row].jump
        if isinstance(jump, FrameJump):
            self._frame = jump.frame
            self._fill(row)
        elif jump is not None:
            self.post_message(self.Followed(jump))

    def action_next_link(self, step: int) -> None:
        """Move the cursor to the next row that leads somewhere."""
        places = range(self.cursor + step, self.row_count if step > 0 else -1, step)
        self.cursor = next((place for place in places if self._rows[place].jump), self.cursor)
