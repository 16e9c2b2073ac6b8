"""The stages of a tracing in order, the graph after each Grappler pass among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tfgraphdbg.recording import Stage, Tracing
from tfgraphdbg.rewrites import AFTER, RewriteHistory, RewriteStep

BEFORE_PASSES = "lowered"
"""The stage that Grappler was given."""


class StageEntry(NamedTuple):
    """One stage to choose."""

    name: str
    counts: str
    """How large it is, in words; for the graph after a pass, also what the pass did."""
    changed: bool = True
    """False for a pass that left the graph as it was."""


def is_after_pass(stage: str) -> bool:
    """Whether a stage is the graph after a Grappler pass."""
    return stage.startswith(AFTER)


def stage_entries(tracing: Tracing, history: RewriteHistory | None) -> tuple[StageEntry, ...]:
    """Every stage that can be opened, in the order in which TensorFlow made them."""
    entries: list[StageEntry] = []
    for stage in tracing.stages:
        entries.append(StageEntry(stage.name, stage_counts(stage)))
        if stage.name == BEFORE_PASSES and history is not None:
            entries += map(_entry_after, history.stages, history.steps)
    return tuple(entries)


def _entry_after(name: str, step: RewriteStep) -> StageEntry:
    return StageEntry(name, f"{edit_counts(step)}  {_many(step.ops, 'op')}", not step.is_empty)


def pass_beside(entries: Sequence[StageEntry], present: str, step: int) -> str | None:
    """The next (1) or previous (-1) graph after a pass that changed something, seen from any stage."""
    names = [entry.name for entry in entries]
    if present not in names:
        return None
    places = range(names.index(present) + step, len(entries) if step > 0 else -1, step)
    return next((names[place] for place in places if is_after_pass(names[place]) and entries[place].changed), None)


def stage_beside(tracing: Tracing, present: str, step: int) -> str | None:
    """The next (1) or previous (-1) recorded stage, around the end; passes are stepped over."""
    names = [stage.name for stage in tracing.stages]
    if is_after_pass(present) and BEFORE_PASSES in names:
        place = names.index(BEFORE_PASSES) + (step if step > 0 else step + 1)
    elif present in names:
        place = names.index(present) + step
    else:
        return None
    return names[place % len(names)]


def edit_counts(step: RewriteStep) -> str:
    """How many ops a pass removed, added and changed, as in `-3 +1 ~2`; in words when there are none."""
    counts = (("-", step.removed), ("+", step.added), ("~", step.changed))
    return " ".join(f"{sign}{len(ops):,}" for sign, ops in counts if ops) or "changed nothing"


def stage_counts(stage: Stage) -> str:
    """How large a stage is, in words."""
    if stage.kind == "text":
        return f"{stage.bytes:,} bytes of text"
    words = [_many(stage.ops, "op"), _many(stage.edges, "edge")]
    if stage.functions:
        words.append(f"{_many(stage.functions, 'function')} with {stage.function_ops:,} ops")
    return "  ".join(words)


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
