"""The bottlenecks mode: where the time of a step goes, by line, op and scope, and along the critical path."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tfgraphdbg.recording import Tracing
from tfgraphdbg.report import Report
from tfgraphdbg.tui import empty_states
from tfgraphdbg.tui.once_per_tracing import OncePerTracing
from tfgraphdbg.tui.opened_report import OpenedReport
from tfgraphdbg.tui.report_screen import ReportScreen
from tfgraphdbg.tui.sheet import Sheet
from tfgraphdbg.tui.time_sheets import time_sheet


class BottlenecksScreen(ReportScreen):
    """Browse measured times."""

    BINDING_GROUP_TITLE = "Bottlenecks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", tooltip="Search this table", id="bottlenecks.search"),
        Binding("t", "choose_tracing", "Tracings", tooltip="Choose a tracing", id="bottlenecks.choose-tracing"),
        Binding("tab", "app.focus_next", "Next panel", show=False, id="bottlenecks.next-panel"),
        Binding("shift+tab", "app.focus_previous", "Previous panel", show=False, id="bottlenecks.previous-panel"),
        Binding("escape", "leave_search", "All rows", tooltip="Clear the search", show=False, id="bottlenecks.leave"),
    ]
    MAIN_TABLE, MISSING = "lines", "times"
    SEARCH_HINT = "words in the line, its code, the op or its type"

    @property
    def reports(self) -> OncePerTracing[OpenedReport]:
        """Where the time of each tracing goes."""
        return self.view.bottlenecks

    def sheet_of(self, report: Report, name: str) -> Sheet:
        """How a table looks."""
        return time_sheet(report, name)

    def why_none(self, tracing: Tracing, report: Report) -> str:
        """Why there are no times, and what to type to have them."""
        return empty_states.no_times(self.recording, tracing, report)
