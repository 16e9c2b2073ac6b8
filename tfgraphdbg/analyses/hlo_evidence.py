"""What two texts of HLO, before and after XLA's passes, say of each traced op: gathered once, asked op by op."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tfgraphdbg.analyses.hlo_lowering import is_argument
from tfgraphdbg.analyses.hlo_origins import OpNames, Origin, callers_by_computation, instruction_origins
from tfgraphdbg.analyses.hlo_places import PACKING, HloPlaces
from tfgraphdbg.analyses.hlo_text import HloInstruction, HloModule, InstructionKey, parse_hlo
from tfgraphdbg.analyses.hlo_unnamed import unnamed_work
from tfgraphdbg.analyses.hlo_values import HloValues, Value, hlo_values
from tfgraphdbg.graph_model import GraphModel


class OpInstructions(NamedTuple):
    """The instructions that carry one op's name."""

    hlo: tuple[HloInstruction, ...] = ()
    optimized: tuple[HloInstruction, ...] = ()
    """Those of the optimized HLO, without fusions: what these hold counts."""
    inside: tuple[HloInstruction, ...] = ()
    """Of the optimized HLO, those whose names lead through this op: a call that was inlined."""
    inside_hlo: tuple[HloInstruction, ...] = ()
    calls: bool = False
    """Whether the op calls library functions."""
    is_sure: bool = True
    """Whether each of the names means this op alone."""
    hands_on: bool = False
    """Whether its result in the HLO is an operand of its own, unchanged."""


class Evidence:
    """Everything known of one traced graph's way through XLA."""

    def __init__(self, traced: GraphModel, hlo: HloModule, optimized: HloModule) -> None:
        names = OpNames(traced)
        self.hlo = hlo
        self.places = HloPlaces(optimized)
        self._parameters = _parameters_by_op(traced, optimized)
        arguments = {made.key: Origin((op,), False) for op, found in self._parameters.items() for made in found}
        self.values: HloValues = hlo_values(hlo)
        self._hlo_origins = instruction_origins(hlo, names)
        named = instruction_origins(optimized, names, callers_by_computation(hlo, self._hlo_origins))
        self.unnamed = unnamed_work(hlo, self._hlo_origins, self.places, named)
        guessed = {made.key: Origin((op,), False) for op, made in self.unnamed.items()}
        self.origins = {**named, **arguments, **guessed}
        self._before = _by_op(hlo, self._hlo_origins)
        self._after = _by_op(optimized, self.origins)
        self._work = {op: tuple(filter(_is_work, made)) for op, made in self._after.items()}
        self._through = _by_call(optimized, self.origins)
        self._through_before = _by_call(hlo, self._hlo_origins)
        self._calling = frozenset(op.id for op in traced.ops if names.functions_called_by(op.id))
        self.called_functions = _called_functions(traced, names)
        self._ops_of_value = self._index_values()
        self.has_names = any(origin.ops for origin in (*self._hlo_origins.values(), *named.values()))

    def of(self, op: str) -> OpInstructions:
        """The instructions that carry the name of an op."""
        before, after = self._before.get(op, ()), self._after.get(op, ())
        sure = all(self._hlo_origins[made.key].is_sure for made in before) and all(
            self.origins[made.key].is_sure for made in after
        )
        return OpInstructions(
            before,
            after,
            self._through.get(op, ()),
            self._through_before.get(op, ()),
            op in self._calling,
            sure,
            self._hands_on(before),
        )

    @property
    def results(self) -> tuple[HloInstruction, ...]:
        """The root of the optimized HLO."""
        entry = self.places.module.entry
        return (entry.root,) if entry and entry.root else ()

    def parameters_of(self, op: str) -> tuple[HloInstruction, ...]:
        """The parameter of the optimized HLO that stands for an argument, where that can be told."""
        return self._parameters.get(op, ())

    def work_of(self, op: str) -> tuple[HloInstruction, ...]:
        """The optimized instructions of an op that compute something."""
        return self._work.get(op, ())

    def twins_of(self, op: str, instructions: tuple[HloInstruction, ...]) -> Iterator[str]:
        """Other ops that still do work, whose result in the HLO was that of these instructions, in the same place."""
        seen = {op}
        for made in _results_of(instructions):
            for twin in self._ops_of_value.get(self.values.value[made.key], ()):
                if twin not in seen:
                    seen.add(twin)
                    yield twin

    def _index_values(self) -> Mapping[Value, tuple[str, ...]]:
        found: dict[Value, dict[str, None]] = {}
        for op in filter(self.work_of, self._before):
            for made in _results_of(self._before[op]):
                if made.opcode != "constant" and made.key not in self.values.unused:
                    found.setdefault(self.values.value[made.key], {})[op] = None
        return {value: tuple(ops) for value, ops in found.items()}

    def _hands_on(self, made: tuple[HloInstruction, ...]) -> bool:
        own = {each.key for each in made}
        value = self.values.value
        operands = {
            value[key]
            for each in made
            for name in each.operands
            if (key := (each.computation, name)) not in own and key in value
        }
        results = _results_of(made)
        return bool(results) and all(value[each.key] in operands for each in results)


