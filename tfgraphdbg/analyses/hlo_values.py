"""Which instructions of one HLO text compute the same value, which only pass one on, and which nothing uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from tfgraphdbg.analyses.hlo_text import HloComputation, HloInstruction, HloModule, InstructionKey

_SAME_SHAPE_IS_SAME_VALUE = frozenset({"reshape", "convert", "bitcast", "copy"})

_NEVER_EQUAL = frozenset(
    {"rng", "rng-bit-generator", "rng-get-and-update-state", "custom-call", "infeed", "outfeed", "send", "recv", "call"}
)
"""Two of these with the same operands may differ, in their values or in what they do besides."""

_HAS_EFFECT = frozenset({"infeed", "outfeed", "send", "send-done", "recv", "recv-done", "custom-call"})

_WITHOUT_OPERANDS = frozenset({"constant", "iota", "parameter", "partition-id", "replica-id", "after-all"})

_DIMENSIONS = re.compile(r"dimensions=\{([\d,]*)\}")
_TUPLE_PLACE = re.compile(r"\bindex=(\d+)")

Value = tuple[str, int]
"""A computation, and a number for each different value in it."""


class HloValues(NamedTuple):
    """What can be told about the values of one module's instructions."""

    value: Mapping[InstructionKey, Value]
    """Equal for instructions that are sure to compute the same."""
    constants: frozenset[InstructionKey]
    """Instructions that are computed from constants alone."""
    unused: frozenset[InstructionKey]
    """Instructions that no result depends on."""


def hlo_values(module: HloModule) -> HloValues:
    """Number the values of every computation, as common subexpression elimination would."""
    numbering = _Numbering()
    unused: set[InstructionKey] = set()
    for computation in module.computations:
        numbering.add(computation)
        unused |= _unused(computation)
    return HloValues(numbering.value, frozenset(numbering.constants), frozenset(unused))


class _Numbering:
    """Numbers values, computation by computation; a computation stands before those that call it."""

    def __init__(self) -> None:
        self.value: dict[InstructionKey, Value] = {}
        self.constants: set[InstructionKey] = set()
        # What a computation does, without its name: two reductions with an `add` each are one.
        self._meaning: dict[str, int] = {}
        self._meanings: dict[tuple[object, ...], int] = {}

    def add(self, computation: HloComputation) -> None:
        numbers: dict[str, int] = {}
        number_of: dict[tuple[object, ...], int] = {}
        described: list[tuple[object, ...]] = []
        made_by = {made.name: made for made in computation.instructions}
        for made in computation.instructions:
            number = self._passed_on(made, made_by, numbers)
            if number is None:
                key = self._described(made, numbers)
                number = number_of.setdefault(key, len(number_of))
                if number == len(described):
                    described.append(key)
            numbers[made.name] = number
            self.value[made.key] = (computation.name, numbers[made.name])
            self._note_constant(made)
        root = computation.root
        meaning = (*described, numbers[root.name] if root else None)
        self._meaning[computation.name] = self._meanings.setdefault(meaning, len(self._meanings))

    def _note_constant(self, made: HloInstruction) -> None:
        operands = [(made.computation, name) for name in made.operands]
        if made.opcode in ("constant", "iota") or (
            operands and made.opcode not in _NEVER_EQUAL and all(key in self.constants for key in operands)
        ):
            self.constants.add(made.key)

    def _passed_on(
        self, made: HloInstruction, made_by: Mapping[str, HloInstruction], numbers: Mapping[str, int]
    ) -> int | None:
        """The number of the value that it hands on unchanged; None when it makes one."""
        source = made_by.get(made.operands[0]) if made.operands else None
        if source is None or source.name not in numbers:
            return None
        if made.opcode == "get-tuple-element" and source.opcode == "tuple":
            place = _TUPLE_PLACE.search(made.settings)
            at = int(place[1]) if place else len(source.operands)
            return numbers.get(source.operands[at]) if at < len(source.operands) else None
        if _is_pass_on(made, source):
            return numbers[source.name]
        return None

    def _described(self, made: HloInstruction, numbers: Mapping[str, int]) -> tuple[object, ...]:
        if made.opcode in _NEVER_EQUAL or "{...}" in made.literal:
            return (made.name,)
        operands = tuple(numbers.get(name, name) for name in made.operands)
        literal = made.literal if made.opcode in _WITHOUT_OPERANDS else ""
        settings = made.settings
        for _, called in made.calls:
            settings = settings.replace(f"%{called}", "%")
        called_meanings = tuple(self._meaning.get(called, called) for _, called in made.calls)
        return (made.opcode, made.shape, operands, literal, settings, called_meanings)


def _is_pass_on(made: HloInstruction, source: HloInstruction) -> bool:
    if made.shape != source.shape:
        return False
    if made.opcode == "transpose":
        order = _DIMENSIONS.search(made.settings)
        places = [int(place) for place in order[1].split(",") if place] if order else [1, 0]
        return places == sorted(places)
    return made.opcode in _SAME_SHAPE_IS_SAME_VALUE


def _unused(computation: HloComputation) -> set[InstructionKey]:
    made_by = {made.name: made for made in computation.instructions}
    root = computation.root or (computation.instructions[-1] if computation.instructions else None)
    waiting = [
        made for made in computation.instructions if made.opcode in _HAS_EFFECT or (made.calls and not made.operands)
    ]
    waiting += [root] if root else []
    used = {made.name for made in waiting}
    while waiting:
        for name in waiting.pop().operands:
            if name in made_by and name not in used:
                used.add(name)
                waiting.append(made_by[name])
    return {made.key for made in computation.instructions if made.name not in used}
