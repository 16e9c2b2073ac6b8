"""Two casts in a row where the first loses nothing: one of them, or both, could go."""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.chances.blockers import names
from tfgraphdbg.chances.contract import Chance
from tfgraphdbg.chances.wiring import Wiring

_WIDER = {
    "bool": ("int8", "uint8"),
    "uint8": ("int16", "uint16", "float16"),
    "int8": ("int16", "float16"),
    "uint16": ("int32", "uint32", "float32"),
    "int16": ("int32", "float32"),
    "uint32": ("int64", "uint64", "float64"),
    "int32": ("int64", "float64"),
    "float16": ("float32",),
    "bfloat16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
}
"""The next dtypes that hold every value of a dtype."""


def holds(wide: str, narrow: str) -> bool:
    """Whether dtype `wide` holds every value of dtype `narrow`."""
    return wide == narrow or any(holds(wide, step) for step in _WIDER.get(narrow, ()))


def cast_chains(wiring: Wiring) -> Iterator[Chance]:
    """Every Cast of a Cast that loses nothing. Grappler drops a Cast only when it casts to the dtype that it reads."""
    for second, op in enumerate(wiring.ops):
        if op.op_type != "Cast" or not wiring.inputs[second]:
            continue
        first = wiring.inputs[second][0][0]
        if wiring.op_type(first) != "Cast" or wiring.is_small(second):
            continue
        start, middle, end = wiring.attr(first, "SrcT"), wiring.attr(first, "DstT"), wiring.attr(second, "DstT")
        if not (isinstance(start, str) and isinstance(middle, str) and isinstance(end, str)):
            continue
        if start != middle and holds(middle, start):
            yield _chance(wiring, first, second, (start, middle, end))


def _chance(wiring: Wiring, first: int, second: int, dtypes: tuple[str, str, str]) -> Chance:
    start, middle, end = dtypes
    back = start == end
    could = "neither is needed" if back else f"one cast from {start} to {end} gives the same"
    source = wiring.inputs[first][0][0] if wiring.inputs[first] else -1
    whose = f" of {names(wiring, [source])}" if source >= 0 else ""
    return Chance(
        rule="cast-chain",
        pattern=f"Cast {start} -> {middle} -> {end}",
        blocker="no-rewrite",
        ops=wiring.ids((first, second)),
        reason=(
            f"{names(wiring, [first, second])} take the result{whose} from {start} to {middle} to {end}: {could}, "
            "and Grappler has no rewrite for a cast of a cast"
        ),
        advice=(
            f"keep the value in {start}" + (", or give both sides one dtype" if back else f" and tf.cast it to {end}")
        ),
        detail={"casts_saved": 2 if back and len(wiring.readers(first)) == 1 else 1},
    )
