"""What worker threads post to the screen that started them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from textual.message import Message

from tfgraphdbg.analyses.edited_ops import FateGroup
from tfgraphdbg.analyses.op_life import OpLives
from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.graph_model import Edge
from tfgraphdbg.op_query import OpQuery
from tfgraphdbg.tui.edit_rows import EditRow
from tfgraphdbg.tui.op_times import OpTimes
from tfgraphdbg.tui.opened_report import OpenedReport
from tfgraphdbg.tui.opened_stage import OpenedStage, StageMap
from tfgraphdbg.tui.pass_lines import PassLine
from tfgraphdbg.tui.pass_notes import PassNotes
from tfgraphdbg.tui.sheet import Sheet
from tfgraphdbg.tui.source_colours import CodeLine
from tfgraphdbg.tui.stage_order import StageEntry
from tfgraphdbg.tui.visit_history import Place


@dataclass
class StageOpened(Message):
    """A stage can be listed; `asked` is the place it was opened for."""

    asked: Place
    stage: OpenedStage


@dataclass
class StagesRead(Message):
    """It is known which stages of a tracing can be opened; `wanted` is what for: to choose one, or to go beside."""

    tracing: int
    entries: tuple[StageEntry, ...]
    wanted: Literal["choose", "next", "previous"]


@dataclass
class LivesFound(Message):
    """It is known what became of the ops of a tracing: or, with `note`, why not."""

    tracing: int
    lives: OpLives | None
    note: str = ""


@dataclass
class EditFound(Message):
    """It is known what a pass did to which ops, and which of them a search finds."""

    tracing: int
    line: PassLine
    text: str
    groups: tuple[FateGroup, ...]
    rows: Sequence[EditRow]


@dataclass
class NotesRead(Message):
    """Findings and options of the passes of a tracing are known."""

    tracing: int
    notes: PassNotes


@dataclass
class FindingWanted(Message):
    """The user wants to read a finding of the passes of the tracing that is looked at."""

    place: int


@dataclass
class GraphWanted(Message):
    """The user wants to see a place of the graph, from another mode."""

    place: Place


@dataclass
class StageMapped(Message):
    """The scopes of a stage are known."""

    stage: OpenedStage
    map: StageMap


@dataclass
class ConsumersFound(Message):
    """For each op of a stage it is known whom it feeds."""

    stage: OpenedStage
    consumers: Mapping[str, tuple[Edge, ...]]


@dataclass
class TimesRead(Message):
    """It is known how long the ops of a tracing took; None: the times cannot be read."""

    tracing: int
    times: OpTimes | None


@dataclass
class ReportRead(Message):
    """An analysis of a tracing is done; None: it failed."""

    tracing: int
    opened: OpenedReport | None


@dataclass
class SheetFound(Message):
    """A table can be shown, and it is known which of its rows a search finds."""

    opened: OpenedReport
    name: str
    text: str
    sheet: Sheet
    positions: Sequence[int]


@dataclass
class ScopesTimed(Message):
    """The share of the time that each scope of a stage took, by the key of its row."""

    stage: OpenedStage
    times: OpTimes
    shares: Mapping[str, float | None]


@dataclass
class OpsFound(Message):
    """A search of a stage was answered."""

    stage: OpenedStage
    text: str
    query: OpQuery
    positions: Sequence[int]


@dataclass
class TextOpened(Message):
    """A text can be shown; `place` says which stage it is, None for the log."""

    place: Place | None
    lines: Sequence[str]


@dataclass
class SourceColoured(Message):
    """The lines of a source file, in pieces."""

    file: str
    lines: tuple[CodeLine, ...]


@dataclass
class WorkFailed(Message):
    """Something could not be read; `place` is the stage that it would have shown."""

    error: DebuggerError
    place: Place | None = None
