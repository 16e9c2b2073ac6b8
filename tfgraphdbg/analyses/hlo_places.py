"""Where an HLO instruction runs: by itself in a computation that runs as it stands, or as part of a fusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from tfgraphdbg.analyses.hlo_origins import CALLING_OPCODES
from tfgraphdbg.analyses.hlo_text import HloComputation, HloInstruction, HloModule

Places = tuple[HloInstruction, ...]

PACKING = frozenset({"parameter", "tuple", "get-tuple-element"})
"""Opcodes that only hand values from one computation to another."""

MOVES_DATA = frozenset({*PACKING, "constant", "broadcast", "reshape", "bitcast", "copy", "transpose", "convert"})
"""Opcodes that compute nothing."""


class HloPlaces:
    """The instructions of one module that run on their own, and what runs inside which of them."""

    def __init__(self, module: HloModule) -> None:
        self.module = module
        # None: its instructions run by themselves.
        self._runs_in: dict[str, Places | None] = {}
        if module.entry:
            self._runs_in[module.entry.name] = None
        # A computation stands before those that call it.
        for computation in reversed(module.computations):
            for made in computation.instructions:
                for _, called in made.calls:
                    self._add_caller(called, made)
        self._same_name = Counter(made.name for made in module.instructions())

    def _add_caller(self, called: str, caller: HloInstruction) -> None:
        if caller.opcode in CALLING_OPCODES:
            self._runs_in[called] = None
            return
        known = self._runs_in.get(called, ())
        if known is not None:
            self._runs_in[called] = tuple(dict.fromkeys((*known, *self.of(caller))))

    def of(self, made: HloInstruction) -> Places:
        """The instructions that run it: itself, or each fusion or reduction that it is part of."""
        return self._runs_in.get(made.computation) or (made,)

    def running_computations(self) -> Iterator[HloComputation]:
        """The computations whose instructions run by themselves, the entry first."""
        for computation in reversed(self.module.computations):
            if self._runs_in.get(computation.name, ()) is None:
                yield computation

    def is_running(self, computation: str) -> bool:
        """Whether its instructions run by themselves."""
        return self._runs_in.get(computation, ()) is None

    def name_of(self, made: HloInstruction) -> str:
        """Its name, after its computation where another instruction has the same one."""
        return made.name if self._same_name[made.name] == 1 else f"{made.computation}::{made.name}"

    def label_of(self, made: HloInstruction) -> str:
        """Its name, and for a fusion its kind."""
        return f"{self.name_of(made)} ({made.fusion_kind})" if made.fusion_kind else self.name_of(made)


def callers_of(module: HloModule) -> Mapping[str, tuple[str, HloInstruction]]:
    """For each computation that is called: as what, and by which instruction first."""
    return {
        called: (role, made)
        for computation in reversed(module.computations)
        for made in reversed(computation.instructions)
        for role, called in made.calls
    }
