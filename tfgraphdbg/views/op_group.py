"""Ops that can be drawn as one node: a name scope, a library function, or siblings of like names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from tfgraphdbg.graph_model import OpNode

GroupKind = Literal["scope", "function", "family", "op"]
"""`op`: an op with its helpers, which lie in the scope of the same name (`dense/MatMul/ReadVariableOp`)."""


@dataclass(frozen=True, eq=False)
class OpGroup:
    """A node of the tree that folding opens step by step. Each op of a graph lies in exactly one place of it."""

    kind: GroupKind
    path: str
    """As a user would write it after `--scope`: `dense/MatMul`, `adam/Mul_*`."""
    function: str
    ops: tuple[OpNode, ...]
    """In it directly; the first one of kind `op` is the op itself."""
    groups: tuple[OpGroup, ...]
    total: int
    """Ops in it, however deep."""

    @property
    def children(self) -> int:
        """How many nodes take its place when it is opened."""
        return len(self.ops) + len(self.groups)


def make_group(
    kind: GroupKind, path: str, function: str, ops: Iterable[OpNode], groups: Iterable[OpGroup] = ()
) -> OpGroup:
    """A group with its total counted."""
    own, inner = tuple(ops), tuple(groups)
    return OpGroup(kind, path, function, own, inner, len(own) + sum(group.total for group in inner))


def all_ops(group: OpGroup) -> Iterator[OpNode]:
    """Every op in it, however deep."""
    waiting = [group]
    while waiting:
        current = waiting.pop()
        yield from current.ops
        waiting.extend(current.groups)


def main_ops(group: OpGroup) -> Iterator[OpNode]:
    """Every op in it that is no other op's helper."""
    waiting = [group]
    while waiting:
        current = waiting.pop()
        if current.kind == "op":
            yield current.ops[0]
        else:
            yield from current.ops
            waiting.extend(current.groups)
