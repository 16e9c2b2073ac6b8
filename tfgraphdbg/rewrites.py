"""What Grappler did to one graph, pass by pass, as edits: the graph after any pass is the first with edits applied."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from tfgraphdbg.errors import UsageError
from tfgraphdbg.graph_model import AttrValue, GraphModel, OpNode, garbage_collection_paused
from tfgraphdbg.message_words import close_matches, listed, quoted

AFTER = "after:"
"""How the name of a stage begins that is the graph after a pass: `after:remapper`, `after:remapper:2`."""

META_OPTIMIZER = "meta_optimizer"
"""The pass name of edits between two passes: what the MetaOptimizer, which runs them, did itself."""

TimedBy = Literal["", "log", "dump times"]

Source = Literal["run", "replayed"]

Attrs = Mapping[str, AttrValue]


class RewriteStep(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One run of one Grappler pass over a graph, as the edit that it made."""

    pass_name: str
    """As TensorFlow names it; see `short_pass_name` for what people read."""
    iteration: int
    """Counts from 1 and never restarts: a second run of Grappler over the same graph goes on counting."""
    removed: tuple[str, ...] = ()
    """Names of the ops that are gone."""
    added: tuple[OpNode, ...] = ()
    changed: tuple[OpNode, ...] = ()
    """Ops of which the type, inputs, device or an attr changed, as they are afterwards."""
    ops: int = 0
    """Ops after the pass."""
    ms: float | None = None
    """Measured wall time of the pass; None when nothing told it."""
    timed_by: TimedBy = ""
    """`log`: MetaOptimizer's own clock. `dump times`: the time between two dumps, which includes writing one."""
    note: str = ""
    """What the runtime said of it, such as that the pass failed."""

    @property
    def short_name(self) -> str:
        """Its pass name without the pipeline of a `tfg_optimizer{...}`."""
        return short_pass_name(self.pass_name)

    @property
    def is_empty(self) -> bool:
        """Whether it left the graph as it was."""
        return not (self.removed or self.added or self.changed)


class RewriteHistory(msgspec.Struct, frozen=True, array_like=True, dict=True):
    """Everything that Grappler did to one graph: that of a tracing, or of a library function that stays a call.

    Attrs of the ops in its steps are indices into `attr_sets`, which continue those of the graph it began with.
    """

    item: str
    """Grappler's name of the graph: the concrete function, or a library function specialized for one call."""
    function: str = ""
    """The traced library function; empty for the tracing's own graph."""
    steps: tuple[RewriteStep, ...] = ()
    attr_sets: tuple[dict[str, AttrValue], ...] = ()
    first_ops: tuple[OpNode, ...] = ()
    """The graph that Grappler was given; empty for a tracing's own graph, which is its stage `lowered`."""
    source: Source = "run"
    """`run`: the real run's own dumps. `replayed`: the same graph optimized again in another process."""
    difference: str | None = None
    """How the last graph differs from the one that ran: empty for not at all; None when there is none to compare."""

    @functools.cached_property
    def last_ops(self) -> dict[str, OpNode]:
        """For a library function: its ops after the last pass, by name."""
        return apply_steps({op.name: op for op in self.first_ops}, self.steps)

    def steps_until(self, stage: str) -> tuple[RewriteStep, ...]:
        """The steps up to and with the one that a stage name `after:PASS` or `after:PASS:ITERATION` means.

        Without an iteration it is the first run of the pass. Raises UsageError, with the names that exist.
        """
        name, _, number = stage.removeprefix(AFTER).partition(":")
        for place, step in enumerate(self.steps):
            if name in (step.short_name, step.pass_name) and number in ("", str(step.iteration)):
                return self.steps[: place + 1]
        known = list(dict.fromkeys(step.short_name for step in self.steps))
        if name in (*known, *(step.pass_name for step in self.steps)):
            near = [stage for stage in self.stages if stage.split(":")[1] == short_pass_name(name)]
        else:
            near = [AFTER + match for match in close_matches(name, known)]
        raise UsageError(
            f"no Grappler pass {quoted(stage.removeprefix(AFTER))} was recorded",
            (f"did you mean {listed(near)}? " if near else "") + f"passes: {listed(known, most=20) or 'none'}",
        )

    @property
    def stages(self) -> tuple[str, ...]:
        """The stage name of each step, in order."""
        return tuple(stage_after(step, self.steps) for step in self.steps)


