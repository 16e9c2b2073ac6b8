"""Which ops an op that ran came from, gathered over the graph itself and the functions that stayed calls."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tfgraphdbg.analyses.fates.edits import PassRun
from tfgraphdbg.analyses.fates.rewrite_fates import RewriteFates
from tfgraphdbg.graph_model import GraphModel, OpNode, op_id

SPECIALIZED = "_specialized_for_"
"""Between a library function's name and the call that Grappler made a copy of it for."""


class Origins:
    """By id of an op that ran: the ids of the ops that it came from, in the order in which they were told."""

    def __init__(self) -> None:
        # Most ops have one origin: a table for each would be tens of thousands of tables.
        self._first: dict[str, str] = {}
        self._more: dict[str, dict[str, None]] = {}
        self._graphs: dict[str, RewriteFates] = {}

    def add_graph(self, item: str, followed: RewriteFates) -> None:
        """Tell of the graph itself (no name), or of a function that stayed a call under the name `item`."""
        self._graphs[item] = followed

    def add(self, id_: str, origin: str) -> None:
        """Tell that the op `id_` (empty: none) came from `origin`."""
        if id_ and self._first.setdefault(id_, origin) != origin:
            self._more.setdefault(id_, {})[origin] = None

    def _of(self, id_: str) -> tuple[str, ...]:
        return (self._first[id_], *self._more.get(id_, ())) if id_ in self._first else ()

    def without(self, optimized: GraphModel, traced: GraphModel) -> Iterator[tuple[OpNode, PassRun | None]]:
        """The ops that ran and came from none, each with the pass that made it (None: not known).

        Before that, ops that compute a part of what others did get their origins, and copies of functions theirs.
        """
        for item, followed in self._graphs.items():
            for name in followed.part_of:
                self._add_part(item, name, followed)
        for op in self._last_ops(optimized):
            id_ = op.id
            if id_ in self._first:
                continue
            base = op_id(op.function.partition(SPECIALIZED)[0], op.name)
            if op.function and base in traced.by_id:
                self.add(id_, base)
            else:
                yield op, self._made_by(op)

    def _last_ops(self, optimized: GraphModel) -> Iterator[OpNode]:
        yield from optimized.ops
        for item, followed in self._graphs.items():
            if item:
                for name, op in followed.now.items():
                    if op_id(item, name) not in optimized.by_id:
                        yield msgspec.structs.replace(op, function=item)

    def _add_part(self, item: str, name: str, followed: RewriteFates) -> None:
        part, whole = followed.ended_in(name), name
        while whole in followed.part_of:
            whole = followed.part_of[whole]
        ended = op_id(item, followed.ended_in(whole))
        if part and op_id(item, part) not in self._first:
            for origin in self._of(ended):
                self.add(op_id(item, part), origin)

    def _made_by(self, op: OpNode) -> PassRun | None:
        graph = self._graphs.get(op.function)
        if graph is not None:
            return graph.made_by.get(op.name)
        return PassRun("function_optimizer", None) if SPECIALIZED in op.function else None

    def as_tuples(self) -> dict[str, tuple[str, ...]]:
        """All of them."""
        more = self._more
        return {id_: (first, *more[id_]) if id_ in more else (first,) for id_, first in self._first.items()}
