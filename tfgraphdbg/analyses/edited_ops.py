"""One pass -> every op that it removed, changed, added or decided on, grouped by fate and by the op it went into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tfgraphdbg.analyses.fates import RUNTIME, FateEvent
from tfgraphdbg.analyses.life_events import event_words, pass_words
from tfgraphdbg.analyses.op_life import OpLives
from tfgraphdbg.analyses.op_pairing import role
from tfgraphdbg.graph_model import OpNode, garbage_collection_paused, op_id, parse_input
from tfgraphdbg.rewrites import RewriteHistory, RewriteStep, apply_steps

INPUTS_CHANGED = "inputs changed"
CONTROL_INPUTS_CHANGED = "control inputs changed"

GROUPS = (
    *("fused", "folded", "merged", "inlined", "changed", "moved", "kept", "new", "removed"),
    *("attrs changed", INPUTS_CHANGED, CONTROL_INPUTS_CHANGED),
)
"""In the order in which they are shown: what says most first."""

SHARED = frozenset({"fused", "folded", "merged", "inlined", "changed"})
"""Fates by which several ops go into one."""


class EditedOp(NamedTuple):
    """One op of an edit."""

    name: str
    op_type: str
    """Before the pass; of a new op, after it."""
    group: str
    into: str
    """The op that stands in for it after the pass: itself when it was changed in place; empty for none."""
    into_type: str
    """That op's type after the pass, where it says something."""
    note: str
    """What else is to be said, such as that another pass took it away."""
    place: str
    """The line of the user's program."""


class EditTarget(NamedTuple):
    """The ops that went into one op, in order of computation."""

    into: str
    into_type: str
    ops: tuple[EditedOp, ...]


class FateGroup(NamedTuple):
    """All ops of an edit that have one fate."""

    fate: str
    targets: tuple[EditTarget, ...]

    @property
    def ops(self) -> int:
        """How many it has."""
        return sum(len(target.ops) for target in self.targets)


class PassRef(NamedTuple):
    """One pass of one graph: its history's place, and the step's; -1 is what the runtime did before Grappler."""

    history: int
    step: int


class _Edit(NamedTuple):
    """The edit of one pass with the graphs around it."""

    step: RewriteStep
    before: Mapping[str, OpNode]
    after: Mapping[str, OpNode]
    history: RewriteHistory


def edited_ops(lives: OpLives, ref: PassRef) -> tuple[FateGroup, ...]:
    """The edit of one pass, group by group."""
    with garbage_collection_paused():
        edit = _edit_of(lives, ref)
        ops = [*_of_edit(lives, edit), *_decided_only(lives, edit)]
        # An argument that goes on under another name is one op, not one that ended and a new one.
        renamed = {op.into for op in ops if op.group == "kept"}
        return tuple(_grouped(edit, [op for op in ops if op.group != "new" or op.name not in renamed]))


def _edit_of(lives: OpLives, ref: PassRef) -> _Edit:
    history = lives.histories[ref.history]
    if ref.step < 0:
        traced = {op.name: op for op in lives.traced.top_level_ops}
        return _Edit(lives.lowering, traced, {op.name: op for op in lives.lowered.top_level_ops}, history)
    first = history.first_ops if history.function else lives.lowered.top_level_ops
    step = history.steps[ref.step]
    before = apply_steps({op.name: op for op in first}, history.steps[: ref.step])
    return _Edit(step, before, apply_steps(before, [step]), history)


def _run(step: RewriteStep) -> tuple[str, int | None]:
    return (RUNTIME, None) if step.pass_name == RUNTIME else (step.short_name, step.iteration)


def _of_edit(lives: OpLives, edit: _Edit) -> Iterator[EditedOp]:
    """The ops that the edit itself removed, changed and added."""
    step = edit.step
    for name in (*step.removed, *(op.name for op in step.changed)):
        was = edit.before[name]
        events = lives.fates.events.get(op_id(edit.history.function, name), ())
        event = _telling(event for event in events if (event.pass_name, event.iteration) == _run(step))
        if event is not None:
            yield _told(lives, was, event)
        elif name in edit.after:
            yield _changed(lives, was, edit.after[name])
        else:
            yield _cleaned_up(lives, was, events)
    for op in step.added:
        yield EditedOp(op.name, op.op_type, "new", op.name, "", "", lives.place(op))


