"""A mode that shows an analysis's report: its topics at the left, the chosen one at the right."""

from __future__ import annotations

from functools import partial

from textual import on, work

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.recording import Tracing
from tfgraphdbg.report import Report
from tfgraphdbg.tui import empty_states
from tfgraphdbg.tui.cell_text import as_sentence, visible
from tfgraphdbg.tui.detail_row import OpJump, Part, QueryJump
from tfgraphdbg.tui.finding_rows import finding_sections, found_findings
from tfgraphdbg.tui.long_lived import kept_for_good
from tfgraphdbg.tui.messages import GraphWanted, ReportRead, SheetFound, WorkFailed
from tfgraphdbg.tui.once_per_tracing import OncePerTracing
from tfgraphdbg.tui.opened_report import OpenedReport
from tfgraphdbg.tui.prose_rows import prose_sections
from tfgraphdbg.tui.report_panels import ReportPanels
from tfgraphdbg.tui.report_topics import ReportTopic, missing_topic, report_topics, series_names
from tfgraphdbg.tui.shared_view import SharedView
from tfgraphdbg.tui.sheet import Sheet
from tfgraphdbg.tui.visit_history import Place
from tfgraphdbg.tui.widgets.note_list import NoteList
from tfgraphdbg.tui.widgets.row_line import RowLine
from tfgraphdbg.tui.widgets.search_box import SearchBox
from tfgraphdbg.tui.widgets.sheet_list import SheetList
from tfgraphdbg.tui.widgets.topic_list import TopicList

FIRST_STAGE = "optimized"


