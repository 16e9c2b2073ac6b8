"""The ops of an eager run -> the ops of the traced graph that they are, found by place in Python, type and shape.

Places are tried from the most exact to none, and at each place outputs from equal to merely possible; of several alike
ops the order decides. An op in the body of a loop or of a called function runs several times for one op in the graph.
"""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.eager.match_keys import Place, Places, could_be, ranks, signature
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

KeyOf = Callable[[Place], Hashable]
OutputsKeyOf = Callable[[EagerOp | OpNode], Hashable]


class Match(NamedTuple):
    """One eager op and the traced op that it is."""

    traced: str
    found_by: str


class _Round(NamedTuple):
    """One way of telling which ops may belong together."""

    found_by: str
    place: KeyOf
    outputs: OutputsKeyOf
    types: Mapping[str, str] = _GRAPH_TYPES
    """Eager op types that are called otherwise in a graph."""


def _nothing(_: object) -> Hashable:
    return ()


def _exact(op: EagerOp | OpNode) -> Hashable:
    return signature(op.outputs)


def _ranks(op: EagerOp | OpNode) -> Hashable:
    return ranks(op.outputs)


_BY_PLACE: tuple[tuple[str, KeyOf], ...] = (
    (FOUND_BY[0], lambda place: place.stack),
    (FOUND_BY[1], lambda place: place.user_stack),
    (FOUND_BY[2], lambda place: place.line),
)

_ROUNDS: tuple[_Round, ...] = (
    *(_Round(found_by, place, outputs) for found_by, place in _BY_PLACE for outputs in (_exact, _ranks, _nothing)),
    *(_Round(found_by, place, _exact, _KNOWN_WHILE_TRACING) for found_by, place in _BY_PLACE),
    _Round(FOUND_BY[-1], _nothing, _exact),
)


def match_ops(
    eager: Sequence[EagerOp], traced: Iterable[OpNode], places: Places, unused_functions: frozenset[str] = frozenset()
) -> dict[int, Match]:
    """For each eager op, by its index, the traced op that it is; one that is in no graph has no entry.

    `unused_functions`: library functions that are not part of what ran, copies of others for the most part.
    """
    ops = [op for op in traced if op.op_type not in _ARGUMENTS]
    left = list(eager)
    found: dict[int, Match] = {}
    for unused in (False, True):
        free = [op for op in ops if (op.function in unused_functions) is unused]
        for round_ in _ROUNDS:
            if not left or not free:
                break
            left = _match_round(round_, left, free, places, found)
            used = {match.traced for match in found.values()}
            free = [op for op in free if op.id not in used]
    return found


def _match_round(
    round_: _Round, eager: list[EagerOp], traced: list[OpNode], places: Places, found: dict[int, Match]
) -> list[EagerOp]:
    """Match what this round can; the eager ops that are left."""
    anywhere = round_.found_by == FOUND_BY[-1]
    groups: defaultdict[Hashable, list[OpNode]] = defaultdict(list)
    for op in traced:
        place = round_.place(places.of(op.stack))
        if place or (anywhere and op.op_type not in _TOO_COMMON):
            groups[place, op.op_type, round_.outputs(op)].append(op)
    alike: defaultdict[Hashable, list[EagerOp]] = defaultdict(list)
    left: list[EagerOp] = []
    for eager_op in eager:
        place = round_.place(places.of(eager_op.stack))
        key = (place, round_.types.get(eager_op.op_type, eager_op.op_type), round_.outputs(eager_op))
        if (place or anywhere) and key in groups:
            alike[key].append(eager_op)
        else:
            left.append(eager_op)
    for group, ops in alike.items():
        left += _match_alike(round_.found_by, ops, groups[group], found)
    left.sort(key=lambda op: op.index)
    return left


def _match_alike(found_by: str, eager: list[EagerOp], traced: list[OpNode], found: dict[int, Match]) -> list[EagerOp]:
    """Match ops that only their order tells apart; the rest of them."""
    free = deque(_repeated(traced, len(eager)))
    left: list[EagerOp] = []
    for eager_op in eager:
        for position, op in enumerate(itertools.islice(free, _MOST_TRIED)):
            if could_be(eager_op.outputs, op.outputs):
                del free[position]
                found[eager_op.index] = Match(op.id, found_by)
                break
        else:
            left.append(eager_op)
    return left


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
