"""An op -> what a trace viewer shows when it is selected: its type, Python line, shapes and origins."""

from __future__ import annotations

from collections.abc import Mapping

from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.recording import StackTable


class OpArguments:
    """The arguments of a graph's ops, by id."""

    def __init__(self, graph: GraphModel, stacks: StackTable) -> None:
        self._graph = graph
        self._stacks = stacks
        self._known: dict[str, Mapping[str, object]] = {}

    def of(self, op_id: str) -> Mapping[str, object]:
        """Empty for an op that the graph does not have."""
        if op_id not in self._known:
            op = self._graph.by_id.get(op_id)
            self._known[op_id] = {} if op is None else self._told(op)
        return self._known[op_id]

    def _told(self, op: OpNode) -> Mapping[str, object]:
        told: dict[str, object] = {"op": op.id, "op_type": op.op_type, **line_of(self._stacks, op.stack)}
        if op.outputs:
            told["outputs"] = ", ".join(map(str, op.outputs))
        if op.inputs:
            told["inputs"] = ", ".join(op.inputs)
        if op.origins:
            told["origins"] = ", ".join(op.origins)
        if op.device:
            told["device"] = op.device
        return told


def line_of(stacks: StackTable, stack: int) -> dict[str, object]:
    """The user's own line of a stack and its code."""
    frame = stacks.user_frame(stack)
    return {} if frame is None else {"python_line": f"{frame.file}:{frame.line}", "code": frame.code}
