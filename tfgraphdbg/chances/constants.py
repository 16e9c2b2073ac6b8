"""Ops that compute the same from constants in every run, and why constant folding left them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tfgraphdbg.chances.blockers import names, op_type_list
from tfgraphdbg.chances.contract import Chance
from tfgraphdbg.chances.duplicates import TRIVIAL
from tfgraphdbg.chances.loop_constants import constant_loop_values
from tfgraphdbg.chances.side_effects import CONTROL_FLOW, is_stateful
from tfgraphdbg.chances.wiring import Wiring
from tfgraphdbg.graph_model import OpNode

MAX_CONSTANT_BYTES = 100 * 1024
"""`kMaxConstantSize` of constant_folding.cc: no larger result is folded, unless the inputs are larger still."""

PYTHON_FUNCTIONS = frozenset({"PyFunc", "EagerPyFunc"})

_NOT_FOLDABLE = re.compile(r"^AccumulateNV2$|Quantized|^Sparse|Save|Restore|Reader")
"""Op types that constant_folding.cc leaves out by name."""

_SIZES = {
    **dict.fromkeys(("bool", "int8", "uint8", "qint8", "quint8", "float8_e5m2", "float8_e4m3fn"), 1),
    **dict.fromkeys(("int16", "uint16", "qint16", "quint16", "float16", "bfloat16"), 2),
    **dict.fromkeys(("int32", "uint32", "qint32", "float32"), 4),
    **dict.fromkeys(("int64", "uint64", "float64", "complex64"), 8),
    "complex128": 16,
}

_NO_VALUE = frozenset({"variant", "resource"})

ADVICE = {
    "size-limit": (
        "compute it once outside of the tf.function, keep it in a tf.Variable(..., trainable=False), and read that here"
    ),
    "stateful": "call the Python function once outside of the tf.function and pass in what it returns",
    "string": "compute it once outside of the tf.function and pass in the result",
    "not-foldable": "compute it once outside of the tf.function and pass in the result",
    "in-loop": "compute it before the loop, and use the result in the loop's body",
}


class _Obstacle(NamedTuple):
    id: str
    op: int
    sentence: str


def constant_computations(wiring: Wiring) -> Iterator[Chance]:
    """The largest connected computations on constants alone, each with what kept its first op from being folded."""
    loop_values = constant_loop_values(wiring)
    constant = _computed_from_constants(wiring, loop_values)
    for members in _connected(wiring, constant):
        first = [place for place in members if not any(source in constant for source, _ in wiring.inputs[place])]
        obstacles = [_obstacle(wiring, place, loop_values) for place in first]
        known = [obstacle for obstacle in obstacles if obstacle is not None]
        if len(known) < len(obstacles) or len({obstacle.id for obstacle in known}) != 1:
            continue
        if known[0].id == "stateful" or any(_is_worth_it(wiring, place) for place in members):
            yield _chance(wiring, members, known)


def _computed_from_constants(wiring: Wiring, loop_values: frozenset[int]) -> set[int]:
    """Ops whose data inputs are all constant, directly or through such ops; constants themselves are not among them."""
    given = loop_values | {place for place, op in enumerate(wiring.ops) if op.op_type == "Const"}
    constant = set(given)
    for place in wiring.order:
        data = wiring.inputs[place]
        if data and all(source in constant for source, _ in data) and _has_only_a_value(wiring.ops[place]):
            constant.add(place)
    return constant - given


def _has_only_a_value(op: OpNode) -> bool:
    """Whether running an op gives values and does nothing else, or calls Python, which users may know to do no more."""
    if op.op_type in CONTROL_FLOW or any(output.dtype in _NO_VALUE for output in op.outputs):
        return False
    return op.op_type in PYTHON_FUNCTIONS or not is_stateful(op.op_type)


def _connected(wiring: Wiring, constant: set[int]) -> list[list[int]]:
    """Groups of ops that feed one another, each in the order of the graph."""
    group_of: dict[int, list[int]] = {}
    for place in sorted(constant):
        group = group_of.setdefault(place, [place])
        for source, _ in wiring.inputs[place]:
            other = group_of.setdefault(source, [source]) if source in constant else group
            if other is not group:
                small, large = sorted((group, other), key=len)
                large += small
                for member in small:
                    group_of[member] = large
                group = large
    return [sorted(group) for group in {id(group): group for group in group_of.values()}.values()]


def _obstacle(wiring: Wiring, place: int, loop_values: frozenset[int]) -> _Obstacle | None:
    """Why an op that reads constants alone was not folded; None when nothing to be seen tells."""
    op_type, what = wiring.op_type(place), names(wiring, [place])
    sources = [source for source, _ in wiring.inputs[place]]
    if op_type in PYTHON_FUNCTIONS:
        return _Obstacle("stateful", place, f"{what} calls Python, which Grappler does not do")
    looped = [source for source in sources if source in loop_values]
    if looped:
        reason = f"{what} gets a constant through {names(wiring, looped)}, and Grappler does not look out of a loop"
        return _Obstacle("in-loop", place, reason)
    if any(_dtype_of(wiring, source) == "string" for source in sources):
        return _Obstacle("string", place, f"{what} reads a constant string, and Grappler folds no strings")
    if _NOT_FOLDABLE.search(op_type):
        return _Obstacle("not-foldable", place, f"constant folding leaves ops of type {op_type} alone")
    made, read = _output_bytes(wiring, place), sum(_output_bytes(wiring, source) or 0 for source in sources)
    if made is not None and made > MAX_CONSTANT_BYTES and made > read:
        limit = f"constant folding makes no constant above {MAX_CONSTANT_BYTES:,} bytes"
        return _Obstacle("size-limit", place, f"{what} makes {made:,} bytes, and {limit}")
    return None


def _dtype_of(wiring: Wiring, place: int) -> str:
    outputs = wiring.ops[place].outputs
    return outputs[0].dtype if outputs else ""


def _output_bytes(wiring: Wiring, place: int) -> int | None:
    """The size of an op's largest output; None when a shape or dtype is unknown."""
    count = wiring.elements(place)
    size = _SIZES.get(_dtype_of(wiring, place))
    return None if count is None or size is None else count * size


def _is_worth_it(wiring: Wiring, place: int) -> bool:
    return wiring.op_type(place) not in TRIVIAL - {"Range"} and not wiring.is_small(place)


def _chance(wiring: Wiring, members: list[int], obstacles: list[_Obstacle]) -> Chance:
    first = obstacles[0]
    bytes_made = max((_output_bytes(wiring, place) or 0 for place in members), default=0)
    count = f"{len(members)} ops are" if len(members) > 1 else "1 op is"
    return Chance(
        rule="constant-computation",
        pattern=op_type_list(wiring, members),
        blocker=first.id,
        ops=wiring.ids(members),
        blocking=wiring.ids([obstacle.op for obstacle in obstacles]),
        reason=f"{count} computed from constants in every run: {first.sentence}",
        advice=ADVICE[first.id],
        detail={"ops": len(members), "largest_bytes": bytes_made},
    )
