"""Traced graph, HLO, optimized HLO -> one fate for every traced op, and the origins of every instruction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tfgraphdbg.analyses.hlo_evidence import Evidence, OpInstructions, gather_evidence
from tfgraphdbg.analyses.hlo_lowering import constant_ops, fate_without_instruction, is_argument, is_assignment
from tfgraphdbg.analyses.hlo_origins import CALLING_OPCODES, Origin
from tfgraphdbg.analyses.hlo_places import MOVES_DATA, PACKING, HloPlaces
from tfgraphdbg.analyses.hlo_text import HloInstruction, InstructionKey
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.recording import Basis

LOWERING = "xla:lowering"
"""The seam from the traced graph to HLO."""

OPTIMIZATION = "xla:optimization"
"""The seam from HLO to optimized HLO."""

EITHER_SEAM = "xla"
"""Where the HLO between them was not recorded."""


class XlaFate(NamedTuple):
    """What XLA made of one traced op."""

    op: str
    op_type: str
    fate: str
    seam: str = ""
    """`LOWERING`, `OPTIMIZATION` or `EITHER_SEAM`; empty for an op that is as it was."""
    into: tuple[str, ...] = ()
    """Names of the instructions of the optimized HLO that do its work, a fusion with its kind; in order, none twice."""
    basis: Basis = "measured"
    """`measured`: the two texts say so. `guessed`: concluded from its op type, or from its name's absence."""
    reason: str = ""


class XlaAccount(NamedTuple):
    """What XLA made of a whole traced graph."""

    fates: tuple[XlaFate, ...]
    """One for each traced op, in the graph's order."""
    places: HloPlaces
    """The optimized HLO."""
    origins: Mapping[InstructionKey, Origin]
    """Of each of its instructions."""
    unread_lines: int
    """Lines of both texts that were neither an instruction nor a computation."""


def xla_fates(traced: GraphModel, hlo: str, optimized_hlo: str) -> XlaAccount:
    """Account for every op of `traced` by the names that XLA's instructions carry."""
    evidence = gather_evidence(traced, hlo, optimized_hlo)
    constants = constant_ops(traced)
    judge = _Judge(evidence)
    fates = {op.id: judge.fate_of(op, op.id in constants) for op in traced.ops}
    _follow_folded(traced, fates)
    if not evidence.hlo.computations:
        fates = {identity: fate._replace(seam=fate.seam and EITHER_SEAM) for identity, fate in fates.items()}
    unread = evidence.hlo.unread_lines + evidence.places.module.unread_lines
    return XlaAccount(tuple(fates[op.id] for op in traced.ops), evidence.places, evidence.origins, unread)


