"""Ops of a loop's copies -> the ops of their gradient, which `tape.gradient` made on another line."""

from __future__ import annotations

from collections.abc import Iterable

from tfgraphdbg.graph_model import GraphModel

_MARKS = ("gradient_tape/", "gradients/")
"""How TensorFlow names scopes of gradient ops: those of a tape, and those of tf.gradients."""


def gradients_of(positions: Iterable[int], graph: GraphModel) -> list[int]:
    """Positions of the gradient ops that belong to the ops at `positions`, by their names, or by the ops they read."""
    forward = set(positions)
    if not any(mark in op.name for op in graph.ops for mark in _MARKS):
        return []
    names = {graph.ops[position].id for position in forward}
    found: set[int] = set()
    for position, op in enumerate(graph.ops):
        if position in forward:
            continue
        inner = _forward_name(op.name)
        if not inner:
            # Gradients of one variable from all copies are summed.
            if op.op_type == "AddN" and any(source in found for source in graph.input_positions[position]):
                found.add(position)
            continue
        prefix = op.id[: -len(op.name)]
        if _names_one(inner, prefix, names) or any(source in forward for source in graph.input_positions[position]):
            found.add(position)
    return sorted(found)


def _forward_name(name: str) -> str:
    """`dense/MatMul_3/MatMul` of `gradient_tape/dense/MatMul_3/MatMul`; empty for other ops."""
    for mark in _MARKS:
        _, found, rest = name.partition(mark)
        if found:
            return rest
    return ""


def _names_one(name: str, prefix: str, names: set[str]) -> bool:
    while "/" in name:
        name = name.rpartition("/")[0]
        if prefix + name in names or prefix + name.removesuffix("_grad") in names:
            return True
    return False
