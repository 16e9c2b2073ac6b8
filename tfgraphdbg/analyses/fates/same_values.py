"""Whether an op reads the same values before and after rewrites, however the names of what it reads changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tfgraphdbg.analyses.fates.edits import ANY_ORDER, MAX_CHAIN
from tfgraphdbg.analyses.fates.op_inputs import data_inputs, output_of, producer
from tfgraphdbg.analyses.fates.rewrite_fates import RewriteFates
from tfgraphdbg.analyses.fates.rules import PASS_THROUGH
from tfgraphdbg.graph_model import OpNode


class SameValues:
    """Whether an op of the last graph reads the values that it read at first."""

    def __init__(self, followed: RewriteFates, known: Callable[[str], OpNode | None]) -> None:
        self._followed = followed
        self._known = known

    def reads_the_same(self, before: OpNode, now: OpNode) -> bool:
        """Whether each input is what the one before stands for; the order counts where the op minds it."""
        if before.inputs == now.inputs:
            return True
        was, reads = data_inputs(before), data_inputs(now)
        if len(was) != len(reads):
            return False
        if all(old == new or self._is_same(old, new) for old, new in zip(was, reads, strict=True)):
            return True
        return before.op_type in ANY_ORDER and self._is_permutation(was, reads)

    def _is_permutation(self, was: Sequence[str], reads: Sequence[str]) -> bool:
        left = list(reads)
        for old in was:
            found = next((new for new in left if self._is_same(old, new)), None)
            if found is None:
                return False
            left.remove(found)
        return True

    def _is_same(self, old: str, new: str) -> bool:
        """Whether `new` stands for the value of `old`: itself, what it ended in, or what it only passes on."""
        if old == new:
            return True
        new_name = producer(new)
        for _ in range(MAX_CHAIN):
            name, output = producer(old), output_of(old)
            if name == new_name or new_name in self._followed.all_ended_in(name):
                return True
            op = self._known(name)
            inputs = data_inputs(op) if op is not None and op.op_type in PASS_THROUGH else ()
            if output >= len(inputs):
                return False
            old = inputs[output]
        return False
