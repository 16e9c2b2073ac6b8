"""Two graphs -> what became of each op, as data: what `diff` tables, and what pictures colour by.

An op stays the same op where its name or its op type stays. Placeholders that became arguments are no change, nor is
placement on a device, nor that a call or a loop was replaced by the ops of its body. Not compared: attrs.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, get_args

from tfgraphdbg.analyses.devices import device_label, devices_differ
from tfgraphdbg.analyses.op_pairing import Ancestors, ancestors_by_name, ancestors_by_origin
from tfgraphdbg.graph_model import CONTROL, GraphModel, InputRef, OpNode, garbage_collection_paused, op_id

ChangeKind = Literal[
    "dtype-changed",
    "shape-changed",
    "op-type-changed",
    "device-changed",
    "removed",
    "merged",
    "replaced",
    "added",
    "inputs-changed",
    "control-inputs-changed",
    "inlined",
    "renamed",
]

CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
"""The most telling first; the order of rows."""

Shape = tuple[int | None, ...] | None

Status = Literal["removed", "added", "changed", "kept"]

_ROLES = {"_Arg": "Placeholder", "_DeviceArg": "Placeholder", "_DeviceRetval": "_Retval"}
"""Op types that the runtime puts in place of others, for the same value."""

_HARMLESS: frozenset[ChangeKind] = frozenset({"inlined", "renamed"})
"""The op does what it did, elsewhere."""

MAX_SHOWN = 8
"""Inputs or successors shown in one cell."""


class OpChange(NamedTuple):
    """One change of one op: `op` is its id in the later graph, or in the earlier one when it is gone."""

    op: str
    kind: ChangeKind
    before: str
    after: str


class Changes(NamedTuple):
    """All changes, by kind and then in graph order, and the status of every op of either graph by id."""

    ops: tuple[OpChange, ...]
    of_before: Mapping[str, Status]
    of_after: Mapping[str, Status]


def stage_changes(before: GraphModel, after: GraphModel) -> Changes:
    """What became of each op from one stage of a tracing to another."""
    return _Comparison(before, after, ancestors_by_origin(before, after), unknown_differs=False).changes()


def recording_changes(before: GraphModel, after: GraphModel) -> Changes:
    """What differs in one stage between two recordings, op by op of the same name."""
    return _Comparison(before, after, ancestors_by_name(before, after), unknown_differs=True).changes()


class _Comparison:
    """One walk over the later graph, then one over the earlier for what found no successor."""

    def __init__(self, before: GraphModel, after: GraphModel, ancestors: Ancestors, unknown_differs: bool) -> None:
        self.before = before
        self.after = after
        self.ancestors = ancestors
        self.unknown_differs = unknown_differs
        self.found: dict[ChangeKind, list[OpChange]] = {kind: [] for kind in CHANGE_KINDS}
        self.of_before: dict[str, Status] = {}
        self.of_after: dict[str, Status] = {}
        self.merged_into: dict[str, str] = {}
        self.replaced_by: dict[str, list[str]] = {}
        self.inlined_functions: set[str] = set()
        self.called: dict[int, bool] = {}

    def changes(self) -> Changes:
        with garbage_collection_paused():
            for id_, op in self.after.by_id.items():
                self._compare_later(id_, op)
            for id_, op in self.before.by_id.items():
                if id_ not in self.of_before:
                    self._compare_gone(id_, op)
            ordered = tuple(change for changes in self.found.values() for change in changes)
        return Changes(ordered, self.of_before, self.of_after)

    def _add(self, op: str, kind: ChangeKind, before: str, after: str) -> None:
        self.found[kind].append(OpChange(op, kind, before, after))

    def _compare_later(self, id_: str, after: OpNode) -> None:
        ancestors = self.ancestors.get(id_, ())
        for other in ancestors[1:]:
            self.merged_into.setdefault(other, id_)
        before = self.before.by_id[ancestors[0]] if ancestors else None
        if before is None or not self._is_same_op(before, after):
            if before is not None:
                self.replaced_by.setdefault(ancestors[0], []).append(id_)
            self._add(id_, "added", ", ".join(ancestors[:MAX_SHOWN]), after.op_type)
            self.of_after[id_] = "added"
            return
        changed = False
        for kind, was, now in self._differences(before, after):
            self._add(id_, kind, was, now)
            changed = changed or kind not in _HARMLESS
            if kind == "inlined":
                self.inlined_functions.add(before.function)
        status: Status = "changed" if changed else "kept"
        self.of_after[id_] = status
        if changed or ancestors[0] not in self.of_before:
            self.of_before[ancestors[0]] = status

    def _is_same_op(self, before: OpNode, after: OpNode) -> bool:
        if before.name == after.name:
            return True
        if before.function != after.function and after.name.endswith("/" + before.name):
            return True
        if _role(before) != _role(after):
            return False
        # While the op itself lives on under its own name, another one of its type is a copy of it.
        return before.function != after.function or before.id not in self.after.by_id

    def _compare_gone(self, id_: str, op: OpNode) -> None:
        status: Status = "changed"
        if id_ in self.merged_into:
            self._add(id_, "merged", op.op_type, self.merged_into[id_])
        elif id_ in self.replaced_by:
            self._add(id_, "replaced", op.op_type, _shown(self.replaced_by[id_]))
        elif self._was_inlined(op):
            self._add(id_, "inlined", op.op_type, "")
        else:
            self._add(id_, "removed", op.op_type, "")
            status = "removed"
        self.of_before[id_] = status

    def _was_inlined(self, op: OpNode) -> bool:
        """Whether it called, or is a parameter of, a function whose ops are now part of the graph itself."""
        if op.function in self.inlined_functions and _role(op) == "Placeholder":
            return True
        if op.attrs not in self.called:
            texts = (value for value in self.before.attrs_of(op).values() if not isinstance(value, int | float | None))
            names = itertools.chain.from_iterable([text] if isinstance(text, str) else text for text in texts)
            self.called[op.attrs] = not self.inlined_functions.isdisjoint(names)
        return self.called[op.attrs]

    def _differences(self, before: OpNode, after: OpNode) -> Iterable[tuple[ChangeKind, str, str]]:
        # Most ops of most graphs stay as they are, so this comes before all questions of detail.
        if (
            before.name == after.name
            and before.inputs == after.inputs
            and before.op_type == after.op_type
            and before.outputs == after.outputs
            and (before.device == after.device or not before.device)
            and (before.function == after.function or bool(after.function))
        ):
            return ()
        return self._detailed_differences(before, after)

    def _detailed_differences(self, before: OpNode, after: OpNode) -> Iterator[tuple[ChangeKind, str, str]]:
        if before.op_type != after.op_type and _role(before) != _role(after):
            yield "op-type-changed", before.op_type, after.op_type
        if before.outputs != after.outputs:
            yield from _output_differences(before, after, self.unknown_differs)
        if before.device != after.device and devices_differ(before.device, after.device):
            yield "device-changed", device_label(before.device), device_label(after.device)
        inlined = bool(before.function and not after.function)
        if inlined:
            yield "inlined", before.id, after.id
        elif before.name != after.name:
            yield "renamed", before.id, after.id
        elif before.inputs == after.inputs:
            return
        yield from self._input_differences(before, after, inlined)

    def _input_differences(self, before: OpNode, after: OpNode, inlined: bool) -> Iterator[tuple[ChangeKind, str, str]]:
        was, was_control = _split(before)
        now, now_control = _split(after)
        if len(was) != len(now):
            yield "inputs-changed", _shown(map(_text, was)), _shown(map(_text, now))
        else:
            moved = [pair for pair in zip(was, now, strict=True) if not self._feeds_the_same(*pair, before, after)]
            if moved:
                yield "inputs-changed", _shown(_text(was) for was, _ in moved), _shown(_text(now) for _, now in moved)
        # The runtime ties an inlined body to its call by control edges of its own.
        if not inlined and was_control != now_control:
            yield from self._control_differences(before, after, was_control, now_control)

    def _feeds_the_same(self, was: InputRef, now: InputRef, before: OpNode, after: OpNode) -> bool:
        producer = op_id(before.function, was.name)
        source = self.before.by_id.get(producer)
        target = op_id(after.function, now.name)
        if source is not None and producer in self.ancestors.get(target, ()):
            # What stands for a loop has outputs of its own.
            return was.output == now.output or not self._is_same_op(source, self.after.by_id[target])
        if before.function and not after.function and source is not None and _role(source) == "Placeholder":
            return True
        # A call or a loop was replaced by the ops of its body, which carry its name.
        return producer not in self.after.by_id and f"/{was.name}/" in f"/{now.name}"

    def _control_differences(
        self, before: OpNode, after: OpNode, was: list[str], now: list[str]
    ) -> Iterator[tuple[ChangeKind, str, str]]:
        ancestors = {name: self.ancestors.get(op_id(after.function, name), ()) for name in now}
        kept = {ancestor for found in ancestors.values() for ancestor in found}
        known = {op_id(before.function, name) for name in was}
        gone = [f"^{name}" for name in was if op_id(before.function, name) not in kept]
        new = [f"^{name}" for name, found in ancestors.items() if known.isdisjoint(found)]
        if gone or new:
            yield "control-inputs-changed", _shown(gone), _shown(new)


def _role(op: OpNode) -> str:
    return _ROLES.get(op.op_type, op.op_type)


def _text(ref: InputRef) -> str:
    return f"{ref.name}:{ref.output}" if ref.output else ref.name


def _split(op: OpNode) -> tuple[list[InputRef], list[str]]:
    """Its data inputs, and the names of its control inputs."""
    data: list[InputRef] = []
    control: list[str] = []
    for ref in op.input_refs():
        if ref.output == CONTROL:
            control.append(ref.name)
        else:
            data.append(ref)
    return data, control


def _output_differences(before: OpNode, after: OpNode, unknown_differs: bool) -> Iterator[tuple[ChangeKind, str, str]]:
    pairs = [pair for pair in zip(before.outputs, after.outputs, strict=False) if pair[0] != pair[1]]
    dtypes = [(was.dtype, now.dtype) for was, now in pairs if was.dtype != now.dtype]
    if dtypes:
        yield "dtype-changed", _shown(was for was, _ in dtypes), _shown(now for _, now in dtypes)
    shapes = [
        (shape_text(was.shape), shape_text(now.shape))
        for was, now in pairs
        if _shapes_differ(was.shape, now.shape, unknown_differs)
    ]
    if shapes:
        yield "shape-changed", _shown(was for was, _ in shapes), _shown(now for _, now in shapes)


def _shapes_differ(was: Shape, now: Shape, unknown_differs: bool) -> bool:
    if was is None or now is None or was == now:
        return unknown_differs and was != now
    if len(was) != len(now):
        return True
    return any(
        old != new and (unknown_differs or (old is not None and new is not None))
        for old, new in zip(was, now, strict=True)
    )


def shape_text(shape: Shape) -> str:
    """`[32,?]`; `[...]` for an unknown rank."""
    if shape is None:
        return "[...]"
    return f"[{','.join('?' if size is None else str(size) for size in shape)}]"


def _shown(texts: Iterable[str]) -> str:
    items = list(texts)
    more = f", ... {len(items) - MAX_SHOWN:,} more" if len(items) > MAX_SHOWN else ""
    return ", ".join(items[:MAX_SHOWN]) + more
