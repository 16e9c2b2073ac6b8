"""The ops of an eager run -> the ops of the traced graph that they are, found by place in Python, type and shape.

Places are tried from the most exact to none, and at each place outputs from equal to merely possible; of several alike
ops the order decides. An op in the body of a loop or of a called function runs several times for one op in the graph.
"""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.eager.match_keys import Place, Places, could_be, ranks
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

    def type_of(self, op: EagerOp) -> str:
        """The op type to look for in the graph."""
        return self.types.get(op.op_type, op.op_type)


def _nothing(_: object) -> Hashable:
    return ()


def _exact(op: EagerOp | OpNode) -> Hashable:
    return op.outputs


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
        free: defaultdict[str, list[OpNode]] = defaultdict(list)
        for op in ops:
            if (op.function in unused_functions) is unused:
                free[op.op_type].append(op)
        for round_ in _ROUNDS:
            # Most ops are matched in the first round, and most of the others have no op of their type to go with.
            able = [op for op in left if free.get(round_.type_of(op))]
            wanted = {round_.type_of(op) for op in able}
            matched = _match_round(round_, able, [op for op_type in wanted for op in free[op_type]], places)
            if matched:
                found.update(matched)
                left = [op for op in left if op.index not in matched]
                used = {match.traced for match in matched.values()}
                for op_type in wanted:
                    free[op_type] = [op for op in free[op_type] if op.id not in used]
    return found


def _match_round(round_: _Round, eager: list[EagerOp], traced: list[OpNode], places: Places) -> dict[int, Match]:
    """Match what this round can."""
    anywhere = round_.found_by == FOUND_BY[-1]
    groups: defaultdict[Hashable, list[OpNode]] = defaultdict(list)
    for op in traced:
        place = round_.place(places.of(op.stack))
        if place or (anywhere and op.op_type not in _TOO_COMMON):
            groups[place, op.op_type, round_.outputs(op)].append(op)
    alike: defaultdict[Hashable, list[EagerOp]] = defaultdict(list)
    for eager_op in eager:
        place = round_.place(places.of(eager_op.stack))
        key = (place, round_.type_of(eager_op), round_.outputs(eager_op))
        if (place or anywhere) and key in groups:
            alike[key].append(eager_op)
    found: dict[int, Match] = {}
    for group, ops in alike.items():
        for index, traced_id in _match_alike(ops, groups[group]):
            found[index] = Match(traced_id, round_.found_by)
    return found


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
