"""Values that a lowered `tf.while_loop` hands on unchanged, and that began as a constant."""

from __future__ import annotations

from tfgraphdbg.chances.wiring import Wiring

_SAME_VALUE = frozenset({"Identity", "Switch", "RefSwitch"})


def constant_loop_values(wiring: Wiring) -> frozenset[int]:
    """The Switch ops whose value in the loop's body is the same constant in every iteration."""
    found = set()
    for place, op in enumerate(wiring.ops):
        if op.op_type != "Merge" or len(wiring.inputs[place]) != 2:
            continue
        (enter, _), (next_iteration, _) = wiring.inputs[place]
        if wiring.op_type(enter) != "Enter" or wiring.op_type(next_iteration) != "NextIteration":
            continue
        constant = wiring.inputs[enter][0][0] if wiring.inputs[enter] else -1
        switch = _switch_of(wiring, next_iteration, place)
        if switch >= 0 and wiring.op_type(constant) == "Const":
            found.add(switch)
    return frozenset(found)


def _switch_of(wiring: Wiring, next_iteration: int, merge: int) -> int:
    """The Switch of `merge` when its value comes back to it untouched, else -1."""
    place = next_iteration
    for _ in range(4):
        if not wiring.inputs[place]:
            return -1
        place = wiring.inputs[place][0][0]
        if wiring.op_type(place) not in _SAME_VALUE:
            return -1
        if wiring.op_type(place) != "Identity":
            data = wiring.inputs[place]
            return place if data and data[0] == (merge, 0) else -1
    return -1
