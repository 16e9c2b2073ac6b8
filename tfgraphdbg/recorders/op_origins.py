"""Which traced op each op of a later stage came from: by debug info, by argument position and by the runtime's names.

What the runtime names (seen on TensorFlow 2.16 and 2.21): an inlined call `c` gives `c/<op>`; a lowered loop or branch
`w` gives `w/body/_4/<op>`, `w/then/_5/<op>` and, for its own machinery, `w/<machinery>/_7`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tfgraphdbg.graph_model import GraphModel, op_id
from tfgraphdbg.recorders.graph_defs import OpFacts, Outputs

BODY_ATTRS: Mapping[str, tuple[str, ...]] = {
    "body": ("body",),
    "cond": ("cond",),
    "then": ("then_branch",),
    "else": ("else_branch",),
    "branches": ("branches",),
}
"""The word that lowering puts after a loop's or a branch's name -> the attr that names the function body."""

CALL_ATTRS = ("f",)

_LOWERED = re.compile(r"(body|cond|then|else|branches|branch\d+)/_\d+/(.+)", re.DOTALL)
_MACHINERY = re.compile(r".*/_\d+\Z", re.DOTALL)


class TracedFacts(OpFacts):
    """Facts of the traced graph itself: only its stacks."""

    def __init__(self, stacks: Mapping[str, int]) -> None:
        self._stacks = stacks

    def stack(self, op_id: str) -> int:
        """Index of the Python stack of a traced op."""
        return self._stacks.get(op_id, -1)


class InheritedFacts(OpFacts):
    """Facts of a later stage, inherited from the traced graph.

    `arguments` gives the names of the traced placeholders in order, for the graph itself (empty name) and for each
    library function: the runtime renames them, and keeps only their position.
    """

    def __init__(self, traced: GraphModel, arguments: Mapping[str, Sequence[str]]) -> None:
        self._traced = traced
        self._ops = traced.by_id
        self._arguments = arguments
        self._bodies: dict[str, list[tuple[str, str]]] = {}
        self._renamed: dict[str, str] = {}

    def enter_function(self, function: str, arguments: Sequence[str]) -> None:
        """Learn which traced placeholder each argument of a library function stands for."""
        traced = self._arguments.get(function, ())
        self._renamed = {name: op_id(function, known) for name, known in zip(arguments, traced, strict=False)}

    def stack(self, op_id: str) -> int:
        """The stack of the traced op that it came from."""
        op = self._ops.get(op_id)
        return op.stack if op is not None else -1

    def origins(self, node: Any, function: str) -> tuple[str, ...]:
        """Ids of the traced ops that a node came from; empty when no traced op is known, so that it is new."""
        debug = node.experimental_debug_info
        if debug.original_func_names:
            pairs = zip(debug.original_func_names, debug.original_node_names, strict=False)
            known = tuple(dict.fromkeys(found for pair in pairs if (found := op_id(*pair)) in self._ops))
            if known:
                return known
        if node.op == "_Arg" and not function:
            index = node.attr["index"].i
            arguments = self._arguments.get("", ())
            if index < len(arguments):
                return (arguments[index],)
        if node.op == "Placeholder" and function and self._renamed.get(node.name) in self._ops:
            return (self._renamed[node.name],)
        found = self.op_behind(node.name, function)
        return (found,) if found else ()

    def shapes(self, node: Any, origins: tuple[str, ...]) -> Outputs:
        """The traced outputs, where the op still is what it was, or was rewritten in place for the same consumers."""
        origin = self._ops.get(origins[0]) if origins else None
        if origin is None or not (origin.op_type == node.op or node.op == "_Arg" or origin.name == node.name):
            return ()
        before = self._traced.attrs_of(origin).get("data_format")
        layout = node.attr["data_format"].s.decode() if "data_format" in node.attr else None
        # A layout pass swaps the dimensions of an op that keeps its name.
        return origin.outputs if before is None or layout is None or before == layout else ()

    def op_behind(self, name: str, function: str) -> str:
        """The traced op that a name leads to through calls, loops and branches; the last of those for its machinery."""
        name = name.removeprefix("Func/")
        machinery = _MACHINERY.match(name) is not None
        caller = ""
        while op_id(function, name) not in self._ops:
            found, rest = self._caller_before(name, function)
            if not found:
                # Enter, Merge, Switch and the like stand for the loop, branch or call that was taken apart.
                return caller if machinery else ""
            caller = found
            function, name = self._callee(caller, rest)
            if not function:
                return caller if machinery else ""
        return op_id(function, name)

    def _caller_before(self, name: str, function: str) -> tuple[str, str]:
        """The longest prefix of a name that is a call, loop or branch of the traced graph, and what follows it."""
        end = name.rfind("/")
        while end > 0:
            op = self._ops.get(op_id(function, name[:end]))
            if op is not None and self._functions_called_by(op.id):
                return op.id, name[end + 1 :]
            end = name.rfind("/", 0, end)
        return "", ""

    def _callee(self, caller: str, rest: str) -> tuple[str, str]:
        called = dict(self._functions_called_by(caller))
        lowered = _LOWERED.fullmatch(rest)
        if lowered:
            return called.get(lowered[1], ""), lowered[2]
        if "f" in called and not _MACHINERY.match(rest):
            return called["f"], rest
        return "", ""

    def _functions_called_by(self, caller: str) -> list[tuple[str, str]]:
        """(word in lowered names, library function) pairs of a calling op; `f` for a plain call."""
        if caller in self._bodies:
            return self._bodies[caller]
        attrs = self._traced.attrs_of(self._ops[caller])
        found = [(word, str(attrs[attr])) for word, names in BODY_ATTRS.items() for attr in names if attr in attrs]
        found += [("f", str(attrs[attr])) for attr in CALL_ATTRS if isinstance(attrs.get(attr), str)]
        branches = attrs.get("branches")
        if isinstance(branches, list):
            found += [(f"branch{index}", str(name)) for index, name in enumerate(branches)]
        self._bodies[caller] = found
        return found
