"""GraphModel and PictureOptions -> a Picture: nodes in boxes, edges, a title and a legend, before any layout."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tfgraphdbg.foreign_text import visible
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.views.contract import PictureOptions
from tfgraphdbg.views.family_roles import item_at_position, split_by_role
from tfgraphdbg.views.folding import DrawnItem, opened
from tfgraphdbg.views.graph_selection import Selection, selected
from tfgraphdbg.views.node_words import NodeWords, box_words, counted, told_by, words_of
from tfgraphdbg.views.op_categories import category_of
from tfgraphdbg.views.op_group import OpGroup
from tfgraphdbg.views.paint import Paint
from tfgraphdbg.views.picture_colors import coloring
from tfgraphdbg.views.rolled_edges import DrawnEdge, rolled_edges
from tfgraphdbg.views.scope_tree import scope_tree


class Detail(NamedTuple):
    """How much of a graph is drawn."""

    ops: int = 200
    """A graph of more ops is folded."""
    part_ops: int = 400
    """The same for a part that the user chose."""
    deep_ops: int = 3000
    """The same where the user asked for a depth."""
    nodes: int = 64
    """Folded scopes are opened up to about this many nodes; more where the user asked for a depth."""
    box_levels: int = 2
    """Boxes inside boxes; scopes deeper than that have none of their own."""


MOST_LABELLED_NODES = 1000
"""With more nodes edges go without their tensors."""

_MOST_FOLDED_EDGES = 80
_MOST_LABELLED_EDGES = 200
_MOST_EDGES = 350
_MOST_SIBLINGS = 48
_CSS_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


class DrawnNode(NamedTuple):
    """One node of a picture."""

    name: str
    """Its identifier in DOT: `n3` is op number 3 of the graph, `g0` a folded group."""
    is_folded: bool
    """It stands for ops that could be opened; an op with its helpers does not count."""
    category: str
    css_classes: tuple[str, ...]
    words: NodeWords
    paint: Paint
    is_chosen: bool
    """The user named it."""


@dataclass
class DrawnBox:
    """A box around the nodes of an opened group."""

    title: str = ""
    tooltip: str = ""
    is_function: bool = False
    nodes: list[DrawnNode] = field(default_factory=list)
    boxes: list[DrawnBox] = field(default_factory=list)

    def every_box(self) -> Iterator[DrawnBox]:
        """Itself and all boxes inside, however deep."""
        yield self
        for box in self.boxes:
            yield from box.every_box()


class Picture(NamedTuple):
    """Everything that a picture shows."""

    title: str
    notes: tuple[str, ...]
    root: DrawnBox
    nodes: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]
    legend: tuple[Paint, ...]
    legend_words: str


def picture(graph: GraphModel, options: PictureOptions, detail: Detail | None = None, note: str = "") -> Picture:
    """What is drawn of a graph. Raises UsageError when the options name something that is not there."""
    detail = detail or Detail()
    selection = selected(graph, options)
    drawn = _drawn(graph, selection, options, detail)
    colors = coloring(options, drawn.items)
    boxes = _Boxes(drawn.items, detail.box_levels, counts=len(selection.ops) == len(graph.ops))
    nodes: list[DrawnNode] = []
    for name, item in zip(drawn.names, drawn.items, strict=True):
        box, told = boxes.around(item)
        words = words_of(item, told, colors.note_of(item), graph, options.stacks)
        nodes.append(_node(name, item, words, colors.paint_of(item), selection.keep))
        box.nodes.append(nodes[-1])
    edges, left_out = _readable_edges(drawn.edges, nodes)
    notes = [*_content_notes(graph, selection, drawn.items), *_edge_notes(drawn.outside, left_out)]
    notes += [visible(note)] if note else []
    used = {node.paint.css_class for node in nodes}
    legend = tuple(paint for paint in colors.order if paint.css_class in used)
    return Picture(_title(graph, selection), tuple(notes), boxes.root, tuple(nodes), edges, legend, colors.words)


class _Drawn(NamedTuple):
    """The nodes, their names and all edges between them; `outside` counts edges to ops that are not drawn."""

    items: list[DrawnItem]
    names: list[str]
    edges: tuple[DrawnEdge, ...]
    outside: int


def _drawn(graph: GraphModel, selection: Selection, options: PictureOptions, detail: Detail) -> _Drawn:
    """The first way to fold that leaves few enough edges, else the last."""
    position_of = {id(op): position for position, op in enumerate(graph.ops)}
    for found in _ways_to_fold(graph, selection, options, detail):
        # Producers first: dot then turns fewer edges round.
        items = sorted(found, key=lambda item: min(position_of[id(op)] for op in item.ops))
        names = _names(items, position_of)
        drawn = _Drawn(items, names, *rolled_edges(graph, item_at_position(items, graph), names))
        # A real graph has hardly more edges than ops; layouts of dense ones never end.
        if sum(edge.kind == "data" for edge in drawn.edges) <= max(_MOST_EDGES, 2 * len(items)):
            break
    return drawn


def _ways_to_fold(
    graph: GraphModel, selection: Selection, options: PictureOptions, detail: Detail
) -> Iterator[list[DrawnItem]]:
    """The whole, where it is small enough; else ever less of it."""
    ops, keep, depth = selection.ops, selection.keep, options.depth
    if depth is None:
        most = detail.part_ops if selection.words else detail.ops
        limits = (detail.nodes, detail.nodes * 2 // 3, detail.nodes * 2 // 5)
    else:
        most = detail.deep_ops
        limits = (detail.nodes * 5 // 2, detail.nodes * 5 // 3, detail.nodes)
    if depth is not None or len(ops) <= most:
        items = opened(scope_tree(ops), most, depth, keep)
        if len(items) == len(ops) or len(items) <= detail.nodes:
            yield items
    for limit in limits:
        tree = scope_tree(ops, min(limit, _MOST_SIBLINGS), keep)
        yield split_by_role(opened(tree, limit, depth, keep), graph, limit * 5 // 3)


def _names(items: Sequence[DrawnItem], position_of: Mapping[int, int]) -> list[str]:
    return [
        f"n{position_of[id(item.item)]}" if isinstance(item.item, OpNode) else f"g{place}"
        for place, item in enumerate(items)
    ]


def _node(name: str, item: DrawnItem, words: NodeWords, paint: Paint, keep: frozenset[str]) -> DrawnNode:
    first = item.main_ops[0]
    folded = isinstance(item.item, OpGroup) and item.item.kind != "op"
    own = ("folded",) if folded else (f"op-{_CSS_UNSAFE.sub('_', first.op_type)}", f"cat-{category_of(first)}")
    classes = tuple(dict.fromkeys((*own, paint.css_class)))
    chosen = isinstance(item.item, OpNode) and item.item.id in keep
    return DrawnNode(name, folded, category_of(first), classes, words, paint, chosen)


class _Boxes:
    """The boxes around nodes, made when first needed. A scope of a single node gets none."""

    def __init__(self, items: Sequence[DrawnItem], levels: int, counts: bool) -> None:
        self.root = DrawnBox()
        self._levels = levels
        self._counts = counts
        self._nodes_in = Counter(group for item in items for group in item.inside)
        self._made: dict[OpGroup, DrawnBox] = {}

    def around(self, item: DrawnItem) -> tuple[DrawnBox, str]:
        """The innermost box around a node, and how the names of all in it start."""
        box, told = self.root, ""
        for groups in self._boxed(item)[: self._levels]:
            innermost = groups[-1]
            if innermost not in self._made:
                title, tooltip = box_words(groups, told, self._counts)
                self._made[innermost] = DrawnBox(title, tooltip, groups[0].kind == "function")
                box.boxes.append(self._made[innermost])
            box, told = self._made[innermost], told_by(innermost)
        return box, told

    def _boxed(self, item: DrawnItem) -> list[list[OpGroup]]:
        """For each box the groups that it stands for: a scope that is all of its parent shares the parent's box."""
        boxed: list[list[OpGroup]] = []
        for group in item.inside[1:]:
            if group.kind == "op" or self._nodes_in[group] == 1:
                continue
            if boxed and self._nodes_in[boxed[-1][-1]] == self._nodes_in[group]:
                boxed[-1].append(group)
            else:
                boxed.append([group])
        return boxed


