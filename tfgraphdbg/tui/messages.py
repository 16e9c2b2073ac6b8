"""What worker threads post to the screen that started them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.message import Message

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.graph_model import Edge
from tfgraphdbg.op_query import OpQuery
from tfgraphdbg.tui.opened_stage import OpenedStage, StageMap
from tfgraphdbg.tui.source_colours import CodeLine
from tfgraphdbg.tui.visit_history import Place


@dataclass
class StageOpened(Message):
    """A stage can be listed; `asked` is the place it was opened for."""

    asked: Place
    stage: OpenedStage


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
