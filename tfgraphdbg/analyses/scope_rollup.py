"""Ops -> counts by name scope, two levels deep: the size at which a model's layers can be told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tfgraphdbg.graph_model import FUNCTION_SEPARATOR
from tfgraphdbg.report import Cell

LEVELS = 2

MAX_SCOPES = 40
"""Rows of a scope table; what is left is summed in one more."""

NO_SCOPE = "(no scope)"


def scope_label(op_id: str) -> str:
    """`resnet/conv1/bn/mul` -> `resnet/conv1`; an op of a library function counts to that function."""
    function, separator, _ = op_id.partition(FUNCTION_SEPARATOR)
    if separator:
        return function + FUNCTION_SEPARATOR
    scopes = op_id.split("/", LEVELS)[:-1]
    return "/".join(scopes) if scopes else NO_SCOPE


def scope_counts(op_ids: Iterable[str]) -> Counter[str]:
    """How many of these ops lie in each scope; an op counts once."""
    return Counter(map(scope_label, op_ids))


def scope_rows(columns: Sequence[Counter[str] | None]) -> tuple[tuple[Cell, ...], ...]:
    """One row a scope with its count in each column (None: not counted): the largest first, the rest as one row."""
    total = sum((column for column in columns if column is not None), Counter[str]())
    scopes = sorted(total, key=lambda scope: (-total[scope], scope))
    rows: list[tuple[Cell, ...]] = [
        (scope, *(None if column is None else column[scope] for column in columns)) for scope in scopes[:MAX_SCOPES]
    ]
    rest = scopes[MAX_SCOPES:]
    if rest:
        sums = (None if column is None else sum(column[scope] for scope in rest) for column in columns)
        rows.append((f"({len(rest):,} more scopes)", *sums))
    return tuple(rows)