def _readable_edges(edges: Sequence[DrawnEdge], nodes: Sequence[DrawnNode]) -> tuple[tuple[DrawnEdge, ...], int]:
    """The edges to draw, without labels where there are many; and how many edges of the graph are left out.

    Left out is what ties everything to everything in a folded picture.
    """
    folded = {node.name for node in nodes if node.is_folded}
    shown = list(edges)
    if folded and len(edges) > _MOST_FOLDED_EDGES:
        shown = [edge for edge in edges if edge.kind in ("data", "call") or not folded & {edge.source, edge.target}]
    left_out = _edges_in(edges) - _edges_in(shown)
    if len(nodes) > MOST_LABELLED_NODES or (folded and len(shown) > _MOST_LABELLED_EDGES):
        shown = [edge._replace(show_label=False) for edge in shown]
    return tuple(shown), left_out


def _edges_in(edges: Sequence[DrawnEdge]) -> int:
    return sum(edge.tensors + edge.controls for edge in edges)


def _title(graph: GraphModel, selection: Selection) -> str:
    return " · ".join(visible(words) for words in (graph.name, graph.stage, selection.words) if words)


def _content_notes(graph: GraphModel, selection: Selection, items: Sequence[DrawnItem]) -> Iterator[str]:
    all_of_them = counted(len(graph.ops), "op")
    ops = all_of_them if len(selection.ops) == len(graph.ops) else f"{len(selection.ops):,} of {all_of_them}"
    folded = [len(item.ops) for item in items if isinstance(item.item, OpGroup) and item.item.kind != "op"]
    if not folded:
        yield ops
        return
    yield f"{ops}, {sum(folded):,} of them folded into {counted(len(folded), 'node')} (double border)"
    yield "open more with --scope, --focus or --depth"


def _edge_notes(outside: int, left_out: int) -> Iterator[str]:
    if outside:
        yield f"{counted(outside, 'edge')} to ops outside are not drawn"
    if left_out:
        yield f"{left_out:,} control edges and variable handles of folded nodes are not drawn"
