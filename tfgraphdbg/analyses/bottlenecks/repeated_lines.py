"""Traced graph -> where a Python loop made the same ops again and again: its runs, and the copies in each."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence, Set
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.loop_statements import LoopStatement, SourceLoops
from tfgraphdbg.analyses.bottlenecks.stack_loops import StackLoops, loops_by_stack
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.recording import StackTable

MIN_COPIES = 8

MIN_ALIKE = 0.5
"""Share of a run's ops that copies of one form must make up."""


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


def repeated_ops(graph: GraphModel, stacks: StackTable, source_loops: SourceLoops) -> RepeatedOps:
    """Cut the graph into runs of loops: while a loop runs, every op that is made has it on its stack."""
    # A stack that is not there is damage, and this says so.
    stacks.frames_of(max((op.stack for op in graph.ops), default=-1))
    by_stack = loops_by_stack(stacks, source_loops)
    of_loop: dict[int, list[int]] = {}
    inside: dict[int, set[int]] = {}
    ended: list[tuple[int, list[int]]] = []
    running: dict[int, list[int]] = {}
    function = ""
    before: tuple[int, ...] = ()
    for position, op in enumerate(graph.ops) if by_stack.loops else ():
        chain = by_stack.chains[op.stack]
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
        LoopRun(loop, tuple(positions), _copies(positions, graph.ops, by_stack, loop))
        for loop, positions in (*ended, *reversed(running.items()))
    )
    made = tuple(run for run in runs if run.copies.starts)
    return RepeatedOps(by_stack.loops, made, of_loop, inside, by_stack.converted)


def _copies(positions: list[int], ops: Sequence[OpNode], stacks: StackLoops, loop: int) -> Copies:
    keys = []
    direct = set()
    for position in positions:
        stack, op_type = ops[position].stack, ops[position].op_type
        key = (stacks.same_code[stack], op_type)
        keys.append(key)
        if stacks.chains[stack][-1] == loop:
            direct.add(key)
    return find_copies(keys, stacks.loops[loop].times, direct)


def find_copies(keys: Sequence[Hashable], times: int | None = None, direct: Set[Hashable] = frozenset()) -> Copies:
    """Find the iterations in a run: those of one form, if they make up most of it; else nothing.

    A key that each iteration makes equally often tells where they begin. `times`: how many iterations there are.
    `direct`: keys of ops that no loop inside this one made; where there are any, only these tell.
    """
    best = Copies()
    counts = Counter(keys)
    # Keys come in the order of their first appearance, so this is the first op of its kind in an iteration.
    anchors: dict[int, Hashable] = {}
    for key, count in counts.items():
        if count >= MIN_COPIES and (not direct or key in direct):
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
