"""The ops of an eager run -> the ops of the traced graph that they are, found by place in Python, type and shape.

Places are tried from the most exact to none, and at each place outputs from equal to merely possible; of several alike
ops the order decides. An op in the body of a loop or of a called function runs several times for one op in the graph.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple, cast

from tfgraphdbg.analyses.eager.match_keys import Places, could_be, ranks
from tfgraphdbg.eager_run import EagerOp
from tfgraphdbg.graph_model import OpNode

FOUND_BY = ("stack", "user stack", "line", "type and shape")

_GRAPH_TYPES = {"_EagerConst": "Const"}
"""What an eager op type is called in a graph."""

_KNOWN_WHILE_TRACING = dict.fromkeys(("Shape", "ShapeN", "Size", "Rank"), "Const")
"""Op types in whose place tracing puts a constant when all sizes are known."""

_TOO_COMMON = frozenset({"Const", "Identity", "NoOp", "Placeholder"})
"""Op types that say nothing when the place in Python is not known."""

_ARGUMENTS = frozenset({"Placeholder", "_Arg"})

_MOST_TRIED = 16


class Match(NamedTuple):
    """One eager op and the traced op that it is."""

    traced: str
    found_by: str


class _Alike(NamedTuple):
    """An op as the numbers by which it is compared: equal ones have equal numbers, and 0 stands for none."""

    op: EagerOp | OpNode
    op_type: str
    while_tracing: str
    """The op type to look for where tracing may have put a constant."""
    places: tuple[int, int, int, int]
    """Its stack, the user's part of it, the line; and nothing."""
    outputs: tuple[int, int, int]
    """Dtypes and shapes, dtypes and ranks; and nothing."""


_EXACT, _RANKS, _NOTHING = range(3)

_ANYWHERE = 3


class _Round(NamedTuple):
    """One kind of place at which ops may meet: indices into an `_Alike`'s keys."""

    place: int
    outputs: tuple[int, ...] = (_EXACT,)
    """Tried one after the other, among the ops of one place and type."""
    while_tracing: bool = False


_ROUNDS: tuple[_Round, ...] = (
    *(_Round(place, (_EXACT, _RANKS, _NOTHING)) for place in range(3)),
    *(_Round(place, while_tracing=True) for place in range(3)),
    _Round(_ANYWHERE),
)


class _Numbers:
    """Ops -> `_Alike`s. Places and shapes are compared here, once an op, and by their numbers ever after."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._outputs: dict[Hashable, tuple[int, int, int]] = {}
        self._ranks: dict[Hashable, int] = {}

    def of(self, op: EagerOp | OpNode, op_type: str, while_tracing: str = "") -> _Alike:
        outputs = self._outputs.get(op.outputs)
        if outputs is None:
            number = self._ranks.setdefault(ranks(op.outputs), len(self._ranks))
            outputs = self._outputs[op.outputs] = (len(self._outputs), number, 0)
        return _Alike(op, op_type, while_tracing, (*self._places.of(op.stack), 0), outputs)


def match_ops(
    eager: Sequence[EagerOp], traced: Iterable[OpNode], places: Places, unused_functions: frozenset[str] = frozenset()
) -> dict[int, Match]:
    """For each eager op, by its index, the traced op that it is; one that is in no graph has no entry.

    `unused_functions`: library functions that are not part of what ran, copies of others for the most part.
    """
    numbers = _Numbers(places)
    ops = [numbers.of(op, op.op_type) for op in traced if op.op_type not in _ARGUMENTS]
    left = [
        numbers.of(op, _GRAPH_TYPES.get(op.op_type, op.op_type), _KNOWN_WHILE_TRACING.get(op.op_type, op.op_type))
        for op in eager
    ]
    found: dict[int, Match] = {}
    for unused in (False, True):
        free = [entry for entry in ops if (cast(OpNode, entry.op).function in unused_functions) is unused]
        for round_ in _ROUNDS:
            matched = _match_round(round_, left, free) if free else {}
            if matched:
                found.update(matched)
                left = [entry for entry in left if cast(EagerOp, entry.op).index not in matched]
                used = {match.traced for match in matched.values()}
                free = [entry for entry in free if cast(OpNode, entry.op).id not in used]
    return found


def _match_round(round_: _Round, eager: list[_Alike], traced: list[_Alike]) -> dict[int, Match]:
    """Match what this round can."""
    there: dict[tuple[int, str], tuple[list[_Alike], list[_Alike]]] = {}
    for entry in eager:
        place = entry.places[round_.place]
        if place or round_.place == _ANYWHERE:
            op_type = entry.while_tracing if round_.while_tracing else entry.op_type
            there.setdefault((place, op_type), ([], []))[0].append(entry)
    for entry in traced:
        place, op_type = entry.places[round_.place], entry.op_type
        if place or (round_.place == _ANYWHERE and op_type not in _TOO_COMMON):
            group = there.get((place, op_type))
            if group is not None:
                group[1].append(entry)
    found: dict[int, Match] = {}
    for ours, theirs in there.values():
        if theirs:
            _match_group(round_, ours, theirs, found)
    return found


def _match_group(round_: _Round, eager: list[_Alike], traced: list[_Alike], found: dict[int, Match]) -> None:
    """Match ops of one type at one place: those with equal outputs first."""
    used: set[str] = set()
    for outputs in round_.outputs:
        groups: dict[int, list[OpNode]] = {}
        for entry in traced:
            if not used or cast(OpNode, entry.op).id not in used:
                groups.setdefault(entry.outputs[outputs], []).append(cast(OpNode, entry.op))
        alike: dict[int, list[EagerOp]] = {}
        for entry in eager:
            if entry.outputs[outputs] in groups and cast(EagerOp, entry.op).index not in found:
                alike.setdefault(entry.outputs[outputs], []).append(cast(EagerOp, entry.op))
        for key, ops in alike.items():
            for index, traced_id in _match_alike(ops, groups[key]):
                found[index] = Match(traced_id, FOUND_BY[round_.place])
                used.add(traced_id)


def _match_alike(eager: list[EagerOp], traced: list[OpNode]) -> Iterator[tuple[int, str]]:
    """Match ops that only their order tells apart."""
    free = deque(_repeated(traced, len(eager)))
    for eager_op in eager:
        for position, op in enumerate(itertools.islice(free, _MOST_TRIED)):
            if could_be(eager_op.outputs, op.outputs):
                del free[position]
                yield eager_op.index, op.id
                break


def _repeated(traced: list[OpNode], runs: int) -> list[OpNode]:
    """The ops as often as they ran, in order: those of function bodies several times, body after body."""
    bodies: dict[str, list[OpNode]] = {}
    for op in traced:
        bodies.setdefault(op.function, []).append(op)
    once = bodies.pop("", [])
    in_bodies = sum(map(len, bodies.values()))
    if not bodies or runs <= len(traced):
        return traced
    times, more = divmod(runs - len(once), in_bodies)
    repeated = list(once)
    for body in bodies.values():
        repeated += body * times
    # What does not come out even is taken to be of the last body: a loop that was left early.
    return repeated + list(itertools.islice(itertools.cycle(next(reversed(bodies.values()))), more))
