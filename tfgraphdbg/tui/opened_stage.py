"""A stage of a recording -> what the graph screen shows of it. All of this runs in worker threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tfgraphdbg.errors import UnreadableFileError
from tfgraphdbg.graph_model import Edge, GraphModel, OpNode, Scope
from tfgraphdbg.op_query import OpIndex
from tfgraphdbg.recording import StackTable
from tfgraphdbg.rewrites import RewriteHistory
from tfgraphdbg.tui.counterparts import Counterpart, counterpart
from tfgraphdbg.tui.long_lived import kept_for_good
from tfgraphdbg.tui.shared_view import SharedView
from tfgraphdbg.tui.stage_order import is_after_pass
from tfgraphdbg.tui.visit_history import Place


@dataclass(frozen=True)
class OpenedStage:
    """The graph of one stage, ready to be listed."""

    place: Place
    """Where to start: an op of this graph, where there is one."""
    index: OpIndex
    sources: Mapping[str, str]
    said: str = ""
    """What is to be said when that op is not the one that was looked at before."""
    history: RewriteHistory | None = None
    """What Grappler did to the tracing; None for a stage that no pass made."""

    @property
    def graph(self) -> GraphModel:
        """The graph itself."""
        return self.index.graph


class Near(NamedTuple):
    """The op that was looked at before another stage is opened, and the tracing that it is of."""

    tracing: int
    op: OpNode


@dataclass(frozen=True)
class StageMap:
    """The name scopes of a stage, and its library functions with their op counts."""

    scopes: Mapping[str, Scope]
    functions: tuple[tuple[str, int], ...]


_ONE_AT_A_TIME = threading.Lock()
"""A worker that was cancelled goes on in its thread, and a recording is not made for two readers at once."""


def open_stage(view: SharedView, place: Place, near: Near | None, known: OpIndex | None) -> OpenedStage:
    """Read the graph at `place`, unless its index is `known`; start at the op named there, or what stands for `near`.

    Raises DebuggerError when a part is damaged.
    """
    recording = view.recording
    tracing = recording.tracings[place.tracing]
    with kept_for_good(), _ONE_AT_A_TIME:
        if known is None:
            graph, stacks = recording.graph(place.stage, tracing), recording.stacks
            _check_stacks(graph, stacks)
            known = OpIndex(graph, stacks)
        start = Counterpart(known.graph.by_id.get(place.op_id))
        if start.op is None and near is not None:
            same_tracing = near.tracing == place.tracing
            start = counterpart(known.graph, near.op, lambda: view.lives(tracing) if same_tracing else None)
        place = place._replace(op_id=start.op.id if start.op else "")
        history = recording.own_rewrites(tracing) if is_after_pass(place.stage) else None
        return OpenedStage(place, known, recording.sources, start.said, history)


def _check_stacks(graph: GraphModel, stacks: StackTable) -> None:
    # The list looks stacks up while it draws, where an error could not be shown any more.
    if max((op.stack for op in graph.ops), default=-1) >= len(stacks.stacks):
        raise UnreadableFileError(
            f"the stage {graph.stage!r} and the Python stacks do not fit together", "record the program again"
        )


def map_stage(stage: OpenedStage) -> StageMap:
    """Scopes and functions of a stage. Also makes the search ready, which then starts at once."""
    graph = stage.graph
    with kept_for_good():
        counts = Counter(op.function for op in graph.ops if op.function)
        names = dict.fromkeys((*graph.functions, *counts))
        _ = stage.index.texts, stage.index.positions
        return StageMap(graph.scopes, tuple((name, counts[name]) for name in names))


def find_consumers(stage: OpenedStage) -> Mapping[str, tuple[Edge, ...]]:
    """For each op that feeds something: its outgoing edges."""
    with kept_for_good():
        return stage.graph.consumers
