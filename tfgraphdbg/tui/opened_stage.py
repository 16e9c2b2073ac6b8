"""A stage of a recording -> what the graph screen shows of it. All of this runs in worker threads."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tfgraphdbg.errors import UnreadableFileError
from tfgraphdbg.graph_model import Edge, GraphModel, OpNode, Scope, garbage_collection_paused
from tfgraphdbg.op_query import OpIndex
from tfgraphdbg.recording import Recording, StackTable, Tracing
from tfgraphdbg.tui.op_facts import counterpart
from tfgraphdbg.tui.visit_history import Place


@dataclass(frozen=True)
class OpenedStage:
    """The graph of one stage, ready to be listed."""

    place: Place
    """Where to start: an op of this graph, where there is one."""
    index: OpIndex
    sources: Mapping[str, str]

    @property
    def graph(self) -> GraphModel:
        """The graph itself."""
        return self.index.graph


@dataclass(frozen=True)
class StageMap:
    """The name scopes of a stage, and its library functions with their op counts."""

    scopes: Mapping[str, Scope]
    functions: tuple[tuple[str, int], ...]


def open_stage(
    recording: Recording, tracing: Tracing, place: Place, near: OpNode | None, known: OpIndex | None
) -> OpenedStage:
    """Read the graph at `place`, unless its index is `known`; start at the op named there, or what stands for `near`.

    Raises UnreadableFileError when a part is damaged.
    """
    with _kept_for_good():
        if known is None:
            graph, stacks = recording.graph(place.stage, tracing), recording.stacks
            _check_stacks(graph, stacks)
            known = OpIndex(graph, stacks)
        start = known.graph.by_id.get(place.op_id) or (counterpart(known.graph, near) if near else None)
        return OpenedStage(place._replace(op_id=start.id if start else ""), known, recording.sources)


def _check_stacks(graph: GraphModel, stacks: StackTable) -> None:
    # The list looks stacks up while it draws, where an error could not be shown any more.
    if max((op.stack for op in graph.ops), default=-1) >= len(stacks.stacks):
        raise UnreadableFileError(
            f"the stage {graph.stage!r} and the Python stacks do not fit together", "record the program again"
        )


def map_stage(stage: OpenedStage) -> StageMap:
    """Scopes and functions of a stage. Also makes the search ready, which then starts at once."""
    graph = stage.graph
    with _kept_for_good():
        counts = Counter(op.function for op in graph.ops if op.function)
        names = dict.fromkeys((*graph.functions, *counts))
        _ = stage.index.texts, stage.index.positions
        return StageMap(graph.scopes, tuple((name, counts[name]) for name in names))


def find_consumers(stage: OpenedStage) -> Mapping[str, tuple[Edge, ...]]:
    """For each op that feeds something: its outgoing edges."""
    with _kept_for_good():
        return stage.graph.consumers


@contextmanager
def _kept_for_good() -> Iterator[None]:
    # A graph is some hundred thousand objects that live as long as the app. Python's collector would look through
    # them again and again, and the screen would stand still for 0.1 s each time.
    with garbage_collection_paused():
        yield
        gc.freeze()
