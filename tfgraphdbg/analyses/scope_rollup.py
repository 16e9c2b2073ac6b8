"""Ops -> counts by name scope, two levels deep: the size at which a model's layers can be told apart.

The scope of an op of a later graph is that of the traced op it came from: inlining writes the name of a call before it.
Ops of function bodies have scopes of their own names, as their layers do, whatever function holds them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tfgraphdbg.graph_model import FUNCTION_SEPARATOR, OpNode
from tfgraphdbg.report import Cell

LEVELS = 2

MAX_SCOPES = 40
"""Rows of a scope table; what is left is summed in one more."""

NO_SCOPE = "(no scope)"

Counts = Sequence[Counter[str]]


def scope_counts(ops: Iterable[OpNode]) -> Counter[str]:
    """How many of these ops lie in each scope, `resnet/conv1` for `resnet/conv1/bn/mul`; an op counts once."""
    return Counter(map(scope_label, ops))


def scope_label(op: OpNode) -> str:
    """The scope that an op counts to."""
    origins = op.origins
    name = origins[0].rpartition(FUNCTION_SEPARATOR)[2] if origins else op.name
    parts = name.split("/", LEVELS)
    if len(parts) > LEVELS:
        return f"{parts[0]}/{parts[1]}"
    return parts[0] if len(parts) == LEVELS else NO_SCOPE


def scope_rows(columns: Counts) -> tuple[tuple[Cell, ...], ...]:
    """One row a scope with its count in each column: the largest first, the rest as one row.

    A scope of a single op counts to the scope around it, and where that is single too, to the rest.
    """
    columns = _without_single_scopes(columns)
    total = sum(columns, Counter[str]())
    single = [scope for scope in total if _is_single(scope, columns)]
    if len(single) == 1:
        single = []
    scopes = sorted(total.keys() - set(single), key=lambda scope: (-total[scope], scope))
    rows: list[tuple[Cell, ...]] = [(scope, *(column[scope] for column in columns)) for scope in scopes[:MAX_SCOPES]]
    rest = scopes[MAX_SCOPES:] + single
    if rest:
        rows.append((f"({len(rest):,} more scopes)", *(sum(column[scope] for scope in rest) for column in columns)))
    return tuple(rows)


def _without_single_scopes(columns: Counts) -> Counts:
    inner = {scope for column in columns for scope in column if "/" in scope and _is_single(scope, columns)}
    rolled: list[Counter[str]] = []
    for column in columns:
        counts: Counter[str] = Counter()
        for scope, count in column.items():
            counts[scope.partition("/")[0] if scope in inner else scope] += count
        rolled.append(counts)
    return rolled


def _is_single(scope: str, columns: Counts) -> bool:
    return scope != NO_SCOPE and all(column[scope] <= 1 for column in columns)
