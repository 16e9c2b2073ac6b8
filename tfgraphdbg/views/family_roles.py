"""A folded family -> one node for each role that its ops play, told by what they feed.

A flat graph names all convolutions of a model alike; as one node they would tie every layer into a knot.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.views.folding import DrawnItem, closed_item, holds_large_units
from tfgraphdbg.views.op_group import OpGroup, all_ops, make_group

_PASSES = 4
_LARGEST_PART = 0.75


def split_by_role(items: Sequence[DrawnItem], graph: GraphModel, limit: int) -> list[DrawnItem]:
    """The same ops in at most `limit` nodes: a family whose members feed different nodes becomes several.

    Each pass tells roles by the nodes of the pass before it, and splits those with the most neighbours first.
    """
    split = list(items)
    if not any(map(_splittable_family, split)):
        return split
    consumers = _data_consumers(graph)
    for _ in range(_PASSES):
        before = len(split)
        split = _one_pass(split, graph, consumers, limit)
        if len(split) == before:
            break
    return split


def item_at_position(items: Sequence[DrawnItem], graph: GraphModel) -> list[int]:
    """For each op of the graph the index of the item that holds it, -1 for none."""
    # By identity: op ids of 70,000 ops take longer to build than everything else here.
    item_of = {id(op): place for place, item in enumerate(items) for op in item.ops}
    return [item_of.get(id(op), -1) for op in graph.ops]


def _data_consumers(graph: GraphModel) -> dict[int, list[int]]:
    """By identity of an op: positions of the ops that it feeds."""
    consumers: dict[int, list[int]] = {}
    for position, (op, sources) in enumerate(zip(graph.ops, graph.input_positions, strict=True)):
        for text, source in zip(op.inputs, sources, strict=True):
            if source >= 0 and text[:1] != "^":
                consumers.setdefault(id(graph.ops[source]), []).append(position)
    return consumers


def _splittable_family(item: DrawnItem) -> OpGroup | None:
    group = item.item
    splittable = isinstance(group, OpGroup) and group.kind == "family" and not holds_large_units(group)
    return group if isinstance(group, OpGroup) and splittable else None


def _one_pass(
    items: list[DrawnItem], graph: GraphModel, consumers: Mapping[int, list[int]], limit: int
) -> list[DrawnItem]:
    item_at = item_at_position(items, graph)
    families = {place: family for place, item in enumerate(items) if (family := _splittable_family(item))}
    roles = {place: _roles(family, place, items, item_at, consumers) for place, family in families.items()}
    spare = limit - len(items)
    parts_of: dict[int, list[DrawnItem]] = {}
    for place in sorted(roles, key=lambda place: len(set().union(*roles[place])), reverse=True):
        members = roles[place].values()
        if len(members) <= spare + 1 and _tells_much(members):
            parts_of[place] = [closed_item(_part(families[place], part), items[place].inside) for part in members]
            spare -= len(members) - 1
    return [part for place, item in enumerate(items) for part in parts_of.get(place, [item])]


def _roles(
    family: OpGroup,
    place: int,
    items: Sequence[DrawnItem],
    item_at: Sequence[int],
    consumers: Mapping[int, list[int]],
) -> dict[frozenset[int], list[OpNode | OpGroup]]:
    """Its members by the nodes that they feed; those in the same box count before those elsewhere."""
    inside = items[place].inside
    by_role: dict[frozenset[int], list[OpNode | OpGroup]] = {}
    members: list[OpNode | OpGroup] = [*family.ops, *family.groups]
    for member in members:
        ops = all_ops(member) if isinstance(member, OpGroup) else (member,)
        fed = {item_at[target] for op in ops for target in consumers.get(id(op), ())} - {place, -1}
        beside = frozenset(near for near in fed if items[near].inside == inside)
        by_role.setdefault(beside or frozenset(fed), []).append(member)
    return by_role


def _tells_much(parts: Collection[list[OpNode | OpGroup]]) -> bool:
    """Rather than peel the last op off a chain."""
    return max(map(len, parts)) <= _LARGEST_PART * sum(map(len, parts))


def _part(family: OpGroup, members: Sequence[OpNode | OpGroup]) -> OpGroup:
    ops = [member for member in members if isinstance(member, OpNode)]
    groups = [member for member in members if isinstance(member, OpGroup)]
    return make_group("family", family.path, family.function, ops, groups)
