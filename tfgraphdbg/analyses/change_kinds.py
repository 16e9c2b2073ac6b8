"""The kinds of changes that an op can meet between two graphs, and a change as a value."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

ChangeKind = Literal[
    "dtype-changed",
    "shape-changed",
    "op-type-changed",
    "device-changed",
    "removed",
    "merged",
    "replaced",
    "added",
    "inputs-changed",
    "control-inputs-changed",
    "inlined",
    "dissolved",
    "renamed",
]

CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
"""The most telling first; the order of rows."""

HARMLESS_KINDS: frozenset[ChangeKind] = frozenset({"inlined", "renamed"})
"""The op does what it did, elsewhere."""

Status = Literal["removed", "added", "changed", "kept"]

Difference = tuple[ChangeKind, str, str]
"""One change of an op that is in both graphs: what was, and what is."""


class OpChange(NamedTuple):
    """One change of one op: `op` is its id in the later graph, or in the earlier one when it is gone."""

    op: str
    kind: ChangeKind
    before: str
    after: str


MAX_SHOWN = 8
"""Inputs, outputs or successors shown in one cell."""


def in_one_cell(texts: list[str]) -> str:
    """The first few, and how many more: some ops have thousands of inputs."""
    more = f", ... {len(texts) - MAX_SHOWN:,} more" if len(texts) > MAX_SHOWN else ""
    return ", ".join(texts[:MAX_SHOWN]) + more
