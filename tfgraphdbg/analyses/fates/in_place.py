"""One edit -> what changed of an op that keeps its name."""

from __future__ import annotations

from tfgraphdbg.analyses.devices import devices_differ
from tfgraphdbg.analyses.fates.edits import CONSTANT, Edit, Outcome, data_inputs, producer
from tfgraphdbg.analyses.fates.rules import PASS_THROUGH, is_fused_type
from tfgraphdbg.analyses.op_pairing import role
from tfgraphdbg.graph_model import OpNode


def seen_in_place(edit: Edit, name: str) -> Outcome | None:
    """What changed of an op that keeps its name; None when only control inputs did."""
    was, now = edit.before[name], edit.after[name]
    if was.op_type != now.op_type and role(was) != role(now):
        if now.op_type == CONSTANT:
            return Outcome("became constant", name)
        if is_fused_type(now.op_type):
            return Outcome("became fused", name)
        if now.op_type not in PASS_THROUGH:
            return Outcome("became another op", name)
        taken_over = _taken_over_by(edit, name)
        return Outcome("taken over", taken_over) if taken_over else Outcome("became pass-through", name)
    if was.device != now.device and devices_differ(was.device, now.device):
        return Outcome("device changed", name)
    if edit.exact and edit.attrs_differ(was, now):
        return Outcome("attrs changed", name)
    if was.inputs == now.inputs or data_inputs(was) == data_inputs(now):
        return None
    return Outcome("left loop" if _left_loop(edit, was, now) else "inputs changed", name)


def _left_loop(edit: Edit, was: OpNode, now: OpNode) -> bool:
    """Whether an op reads what came into its loop from outside of it instead."""
    for old, new in zip(was.inputs, now.inputs, strict=False):
        if old != new and old[:1] != "^":
            entry = edit.before.get(producer(old))
            if entry is not None and entry.op_type == "Enter" and new in entry.inputs:
                return True
    return False


def _taken_over_by(edit: Edit, name: str) -> str:
    """The op that an op passes on the value of, when that one became the op that computes both."""
    source = next(map(producer, data_inputs(edit.after[name])), "")
    return source if edit.computes(name) and edit.computes_anew(source) else ""
