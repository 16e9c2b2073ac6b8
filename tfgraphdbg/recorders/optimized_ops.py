"""The op of a recorded optimized graph that an event of the profiler names."""

from __future__ import annotations

from tfgraphdbg.graph_model import GraphModel, op_id
from tfgraphdbg.recorders.op_origins import InheritedFacts

FUNCTION_ATTRS = ("f", "then_branch", "else_branch", "body", "cond", "branches")

PASSING_ON = {
    "_Send": "passes a tensor from one device to another; only in the graphs of single devices",
    "_Arg": "hands in an argument; the runtime renames it",
    "_Retval": "hands out a result; the runtime renames it",
}
PASSING_ON.update(dict.fromkeys(("_Recv", "_HostSend", "_HostRecv"), PASSING_ON["_Send"]))
"""Types of ops that the runtime adds or renames after Grappler to pass values on -> in words."""


class OptimizedOps:
    """Finds ops by the name that they run under. The bodies of functions that stay calls come as they were called.

    The runtime takes loops and branches in those bodies apart only when it runs them, so their names lead through
    the loop or branch.
    """

    def __init__(self, graph: GraphModel) -> None:
        self._graph = graph
        self._names = InheritedFacts(graph, {})
        self._found: dict[tuple[str, str], str] = {}

    def find(self, caller: str, name: str) -> str:
        """The id of the op `name` in the function that op `caller` (empty: the graph itself) calls; empty: none."""
        key = (caller, name)
        if key not in self._found:
            self._found[key] = self._search(caller, name)
        return self._found[key]

    def _search(self, caller: str, name: str) -> str:
        if not caller:
            return name if name in self._graph.by_id else self._names.op_behind(name, "")
        for function in self._functions_of(caller):
            found = op_id(function, name)
            found = found if found in self._graph.by_id else self._names.op_behind(name, function)
            if found:
                return found
        return ""

    def _functions_of(self, caller: str) -> tuple[str, ...]:
        op = self._graph.by_id.get(caller)
        if op is None:
            return ()
        attrs = self._graph.attrs_of(op)
        named = [attrs[attr] for attr in FUNCTION_ATTRS if attr in attrs]
        return tuple(str(each) for value in named for each in (value if isinstance(value, list | tuple) else [value]))


def reason_not_found(op_type: str, caller: bool) -> str:
    """Why an event's op is in no optimized graph, as far as that can be told."""
    if op_type in PASSING_ON:
        return PASSING_ON[op_type]
    if caller:
        return "in a function that stays a call: it was optimized when it ran, and that graph is not recorded"
    return "not in the recorded optimized graph: the runtime made it after Grappler"
