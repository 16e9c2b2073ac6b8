"""A pass, and an op that it edited -> the place in the graph mode where they can be seen."""

from __future__ import annotations

from tfgraphdbg.analyses.edited_ops import PassRef
from tfgraphdbg.analyses.op_life import OpLives
from tfgraphdbg.graph_model import op_id
from tfgraphdbg.op_query import quoted
from tfgraphdbg.tui.stage_order import BEFORE_PASSES
from tfgraphdbg.tui.visit_history import Place


def place_after(lives: OpLives, tracing: int, ref: PassRef) -> Place:
    """The graph after a pass; of a library function, which has no graph between passes, its body as it was given."""
    history = lives.histories[ref.history]
    if history.function:
        return Place(tracing, BEFORE_PASSES, query=f"in:={quoted(history.function)}")
    return Place(tracing, BEFORE_PASSES if ref.step < 0 else history.stages[ref.step])


def place_of(lives: OpLives, tracing: int, ref: PassRef, name: str) -> Place | None:
    """An op that a pass edited: in the graph after it where it is still there, else in the one before."""
    history = lives.histories[ref.history]
    if history.function:
        graphs = ((lives.optimized, history.item), (lives.lowered, history.function), (lives.traced, history.function))
        for graph, function in graphs:
            if op_id(function, name) in graph.by_id:
                return Place(tracing, graph.stage, op_id(function, name))
        return None
    if ref.step < 0:
        stage = BEFORE_PASSES if name in lives.lowered.by_id else "traced"
        return Place(tracing, stage, name)
    if _is_after(lives, ref, name):
        return Place(tracing, history.stages[ref.step], name)
    return Place(tracing, history.stages[ref.step - 1] if ref.step else BEFORE_PASSES, name)


def _is_after(lives: OpLives, ref: PassRef, name: str) -> bool:
    """Whether the graph after a pass holds an op; told from the edits, without making that graph."""
    history = lives.histories[ref.history]
    for step in history.steps[ref.step :: -1]:
        if name in step.removed:
            return False
        if any(op.name == name for op in (*step.added, *step.changed)):
            return True
    return name in lives.lowered.by_id
