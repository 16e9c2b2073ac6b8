"""One edit -> what changed of an op that keeps its name."""

from __future__ import annotations

from tfgraphdbg.analyses.devices import devices_differ
from tfgraphdbg.analyses.fates.edited_reads import EditedOp
from tfgraphdbg.analyses.fates.edits import CONSTANT, Edit, Outcome
from tfgraphdbg.analyses.fates.op_inputs import producer
from tfgraphdbg.analyses.fates.rules import PASS_THROUGH, is_fused_type
from tfgraphdbg.analyses.op_pairing import role


def seen_in_place(edit: Edit, op: EditedOp) -> Outcome | None:
    """What changed of an op that keeps its name; None when only control inputs did."""
    was, name = op.was, op.was.name
    now = edit.after[name]
    if was.op_type != now.op_type and role(was) != role(now):
        if now.op_type == CONSTANT:
            return Outcome("became constant", name)
        if is_fused_type(now.op_type):
            return Outcome("became fused", name)
        if now.op_type not in PASS_THROUGH:
            return Outcome("became another op", name)
        taken_over = _taken_over_by(edit, op)
        return Outcome("taken over", taken_over) if taken_over else Outcome("became pass-through", name)
    if was.device != now.device and devices_differ(was.device, now.device):
        return Outcome("device changed", name)
    if was.attrs != now.attrs and edit.exact and edit.attrs_differ(was, now):
        return Outcome("attrs changed", name)
    if op.read == op.reads:
        return None
    return Outcome("left loop" if edit.entries and _left_loop(edit, op) else "inputs changed", name)


def _left_loop(edit: Edit, op: EditedOp) -> bool:
    """Whether an op reads what came into its loop from outside of it instead."""
    for old, new in zip(op.read, op.reads, strict=False):
        if old != new and producer(old) in edit.entries:
            entry = edit.before.get(producer(old))
            if entry is not None and new in entry.inputs:
                return True
    return False


def _taken_over_by(edit: Edit, op: EditedOp) -> str:
    """The op that an op passes on the value of, when that one became the op that computes both."""
    source = producer(op.reads[0]) if op.reads else ""
    return source if edit.computes(op.was.name) and edit.computes_anew(source) else ""
