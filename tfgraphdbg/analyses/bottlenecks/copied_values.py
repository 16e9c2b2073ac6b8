"""Copies that a loop made -> what differs between them, and whether one uses what another made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.repeated_lines import LoopRun
from tfgraphdbg.graph_model import GraphModel, OpNode


class CopyDifferences(NamedTuple):
    """What one run's copies have in common, apart from the types of their ops."""

    own_variables: bool = False
    """Most copies read variables of their own, as layers do; then nothing else was compared."""
    shapes: str = ""
    """The name of an op whose shape differs from copy to copy; empty for none."""
    attr: str = ""
    """The name of an attr that differs from copy to copy; empty for none."""
    carried: bool = False
    """Whether a copy uses what an earlier one made."""


def differences_of(run: LoopRun, graph: GraphModel) -> CopyDifferences:
    """Compare each copy with the one before, op by op."""
    copies = list(run.each_copy())
    first, last = copies[0], copies[-1]
    resources = {frozenset(_resources_of(copy, run, graph)) for copy in copies}
    if len(resources) > len(copies) / 2:
        return CopyDifferences(own_variables=True)
    return CopyDifferences(
        shapes=_differing_shape(first, copies[1], graph) or _differing_shape(first, last, graph),
        attr=_differing_attr(first, last, graph) or _differing_attr(first, copies[1], graph),
        carried=_is_carried(run, graph),
    )


def _resources_of(copy: Sequence[int], run: LoopRun, graph: GraphModel) -> set[int]:
    """The variables that a copy uses: outputs of type resource that were not made in the loop, or are its arguments."""
    inside = range(run.positions[0], run.positions[-1] + 1)
    found = set()
    for position in copy:
        for source in graph.input_positions[position]:
            if source >= 0:
                op = graph.ops[source]
                is_outside = source not in inside or op.op_type == "Placeholder"
                if is_outside and any(output.dtype == "resource" for output in op.outputs):
                    found.add(source)
    return found


def _differing_shape(one: Sequence[int], other: Sequence[int], graph: GraphModel) -> str:
    pairs = ((graph.ops[left], graph.ops[right]) for left, right in zip(one, other, strict=True))
    return next((left.name for left, right in pairs if left.outputs != right.outputs), "")


def _differing_attr(one: Sequence[int], other: Sequence[int], graph: GraphModel) -> str:
    for left, right in zip(one, other, strict=True):
        ops: tuple[OpNode, OpNode] = (graph.ops[left], graph.ops[right])
        if ops[0].attrs == ops[1].attrs or ops[0].op_type == "Const":
            continue
        before, after = map(graph.attrs_of, ops)
        for name in before.keys() | after.keys():
            if not name.startswith("_") and name not in _OWN_ATTRS and before.get(name) != after.get(name):
                return f"{name} of {ops[0].op_type}"
    return ""


_OWN_ATTRS = frozenset(
    {"shared_name", "container", "output_shapes", "then_branch", "else_branch", "branches", "body", "cond", "f", "seed"}
    | {"seed2", "config", "config_proto", "token", "Tin", "Tout"}
)
"""Attrs that name or number an op, or the function that it calls, and say nothing of what it does."""


def _is_carried(run: LoopRun, graph: GraphModel) -> bool:
    copy_of = {position: number for number, copy in enumerate(run.each_copy()) for position in copy}
    return any(
        copy_of.get(source, number) < number
        for position, number in copy_of.items()
        for source in graph.input_positions[position]
    )
