"""The eager mode: each op of an eager run beside what it became in the graph, and what each mode costs."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from tfgraphdbg.recording import Tracing
from tfgraphdbg.report import Report
from tfgraphdbg.tui import empty_states
from tfgraphdbg.tui.bars import StackedBar
from tfgraphdbg.tui.detail_row import Part
from tfgraphdbg.tui.eager_sheets import PARTS, eager_sheet
from tfgraphdbg.tui.once_per_tracing import OncePerTracing
from tfgraphdbg.tui.opened_report import OpenedReport
from tfgraphdbg.tui.report_screen import ReportScreen
from tfgraphdbg.tui.sheet import Sheet
from tfgraphdbg.tui.table_cells import cells_of
from tfgraphdbg.views.human_units import human_quantity

BAR_WIDTH = 20


class EagerScreen(ReportScreen):
    """Browse an eager run."""

    BINDING_GROUP_TITLE = "Eager"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", tooltip="Search this table", id="eager.search"),
        Binding("t", "choose_tracing", "Tracings", tooltip="Choose a tracing", id="eager.choose-tracing"),
        Binding("tab", "app.focus_next", "Next panel", show=False, id="eager.next-panel"),
        Binding("shift+tab", "app.focus_previous", "Previous panel", show=False, id="eager.previous-panel"),
        Binding("escape", "leave_search", "All rows", tooltip="Clear the search", show=False, id="eager.leave-search"),
    ]
    FIRST_TABLE = MAIN_TABLE = "trace"
    MISSING = "eager run"
    SEARCH_HINT = "words in the op's type, its line, what it read, or what it became"

    @property
    def reports(self) -> OncePerTracing[OpenedReport]:
        """What each tracing's function does eagerly."""
        return self.view.eager

    def sheet_of(self, report: Report, name: str) -> Sheet:
        """How a table looks."""
        return eager_sheet(report, name)

    def verdict(self, report: Report) -> tuple[Part, ...]:
        """What an eager call consists of."""
        cost = cells_of(report, "cost")
        if not len(cost):
            return tuple(Part(f"■ {part}  ", part) for part in PARTS)
        shares = [cost.number(0, f"{part}_share") for part in PARTS]
        known = [share for share in shares if share is not None]
        eager, graph = (
            human_quantity(cost.amount(0, "eager_us"), "us"),
            human_quantity(cost.amount(0, "graph_us"), "us"),
        )
        begin = (Part("eager ", "dim"), Part(eager, "strong"), Part("   graph ", "dim"), Part(graph, "strong"))
        if len(known) < len(shares):
            return begin
        legend = tuple(Part(f"  ■ {part} {share:.0%}", part) for part, share in zip(PARTS, known, strict=True))
        bars = StackedBar(known, PARTS).parts(BAR_WIDTH)
        full = (*begin, Part("   an eager call: ", "dim"), *bars, *legend, Part("  (estimated)", "dim"))
        short = (*begin, *legend, Part(" (est.)", "dim"))
        return full if sum(cell_len(part.text) for part in full) < self.app.size.width - 1 else short

    def why_none(self, tracing: Tracing, report: Report) -> str:
        """Why there is no eager run, and what to type to have one."""
        return empty_states.no_eager_run(self.recording, tracing, report)
