"""The passes in the order in which they ran, then those of each library function that stayed a call."""

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
from tfgraphdbg.tui.pass_lines import PassGroup, PassLine, visible_lines
from tfgraphdbg.tui.topic_lines import Topic, TopicLine
from tfgraphdbg.tui.widgets.virtual_rows import VirtualRows

BAR_WIDTH = 10
NAME_WIDTH = 27
"""The name gets at least this before further columns are shown."""

EIGHTHS = " ▏▎▍▌▋▊▉█"


class PassList(VirtualRows):
    """One row a pass: what it removed, added and changed, how long it took, how many ops it left."""

    BINDING_GROUP_TITLE = "List of passes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,l,right",
            "choose",
            "Open",
            tooltip="Go to the findings, the options or what this pass did, or open the function",
            id="passes.edit",
        ),
        Binding("h,left", "close", "Close", tooltip="Close this function", show=False, id="passes.close"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--heading", "rows--bar"}

    @dataclass
    class PassHighlighted(Message):
        """The cursor came to this line."""

        line: PassLine | TopicLine

    @dataclass
    class PassChosen(Message):
        """The user wants to see what this pass did, or what is said of all."""

        line: PassLine | TopicLine

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id)
        self._groups: Sequence[PassGroup] = ()
        self._topics: Sequence[TopicLine] = ()
        self._lines: list[PassLine | TopicLine] = []
        self._opened: frozenset[int] = frozenset()
        self._without_empty = False
        self._longest_ms = 0.0
        self._widths: list[int] = []

    def show(self, groups: Sequence[PassGroup], topics: Sequence[TopicLine] = ()) -> None:
        """Show these passes below what is said of all; functions are closed. The cursor is on the first pass."""
        self._groups, self._topics, self._opened = groups, topics, frozenset()
        lines = [line for group in groups for line in (*group.passes, *([group.head] if group.head else []))]
        self._longest_ms = max((line.ms or 0.0 for line in lines if line.kind == "pass"), default=0.0)
        self._widths = [max(map(len, column)) + 1 for column in zip(*map(_cells, lines), strict=True)]
        self.fit_width()
        self._fill(None)

    def tell(self, topics: Sequence[TopicLine]) -> None:
        """Say more of all passes, in as many lines as before."""
        self._topics = topics
        self._lines[: len(topics)] = topics
        self.rows_changed(self.cursor)
        if self.current in topics:
            self.cursor_moved(self.cursor)

    def go_to(self, topic: Topic) -> None:
        """Put the cursor on a line above the passes."""
        self.cursor = next((place for place, line in enumerate(self._topics) if line.topic == topic), self.cursor)

    def hide_empty(self, hide: bool) -> None:
        """Show passes that changed nothing, or leave them out."""
        self._without_empty = hide
        self._fill(self.current)

    def _fill(self, wanted: PassLine | TopicLine | None) -> None:
        """Show what is to be shown, with the cursor on `wanted` or what comes next."""
        lines = list(visible_lines(self._groups, self._opened, without_empty=self._without_empty))
        self._lines = [*self._topics, *lines]
        place = len(self._topics)
        if wanted in self._lines:
            place = self._lines.index(wanted)
        elif isinstance(wanted, PassLine):
            place += next((place for place, line in enumerate(lines) if line.ref >= wanted.ref), len(lines) - 1)
        self.rows_changed(place)
        if self._lines and self.current != wanted:
            self.cursor_moved(self.cursor)

    def fit_width(self) -> None:
        """Say in the title which columns there are."""
        if not self._widths:
            self.border_title = "Passes"
            return
        has_ms, has_ops, _ = self._shown(self.row_width)
        self.border_title = f"Passes: iteration, edit{', time' * has_ms}{', ops left' * has_ops}"

    @property
    def row_count(self) -> int:
        """How many lines are visible."""
        return len(self._lines)

    @property
    def current(self) -> PassLine | TopicLine | None:
        """The line under the cursor."""
        return self._lines[self.cursor] if self._lines else None

    def cursor_moved(self, row: int) -> None:
        """Say which pass it is now."""
        self.post_message(self.PassHighlighted(self._lines[row]))

    def row_chosen(self, row: int) -> None:
        """Open a function, or say which pass was chosen."""
        line = self._lines[row]
        if isinstance(line, PassLine) and line.kind == "function":
            self._opened = self._opened ^ {line.ref.history}
            self._fill(line)
        else:
            self.post_message(self.PassChosen(line))

    def action_close(self) -> None:
        """Close the function that the cursor is in, and go to its line."""
        line = self.current
        head = next(
            (group.head for group in self._groups if line and group.head and line in (group.head, *group.passes)), None
        )
        if head is not None:
            self._opened = self._opened - {head.ref.history}
            self._fill(head)

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """Name, iteration, what it removed, added and changed, time, bar, ops: as many as fit."""
        line = self._lines[row]
        if isinstance(line, TopicLine):
            return self._topic(line, width, base)
        if line.kind == "heading":
            return [Segment(f" {cut(line.name, width - 1)}", self.style_of(base, "heading"))]
        text = self.style_of(base, "dim") if line.is_empty else base
        columns, bar = self._columns(line, width)
        name_width = max(width - 1 - sum(map(cell_len, (*columns, bar))), 8)
        label = self._label(line)
        name = shortened(visible(label), name_width) if line.kind == "function" else cut(visible(label), name_width)
        strong = line.kind == "function" and not line.is_empty
        return [
            Segment(" ", base),
            Segment(name, self.style_of(base, "strong") if strong else text),
            Segment(" " * (name_width - cell_len(name)), base),
            *(Segment(column, text) for column in columns),
            Segment(bar, self.style_of(base, "bar")),
        ]

    def _topic(self, line: TopicLine, width: int, base: Style) -> list[Segment]:
        """Its name, and at the right what says most of it."""
        name = cut(line.name, width - 1)
        note = cut(line.note, max(width - 3 - cell_len(name), 0))
        gap = " " * (width - 1 - cell_len(name) - cell_len(note))
        style = self.style_of(base, "warning" if line.warns else "dim")
        return [Segment(f" {name}", self.style_of(base, "heading")), Segment(gap, base), Segment(note, style)]

    def _label(self, line: PassLine) -> str:
        if line.kind == "function":
            return f"{'▾' if line.ref.history in self._opened else '▸'} ƒ {line.name}"
        inside = "    " if self._is_of_function(line) else ""
        return f"{inside}{line.name}"

    def _is_of_function(self, line: PassLine) -> bool:
        return any(group.head is not None and group.head.ref.history == line.ref.history for group in self._groups)

    def _shown(self, width: int) -> tuple[bool, bool, bool]:
        """Whether there is room for the time, the ops, and a bar of the time."""
        shown = []
        free = width - 1 - NAME_WIDTH - sum(self._widths[:4])
        for needed in (*self._widths[4:], BAR_WIDTH + 1):
            shown.append(free >= needed)
            free -= needed if free >= needed else 0
        return shown[0], shown[1], shown[2]

    def _columns(self, line: PassLine, width: int) -> tuple[list[str], str]:
        """The columns right of the name, the most telling ones where there is little room, and the bar of its time."""
        cells = [f"{cell:>{wide}}" for cell, wide in zip(_cells(line), self._widths, strict=True)]
        has_ms, has_ops, has_bar = self._shown(width)
        columns = [*cells[:4], *cells[4:5] * has_ms, *cells[5:] * has_ops]
        return columns, f" {self._bar(line):<{BAR_WIDTH}}" if has_bar else ""

    def _bar(self, line: PassLine) -> str:
        if not line.ms or not self._longest_ms or line.kind == "function":
            return ""
        eighths = min(round(line.ms / self._longest_ms * BAR_WIDTH * 8), BAR_WIDTH * 8)
        return EIGHTHS[-1] * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _cells(line: PassLine) -> tuple[str, ...]:
    """Iteration, what was removed, added and changed, time, ops."""
    ms = "" if line.ms is None else f"{line.ms:,.2f} ms" if line.ms < 100 else f"{line.ms:,.0f} ms"
    edit = (f"{sign}{count:,}" if count else "·" for count, sign in line.counts)
    return (str(line.iteration or ""), *edit, ms, f"{line.ops:,}")
