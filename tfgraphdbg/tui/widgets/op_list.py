"""The ops of a stage, or those that a search found, as one long list."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message

from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.recording import StackTable
from tfgraphdbg.tui.cell_text import cut, shortened, visible
from tfgraphdbg.tui.heat import HEAT_STYLES, heat, share_words
from tfgraphdbg.tui.op_times import OpTimes
from tfgraphdbg.tui.widgets.matches import highlighted
from tfgraphdbg.tui.widgets.virtual_rows import VirtualRows
from tfgraphdbg.views.human_units import human_quantity

TYPE_WIDTH = 20
NARROW_TYPE_WIDTH = 15
OUTPUT_WIDTH = 22
LINE_WIDTH = 18
TIME_WIDTH = 9
SHARE_WIDTH = 6
NAME_WIDTH = 40
"""The name gets at least this before further columns are shown."""


class OpList(VirtualRows):
    """One row an op: its name, its type, and where there is room its first output and its line."""

    BINDING_GROUP_TITLE = "Op list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l,right", "choose", "Op", tooltip="Go to the details of this op", id="ops.detail"),
        Binding("h,left", "screen.show_panel('scopes')", "Scopes", show=False, id="ops.scopes"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"rows--{style}" for style in HEAT_STYLES}

    @dataclass
    class OpHighlighted(Message):
        """The cursor came to this op."""

        op: OpNode

    @dataclass
    class OpChosen(Message):
        """The user opened this op."""

        op: OpNode

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id)
        self._ops: Sequence[OpNode] = ()
        self._positions: Sequence[int] = ()
        self._stacks = StackTable()
        self._words: tuple[str, ...] = ()
        self._times: OpTimes | None = None

    def colour(self, times: OpTimes | None) -> None:
        """Colour ops by the time that they took, and say it; None: do not."""
        if times is not self._times:
            self._times = times
            self.forget_drawn()
            self.paint()

    def show(
        self, ops: Sequence[OpNode], positions: Sequence[int], stacks: StackTable, words: tuple[str, ...], wanted: int
    ) -> None:
        """Show the ops at `positions` (ascending), with `words` marked and the cursor on `wanted` if that is listed."""
        self._ops, self._positions, self._stacks, self._words = ops, positions, stacks, words
        self.rows_changed(self.row_of(wanted) or 0)

    @property
    def row_count(self) -> int:
        """How many ops are listed."""
        return len(self._positions)

    @property
    def current(self) -> OpNode | None:
        """The op under the cursor."""
        return self._ops[self._positions[self.cursor]] if self._positions else None

    def row_of(self, position: int) -> int | None:
        """The row of the op at this position of the graph; None when it is not listed."""
        row = bisect_left(self._positions, position)
        return row if row < len(self._positions) and self._positions[row] == position else None

    def cursor_moved(self, row: int) -> None:
        """Say which op it is now."""
        self.post_message(self.OpHighlighted(self._ops[self._positions[row]]))

    def row_chosen(self, row: int) -> None:
        """Say which op was opened."""
        self.post_message(self.OpChosen(self._ops[self._positions[row]]))

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """Name, type, then time or first output, source line: as many as fit."""
        op = self._ops[self._positions[row]]
        text, dim = base, self.style_of(base, "dim")
        free = width - 2 - TYPE_WIDTH - NAME_WIDTH
        type_width = TYPE_WIDTH if free >= 0 else NARROW_TYPE_WIDTH
        columns = [(visible(op.op_type), type_width, self.style_of(base, "accent"))]
        if self._times is not None:
            text = self.style_of(base, heat(self._times.share(op.id)))
            columns += [(word, cells, text) for word, cells in self._time_words(self._times, op.id, free)]
        elif free >= OUTPUT_WIDTH + 1:
            columns.append((visible(str(op.outputs[0])) if op.outputs else "", OUTPUT_WIDTH, dim))
        if free >= OUTPUT_WIDTH + LINE_WIDTH + 2:
            columns.append((self._line(op), LINE_WIDTH, dim))
        name_width = max(width - 1 - sum(column_width + 1 for _, column_width, _ in columns), 8)
        name = shortened(visible(op.id), name_width)
        segments = [
            Segment(" ", base),
            *highlighted(name, self._words, text, self.style_of(text, "match")),
            Segment(" " * (name_width - Segment(name).cell_length), base),
        ]
        for word, column_width, style in columns:
            word = cut(word, column_width)
            segments.append(Segment(f" {word}{' ' * (column_width - Segment(word).cell_length)}", style))
        return segments

    def _time_words(self, times: OpTimes, op_id: str, free: int) -> list[tuple[str, int]]:
        """Its share, and its self time where there is room: right-aligned texts and their widths."""
        time = times.by_op.get(op_id)
        share = share_words(times.share(op_id)) if time else "-"
        columns = [(f"{share:>{SHARE_WIDTH}}", SHARE_WIDTH)]
        if free >= TIME_WIDTH + 1:
            columns.append((f"{human_quantity(time.self_us, 'us') if time else '':>{TIME_WIDTH}}", TIME_WIDTH))
        return columns

    def _line(self, op: OpNode) -> str:
        frame = self._stacks.user_frame(op.stack)
        return visible(f"{PurePath(frame.file).name}:{frame.line}") if frame else ""