def gather_evidence(traced: GraphModel, hlo: str, optimized_hlo: str) -> Evidence:
    """Read both texts and join them with the traced graph."""
    return Evidence(traced, parse_hlo(hlo), parse_hlo(optimized_hlo))


def _is_work(made: HloInstruction) -> bool:
    return made.opcode not in PACKING and made.opcode != "constant"


def _results_of(instructions: tuple[HloInstruction, ...]) -> tuple[HloInstruction, ...]:
    """The last instruction in each computation."""
    return tuple({made.computation: made for made in instructions}.values())


def _called_functions(traced: GraphModel, names: OpNames) -> frozenset[str]:
    """The library functions that the graph's own ops call, at any depth, and the empty name of the graph itself."""
    called_in: dict[str, set[str]] = {}
    for op in traced.ops:
        called_in.setdefault(op.function, set()).update(names.functions_called_by(op.id))
    found = {""}
    waiting = [""]
    while waiting:
        new = called_in.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return frozenset(found)


def _by_op(module: HloModule, origins: Mapping[InstructionKey, Origin]) -> Mapping[str, tuple[HloInstruction, ...]]:
    found: dict[str, list[HloInstruction]] = {}
    for made in module.instructions():
        if made.opcode != "fusion":
            for op in origins[made.key].ops:
                found.setdefault(op, []).append(made)
    return {op: tuple(instructions) for op, instructions in found.items()}


def _by_call(module: HloModule, origins: Mapping[InstructionKey, Origin]) -> Mapping[str, tuple[HloInstruction, ...]]:
    found: dict[str, list[HloInstruction]] = {}
    for made in module.instructions():
        if made.opcode not in ("fusion", "constant"):
            for call in origins[made.key].through:
                found.setdefault(call, []).append(made)
    return {call: tuple(instructions) for call, instructions in found.items()}


def _parameters_by_op(traced: GraphModel, optimized: HloModule) -> Mapping[str, tuple[HloInstruction, ...]]:
    """Arguments and parameters come in the same order: paired only where their numbers and every shape agree."""
    arguments = [op for op in traced.top_level_ops if is_argument(op)]
    entry = optimized.entry
    parameters = [made for made in entry.instructions if made.opcode == "parameter"] if entry else []
    parameters.sort(key=lambda made: (len(made.literal), made.literal))
    if len(arguments) != len(parameters):
        return {}
    for op, made in zip(arguments, parameters, strict=True):
        known = op.outputs[0] if op.outputs else None
        if known is None or known.dtype == "resource" or known.shape is None:
            continue
        sizes = made.shape.partition("[")[2].partition("]")[0]
        if [str(size) for size in known.shape if size is not None] != sizes.split(",") * bool(sizes):
            return {}
    return {op.id: (made,) for op, made in zip(arguments, parameters, strict=True)}
