"""Equal computations that stayed apart, and why common subgraph elimination did not merge them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tfgraphdbg.chances.blockers import is_gradient, names, op_type_list
from tfgraphdbg.chances.contract import Chance
from tfgraphdbg.chances.side_effects import CONTROL_FLOW
from tfgraphdbg.chances.value_numbers import COMMUTATIVE, value_numbers
from tfgraphdbg.chances.wiring import Wiring
from tfgraphdbg.message_words import quoted

TRIVIAL = frozenset(
    {
        *("Const", "NoOp", "Identity", "IdentityN", "ReadVariableOp", "Shape", "ShapeN", "Size", "Rank", "Reshape"),
        *("ExpandDims", "Squeeze", "StopGradient", "PreventGradient", "BroadcastGradientArgs", "Switch", "Snapshot"),
        *("DynamicStitch", "Range", "InvertPermutation", "ZerosLike", "OnesLike", "Fill", "_Retval"),
    }
)
"""Op types that cost next to nothing: no chance is about them alone."""

MAX_COPIES = 20
"""Ops named in one chance."""

ADVICE = {
    "stateful": "read the variable once, as in `w = tf.convert_to_tensor(variable)`, and use w in every place",
    "control-inputs": "compute it once, outside of tf.control_dependencies, and use the result in both places",
    "colocation": "compute it once and use the result in both places, or leave out tf.compat.v1.colocate_with",
}


class _Difference(NamedTuple):
    reason: str
    blocking: tuple[int, ...]
    sentence: str


class _Copies(NamedTuple):
    """What two equal computations consist of, and how they differ."""

    pairs: list[tuple[int, int]]
    differences: list[_Difference]


def duplicate_computations(wiring: Wiring) -> Iterator[Chance]:
    """The last ops of the largest computations that the graph holds more than once, for one known reason."""
    numbers = value_numbers(wiring)
    groups: dict[int, list[int]] = {}
    for place in wiring.order:
        groups.setdefault(numbers[place], []).append(place)
    covered: set[int] = set()
    separate = _separate_on_purpose(wiring)
    # The last op of a computation comes after all others of it, so what it covers is not told again.
    for number, members in sorted(groups.items(), key=lambda item: -item[1][0]) if wiring.ops else ():
        if len(members) > 1 and number not in covered and wiring.op_type(members[0]) not in TRIVIAL:
            copies = _compare(wiring, members[0], members[1], numbers)
            chance = _chance(wiring, members, copies, separate)
            if chance is not None:
                covered.update(numbers[first] for first, _ in copies.pairs)
                yield chance


def _compare(wiring: Wiring, first: int, second: int, numbers: list[int]) -> _Copies:
    """Walk two equal computations down side by side, to where they meet."""
    pairs: list[tuple[int, int]] = []
    differences: list[_Difference] = []
    seen = {(first, second)}
    waiting = [(first, second)]
    while waiting:
        pair = waiting.pop()
        pairs.append(pair)
        difference = _difference(wiring, *pair)
        if difference is not None:
            differences.append(difference)
        inputs = [[source for source, _ in wiring.inputs[place]] for place in pair]
        if wiring.op_type(pair[0]) in COMMUTATIVE:
            inputs = [sorted(sources, key=lambda source: numbers[source]) for sources in inputs]
        for below in zip(*inputs, strict=True):
            if below[0] != below[1] and below not in seen:
                seen.add(below)
                waiting.append(below)
    return _Copies(pairs, differences)


def _difference(wiring: Wiring, first: int, second: int) -> _Difference | None:
    """What kept Grappler from seeing that two ops with equal inputs are one."""
    if wiring.op_type(first) == "ReadVariableOp":
        variable = wiring.ops[wiring.inputs[first][0][0]].name
        sentence = f"each reads the variable {quoted(variable)} anew, and Grappler merges no reads"
        return _Difference("stateful", (first, second), sentence)
    if wiring.op_type(first) == "Const":
        return None
    if set(wiring.controls[first]) != set(wiring.controls[second]):
        others = tuple(set(wiring.controls[first]) ^ set(wiring.controls[second]) - {-1})
        waits = f"only one of {names(wiring, [first, second])} waits for {names(wiring, others)}"
        return _Difference("control-inputs", others, waits)
    if wiring.attr(first, "_class") != wiring.attr(second, "_class"):
        sentence = f"{names(wiring, [first, second])} are bound to different ops by their attr _class"
        return _Difference("colocation", (first, second), sentence)
    return None


def _chance(wiring: Wiring, members: list[int], copies: _Copies, separate: frozenset[int]) -> Chance | None:
    reasons = {difference.reason for difference in copies.differences}
    worth = [first for first, _ in copies.pairs if not _is_trivial(wiring, first)]
    if len(reasons) != 1 or not worth:
        return None
    difference = copies.differences[0]
    waited_for = [place for other in copies.differences for place in other.blocking]
    if difference.reason == "control-inputs" and not separate.isdisjoint((*members, *waited_for)):
        return None
    size = len(copies.pairs)
    what = names(wiring, members[:1])
    computed = (
        f"{what} is computed {len(members)} times from the same inputs, {size} {'op' if size == 1 else 'ops'} a time"
    )
    return Chance(
        rule="duplicate-computation",
        pattern=op_type_list(wiring, sorted(worth)),
        blocker=difference.reason,
        ops=wiring.ids(members[:MAX_COPIES]),
        blocking=wiring.ids(difference.blocking),
        reason=f"{computed}: {difference.sentence}",
        advice=ADVICE[difference.reason],
        detail={"copies": len(members), "ops_each": size, "reason": difference.reason},
    )


def _is_trivial(wiring: Wiring, place: int) -> bool:
    return wiring.op_type(place) in TRIVIAL or wiring.is_small(place)


def _separate_on_purpose(wiring: Wiring) -> frozenset[int]:
    """Ops of which a copy may be no waste: they run in one branch or iteration only, or belong to a gradient.

    `tf.nn.silu` and `tf.recompute_grad` compute a value again once the gradient arrives, to save memory.
    """
    found = {place for place, op in enumerate(wiring.ops) if op.op_type in CONTROL_FLOW or is_gradient(wiring, place)}
    if not found:
        return frozenset()
    for place in wiring.order:
        if any(source in found for source, _ in wiring.inputs[place]) or not found.isdisjoint(wiring.controls[place]):
            found.add(place)
    return frozenset(found)
