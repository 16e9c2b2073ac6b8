"""Traced graph -> where a Python loop made the same ops again and again: its runs, and the copies in each."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.loop_statements import LoopStatement, SourceLoops
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.recording import StackTable

MIN_COPIES = 8

MIN_ALIKE = 0.5
"""Share of a run's ops that copies of one form must make up."""

_AUTOGRAPH = "autograph/operators/control_flow.py"


class Copies(NamedTuple):
    """One run of a loop, cut into its iterations."""

    starts: tuple[int, ...] = ()
    """Where each copy of the most common form begins, as an index into the positions of the run."""
    length: int = 0
    """Ops of one copy."""

    @property
    def ops(self) -> int:
        """Ops of all copies."""
        return len(self.starts) * self.length


class LoopRun(NamedTuple):
    """The ops that one execution of a loop put into a graph: positions in it, in the order in which they were made."""

    loop: int
    """Position in `RepeatedOps.loops`."""
    positions: tuple[int, ...]
    copies: Copies

    def each_copy(self) -> Iterator[tuple[int, ...]]:
        """The positions of each copy's ops in the graph."""
        for start in self.copies.starts:
            yield self.positions[start : start + self.copies.length]


class RepeatedOps(NamedTuple):
    """All that loops of the user's source made in a graph."""

    loops: tuple[LoopStatement, ...]
    runs: tuple[LoopRun, ...]
    """Those that consist of copies, in the order of their ends: inner ones first."""
    of_loop: dict[int, list[int]]
    """Positions of all ops that were made while a loop ran, in library functions too."""
    inside: dict[int, set[int]]
    """By loop: those that ran inside it."""
    converted: frozenset[int]
    """Loops that autograph converted: over a tensor they would be a while loop in the graph."""


class _Chains(NamedTuple):
    """The loops that each stack is in, outermost first; the last entry is for no stack."""

    loops: tuple[LoopStatement, ...]
    of_stack: tuple[tuple[int, ...], ...]
    same_code: tuple[int, ...]
    """A number for each stack, equal for stacks that differ in autograph's own frames alone."""
    converted: frozenset[int]


def repeated_ops(graph: GraphModel, stacks: StackTable, source_loops: SourceLoops) -> RepeatedOps:
    """Cut the graph into runs of loops: while a loop runs, every op that is made has it on its stack."""
    loops, of_stack, same_code, converted = _chains(stacks, source_loops)
    of_loop: dict[int, list[int]] = {}
    inside: dict[int, set[int]] = {}
    ended: list[tuple[int, list[int]]] = []
    running: dict[int, list[int]] = {}
    function = ""
    before: tuple[int, ...] = ()
    for position, op in enumerate(graph.ops) if loops else ():
        chain = of_stack[op.stack]
        for loop in chain:
            of_loop.setdefault(loop, []).append(position)
        # What a loop takes from outside becomes an argument once, in the middle of its first iteration.
        if op.op_type == "Placeholder":
            continue
        if chain is not before or op.function != function:
            kept = chain if op.function == function else ()
            ended += [(loop, running.pop(loop)) for loop in list(reversed(running)) if loop not in kept]
            for place, loop in enumerate(chain):
                inside.setdefault(loop, set()).update(chain[place + 1 :])
            function, before = op.function, chain
        for loop in chain:
            running.setdefault(loop, []).append(position)
    runs = (
        LoopRun(loop, tuple(positions), _copies(positions, graph.ops, same_code, loops[loop].times))
        for loop, positions in (*ended, *reversed(running.items()))
    )
    return RepeatedOps(loops, tuple(run for run in runs if run.copies.starts), of_loop, inside, converted)


def _chains(stacks: StackTable, source_loops: SourceLoops) -> _Chains:
    numbers: dict[LoopStatement, int] = {}
    of_frame = [
        () if frame.library else tuple(numbers.setdefault(loop, len(numbers)) for loop in source_loops.around(frame))
        for frame in stacks.frames
    ]
    by_autograph = [frame.library and frame.file.replace("\\", "/").endswith(_AUTOGRAPH) for frame in stacks.frames]
    converted: set[int] = set()
    chains: dict[tuple[int, ...], tuple[int, ...]] = {}
    of_stack = []
    codes: dict[tuple[int, ...], int] = {}
    same_code = []
    for stack in stacks.stacks:
        chain: dict[int, None] = {}
        for place, frame in enumerate(stack):
            for loop in of_frame[frame]:
                # Autograph calls the body of a loop, or a branch in it, as a function of its own.
                if place and by_autograph[stack[place - 1]]:
                    converted.add(loop)
                chain[loop] = None
        # Equal chains are one object, so that they can be told apart quickly.
        found = tuple(chain)
        of_stack.append(chains.setdefault(found, found))
        code = tuple(frame for frame in stack if not by_autograph[frame])
        same_code.append(codes.setdefault(code, len(codes)))
    return _Chains(tuple(numbers), (*of_stack, ()), (*same_code, -1), frozenset(converted))


def _copies(positions: list[int], ops: Sequence[OpNode], same_code: Sequence[int], times: int | None) -> Copies:
    return find_copies([(same_code[ops[position].stack], ops[position].op_type) for position in positions], times)


def find_copies(keys: Sequence[Hashable], times: int | None = None) -> Copies:
    """Find the iterations in a run: those of one form, if they make up most of it; else nothing.

    A key that each iteration makes equally often tells where they begin. `times`: how many iterations there are.
    """
    best = Copies()
    counts = Counter(keys)
    # Keys come in the order of their first appearance, so this is the first op of its kind in an iteration.
    anchors: dict[int, Hashable] = {}
    for key, count in counts.items():
        if count >= MIN_COPIES:
            anchors.setdefault(count, key)
    for count, anchor in sorted(anchors.items())[:24]:
        places = [place for place, key in enumerate(keys) if key == anchor]
        each = count // times if times and count % times == 0 else 1
        found = _most_common_form(keys, places[::each])
        if found.ops > best.ops:
            best = found
    if len(best.starts) < MIN_COPIES or best.ops < MIN_ALIKE * len(keys):
        return Copies()
    return best


def _most_common_form(keys: Sequence[Hashable], places: Sequence[int]) -> Copies:
    forms: dict[tuple[Hashable, ...], list[int]] = {}
    for begin, end in itertools.pairwise(places):
        forms.setdefault(tuple(keys[begin:end]), []).append(begin)
    if not forms:
        return Copies()
    form, starts = max(forms.items(), key=lambda item: len(item[0]) * len(item[1]))
    # Behind the last copy there may be ops that the end of the loop made.
    if tuple(keys[places[-1] : places[-1] + len(form)]) == form:
        starts.append(places[-1])
    return Copies(tuple(starts), len(form))
