"""Two graphs -> what became of each op, as data: what `diff` tables, and what pictures colour by.

An op stays the same op where its name or its op type stays. Placeholders that became arguments are no change, nor is
placement on a device, nor that a call or a loop was replaced by the ops of its body, nor two exchanged inputs of an
addition. Not compared: attrs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.change_kinds import (
    CHANGE_KINDS,
    HARMLESS_KINDS,
    MAX_SHOWN,
    ChangeKind,
    Difference,
    OpChange,
    Status,
    in_one_cell,
)
from tfgraphdbg.analyses.devices import device_label, devices_differ
from tfgraphdbg.analyses.input_changes import input_changes, is_inlined
from tfgraphdbg.analyses.op_pairing import Pairing, pair_recordings, pair_stages, role
from tfgraphdbg.analyses.output_changes import output_changes
from tfgraphdbg.graph_model import GraphModel, OpNode, garbage_collection_paused


class Changes(NamedTuple):
    """All changes, by kind and then in graph order, and the status of every op of either graph by id."""

    ops: tuple[OpChange, ...]
    of_before: Mapping[str, Status]
    of_after: Mapping[str, Status]
    copied: int
    """Later ops that are one more copy of an earlier one, whose function was inlined more than once."""


def stage_changes(before: GraphModel, after: GraphModel) -> Changes:
    """What became of each op from one stage of a tracing to another."""
    with garbage_collection_paused():
        return _Comparison(before, pair_stages(before, after), unknown_differs=False).changes()


def recording_changes(before: GraphModel, after: GraphModel) -> Changes:
    """What differs in one stage between two recordings, op by op of the same name."""
    with garbage_collection_paused():
        return _Comparison(before, pair_recordings(before, after), unknown_differs=True).changes()


class _Comparison:
    """One walk over the later graph, then one over the earlier for what found no successor."""

    def __init__(self, before: GraphModel, pairing: Pairing, unknown_differs: bool) -> None:
        self.attrs_of = before.attrs_of
        self.functions = frozenset(before.functions)
        self.pairing = pairing
        self.unknown_differs = unknown_differs
        self.found: dict[ChangeKind, list[OpChange]] = {kind: [] for kind in CHANGE_KINDS}
        self.of_before: dict[str, Status] = {}
        self.of_after: dict[str, Status] = {}
        self.copied = 0
        self.merged_into: dict[str, str] = {}
        self.replaced_by: dict[str, list[str]] = {}
        self.inlined_functions: set[str] = set()
        self.called: dict[int, bool] = {}

    def changes(self) -> Changes:
        for id_, op in self.pairing.after.items():
            self._compare_later(id_, op)
        for id_ in self.replaced_by:
            self.inlined_functions.update(self._called_functions(self.pairing.before[id_]))
        for id_, op in self.pairing.before.items():
            if id_ not in self.of_before:
                self._compare_gone(id_, op)
        ordered = tuple(change for changes in self.found.values() for change in changes)
        return Changes(ordered, self.of_before, self.of_after, self.copied)

    def _add(self, op: str, kind: ChangeKind, before: str, after: str) -> None:
        self.found[kind].append(OpChange(op, kind, before, after))

    def _compare_later(self, id_: str, after: OpNode) -> None:
        ancestors = self.pairing.ancestors.get(id_, ())
        for other in ancestors[1:]:
            self.merged_into.setdefault(other, id_)
        before = self.pairing.before[ancestors[0]] if ancestors else None
        if before is None or not self.pairing.is_same_op(before, after):
            if before is not None:
                self.replaced_by.setdefault(ancestors[0], []).append(id_)
            self._add(id_, "added", ", ".join(ancestors[:MAX_SHOWN]), after.op_type)
            self.of_after[id_] = "added"
            return
        status: Status = "kept"
        for kind, was, now in self._differences(before, after):
            self._add(id_, kind, was, now)
            if kind not in HARMLESS_KINDS:
                status = "changed"
            if kind == "inlined":
                self.inlined_functions.add(before.function)
        self.of_after[id_] = status
        is_first = ancestors[0] not in self.of_before
        self.copied += not is_first
        if status == "changed" or is_first:
            self.of_before[ancestors[0]] = status

    def _compare_gone(self, id_: str, op: OpNode) -> None:
        status: Status = "changed"
        if id_ in self.merged_into:
            self._add(id_, "merged", op.op_type, self.merged_into[id_])
        elif id_ in self.replaced_by:
            self._add(id_, "replaced", op.op_type, in_one_cell(self.replaced_by[id_]))
        elif self._is_dissolved(op):
            self._add(id_, "dissolved", op.op_type, "")
        else:
            self._add(id_, "removed", op.op_type, "")
            status = "removed"
        self.of_before[id_] = status

    def _is_dissolved(self, op: OpNode) -> bool:
        """Whether it called, or is a parameter of, a function whose ops are now part of the graph itself."""
        if not self.inlined_functions:
            return False
        if op.function in self.inlined_functions and role(op) == "Placeholder":
            return True
        if op.attrs not in self.called:
            self.called[op.attrs] = not self.inlined_functions.isdisjoint(self._called_functions(op))
        return self.called[op.attrs]

    def _called_functions(self, op: OpNode) -> Iterator[str]:
        """The functions of the graph that its attrs name."""
        for value in self.attrs_of(op).values():
            values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            yield from (text for text in values if isinstance(text, str) and text in self.functions)

    def _differences(self, before: OpNode, after: OpNode) -> Iterable[Difference]:
        # Most ops of most graphs stay as they are, so this comes before all questions of detail.
        if (
            before.name == after.name
            and before.inputs == after.inputs
            and before.op_type == after.op_type
            and before.outputs == after.outputs
            and (before.device == after.device or not before.device)
            and not is_inlined(before, after)
        ):
            return ()
        return self._detailed_differences(before, after)

    def _detailed_differences(self, before: OpNode, after: OpNode) -> Iterator[Difference]:
        if role(before) != role(after):
            yield "op-type-changed", before.op_type, after.op_type
        if before.outputs != after.outputs:
            yield from output_changes(before, after, self.unknown_differs)
        if before.device != after.device and devices_differ(before.device, after.device):
            yield "device-changed", device_label(before.device), device_label(after.device)
        if is_inlined(before, after):
            yield "inlined", before.id, after.id
        elif before.name != after.name:
            yield "renamed", before.id, after.id
        elif before.inputs == after.inputs:
            return
        yield from input_changes(self.pairing, before, after)
