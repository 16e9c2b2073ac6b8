"""What Grappler did to a tracing -> the lines of the list of passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from tfgraphdbg.analyses.edited_ops import PassRef
from tfgraphdbg.analyses.op_life import OpLives
from tfgraphdbg.rewrites import RewriteHistory, RewriteStep

Kind = Literal["pass", "function", "heading"]


class PassLine(NamedTuple):
    """One line: a pass, a library function that stayed a call with all of its passes, or a heading."""

    kind: Kind
    name: str
    iteration: int | None
    removed: int
    added: int
    changed: int
    ms: float | None
    """Measured; None when nothing told it."""
    ops: int
    """Ops afterwards."""
    ref: PassRef
    note: str = ""
    timed_by: str = ""

    @property
    def title(self) -> str:
        """What it did, in a line."""
        name = f"{self.name}, iteration {self.iteration}" if self.iteration else self.name
        if self.kind == "heading":
            return name
        counts = [f"{sign}{count:,}" for count, sign in self.counts if count]
        by = " (between two dumps)" if self.timed_by == "dump times" else ""
        took = [f"in {self.ms:,.2f} ms{by}"] if self.ms is not None else []
        return "  ".join((name, " ".join(counts) or "no change", *took))

    @property
    def counts(self) -> tuple[tuple[int, str], ...]:
        """Ops removed, added and changed, each with its sign."""
        return (self.removed, "-"), (self.added, "+"), (self.changed, "~")

    @property
    def is_empty(self) -> bool:
        """Whether nothing was changed."""
        return not (self.removed or self.added or self.changed)


class PassGroup(NamedTuple):
    """The passes of one graph. `head` is the line of the library function; None for the tracing's own graph."""

    head: PassLine | None
    passes: tuple[PassLine, ...]


def pass_groups(lives: OpLives) -> tuple[PassGroup, ...]:
    """The tracing's own graph first, with what the runtime did before Grappler; then each library function."""
    groups: list[PassGroup] = []
    for place, history in enumerate(lives.histories):
        steps = tuple(_line(step, PassRef(place, number)) for number, step in enumerate(history.steps))
        if history is lives.own:
            runtime = _line(lives.lowering, PassRef(place, -1))._replace(name=RUNTIME_WORDS, iteration=None)
            groups.insert(0, PassGroup(None, (runtime, *steps)))
        else:
            groups.append(PassGroup(_function_line(history, PassRef(place, 0)), steps))
    return tuple(groups)


FUNCTIONS = PassLine("heading", "functions that stayed calls", None, 0, 0, 0, None, 0, PassRef(-1, 0))
"""The line above them."""

RUNTIME_WORDS = "runtime: inlining, lowering"


def _line(step: RewriteStep, ref: PassRef) -> PassLine:
    counts = len(step.removed), len(step.added), len(step.changed)
    return PassLine("pass", step.short_name, step.iteration, *counts, step.ms, step.ops, ref, step.note, step.timed_by)


def _function_line(history: RewriteHistory, ref: PassRef) -> PassLine:
    steps = history.steps
    timed = [step.ms for step in steps if step.ms is not None]
    return PassLine(
        "function",
        history.item,
        None,
        sum(len(step.removed) for step in steps),
        sum(len(step.added) for step in steps),
        sum(len(step.changed) for step in steps),
        sum(timed) if timed else None,
        steps[-1].ops if steps else len(history.first_ops),
        ref,
    )


def summary(lives: OpLives) -> str:
    """`25 passes in 13.1 ms, 7 of them changed something: 49 ops became 34`."""
    steps = lives.own.steps
    spent = sum(step.ms or 0.0 for step in steps)
    changed = sum(not step.is_empty for step in steps)
    given = len(lives.lowered.top_level_ops)
    after = steps[-1].ops if steps else given
    replayed = ", replayed in another process" if lives.own.source == "replayed" else ""
    return (
        f"{len(steps)} passes in {spent:,.1f} ms{replayed}, {changed} of them changed something: "
        f"{given:,} ops became {after:,}"
    )


def visible_lines(groups: Sequence[PassGroup], opened: frozenset[int], *, without_empty: bool) -> Iterator[PassLine]:
    """The lines to show: passes of a function where it is opened, those that changed nothing unless they are hidden."""
    for place, group in enumerate(groups):
        if place == 1:
            yield FUNCTIONS
        if group.head is not None:
            yield group.head
        if group.head is None or group.head.ref.history in opened:
            yield from (line for line in group.passes if not (without_empty and line.is_empty))
