"""Where the bodies of library functions were inlined, and what each of their ops and arguments became there.

What the runtime names (seen on TensorFlow 2.16 and 2.21): the body of a call `c` becomes `c/<op>`; its arguments are
read by `Func/c/input/_4`, `Func/c/input/_5` ..., numbered in their order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping

from tfgraphdbg.analyses.fates.rules import CALLS, kind_of
from tfgraphdbg.graph_model import FUNCTION_SEPARATOR, GraphModel, OpNode

_GIVES_VALUE = ("exit", "output", "merge")
"""What gives the value of a loop, call or branch, best first: `c/exit/_7`, `Func/c/output/_4`, `c/merge/_9`."""

_PASSED = re.compile(r"Func/(.+)/input/_(\d+)", re.DOTALL)


class InlinedBodies:
    """The library functions of a traced graph, and their copies in the graph that Grappler was given."""

    def __init__(self, traced: GraphModel, given: Iterable[OpNode]) -> None:
        self.bodies: dict[str, dict[str, OpNode]] = {name: {} for name in traced.functions}
        """The ops of each library function by name, as they were traced."""
        for op in traced.ops:
            if op.function:
                self.bodies[op.function][op.name] = op
        self._traced = traced
        self._copies: dict[str, list[str]] = {}
        self._taken_apart: set[str] = set()
        self._places: dict[str, dict[str, None]] = {}
        self._call_types = CALLS | self.bodies.keys()
        self._passed: Mapping[str, list[str]] = {}
        # Of other ops nobody asks what they became: most ops of most graphs are just those.
        calls = {op.id for op in traced.ops if op.op_type in self._call_types}
        if calls or self.bodies:
            self._note_copies(given, calls)

    def _note_copies(self, given: Iterable[OpNode], calls: Container[str]) -> None:
        passed = []
        for op in given:
            if op.name.startswith("Func/"):
                passed.append(op.name)
            for origin in op.origins:
                if FUNCTION_SEPARATOR in origin or origin in calls:
                    self._note_copy(op.name, origin)
        self._passed = _passed_arguments(passed)

    def _note_copy(self, name: str, origin: str) -> None:
        self._copies.setdefault(origin, []).append(name)
        function, _, body_name = origin.rpartition(FUNCTION_SEPARATOR)
        if function:
            self._taken_apart.add(function)
            if name.endswith(f"/{body_name}"):
                self._places.setdefault(function, {})[name[: -len(body_name) - 1]] = None

    def copies_of(self, id_: str) -> list[str]:
        """The ops that Grappler was given and that came from a call or an op of a body: one for each place."""
        return self._copies.get(id_, [])

    def value_of(self, id_: str, op: OpNode, ended_in: Callable[[str], str]) -> str:
        """For a call, loop or branch: where what gives its value ended, or else anything that it became."""
        if op.op_type not in self._call_types:
            return ""
        copies = self.copies_of(id_)
        values = (name for kind in _GIVES_VALUE for name in copies if f"/{kind}/_" in name)
        return next((into for name in (*values, *copies) if (into := ended_in(name))), "")

    def was_taken_apart(self, call: OpNode) -> bool:
        """Whether anything that Grappler was given came from a call, loop or branch."""
        attrs = self._traced.attrs_of(call)
        called = {value for value in attrs.values() if isinstance(value, str)} | {call.op_type}
        return bool(self.copies_of(call.id)) or not called.isdisjoint(self._taken_apart)

    def was_inlined(self, function: str) -> bool:
        """Whether a library function was inlined anywhere."""
        return function in self._taken_apart

    def given_for_argument(self, function: str, argument: OpNode) -> list[str]:
        """The ops by which an inlined body reads what its argument stood for, one for each place."""
        arguments = [op.name for op in self.bodies[function].values() if kind_of(op, ()) == "argument"]
        place = arguments.index(argument.name)
        passed = (self._passed.get(where, ()) for where in self._places.get(function, ()))
        # Another number of them means that some were left out, and the order says nothing.
        return [names[place] for names in passed if len(names) == len(arguments)]


def _passed_arguments(names: Iterable[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        if passed := _PASSED.fullmatch(name):
            found.setdefault(passed[1], []).append((int(passed[2]), name))
    return {where: [name for _, name in sorted(numbered)] for where, numbered in found.items()}
