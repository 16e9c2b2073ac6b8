"""What a mode that shows a report is made of: a sentence, topics at the left, one of several panels at the right."""

from __future__ import annotations

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from tfgraphdbg.tui.cell_text import visible
from tfgraphdbg.tui.tracing_screen import TracingScreen
from tfgraphdbg.tui.widgets.note_list import NoteList
from tfgraphdbg.tui.widgets.plot_panel import PlotPanel
from tfgraphdbg.tui.widgets.row_line import RowLine
from tfgraphdbg.tui.widgets.search_box import SearchBox
from tfgraphdbg.tui.widgets.sheet_list import SheetPanel
from tfgraphdbg.tui.widgets.topic_list import TopicList


class ReportPanels(TracingScreen):
    """A subclass fills the panels."""

    search = getters.query_one("#search", SearchBox)
    topics = getters.query_one("#topics", TopicList)
    sheet_panel = getters.query_one("#sheet-panel", SheetPanel)
    notes = getters.query_one("#notes", NoteList)
    plot = getters.query_one("#plot", PlotPanel)

    def compose_body(self) -> ComposeResult:
        """The report in a sentence; the topics and what is behind one; or why there is none."""
        yield Static(id="summary", markup=False)
        yield RowLine(id="verdict")
        yield SearchBox("search")
        with Container(id="panels"):
            yield TopicList("topics")
            yield SheetPanel("sheet-panel")
            yield NoteList("notes")
            yield PlotPanel("plot")
        yield Static(id="nothing", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys are there where there is something to choose or to search."""
        if action == "choose_tracing":
            return len(self.recording.tracings) > 1
        if action in ("search", "show_panel"):
            return self.query_one("#panels").display if self.is_mounted else False
        return True

    def say(self, words: str) -> None:
        """Show a sentence above all panels, and which tracing it is about."""
        count = len(self.recording.tracings)
        which = f"  {self.shown_tracing.index + 1} of {count} (t)" if self.shown_tracing and count > 1 else ""
        text = Text(f" {visible(words)}{which}", no_wrap=True, overflow="ellipsis")
        self.query_one("#summary", Static).update(text, layout=False)

    def show_nothing(self, why: str) -> None:
        """Show in place of the panels why they would be empty."""
        self.say(visible(self.shown_tracing.function) if self.shown_tracing else "")
        self.query_one("#nothing", Static).update(why)
        self.query_one("#verdict").display = False
        self.set_focus(None)
        self.show_body(lists=False)

    def show_body(self, *, lists: bool) -> None:
        """Show the panels, or what stands in their place."""
        self.search.display = self.query_one("#panels").display = lists
        self.query_one("#nothing").display = not lists
        if lists and self.focused is None:
            self.topics.focus()
        self.refresh_bindings()

    def show_right(self, name: str | None) -> None:
        """Show one panel at the right, by its id."""
        changed = False
        for part in ("sheet-panel", "notes", "plot"):
            widget = self.query_one(f"#{part}")
            if widget.display is not (part == name):
                widget.display = part == name
                changed = True
        if changed:
            self.refresh_bindings()

    def action_show_panel(self, name: str) -> None:
        """Move the focus to the topics (`passes` is what lists call whatever is at their left), else to the right."""
        right = {"sheet-panel": self.sheet_panel.rows, "notes": self.notes}
        shown = next((widget for part, widget in right.items() if self.query_one(f"#{part}").display), None)
        (self.topics if name in ("passes", "topics") or shown is None else shown).focus()
