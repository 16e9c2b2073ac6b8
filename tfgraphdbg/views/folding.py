"""A tree of groups -> the nodes to draw: groups are opened, outermost and largest first, while there is room."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.views.op_group import OpGroup, all_ops, main_ops

_OPS_OF_A_UNIT = 8


@dataclass(frozen=True, eq=False)
class DrawnItem:
    """One node: an op, or a closed group; `inside` are the opened groups around it, outermost first."""

    item: OpNode | OpGroup
    inside: tuple[OpGroup, ...]

    @functools.cached_property
    def ops(self) -> tuple[OpNode, ...]:
        """The ops that the node stands for."""
        return (self.item,) if isinstance(self.item, OpNode) else tuple(all_ops(self.item))

    @functools.cached_property
    def main_ops(self) -> tuple[OpNode, ...]:
        """Those that are no other op's helper."""
        return (self.item,) if isinstance(self.item, OpNode) else tuple(main_ops(self.item))


def opened(root: OpGroup, limit: int, depth: int | None, keep: frozenset[str] = frozenset()) -> list[DrawnItem]:
    """What is drawn: at most `limit` nodes, with scopes open for `depth` levels (None: while there is room).

    Ops whose id is in `keep` are always nodes of their own, and may break the limit. The largest groups of a level
    open first. Where no depth is asked for, a level that does not fit is the last, so that like stands beside like.
    """
    is_open = {root} | _groups_around(root, keep)
    count = 1 + sum(group.children - 1 for group in is_open)
    level = [root]
    while level:
        inner = [child for group in level for child in group.groups]
        waiting = [group for group in inner if group not in is_open and _may_open(group, depth, root.total <= limit)]
        for group in sorted(waiting, key=lambda group: -group.total):
            if count - 1 + group.children <= limit:
                count += group.children - 1
                is_open.add(group)
        if depth is None and any(group not in is_open for group in waiting):
            inner = [group for group in inner if group in is_open and group not in waiting]
        level = [group for group in inner if group in is_open]
    return list(_drawn(root, is_open))


def _may_open(group: OpGroup, depth: int | None, everything: bool) -> bool:
    if group.kind == "family" and not holds_large_units(group):
        # Hundreds of like ops say no more than their number.
        return False
    if depth is not None:
        return scope_level(group) <= depth
    # An op with its helpers already reads like an op.
    return everything or group.kind != "op"


def holds_large_units(group: OpGroup) -> bool:
    """Its members are layers rather than single ops."""
    return group.total >= _OPS_OF_A_UNIT * group.children


def scope_level(group: OpGroup) -> int:
    """How many levels of scopes are open when its inside is seen; a family adds none to its scope."""
    if group.kind == "function":
        return 1
    return group.path.count("/") + bool(group.function) + (group.kind != "family")


def _groups_around(root: OpGroup, keep: frozenset[str]) -> set[OpGroup]:
    """Every group that has to be opened for the ops in `keep` to be seen."""
    found: set[OpGroup] = set()
    waiting: list[tuple[OpGroup, tuple[OpGroup, ...]]] = [(root, ())] if keep else []
    while waiting:
        group, around = waiting.pop()
        inside = (*around, group)
        if any(op.id in keep for op in group.ops):
            found.update(inside)
        waiting.extend((child, inside) for child in group.groups)
    return found


def _drawn(root: OpGroup, is_open: set[OpGroup]) -> Iterator[DrawnItem]:
    waiting: list[tuple[OpGroup, tuple[OpGroup, ...]]] = [(root, ())]
    while waiting:
        group, inside = waiting.pop()
        around = (*inside, group)
        for op in group.ops:
            yield DrawnItem(op, around)
        for child in reversed(group.groups):
            if child in is_open:
                waiting.append((child, around))
            else:
                yield closed_item(child, around)


def closed_item(group: OpGroup, inside: tuple[OpGroup, ...]) -> DrawnItem:
    """The node of a closed group; a group of one op is that op, and a group of one group is that group."""
    while not group.ops and len(group.groups) == 1:
        group = group.groups[0]
    return DrawnItem(next(all_ops(group)) if group.total == 1 else group, inside)
