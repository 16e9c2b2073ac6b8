"""An op in two graphs -> how its data and control inputs differ, as seen through what its producers became."""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.analyses.change_kinds import Difference, in_one_cell
from tfgraphdbg.analyses.op_pairing import Pairing, role
from tfgraphdbg.graph_model import InputRef, OpNode, op_id, parse_input

COMMUTATIVE = frozenset(
    {"Add", "AddV2", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Equal", "LogicalAnd", "LogicalOr"}
    | {"Maximum", "Minimum", "Mul", "NotEqual"}
)
"""Grappler sorts the two inputs of these, so that their order says nothing."""


def input_changes(pairing: Pairing, before: OpNode, after: OpNode) -> Iterator[Difference]:
    """The inputs that come from another op or output, and the control inputs that are gone or new.

    Where their number differs, those that both have at the start are left out.
    """
    same = 0 if is_inlined(before, after) else _equal_at_start(before.inputs, after.inputs)
    was, was_control = _split(before.inputs[same:])
    now, now_control = _split(after.inputs[same:])
    if len(was) != len(now):
        yield "inputs-changed", in_one_cell([*map(_text, was)]), in_one_cell([*map(_text, now)])
    else:
        moved = _moved(pairing, before, after, was, now)
        exchanged = moved and before.op_type in COMMUTATIVE and not _moved(pairing, before, after, was, now[::-1])
        if moved and not exchanged:
            yield (
                "inputs-changed",
                in_one_cell([_text(old) for old, _ in moved]),
                in_one_cell([_text(new) for _, new in moved]),
            )
    # The runtime ties an inlined body to its call by control edges of its own.
    if was_control != now_control and not is_inlined(before, after):
        yield from _control_changes(pairing, before, after, was_control, now_control)


def _equal_at_start(was: tuple[str, ...], now: tuple[str, ...]) -> int:
    for place, (old, new) in enumerate(zip(was, now, strict=False)):
        if old != new:
            return place
    return min(len(was), len(now))


def is_inlined(before: OpNode, after: OpNode) -> bool:
    """Whether an op of a library function is now one of the graph itself."""
    return bool(before.function and not after.function)


def _moved(
    pairing: Pairing, before: OpNode, after: OpNode, was: list[InputRef], now: list[InputRef]
) -> list[tuple[InputRef, InputRef]]:
    return [pair for pair in zip(was, now, strict=True) if not _feeds_the_same(pairing, before, after, *pair)]


def _feeds_the_same(pairing: Pairing, before: OpNode, after: OpNode, was: InputRef, now: InputRef) -> bool:
    producer = op_id(before.function, was.name) if before.function else was.name
    target = op_id(after.function, now.name) if after.function else now.name
    source = pairing.before.get(producer)
    if source is not None and producer in pairing.ancestors.get(target, ()):
        # What stands for a loop has outputs of its own.
        return was.output == now.output or not pairing.is_same_op(source, pairing.after[target])
    if source is not None and is_inlined(before, after) and role(source) == "Placeholder":
        return True
    # A call or a loop was replaced by the ops of its body, which carry its name.
    return producer not in pairing.after and f"/{was.name}/" in f"/{now.name}"


def _control_changes(
    pairing: Pairing, before: OpNode, after: OpNode, was: list[str], now: list[str]
) -> Iterator[Difference]:
    ancestors = {name: pairing.ancestors.get(op_id(after.function, name), ()) for name in now}
    kept = {ancestor for found in ancestors.values() for ancestor in found}
    known = {op_id(before.function, name) for name in was}
    gone = [f"^{name}" for name in was if op_id(before.function, name) not in kept]
    new = [f"^{name}" for name, found in ancestors.items() if known.isdisjoint(found)]
    if gone or new:
        yield "control-inputs-changed", in_one_cell(gone), in_one_cell(new)


def _split(inputs: tuple[str, ...]) -> tuple[list[InputRef], list[str]]:
    """The data inputs, and the names of the control inputs."""
    # Most inputs are plain names: this is parse_input without a call for each of them.
    data = [parse_input(text) if ":" in text else InputRef(text, 0) for text in inputs if text[:1] != "^"]
    control = [text[1:] for text in inputs if text[:1] == "^"] if len(data) < len(inputs) else []
    return data, control


def _text(ref: InputRef) -> str:
    return f"{ref.name}:{ref.output}" if ref.output else ref.name