class _Judge:
    """Decides the fate of one op after the other from the same evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def fate_of(self, op: OpNode, is_constant: bool) -> XlaFate:
        if op.function not in self._evidence.called_functions:
            return XlaFate(op.id, op.op_type, "removed", LOWERING, reason="no op of the graph calls its function")
        own = self._evidence.of(op.id)
        if is_argument(op):
            return self._fate_without_instruction(op, is_constant)
        if own.calls and (fate := self._fate_of_call(op, own)) is not None:
            return fate
        if (made := self._evidence.unnamed.get(op.id)) is not None:
            reason = f"a {made.opcode} without an op name does its work for the same ops"
            return XlaFate(op.id, op.op_type, "changed", OPTIMIZATION, self._into((made,)), "guessed", reason)
        if own.optimized:
            return self._fate_of_present(op, own)
        if own.hlo:
            return self._fate_of_vanished(op, own)
        return self._fate_without_instruction(op, is_constant)

    def _into(self, instructions: Iterable[HloInstruction]) -> tuple[str, ...]:
        places = self._evidence.places
        return tuple(dict.fromkeys(places.label_of(place) for made in instructions for place in places.of(made)))

    def _fate_of_call(self, op: OpNode, own: OpInstructions) -> XlaFate | None:
        """A loop or branch that is still one is kept; one that was taken apart is inlined into what does its work."""
        running = [made for made in own.optimized if made.opcode in CALLING_OPCODES]
        if running:
            return self._measured(op, own, XlaFate(op.id, op.op_type, "kept", "", self._into(running)))
        left = [made for made in (*own.inside, *own.optimized) if made.opcode not in PACKING]
        if left:
            seam = OPTIMIZATION if any(made.opcode in CALLING_OPCODES for made in own.hlo) else LOWERING
            return self._measured(op, own, XlaFate(op.id, op.op_type, "inlined", seam, self._into(left)))
        if own.inside_hlo:
            twins = self._evidence.twins_of(op.id, own.inside_hlo)
            into = next((self._into(self._evidence.work_of(twin)) for twin in twins), ())
            reason = "none of its ops is left by name: see what became of each"
            return XlaFate(op.id, op.op_type, "inlined", LOWERING, into, reason=reason)
        return None

    def _fate_of_present(self, op: OpNode, own: OpInstructions) -> XlaFate:
        working = self._evidence.work_of(op.id)
        has_constant = any(made.opcode == "constant" for made in own.optimized)
        if not working and has_constant and op.op_type != "Const":
            return self._fate_of_constant(op, own)
        shown = working or own.optimized
        into = self._into(shown)
        if any(self._is_shared_fusion(place) for made in shown for place in self._evidence.places.of(made)):
            return self._measured(op, own, XlaFate(op.id, op.op_type, "fused", OPTIMIZATION, into))
        if not own.hlo:
            reason = "it was not named before XLA's passes: perhaps they changed it"
            return XlaFate(op.id, op.op_type, "kept", "", into, "guessed", reason)
        if _opcodes(own.hlo) == _opcodes(own.optimized):
            return self._measured(op, own, XlaFate(op.id, op.op_type, "kept", "", into))
        return self._measured(op, own, XlaFate(op.id, op.op_type, "changed", OPTIMIZATION, into))

    def _is_shared_fusion(self, place: HloInstruction) -> bool:
        return place.opcode == "fusion" and len(self._evidence.origins[place.key].ops) > 1

    def _measured(self, op: OpNode, own: OpInstructions, fate: XlaFate) -> XlaFate:
        """The fate as read from the texts, unless a name in them may mean several ops."""
        if own.is_sure:
            return fate
        return fate._replace(basis="guessed", reason="the names in the HLO fit more than one op, or not exactly")

    def _fate_of_constant(self, op: OpNode, own: OpInstructions) -> XlaFate:
        """Only constants have its name: its result, or operands of it that other instructions share."""
        if (merged := self._merged(op, own)) is not None:
            return merged
        results = {_without_layout(made.shape) for made in own.hlo[-1:]}
        folded = [made for made in own.optimized if _without_layout(made.shape) in results or not results]
        if folded:
            seam = LOWERING if all(made.opcode == "constant" for made in own.hlo) and own.hlo else OPTIMIZATION
            return self._measured(op, own, XlaFate(op.id, op.op_type, "folded", seam, self._into(folded)))
        reason = "only constants that it used are left: simplified away or merged; HLO does not say"
        return XlaFate(op.id, op.op_type, "removed", OPTIMIZATION, (), "guessed", reason)

    def _fate_of_vanished(self, op: OpNode, own: OpInstructions) -> XlaFate:
        values = self._evidence.values
        if all(made.key in values.unused for made in own.hlo):
            return XlaFate(op.id, op.op_type, "removed", OPTIMIZATION, reason="no result depends on it")
        if own.hands_on:
            return XlaFate(op.id, op.op_type, "removed", OPTIMIZATION, reason="its result is its input, unchanged")
        if (merged := self._merged(op, own)) is not None:
            return merged
        if own.hlo[-1].key in values.constants:
            reason = "computed from constants alone, and no instruction has its name"
            return XlaFate(op.id, op.op_type, "folded", OPTIMIZATION, (), "guessed", reason)
        reason = "no instruction of the optimized HLO has its name: simplified away or merged; HLO does not say"
        if all(made.opcode in MOVES_DATA for made in own.hlo):
            reason = "it only moved data, and no instruction of the optimized HLO has its name"
        return XlaFate(op.id, op.op_type, "removed", OPTIMIZATION, (), "guessed", reason)

    def _merged(self, op: OpNode, own: OpInstructions) -> XlaFate | None:
        """Into an op whose instruction computed the same in the HLO, when that one is still there."""
        twin = next(self._evidence.twins_of(op.id, own.hlo), None)
        if twin is None:
            return None
        into = self._into(self._evidence.work_of(twin))
        reason = f"computes the same as {twin}"
        return self._measured(op, own, XlaFate(op.id, op.op_type, "merged", OPTIMIZATION, into, reason=reason))

    def _fate_without_instruction(self, op: OpNode, is_constant: bool) -> XlaFate:
        rule = fate_without_instruction(op, is_constant)
        reason = rule.reason
        if not rule.is_known and not self._evidence.has_names:
            reason = "the HLO names no ops at all: what became of it cannot be told"
        seam = "" if rule.fate == "kept" else LOWERING
        into: tuple[str, ...] = ()
        if is_argument(op) and not op.function:
            into = self._into(self._evidence.parameters_of(op.id))
        elif is_assignment(op):
            into = self._into(self._evidence.results)
        return XlaFate(op.id, op.op_type, rule.fate, seam, into, "guessed", reason)


def _opcodes(instructions: Iterable[HloInstruction]) -> set[str]:
    """What they compute; of an op that only moves data: how."""
    every = {made.opcode for made in instructions} - PACKING
    return every - MOVES_DATA or every - {"constant"}


def _without_layout(shape: str) -> str:
    return shape.partition("{")[0]


def _follow_folded(traced: GraphModel, fates: dict[str, XlaFate]) -> None:
    """A folded op went into what uses it: followed from the last op back, so that cascades end in an instruction."""
    for identity in reversed(traced.topological_order):
        fate = fates[identity]
        if fate.fate != "folded" or fate.into:
            continue
        users = [edge.target for edge in traced.consumers.get(identity, ()) if edge.output >= 0]
        into = tuple(dict.fromkeys(name for user in users for name in fates[user].into))
        fates[identity] = fate._replace(into=into)
