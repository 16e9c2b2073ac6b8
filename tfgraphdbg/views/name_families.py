"""Siblings -> families of like names (`Mul_1`, `Mul_2` ... -> `Mul_*`), so that a flat graph can be folded too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.views.op_group import GroupKind, OpGroup, make_group

_FEW_SIBLINGS = 8
_SMALL_FAMILY = 3
_MOST_NUMBERED_UNITS = 32
_OPS_OF_A_UNIT = 8
_MOST_WORDS = 8
_WORD = re.compile(r"[_\-.]*(?:\d+|[^\d_\-.]+)|[_\-.]+")

_Item = OpNode | OpGroup
_Named = tuple[tuple[str, ...], _Item]


def gathered(scope: OpGroup, most: int, keep: frozenset[str]) -> OpGroup:
    """The scope with siblings of like names in families, and at most `most` members whatever their names are.

    Ops whose id is in `keep` stay as they are and do not count.
    """
    kept = [op for op in scope.ops if op.id in keep]
    if scope.children - len(kept) <= min(_FEW_SIBLINGS, most):
        return scope
    prefix = f"{scope.path}/" if scope.path else ""
    # Apart: the scope `adam` is no relative of the argument `adam_readvariableop_resource`.
    scopes: list[_Item] = [group for group in scope.groups if group.kind != "op"]
    single: list[_Item] = [op for op in scope.ops if op.id not in keep]
    single += [group for group in scope.groups if group.kind == "op"]
    items = [item for like in (single, scopes) for item in _families(scope.function, prefix, _named(like), 0)]
    if len(items) > most:
        items = _by_op_type(scope.function, prefix, items)
    if len(items) > most:
        items = _largest_and_rest(scope.function, prefix, items, most)
    return _grouped(scope.kind, scope.path, scope.function, [*kept, *items])


def _named(items: Sequence[_Item]) -> list[_Named]:
    names = (item.name if isinstance(item, OpNode) else item.path or item.function for item in items)
    last_names = (name.rpartition("/")[2] for name in names)
    return [(tuple(_WORD.findall(name)[:_MOST_WORDS]), item) for name, item in zip(last_names, items, strict=True)]


def _size(item: _Item) -> int:
    return item.total if isinstance(item, OpGroup) else 1


def _grouped(kind: GroupKind, path: str, function: str, items: Sequence[_Item]) -> OpGroup:
    ops = [item for item in items if isinstance(item, OpNode)]
    return make_group(kind, path, function, ops, [item for item in items if isinstance(item, OpGroup)])


def _families(function: str, prefix: str, named: Sequence[_Named], depth: int) -> list[_Item]:
    """One item for each next word of the names, unless those that share it are few or are large numbered units."""
    by_word: dict[str, list[_Named]] = {}
    for words, item in named:
        by_word.setdefault(words[depth] if depth < len(words) else "", []).append((words, item))
    items: list[_Item] = []
    for word, members in by_word.items():
        if len(members) == 1 or not word:
            items.extend(item for _, item in members)
            continue
        inner = _families(function, prefix + word, members, depth + 1)
        if len(inner) <= _SMALL_FAMILY or _are_numbered_units(inner, members, depth + 1):
            items.extend(inner)
        else:
            items.append(_grouped("family", f"{prefix}{word}{_common_start(members, depth + 1)}*", function, inner))
    return items


def _common_start(members: Sequence[_Named], depth: int) -> str:
    """What all their names go on with: whole words, and the separator after them."""
    following = [words[depth : depth + 1] for words, _ in members]
    if len(set(following)) == 1 and following[0]:
        return following[0][0] + _common_start(members, depth + 1)
    separators = {word[0][:1] if word and word[0][0] in "_-." else "" for word in following}
    return separators.pop() if len(separators) == 1 else ""


def _are_numbered_units(items: Sequence[_Item], members: Sequence[_Named], depth: int) -> bool:
    """Stages such as `conv1...`, `conv2...`: few, each of many ops. `Mul_1`, `Mul_2` are not."""
    numbered = sum(len(words) > depth and words[depth].isdigit() for words, _ in members)
    large = sum(map(_size, items)) >= _OPS_OF_A_UNIT * len(items)
    return large and len(items) <= _MOST_NUMBERED_UNITS and numbered * 2 > len(members)


def _by_op_type(function: str, prefix: str, items: Sequence[_Item]) -> list[_Item]:
    ops_of_type: dict[str, list[_Item]] = {}
    out: list[_Item] = []
    for item in items:
        if isinstance(item, OpNode):
            ops_of_type.setdefault(item.op_type, []).append(item)
        else:
            out.append(item)
    for op_type, ops in ops_of_type.items():
        out.extend([_grouped("family", f"{prefix}* ({op_type})", function, ops)] if len(ops) > 1 else ops)
    return out


def _largest_and_rest(function: str, prefix: str, items: Sequence[_Item], most: int) -> list[_Item]:
    by_size = sorted(items, key=_size, reverse=True)
    return [*by_size[: most - 1], _grouped("family", f"{prefix}*", function, by_size[most - 1 :])]
