"""What the runtime did to ops of the traced graph before Grappler: those that it changed, arguments that it renamed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tfgraphdbg.analyses.devices import devices_differ
from tfgraphdbg.analyses.fates.edits import Outcome
from tfgraphdbg.analyses.fates.rules import kind_of
from tfgraphdbg.analyses.op_pairing import role
from tfgraphdbg.graph_model import OpNode


def is_lowered(was: OpNode, now: OpNode) -> bool:
    """Whether the runtime changed an op that keeps its name."""
    if was.inputs != now.inputs or (was.op_type != now.op_type and role(was) != role(now)):
        return True
    return bool(was.device) and devices_differ(was.device, now.device)


def renamed_arguments(given: Mapping[str, OpNode], added: Iterable[str]) -> Mapping[str, Outcome]:
    """By name of a traced argument: the one that the runtime made of it, where that has another name.

    What reads it can't tell: a call that is inlined reads it through ops that are made in the call's place.
    """
    arguments = (given[name] for name in added if kind_of(given[name], ()) == "argument")
    return {origin: Outcome("new op", op.name) for op in arguments for origin in op.origins if origin not in given}
