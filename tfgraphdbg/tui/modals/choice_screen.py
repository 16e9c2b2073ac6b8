"""A list to choose one entry from: a tracing, a stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen

from tfgraphdbg.recording import Tracing
from tfgraphdbg.tui.cell_text import cut, visible
from tfgraphdbg.tui.stage_order import StageEntry, is_after_pass
from tfgraphdbg.tui.widgets.virtual_rows import VirtualRows


class Choice(NamedTuple):
    """An entry: what it is called, and a note on its right. Both are visible text."""

    label: str
    note: str
    dim: bool = False
    """Whether there is little to see there."""


def stage_choices(entries: Sequence[StageEntry]) -> list[Choice]:
    """Each stage and how large it is; the graphs after a pass stand a little to the right."""
    return [
        Choice(f"{'  ' if is_after_pass(entry.name) else ''}{visible(entry.name)}", entry.counts, not entry.changed)
        for entry in entries
    ]


def tracing_choices(tracings: Sequence[Tracing], main: int | None) -> list[Choice]:
    """Each tracing: its function, what it was traced for, how often it ran."""
    choices = []
    for tracing in tracings:
        notes = [f"{tracing.calls:,} calls" if tracing.calls != 1 else "1 call"]
        notes.insert(0, "main") if tracing.index == main else None
        if tracing.role != "inference":
            notes.insert(0, tracing.role)
        if not tracing.stages:
            notes.append("no stages")
        choices.append(Choice(visible(f"{tracing.function}  {tracing.signature}"), "  ".join(notes)))
    return choices


class ChoiceList(VirtualRows):
    """The entries."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,l,right", "choose", "Choose", id="choice.choose")]

    class Chosen(Message):
        """The user chose this entry."""

        def __init__(self, entry: int) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, choices: Sequence[Choice], cursor: int) -> None:
        super().__init__()
        self._choices = choices
        self._start = cursor

    def on_mount(self) -> None:
        """Start on the entry that is chosen now."""
        self.rows_changed(self._start)

    @property
    def row_count(self) -> int:
        """How many entries there are."""
        return len(self._choices)

    def row_chosen(self, row: int) -> None:
        """Say which one it is."""
        self.post_message(self.Chosen(row))

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """Label on the left, note on the right."""
        choice = self._choices[row]
        note = cut(choice.note, width // 2)
        label = cut(choice.label, width - Segment(note).cell_length - 4)
        gap = width - 2 - Segment(label).cell_length - Segment(note).cell_length
        return [
            Segment(f" {label}", self.style_of(base, "dim") if choice.dim else base),
            Segment(" " * max(gap, 1), base),
            Segment(f"{note} ", self.style_of(base, "dim")),
        ]


class ChoiceScreen(ModalScreen[int | None]):
    """Gives the number of the chosen entry, or None."""

    BINDING_GROUP_TITLE = "Choice"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "Close", id="choice.close")]

    def __init__(self, title: str, choices: Sequence[Choice], cursor: int) -> None:
        super().__init__()
        self._title, self._choices, self._start = title, choices, cursor

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "Enter choose   Esc close"
            yield ChoiceList(self._choices, self._start)

    @on(ChoiceList.Chosen)
    def close(self, event: ChoiceList.Chosen) -> None:
        """Hand the choice back."""
        self.dismiss(event.entry)
