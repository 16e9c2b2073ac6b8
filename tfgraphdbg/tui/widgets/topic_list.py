"""What a report has to tell, one line a topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message

from tfgraphdbg.tui.cell_text import cut
from tfgraphdbg.tui.report_topics import ReportTopic
from tfgraphdbg.tui.widgets.virtual_rows import VirtualRows


class TopicList(VirtualRows):
    """The line under the cursor is shown at the right."""

    BINDING_GROUP_TITLE = "List of topics"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l,right", "choose", "Open", tooltip="Go to what this line leads to", id="topics.open")
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--heading"}

    @dataclass
    class TopicHighlighted(Message):
        """The cursor came to this topic."""

        topic: ReportTopic

    @dataclass
    class TopicChosen(Message):
        """The user wants to go to what is shown of it."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id)
        self._topics: Sequence[ReportTopic] = ()

    def show(self, topics: Sequence[ReportTopic]) -> None:
        """Show these, with the cursor on the first."""
        self._topics = topics
        self.rows_changed(0)
        if topics:
            self.cursor_moved(0)

    @property
    def row_count(self) -> int:
        """How many there are."""
        return len(self._topics)

    @property
    def current(self) -> ReportTopic | None:
        """The one under the cursor."""
        return self._topics[self.cursor] if self._topics else None

    def cursor_moved(self, row: int) -> None:
        """Say which one it is now."""
        self.post_message(self.TopicHighlighted(self._topics[row]))

    def row_chosen(self, row: int) -> None:
        """Say that it was chosen."""
        self.post_message(self.TopicChosen())

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """Its name, and at the right what says most of it."""
        topic = self._topics[row]
        name = cut(topic.label, width - 1)
        note = cut(topic.note, max(width - 3 - cell_len(name), 0))
        gap = " " * (width - 1 - cell_len(name) - cell_len(note))
        style = self.style_of(base, "warning" if topic.warns else "dim")
        return [Segment(f" {name}", self.style_of(base, "strong")), Segment(gap, base), Segment(note, style)]
