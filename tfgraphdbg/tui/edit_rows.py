"""The edit of one pass -> rows: a heading for each fate, the ops that others went into, and each op."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from tfgraphdbg.analyses.edited_ops import SHARED, EditedOp, EditTarget, FateGroup

HEADINGS = {
    "kept": "renamed",
    "attrs changed": "attributes changed",
    "inputs changed": "reads other ops",
    "control inputs changed": "waits for other ops",
}
"""What is said of a group where its name alone says too little."""


class EditRow(NamedTuple):
    """One row: the heading of a fate, the op that several went into, or an op with what became of it."""

    kind: Literal["heading", "target", "op"]
    name: str
    op_type: str = ""
    note: str = ""
    into: str = ""
    into_type: str = ""
    place: str = ""
    depth: int = 0
    """1 below the op that several went into."""


def edit_rows(groups: Sequence[FateGroup], words: Sequence[str]) -> list[EditRow]:
    """The rows of those ops of which name, type, place, or what they became holds all of the lowercase `words`."""
    rows: list[EditRow] = []
    for group in groups:
        found = [target for target in (_matching(target, words) for target in group.targets) if target.ops]
        count = sum(len(target.ops) for target in found)
        if not count:
            continue
        of = f" of {group.ops:,}" if count != group.ops else ""
        into = f" into {len(found):,}" if group.fate in SHARED and len(found) < count else ""
        name = HEADINGS.get(group.fate, group.fate)
        rows.append(EditRow("heading", name, note=f"{count:,}{of} op{'' if group.ops == 1 else 's'}{into}"))
        for target in found:
            rows += _target_rows(target)
    return rows


def _matching(target: EditTarget, words: Sequence[str]) -> EditTarget:
    """All ops of a target whose own words match; what all of them became counts for each."""
    if not words:
        return target
    return target._replace(ops=tuple(op for op in target.ops if _has_all(_text(op), words)))


def _text(op: EditedOp) -> str:
    return "\n".join((op.name, op.op_type, op.into, op.into_type, op.place, op.note)).lower()


def _has_all(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _target_rows(target: EditTarget) -> Iterator[EditRow]:
    if len(target.ops) > 1:
        yield EditRow("target", target.into, target.into_type, f"{len(target.ops):,} ops")
        for op in target.ops:
            yield EditRow("op", op.name, op.op_type, op.note, "", "", op.place, 1)
        return
    for op in target.ops:
        into = "" if op.into == op.name else op.into
        yield EditRow("op", op.name, op.op_type, op.note, into, op.into_type, op.place)


def op_count(rows: Sequence[EditRow]) -> int:
    """How many ops the rows are about."""
    return sum(row.kind == "op" for row in rows)
