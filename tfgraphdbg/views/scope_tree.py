"""Ops -> the tree of their library functions and name scopes, with families of like names where it is to be folded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.views.name_families import gathered
from tfgraphdbg.views.op_group import GroupKind, OpGroup, make_group

_MOST_HELPERS = 8

_Gather = Callable[[OpGroup], OpGroup]


def scope_tree(ops: Iterable[OpNode], most_siblings: int | None = None, keep: frozenset[str] = frozenset()) -> OpGroup:
    """The root of all groups. With `most_siblings`, siblings of like names are gathered until there are no more.

    Ops whose id is in `keep` are never gathered.
    """
    by_function: dict[str, list[OpNode]] = {"": []}
    for op in ops:
        by_function.setdefault(op.function, []).append(op)

    def gather(scope: OpGroup) -> OpGroup:
        return scope if most_siblings is None else gathered(scope, most_siblings, keep)

    root = _function_tree("", by_function.pop(""), gather)
    bodies = [_function_tree(name, inside, gather) for name, inside in by_function.items()]
    functions = gather(make_group("scope", "", "", (), bodies))
    return make_group("scope", "", "", root.ops, (*root.groups, *functions.groups))


def _function_tree(function: str, ops: Sequence[OpNode], gather: _Gather) -> OpGroup:
    """The ops of the graph itself (no function), or of one library function's body, by their name scopes."""
    own: dict[str, list[OpNode]] = {}
    for op in ops:
        own.setdefault(op.scope, []).append(op)
    # A dictionary as an ordered set: the same graph gives the same picture in every process.
    paths = {"": None}
    for scope in own:
        while scope not in paths:
            paths[scope] = None
            scope = scope.rpartition("/")[0]
    del paths[""]
    namesakes = {op.name: op for op in ops if op.name in paths}
    inner: dict[str, list[OpGroup]] = {}
    # Deepest first, and by a loop: names can hold thousands of scopes.
    for path in sorted(paths, key=lambda path: path.count("/"), reverse=True):
        direct = [op for op in own.get(path, ()) if op.name not in namesakes]
        group = make_group("scope", path, function, direct, inner.pop(path, []))
        inner.setdefault(path.rpartition("/")[0], []).append(_closed(group, namesakes.get(path), gather))
    direct = [op for op in own.get("", ()) if op.name not in namesakes]
    return gather(make_group("function", "", function, direct, inner.get("", [])))


def _closed(scope: OpGroup, namesake: OpNode | None, gather: _Gather) -> OpGroup:
    """The scope with the op of its own name, which is all there is to it when the rest are few."""
    if namesake is None:
        # A scope that holds nothing but one scope would be a box around a box.
        return scope.groups[0] if scope.children == len(scope.groups) == 1 else gather(scope)
    kind: GroupKind = "op" if scope.total <= _MOST_HELPERS else "scope"
    whole = make_group(kind, scope.path, scope.function, (namesake, *scope.ops), scope.groups)
    return whole if kind == "op" else gather(whole)