class RewritePart(msgspec.Struct, frozen=True, array_like=True):
    """The rewrites of one tracing as one part of a file; the history of its own graph comes first."""

    histories: tuple[RewriteHistory, ...]


def short_pass_name(pass_name: str) -> str:
    """`tfg_optimizer` for `tfg_optimizer{any(...)}`."""
    return pass_name.partition("{")[0]


def stage_after(step: RewriteStep, steps: Iterable[RewriteStep]) -> str:
    """The shortest name of the graph after a step: `after:remapper`, and `after:remapper:2` for its second run."""
    first = next((other for other in steps if other.short_name == step.short_name), step)
    return f"{AFTER}{step.short_name}" + ("" if first.iteration == step.iteration else f":{step.iteration}")


def apply_steps(ops: Mapping[str, OpNode], steps: Iterable[RewriteStep]) -> dict[str, OpNode]:
    """The ops of a graph, by name, after `steps`; an op keeps its place in the order, a new one comes last."""
    after = dict(ops)
    for step in steps:
        apply_step(after, step)
    return after


def apply_step(ops: dict[str, OpNode], step: RewriteStep) -> None:
    """Make `ops`, the ops of a graph by name, those after one more step; see `apply_steps`."""
    for name in step.removed:
        del ops[name]
    for op in itertools.chain(step.changed, step.added):
        ops[op.name] = op


def graph_after(first: GraphModel, history: RewriteHistory, stage: str) -> GraphModel:
    """The graph of the stage `after:PASS`: `first`, the graph that Grappler was given, with edits applied.

    Bodies of library functions are those of `first`: each has a history of its own. Raises UsageError.
    """
    steps = history.steps_until(stage)
    with garbage_collection_paused():
        top = apply_steps({op.name: op for op in first.ops if not op.function}, steps)
        bodies = (op for op in first.ops if op.function)
        return GraphModel(
            first.name, stage, (*top.values(), *bodies), (*first.attr_sets, *history.attr_sets), first.functions
        )


def damage_of(history: RewriteHistory, first: Iterable[OpNode], attr_sets: int) -> str:
    """Why a history cannot be of the graph that it begins with; empty when all is well.

    `first` are the ops of that graph, and `attr_sets` is how many of their attr sets those of the history continue.
    """
    size = attr_sets + len(history.attr_sets)
    edited = (op for step in history.steps for op in (*step.added, *step.changed))
    pointers = {op.attrs for op in itertools.chain(history.first_ops, edited)}
    if pointers and not -1 <= min(pointers) <= max(pointers) < size:
        return f"it points outside its {size:,} attr sets"
    return next(check_edits((op.name for op in first), history.steps), "")


def check_edits(first: Iterable[str], steps: Iterable[RewriteStep]) -> Iterator[str]:
    """What contradicts itself: removing or changing what is not there, adding what is; nothing when all is well."""
    present = set(first)
    for step in steps:
        where = f"{step.short_name}, iteration {step.iteration}"
        for name in step.removed:
            if name not in present:
                yield f"{where} removes the unknown op {quoted(name)}"
            present.discard(name)
        for op in step.changed:
            if op.name not in present:
                yield f"{where} changes the unknown op {quoted(op.name)}"
        for op in step.added:
            if op.name in present:
                yield f"{where} adds the op {quoted(op.name)}, which is there"
            present.add(op.name)
        if step.ops != len(present):
            yield f"{where} leaves {len(present):,} ops and counts {step.ops:,}"
