"""An op of one stage -> the op that stands for it in another stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tfgraphdbg.analyses.op_life import OpLives
from tfgraphdbg.graph_model import GraphModel, OpNode


class Counterpart(NamedTuple):
    """The op that stands for another one, None where there is none; and what is to be said when it is not the same."""

    op: OpNode | None
    said: str = ""


def counterpart(graph: GraphModel, op: OpNode, find_lives: Callable[[], OpLives | None]) -> Counterpart:
    """The op of another stage's `graph` that stands for `op`: the same id, what it went into, or what it came from.

    `find_lives` takes long when it is called first.
    """
    same = graph.by_id.get(op.id)
    if same is not None:
        return Counterpart(same)
    lives = find_lives()
    if lives is None:
        return Counterpart(_by_origins(graph, op))
    went = lives.went_into(lives.key_of(op), graph)
    if went is not None:
        return Counterpart(graph.by_id[went.op], f"{op.id} is gone here: {went.told}")
    found = _came_from(graph, op, lives) or _by_origins(graph, op)
    if found is not None:
        return Counterpart(found, f"{op.id} is not in this stage: here it is {found.id}")
    return Counterpart(None, f"{op.id} is not in this stage: {lives.last_told(op)}")


def _came_from(graph: GraphModel, op: OpNode, lives: OpLives) -> OpNode | None:
    """In an earlier stage: the last of the ops that it was made of, or what stood for one of them then."""
    origins = (*lives.origins(op)[::-1], *op.origins)
    there = next((origin for origin in origins if origin in graph.by_id), None)
    if there is None:
        went = (lives.went_into(origin, graph) for origin in origins)
        there = next((found.op for found in went if found is not None), None)
    return graph.by_id[there] if there is not None else None


def _by_origins(graph: GraphModel, op: OpNode) -> OpNode | None:
    origins = (graph.by_id.get(origin) for origin in op.origins)
    origin = next((found for found in origins if found is not None), None)
    return origin or next((other for other in graph.ops if op.id in other.origins), None)
