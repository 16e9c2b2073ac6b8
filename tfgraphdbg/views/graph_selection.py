"""PictureOptions -> the ops of a graph to draw: a scope, a neighbourhood, or the paths between two ops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tfgraphdbg.errors import UsageError
from tfgraphdbg.foreign_text import visible
from tfgraphdbg.graph_model import FUNCTION_SEPARATOR, GraphModel, OpNode, op_id, parse_input
from tfgraphdbg.message_words import close_matches
from tfgraphdbg.views.contract import PictureOptions


class Selection(NamedTuple):
    """What to draw of a graph."""

    ops: tuple[OpNode, ...]
    """In the graph's order."""
    keep: frozenset[str]
    """Ids of ops that the user named: never folded away."""
    words: str
    """What it is, for the picture's title; empty for the whole graph."""


def selected(graph: GraphModel, options: PictureOptions) -> Selection:
    """The ops that the options ask for. Raises UsageError for a scope, an op or a path that is not there."""
    chosen = Selection(graph.ops, frozenset(), "")
    if options.scope:
        chosen = _in_scope(graph, options.scope)
    if options.path:
        chosen = _on_path(graph, chosen, *options.path)
    if options.focus:
        chosen = _around(graph, chosen, options.focus, max(0, options.hops))
    if not chosen.ops:
        raise UsageError(f"stage {graph.stage!r} has no ops to draw", "choose another --stage")
    return chosen


def _in_scope(graph: GraphModel, scope: str) -> Selection:
    matches = _scope_test(scope)
    ops = tuple(op for op in graph.ops if matches(op))
    if not ops:
        known = [*graph.functions, *(path for path in graph.scopes if path)]
        raise UsageError(f"no scope {visible(scope)!r} in stage {graph.stage!r}", _did_you_mean(scope, known))
    return Selection(ops, frozenset(), f"scope {scope}")


def _scope_test(scope: str) -> Callable[[OpNode], bool]:
    """`a/b` holds the op a/b and all below; `a/mul_*` every name that starts so; a function's name its body."""
    if scope.endswith("*"):
        start = scope[:-1]
        return lambda op: op.id.startswith(start)
    name = scope.rstrip("/").removesuffix(FUNCTION_SEPARATOR)
    below = f"{name}/"
    return lambda op: op.id == name or op.function == name or op.id.startswith(below)


def _around(graph: GraphModel, chosen: Selection, focus: str, hops: int) -> Selection:
    ids = {op.id for op in chosen.ops}
    center = _known_op(graph, focus, ids)
    inputs, consumers = _neighbours(chosen.ops, ids)
    found = frontier = {center}
    for _ in range(hops):
        frontier = {near for id_ in frontier for near in (*inputs.get(id_, ()), *consumers.get(id_, ()))} - found
        found = found | frontier
    words = f"{hops} {'hop' if hops == 1 else 'hops'} around {center}"
    return _narrowed(chosen, found, frozenset({center}), words)


def _on_path(graph: GraphModel, chosen: Selection, start: str, end: str) -> Selection:
    ids = {op.id for op in chosen.ops}
    first, last = _known_op(graph, start, ids), _known_op(graph, end, ids)
    inputs, consumers = _neighbours(chosen.ops, ids)
    between = _reached(first, consumers) & _reached(last, inputs)
    if not between:
        between = _reached(last, consumers) & _reached(first, inputs)
        first, last = last, first
    if not between:
        raise UsageError(
            f"no path between {visible(start)!r} and {visible(end)!r} in stage {graph.stage!r}",
            "edges do not cross library functions: draw an optimized stage, where calls are inlined",
        )
    return _narrowed(chosen, between, frozenset({first, last}), f"paths from {first} to {last}")


def _narrowed(chosen: Selection, ids: set[str], keep: frozenset[str], words: str) -> Selection:
    ops = tuple(op for op in chosen.ops if op.id in ids)
    return Selection(ops, chosen.keep | keep, ", ".join(filter(None, (chosen.words, words))))


def _neighbours(ops: Iterable[OpNode], ids: set[str]) -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    inputs: dict[str, list[str]] = {}
    consumers: dict[str, list[str]] = {}
    for op in ops:
        target = op.id
        for text in op.inputs:
            source = op_id(op.function, parse_input(text).name)
            if source in ids:
                inputs.setdefault(target, []).append(source)
                consumers.setdefault(source, []).append(target)
    return inputs, consumers


def _reached(start: str, edges: Mapping[str, list[str]]) -> set[str]:
    found = {start}
    waiting = [start]
    while waiting:
        for near in edges.get(waiting.pop(), ()):
            if near not in found:
                found.add(near)
                waiting.append(near)
    return found


def _known_op(graph: GraphModel, name: str, ids: set[str]) -> str:
    """The id of the op that the user named; `MatMul:0`, as TensorFlow names tensors, means MatMul."""
    found = next((id_ for id_ in (name, parse_input(name).name) if id_ in ids), None)
    if found is None:
        outside = name in graph.by_id
        where = "the chosen scope" if outside else f"stage {graph.stage!r}"
        hint = "choose a scope that holds it" if outside else _did_you_mean(name, ids)
        raise UsageError(f"no op {visible(name)!r} in {where}", hint)
    return found


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    near = close_matches(name, known)
    return (
        f"did you mean {', '.join(visible(found) for found in near)}?"
        if near
        else "tfgraphdbg overview lists the scopes"
    )
