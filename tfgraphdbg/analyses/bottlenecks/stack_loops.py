"""Python stacks and source text -> the loops that each stack is in, and the recursions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.loop_statements import LoopStatement, SourceLoops
from tfgraphdbg.recording import StackTable

_AUTOGRAPH = "autograph/operators/control_flow.py"


class StackLoops(NamedTuple):
    """The loops of all stacks; `chains` and `same_code` are by stack, and their last entry is for no stack."""

    loops: tuple[LoopStatement, ...]
    chains: tuple[tuple[int, ...], ...]
    """Positions in `loops`, outermost first; equal chains are one object, so that they can be told apart quickly."""
    same_code: tuple[int, ...]
    """A number, equal for stacks that differ in autograph's own frames and in the depth of a recursion alone."""
    converted: frozenset[int]
    """Loops that autograph converted: over a tensor they would be a while loop in the graph."""


def loops_by_stack(stacks: StackTable, source_loops: SourceLoops) -> StackLoops:
    """Look up each frame once, and put the loops of a stack's frames together."""
    finder = _Finder(stacks, source_loops)
    found: dict[tuple[int, ...], tuple[int, ...]] = {}
    codes: dict[tuple[int, ...], int] = {}
    chains, same_code = [], []
    for stack in stacks.stacks:
        chain, code = finder.chain_and_code(stack)
        chains.append(found.setdefault(chain, chain))
        same_code.append(codes.setdefault(code, len(codes)))
    return StackLoops(tuple(finder.numbers), (*chains, ()), (*same_code, -1), frozenset(finder.converted))


class _Finder:
    def __init__(self, stacks: StackTable, source_loops: SourceLoops) -> None:
        self.numbers: dict[LoopStatement, int] = {}
        self.converted: set[int] = set()
        frames = stacks.frames
        self._by_autograph = [frame.library and frame.file.replace("\\", "/").endswith(_AUTOGRAPH) for frame in frames]
        self._of_frame = [
            () if frame.library else tuple(map(self._number, source_loops.around(frame))) for frame in frames
        ]
        self._is_library = [frame.library for frame in frames]
        self._recursions: dict[int, int] = {}
        for stack in stacks.stacks:
            place = self._recursing_place(stack)
            if place is not None:
                frame = frames[stack[place]]
                recursion = LoopStatement(frame.file, frame.function, "recursion", frame.line, frame.line, frame.line)
                self._recursions[stack[place]] = self._number(recursion)

    def _number(self, loop: LoopStatement) -> int:
        return self.numbers.setdefault(loop, len(self.numbers))

    def _recursing_place(self, stack: Sequence[int]) -> int | None:
        """Where the outermost line of the user's is through which a function calls itself: it is there twice."""
        if len(set(stack)) == len(stack):
            return None
        counts = Counter(stack)
        places = (
            place
            for place, frame in enumerate(stack)
            # The line of a loop is twice on the stack when autograph runs its body, and is no recursion.
            if counts[frame] > 1 and not self._is_library[frame] and not self._of_frame[frame]
        )
        return next(places, None)

    def chain_and_code(self, stack: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The loops that a stack is in, and its frames without what differs from iteration to iteration."""
        chain: dict[int, None] = {}
        code: list[int] = []
        for place, frame in enumerate(stack):
            if self._by_autograph[frame]:
                continue
            for loop in self._of_frame[frame]:
                # Autograph calls the body of a loop, or a branch in it, as a function of its own.
                if place and self._by_autograph[stack[place - 1]]:
                    self.converted.add(loop)
                chain[loop] = None
            if frame in self._recursions:
                chain[self._recursions[frame]] = None
                if frame in code:
                    del code[code.index(frame) :]
            code.append(frame)
        return tuple(chain), tuple(code)
