"""What one pass did: its ops under their fates, those that went into one op together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message

from tfgraphdbg.tui.cell_text import cut, shortened, visible
from tfgraphdbg.tui.edit_rows import EditRow
from tfgraphdbg.tui.widgets.matches import highlighted
from tfgraphdbg.tui.widgets.virtual_rows import VirtualRows

TYPE_WIDTH = 18
NARROW_TYPE_WIDTH = 14
PLACE_WIDTH = 24
NARROW_PLACE_WIDTH = 12
NARROW = 70
"""A row less wide than this has narrower columns."""


class EditList(VirtualRows):
    """One row an op; Enter goes to it in the graph."""

    BINDING_GROUP_TITLE = "What a pass did"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l,right", "choose", "Go to the op", tooltip="Go to this op in the graph", id="edit.follow"),
        Binding("h,left", "screen.show_panel('passes')", "Passes", show=False, id="edit.passes"),
        Binding("n", "next_fate(1)", "Next fate", id="edit.next-fate"),
        Binding("N", "next_fate(-1)", "Previous fate", show=False, id="edit.previous-fate"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--heading", "rows--link"}

    @dataclass
    class OpChosen(Message):
        """The user wants to see this op in the graph."""

        name: str

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id)
        self._rows: Sequence[EditRow] = ()
        self._words: tuple[str, ...] = ()
        self._place_width = self._type_width = 0

    def show(self, rows: Sequence[EditRow], words: tuple[str, ...], empty: str) -> None:
        """Show these rows with `words` marked; `empty` is said when there are none."""
        self._rows, self._words, self.empty = rows, words, empty
        self._place_width = max((cell_len(visible(row.place)) for row in rows), default=0)
        self._type_width = max((cell_len(visible(row.op_type)) for row in rows), default=0)
        self.top = 0
        self.rows_changed(1 if len(rows) > 1 else 0)

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def row_chosen(self, row: int) -> None:
        """Say which op it is; a heading leads to the first op below it."""
        if self._rows[row].kind == "heading":
            self.cursor = row + 1
        else:
            self.post_message(self.OpChosen(self._rows[row].name))

    def action_next_fate(self, step: int) -> None:
        """Go to the next or the previous heading."""
        places = range(self.cursor + step, self.row_count if step > 0 else -1, step)
        self.cursor = next((place for place in places if self._rows[place].kind == "heading"), self.cursor)

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """A heading with its count; else type, name, what it became, line."""
        entry = self._rows[row]
        dim = self.style_of(base, "dim")
        if entry.kind == "heading":
            return [
                Segment(f" {cut(entry.name, width - 1)}", self.style_of(base, "heading")),
                Segment(f"  {entry.note}", dim),
            ]
        type_width, most_place = (
            (NARROW_TYPE_WIDTH, NARROW_PLACE_WIDTH) if width < NARROW else (TYPE_WIDTH, PLACE_WIDTH)
        )
        type_width = min(self._type_width, type_width)
        place_width = min(self._place_width, most_place)
        place = shortened(visible(entry.place), place_width)
        place = f" {place}{' ' * (place_width - cell_len(place))}"
        kind = cut(visible(entry.op_type), type_width)
        kind += " " * (type_width - cell_len(kind))
        indent = " " * (2 + 2 * entry.depth)
        left = width - len(indent) - type_width - 1 - cell_len(place)
        return [
            Segment(indent, base),
            Segment(f"{kind} ", self.style_of(base, "strong" if entry.kind == "target" else "accent")),
            *self._op(entry, max(left, 8), base),
            Segment(place, dim),
        ]

    def _op(self, entry: EditRow, width: int, base: Style) -> list[Segment]:
        """The name, then what became of it, in exactly `width` cells."""
        dim, accent = self.style_of(base, "dim"), self.style_of(base, "accent")
        name = visible(entry.name)
        became = [Segment(f"  {visible(entry.into_type)}", accent)] if entry.into_type else []
        if entry.into:
            became = [Segment(" → ", dim), Segment(visible(entry.into), base), *became]
        elif entry.into_type:
            became = [Segment(" → ", dim), Segment(visible(entry.into_type), accent)]
        if entry.note:
            became.append(Segment(f"  {visible(entry.note)}", dim))
        needed = sum(segment.cell_length for segment in became)
        # Where there is too little room for both, each gets half of it.
        name = shortened(name, max(width - needed, width // 2, 8))
        segments = highlighted(name, self._words, base, self.style_of(base, "match"))
        left = width - cell_len(name)
        for segment in became:
            text = cut(segment.text, left)
            left -= cell_len(text)
            segments.append(Segment(text, segment.style))
        return [*segments, Segment(" " * max(left, 0), base)]