class ReportScreen(ReportPanels):
    """A subclass says which report it is, how its tables look, and what is said where there is none."""

    AUTO_FOCUS = ""
    FIRST_TABLE = ""
    """The table that is shown first; empty: findings."""

    MAIN_TABLE = ""
    """The table without which the report lacks what it is about."""

    MISSING = ""
    """What is then missing, in a word."""

    SEARCH_HINT = "words that stand in a row"

    def __init__(self, view: SharedView) -> None:
        super().__init__(view)
        self._tracing: Tracing | None = None
        self._opened: OpenedReport | None = None
        self._topic: ReportTopic | None = None

    @property
    def reports(self) -> OncePerTracing[OpenedReport]:
        """The report of each tracing."""
        raise NotImplementedError

    def sheet_of(self, report: Report, name: str) -> Sheet:
        """How a table looks."""
        raise NotImplementedError

    def verdict(self, report: Report) -> tuple[Part, ...]:
        """A line below the title; nothing for none."""
        return ()

    def why_none(self, tracing: Tracing, report: Report) -> str:
        """What is missing, and what to type to have it."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Show the tracing that is looked at."""
        self.topics.border_title = "Topics"
        self.search.set_hint("search", self.SEARCH_HINT)
        if self.view.tracing is None:
            self.show_nothing(empty_states.no_tracing(self.recording))
        else:
            self.show_tracing(self.recording.tracings[self.view.tracing])

    @property
    def shown_tracing(self) -> Tracing | None:
        """The tracing that the report is about."""
        return self._tracing

    def show_tracing(self, tracing: Tracing) -> None:
        """Show the report of another tracing, once it is there."""
        self._tracing, self._opened, self._topic = tracing, None, None
        self.view.tracing = tracing.index
        self.refresh_bindings()
        self.say(empty_states.ANALYSING)
        self.topics.show(())
        self.show_right(None)
        self.show_body(lists=True)
        self._read(tracing)

    @work(thread=True, exclusive=True, exit_on_error=False, group="report")
    def _read(self, tracing: Tracing) -> None:
        try:
            self.post_message(ReportRead(tracing.index, self.reports.get(tracing)))
        except DebuggerError as error:
            self.post_message(WorkFailed(error))
            self.post_message(ReportRead(tracing.index, None))

    @on(ReportRead)
    def show_report(self, event: ReportRead) -> None:
        """List its topics, unless the user went elsewhere meanwhile."""
        tracing, opened = self._tracing, event.opened
        if tracing is None or event.tracing != tracing.index:
            return
        topics = self._topics_of(opened.report) if opened else ()
        if opened is None:
            self.show_nothing(empty_states.report_failed(tracing))
        elif not topics:
            self.show_nothing(self.why_none(tracing, opened.report))
        else:
            self._opened = opened
            self.say(opened.report.title.removeprefix(f"{opened.report.target.name}: "))
            verdict = self.verdict(opened.report)
            line = self.query_one("#verdict", RowLine)
            line.display = bool(verdict)
            line.show(verdict)
            self.topics.show(topics)
            if self.focused is None:
                self.topics.focus()

    def _topics_of(self, report: Report) -> tuple[ReportTopic, ...]:
        topics = report_topics(report, self.FIRST_TABLE)
        is_there = not topics or any(topic.name == self.MAIN_TABLE for topic in topics)
        return topics if is_there else (missing_topic(self.MISSING), *topics)

    # What is behind a topic

    @on(TopicList.TopicHighlighted)
    def topic_highlighted(self, event: TopicList.TopicHighlighted) -> None:
        """Show the topic under the cursor, unless the cursor has moved on."""
        if event.topic is self.topics.current:
            self._topic = event.topic
            self._show_topic(anew=True)

    def _show_topic(self, *, anew: bool = False) -> None:
        topic, opened = self._topic, self._opened
        if topic is None or opened is None:
            return
        if topic.kind == "missing" and self._tracing is not None:
            self.notes.border_title = as_sentence(topic.label)
            self.search.set_count("")
            self.show_right("notes")
            why = self.why_none(self._tracing, opened.report)
            self.notes.show(partial(prose_sections, why), (), "", anew=anew)
        elif topic.kind == "findings":
            self._show_findings(opened, anew=anew)
        elif topic.kind == "plot":
            names = series_names(topic.name)
            self.search.set_count("")
            self.show_right("plot")
            self.plot.show(topic.label, [series for series in opened.report.series if series.name in names])
        else:
            self._find_rows(opened, topic.name, self.search.text)

    def _show_findings(self, opened: OpenedReport, *, anew: bool) -> None:
        words = tuple(self.search.text.lower().split())
        found, total = len(found_findings(opened, words)), len(opened.findings)
        self.notes.border_title = "Findings, the most severe and costly first"
        self.search.set_count(f"{found:,} of {total:,} findings" if words else f"{total:,} finding{'s' * (total != 1)}")
        rows = partial(finding_sections, opened, words)
        if not total:
            rows = partial(prose_sections, empty_states.NOTHING_FOUND)
        self.show_right("notes")
        self.notes.show(rows, words, empty_states.NO_NOTE_HITS, anew=anew)

    @work(thread=True, exclusive=True, exit_on_error=False, group="rows")
    def _find_rows(self, opened: OpenedReport, name: str, text: str) -> None:
        with kept_for_good():
            sheet = opened.sheets.get(name) or self.sheet_of(opened.report, name)
            positions = sheet.found(text.lower().split())
        self.post_message(SheetFound(opened, name, text, sheet, positions))

    @on(SheetFound)
    def show_sheet(self, event: SheetFound) -> None:
        """Show what was found, unless the user typed on or went elsewhere."""
        event.opened.sheets[event.name] = event.sheet
        topic = self._topic
        if event.opened is not self._opened or topic is None or topic.name != event.name:
            return
        if event.text != self.search.text:
            return
        sheet, words = event.sheet, tuple(event.text.lower().split())
        total = f"{sheet.count:,} {sheet.unit}"
        self.search.set_count(f"{len(event.positions):,} of {total}" if words else total)
        self.sheet_panel.border_title = visible(sheet.title)
        self.show_right("sheet-panel")
        self.sheet_panel.rows.show(sheet, event.positions, words, empty_states.NO_NOTE_HITS)

    @on(SearchBox.Edited)
    def search_edited(self, event: SearchBox.Edited) -> None:
        """Search while the user types."""
        event.stop()
        self._show_topic(anew=True)

    # Where the user wants to go

    @on(TopicList.TopicChosen)
    def topic_chosen(self) -> None:
        """Go to what is shown of it."""
        self.action_show_panel("found")

    @on(SheetList.Left)
    def sheet_left(self) -> None:
        """Go back to the topics."""
        self.topics.focus()

    @on(SheetList.RowChosen)
    def row_chosen(self, event: SheetList.RowChosen) -> None:
        """Show in the graph what a row is about."""
        self._show_in_graph(event.jump)

    @on(NoteList.OpWanted)
    def op_wanted(self, event: NoteList.OpWanted) -> None:
        """Show an op of a finding in the graph that ran."""
        if event.jump is not None:
            self._show_in_graph(event.jump)

    def _show_in_graph(self, jump: OpJump | QueryJump) -> None:
        tracing = self._tracing
        if tracing is None:
            return
        stage, op, query = (
            (FIRST_STAGE, "", jump.query) if isinstance(jump, QueryJump) else (jump.stage, jump.op_id, "")
        )
        if tracing.stage(stage) is None:
            self.notify(f"The stage {visible(stage)} was not recorded", severity="warning", markup=False)
        else:
            self.post_message(GraphWanted(Place(tracing.index, stage, op, query)))

    def action_search(self) -> None:
        """Type a search."""
        self.search.edit()

    def action_leave_search(self) -> None:
        """Clear the search and go to what is listed."""
        if self.search.text:
            self.search.set_text("")
            self._show_topic(anew=True)
        self.action_show_panel("found")
