"""Transposes that cancel or could be one, and what kept Grappler from seeing it."""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.chances.blockers import Blocker, names
from tfgraphdbg.chances.contract import Chance
from tfgraphdbg.chances.wiring import Wiring

_ELEMENTWISE = frozenset(
    {
        *("Relu", "Relu6", "Elu", "Selu", "LeakyRelu", "Tanh", "Sigmoid", "Softplus", "Cast", "Neg", "Abs", "Exp"),
        *("Log", "Sqrt", "Rsqrt", "Square", "Erf", "Identity", "Mul", "AddV2", "Sub", "RealDiv", "Maximum", "Minimum"),
    }
)
"""Op types that give the same for each element wherever it lies; those with two inputs only beside a scalar."""

MAX_BETWEEN = 8
"""Elementwise ops that are looked through."""

ADVICE = {
    "not-inverse": "write one tf.transpose with the two permutations made one",
    "non-constant-permutation": "give tf.transpose its permutation as a Python list",
    "op-between": "apply the elementwise ops to the value before it is transposed: then no transpose is needed",
}


def transpose_chains(wiring: Wiring) -> Iterator[Chance]:
    """Every Transpose whose input is a transposed value that nothing else needs."""
    for second, op in enumerate(wiring.ops):
        if op.op_type != "Transpose" or len(wiring.inputs[second]) != 2 or wiring.is_small(second):
            continue
        first, between = _transpose_above(wiring, second)
        if first < 0:
            continue
        blocker = _blocker(wiring, first, between, second)
        if blocker is not None:
            yield _chance(wiring, [first, *between, second], blocker)


def _transpose_above(wiring: Wiring, second: int) -> tuple[int, list[int]]:
    """The Transpose that the input comes from and the elementwise ops between; -1 when there is none."""
    between: list[int] = []
    below = second
    place, output = wiring.inputs[second][0]
    while place >= 0 and not output and len(between) <= MAX_BETWEEN:
        if len(wiring.readers(place)) != 1 or wiring.device_kind(place) != wiring.device_kind(below):
            break
        if wiring.op_type(place) == "Transpose":
            return (place, between[::-1]) if len(wiring.inputs[place]) == 2 else (-1, [])
        if wiring.op_type(place) not in _ELEMENTWISE:
            break
        values = [source for source in wiring.inputs[place] if wiring.shape(source) != ()]
        if len(values) != 1:
            break
        between.append(place)
        below = place
        place, output = values[0]
    return -1, []


def _blocker(wiring: Wiring, first: int, between: list[int], second: int) -> Blocker | None:
    permutations = [_permutation(wiring, place) for place in (first, second)]
    outer, inner = permutations[1], permutations[0]
    if outer is None or inner is None:
        if between or not _inverts(wiring, first, second):
            return None
        reason = f"the permutation of {names(wiring, [second])} undoes that of {names(wiring, [first])} when it runs"
        return Blocker("non-constant-permutation", reason, (second,))
    if len(outer) != len(inner) or max(outer, default=0) >= len(inner):
        return None
    together = [inner[axis] for axis in outer]
    cancel = together == list(range(len(together)))
    what = f"{names(wiring, [first])} by {inner} and {names(wiring, [second])} by {outer}"
    if between:
        reason = f"{what} cancel, and {names(wiring, between)} between them is elementwise"
        return Blocker("op-between", reason, tuple(between)) if cancel else None
    # Grappler takes transposes that cancel: one that is left has a reason that the graph does not show.
    return None if cancel else Blocker("not-inverse", f"{what} could be one by {together}", (second,))


def _permutation(wiring: Wiring, place: int) -> list[int] | None:
    """The permutation of a Transpose; None when it is no constant."""
    source, _ = wiring.inputs[place][1]
    text = wiring.attr(source, "value") if wiring.op_type(source) == "Const" else None
    _, colon, values = text.partition(":") if isinstance(text, str) else ("", "", "")
    numbers = [value.strip() for value in values.split(",")] if colon else []
    if not numbers or not all(number.isdecimal() for number in numbers):
        return None
    return [int(number) for number in numbers]


def _inverts(wiring: Wiring, first: int, second: int) -> bool:
    """Whether one permutation is computed as the inverse of the other."""
    above, below = wiring.inputs[first][1], wiring.inputs[second][1]
    for direct, inverted in ((above, below), (below, above)):
        if wiring.op_type(inverted[0]) == "InvertPermutation" and wiring.inputs[inverted[0]][:1] == (direct,):
            return True
    return False


def _chance(wiring: Wiring, chain: list[int], blocker: Blocker) -> Chance:
    return Chance(
        rule="transpose-chain",
        pattern=" + ".join(wiring.op_type(place) for place in chain),
        blocker=blocker.id,
        ops=wiring.ids(tuple(chain)),
        blocking=wiring.ids(blocker.blocking),
        reason=f"{blocker.reason}; Grappler only drops a transpose that undoes the one right before it",
        advice=ADVICE[blocker.id],
        detail={"transposes_saved": 1 if blocker.id == "not-inverse" else 2},
    )
