"""A number for each op: two ops with one number compute the same from the same, whatever Grappler saw in them."""

from __future__ import annotations

from tfgraphdbg.chances.side_effects import CONTROL_FLOW, is_stateful
from tfgraphdbg.chances.wiring import Wiring

COMMUTATIVE = frozenset(
    {
        *("AddV2", "Mul", "AddN", "SquaredDifference", "Equal", "NotEqual", "ApproximateEqual", "LogicalAnd"),
        *("LogicalOr", "BitwiseAnd", "BitwiseOr", "BitwiseXor"),
    }
)
"""Op types whose inputs Grappler sorts before it compares, as TensorFlow's registry marks them."""

_READ = "ReadVariableOp"


def value_numbers(wiring: Wiring) -> list[int]:
    """One number for each op; that of an op with a side effect, or of control flow, is its own."""
    numbers = list(range(-1, -len(wiring.ops) - 1, -1))
    known: dict[object, int] = {}
    attr_kinds = _AttrKinds(wiring)
    unique = {op_type for op_type in {op.op_type for op in wiring.ops} if _is_unique(op_type)}
    written = _written_resources(wiring, unique)
    for place in wiring.order:
        op = wiring.ops[place]
        key: object = None
        if op.op_type == "Const":
            key = (op.attrs, op.device, wiring.controls[place]) if op.attrs >= 0 else None
        elif op.op_type == _READ:
            key = _read_key(wiring, place, numbers, written)
        elif op.op_type not in unique and wiring.inputs[place]:
            data: list[object] = [
                (numbers[source], output) if output else numbers[source] for source, output in wiring.inputs[place]
            ]
            if len(data) > 1 and op.op_type in COMMUTATIVE:
                data.sort(key=str)
            key = (op.op_type, attr_kinds.of(op.attrs), op.device, *data)
        if key is not None:
            numbers[place] = known.setdefault(key, numbers[place])
    return numbers


def _is_unique(op_type: str) -> bool:
    return is_stateful(op_type) or (op_type in CONTROL_FLOW and op_type != "Switch")


def _written_resources(wiring: Wiring, unique: set[str]) -> set[int]:
    """Ops that give a variable's handle to an op that may write it."""
    writers = unique - {_READ}
    return {
        source for place, op in enumerate(wiring.ops) if op.op_type in writers for source, _ in wiring.inputs[place]
    }


def _read_key(wiring: Wiring, place: int, numbers: list[int], written: set[int]) -> object:
    """Two reads give one value when nothing writes the variable, or when both wait for just the same."""
    if not wiring.inputs[place]:
        return None
    source, output = wiring.inputs[place][0]
    after = tuple(sorted(wiring.controls[place])) if source in written else ()
    return (_READ, numbers[source], output, wiring.ops[place].device, after)


class _AttrKinds:
    """Attr sets as numbers that leave out what no kernel reads: attrs with a leading underscore."""

    def __init__(self, wiring: Wiring) -> None:
        self._sets = wiring.graph.attr_sets
        self._of: dict[int, int] = {-1: -1}
        self._known: dict[str, int] = {}

    def of(self, attrs: int) -> int:
        found = self._of.get(attrs)
        if found is None:
            meant = sorted((name, value) for name, value in self._sets[attrs].items() if name[:1] != "_")
            text = repr(meant)
            # A text that was cut when it was recorded may hide a difference.
            found = attrs if "..." in text else self._known.setdefault(text, attrs)
            self._of[attrs] = found
        return found
