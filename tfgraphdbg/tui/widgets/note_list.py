"""Findings, options and other things to read, wrapped to the width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tfgraphdbg.tui.detail_row import DetailRow, OpJump
from tfgraphdbg.tui.detail_rows import DetailRows
from tfgraphdbg.tui.widgets.part_rows import PartRows

Sections = Sequence[Sequence[DetailRow]]


class NoteList(PartRows):
    """Sections of rows; Enter goes to the op that a row names."""

    BINDING_GROUP_TITLE = "Findings and options"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l,right", "choose", "Go to the op", tooltip="Go to the op of this finding", id="notes.follow"),
        Binding("h,left", "screen.show_panel('passes')", "Passes", show=False, id="notes.passes"),
        Binding("n", "next_section(1)", "Next", tooltip="Next finding or group", id="notes.next"),
        Binding(
            "N", "next_section(-1)", "Previous", tooltip="Previous finding or group", show=False, id="notes.previous"
        ),
    ]

    @dataclass
    class OpWanted(Message):
        """The user wants to see the op of a row in the graph; None: the row names none."""

        jump: OpJump | None

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id)
        self._make: Callable[[int], Sections] = lambda _: ()
        self._leads_on = False
        """Whether any row names an op."""

    def show(self, make: Callable[[int], Sections], words: tuple[str, ...], empty: str, *, anew: bool = True) -> None:
        """Show what `make` gives for a width, with `words` marked; from the top, unless they are the same `anew`."""
        self._make, self._words, self.empty = make, words, empty
        if anew:
            self.top = 0
        self._fill(0 if anew else self.cursor)

    def _fill(self, cursor: int) -> None:
        sections = self._make(max(self.row_width - 2, 20))
        self._rows = DetailRows(sections)
        self.rows_changed(cursor)
        leads_on = any(row.jump for section in sections for row in section)
        if leads_on is not self._leads_on:
            self._leads_on = leads_on
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no key to an op where none is named."""
        return self._leads_on if action == "choose" else True

    def fit_width(self) -> None:
        """Wrap anew."""
        section = self._rows.section_of(self.cursor)
        self._fill(self.cursor)
        self.go_to_section(section)

    def go_to_section(self, section: int) -> None:
        """Put the cursor on the beginning of a section, with as much of it in sight as there is room for."""
        if 0 <= section < len(self._rows.starts):
            self.cursor = self._rows.starts[section]
            end = [*self._rows.starts, self.row_count][section + 1]
            if end - self.top > self.size.height:
                self.scroll_rows(min(self.cursor, end - self.size.height), self.left)

    def row_chosen(self, row: int) -> None:
        """Say which op it is."""
        jump = self._rows[row].jump
        self.post_message(self.OpWanted(jump if isinstance(jump, OpJump) else None))

    def action_next_section(self, step: int) -> None:
        """Go to the next beginning of a section, or to the one before."""
        here = self._rows.section_of(self.cursor)
        is_inside = bool(self.row_count) and self.cursor > self._rows.starts[here]
        self.go_to_section(here + step + (step < 0 and is_inside))