def _telling(events: Iterable[FateEvent]) -> FateEvent | None:
    """Of what one pass did to an op: what says most."""
    return min(events, key=lambda event: GROUPS.index(_group(event)), default=None)


def _group(event: FateEvent) -> str:
    if event.seen in ("inputs changed", "attrs changed") and event.fate == "changed":
        return event.seen
    return event.fate


def _told(lives: OpLives, was: OpNode, event: FateEvent) -> EditedOp:
    _, how, op_type = event_words(event, event.into == was.name)
    note = how if event.fate == "removed" and not event.into else ""
    return EditedOp(was.name, was.op_type, _group(event), event.into, op_type, note, lives.place(was))


def _changed(lives: OpLives, was: OpNode, now: OpNode) -> EditedOp:
    """An op that a pass made earlier, or of which only control inputs changed."""
    if role(was) != role(now):
        return EditedOp(was.name, was.op_type, "changed", was.name, now.op_type, "", lives.place(was))
    same = _data_inputs(was) == _data_inputs(now)
    group = CONTROL_INPUTS_CHANGED if same else INPUTS_CHANGED
    if same and was.inputs == now.inputs:
        group = "attrs changed"
    return EditedOp(was.name, was.op_type, group, was.name, "", "", lives.place(was))


def _cleaned_up(lives: OpLives, was: OpNode, events: tuple[FateEvent, ...]) -> EditedOp:
    """An op that an earlier pass left without readers, or that a pass had made."""
    note = ""
    if events and events[-1].into != was.name:
        note = f"{events[-1].fate} by {pass_words(events[-1].pass_name, events[-1].iteration)}"
    return EditedOp(was.name, was.op_type, "removed", "", "", note, lives.place(was))


def _data_inputs(op: OpNode) -> list[str]:
    return [text for text in op.inputs if text[:1] != "^"]


def _decided_only(lives: OpLives, edit: _Edit) -> Iterator[EditedOp]:
    """Ops that nobody reads since this pass, and that a later one takes away."""
    run = _run(edit.step)
    edited = {*edit.step.removed, *(op.name for op in edit.step.changed)}
    for name in lives.decided_by(edit.history.function, *run):
        was = edit.before.get(name)
        if was is None or name in edited:
            continue
        events = lives.fates.events[op_id(edit.history.function, name)]
        event = _telling(event for event in events if (event.pass_name, event.iteration) == run)
        if event is not None and event.fate not in ("changed", "moved"):
            taken = "nothing reads it any more" if event.into != name else ""
            yield _told(lives, was, event)._replace(note=taken)


def _grouped(edit: _Edit, ops: list[EditedOp]) -> Iterator[FateGroup]:
    places = {name: place for place, name in enumerate(edit.before)}
    for fate in GROUPS:
        members = [op for op in ops if op.group == fate]
        if members:
            yield FateGroup(fate, tuple(_targets(edit, fate, members, places)))


def _targets(edit: _Edit, fate: str, ops: list[EditedOp], places: Mapping[str, int]) -> Iterator[EditTarget]:
    ordered = sorted(ops, key=lambda op: places.get(op.name, len(places)))
    by_target: dict[str, list[EditedOp]] = {}
    for op in ordered:
        by_target.setdefault(op.into if fate in SHARED and op.into else f"\0{op.name}", []).append(op)
    for members in by_target.values():
        into = members[0].into
        now = edit.after.get(into)
        yield EditTarget(into, now.op_type if now is not None else "", tuple(_in_order(edit, members)))


def _in_order(edit: _Edit, ops: list[EditedOp]) -> list[EditedOp]:
    """The same ops, each behind those that it reads; `ops` come in the order of the graph."""
    waiting = {op.name: op for op in ops}
    if len(waiting) < 2:
        return ops
    ordered: list[EditedOp] = []
    for root in ops:
        stack = [root.name]
        while stack:
            name = stack[-1]
            ahead = [
                source
                for text in _data_inputs(edit.before[name])
                if (source := parse_input(text).name) in waiting and source not in stack
            ]
            if name in waiting and ahead:
                stack.extend(reversed(ahead))
            else:
                stack.pop()
                if name in waiting:
                    ordered.append(waiting.pop(name))
    return ordered
