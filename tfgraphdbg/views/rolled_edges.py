"""The edges of ops -> edges between drawn nodes, rolled up where many lie between the same two."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from tfgraphdbg.foreign_text import visible
from tfgraphdbg.graph_model import CONTROL, AttrValue, GraphModel, OpNode, parse_input

EdgeKind = Literal["data", "handle", "control", "call"]
"""`handle`: no numbers flow, only the resources of variables."""

_MOST_TENSORS = 3


class DrawnEdge(NamedTuple):
    """One line from node to node. `tensors` and `controls` count the edges of the graph that lie in it."""

    source: str
    target: str
    kind: EdgeKind
    tensors: int = 0
    controls: int = 0
    label: str = ""
    """The tensors that flow, one a line."""
    show_label: bool = True


class _Bundle:
    """All edges from one node to another."""

    def __init__(self) -> None:
        self.tensors = 0
        self.controls = 0
        self.types: dict[str, None] = {}

    def add(self, source: OpNode, output: int) -> None:
        """Count one more edge, from output `output` of `source`."""
        if output == CONTROL:
            self.controls += 1
            return
        self.tensors += 1
        if len(self.types) <= _MOST_TENSORS:
            self.types[visible(str(source.outputs[output])) if output < len(source.outputs) else ""] = None

    def edge(self, source: str, target: str) -> DrawnEdge:
        """The line that is drawn for them."""
        kind: EdgeKind = "data" if self.tensors else "control"
        if self.tensors and all(type_.startswith("resource[") for type_ in self.types):
            kind = "handle"
        return DrawnEdge(source, target, kind, self.tensors, self.controls, self._label())

    def _label(self) -> str:
        known = [type_ for type_ in self.types if type_]
        if self.tensors > len(self.types) and len(known) == 1:
            return f"{self.tensors:,} x {known[0]}"
        if len(known) > _MOST_TENSORS or (len(known) > 1 and self.tensors > len(known)):
            return f"{self.tensors:,} tensors"
        return "\n".join(known) or (f"{self.tensors:,} tensors" if self.tensors > 1 else "")


def rolled_edges(graph: GraphModel, item_at: Sequence[int], names: Sequence[str]) -> tuple[tuple[DrawnEdge, ...], int]:
    """Edges between drawn nodes, none from a node to itself; and how many edges lead to ops that are not drawn.

    `item_at` has for each op of the graph the index of the node that draws it, -1 for none; `names` are the nodes'.
    """
    bundles: dict[tuple[int, int], _Bundle] = {}
    outside = 0
    for op, target, positions in zip(graph.ops, item_at, graph.input_positions, strict=True):
        for text, position in zip(op.inputs, positions, strict=True):
            source = item_at[position] if position >= 0 else -1
            if source < 0 or target < 0:
                outside += source != target
            elif source != target:
                bundle = bundles.setdefault((source, target), _Bundle())
                bundle.add(graph.ops[position], parse_input(text).output)
    edges = [bundle.edge(names[source], names[target]) for (source, target), bundle in bundles.items()]
    return (*edges, *_call_edges(graph, item_at, names)), outside


def _call_edges(graph: GraphModel, item_at: Sequence[int], names: Sequence[str]) -> Iterator[DrawnEdge]:
    """From each op that calls a library function to the first drawn node of that function's body."""
    body: dict[str, int] = {}
    for op, item in zip(graph.ops, item_at, strict=True):
        if op.function and item >= 0:
            body.setdefault(op.function, item)
    called = [tuple(_functions_in(attrs.values(), body)) if body else () for attrs in graph.attr_sets]
    drawn: set[tuple[int, int]] = set()
    for op, item in zip(graph.ops, item_at, strict=True):
        for function in called[op.attrs] if op.attrs >= 0 and item >= 0 else ():
            ends = (item, body[function])
            if ends[0] != ends[1] and ends not in drawn:
                drawn.add(ends)
                yield DrawnEdge(names[item], names[body[function]], "call")


def _functions_in(values: Iterable[AttrValue], known: Container[str]) -> Iterator[str]:
    for value in values:
        for item in (value,) if isinstance(value, str) or not isinstance(value, Sequence) else value:
            if isinstance(item, str) and item in known:
                yield item
