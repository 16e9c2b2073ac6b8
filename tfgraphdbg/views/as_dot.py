"""Picture -> DOT source, in which no name is taken for markup, an escape or a keyword."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.views.contract import PictureOptions
from tfgraphdbg.views.layout_hints import edge_lengths, stacking_edges
from tfgraphdbg.views.node_words import counted
from tfgraphdbg.views.paint import Paint
from tfgraphdbg.views.picture import DrawnBox, DrawnNode, Picture, picture
from tfgraphdbg.views.rolled_edges import DrawnEdge

if TYPE_CHECKING:
    import graphviz

_MOST_LEGEND_COLUMNS = 7
_INK = "#1c1e24"
_FAINT_INK = "#6b7280"
_DETAIL_INK = "#4a5264"
_LINE = "#7b8494"
_FAINT_LINE = "#b4bac6"
_BOX_FILLS = ("#f8fafc", "#f1f4f9")
_FRAME = "#cbd3df"

_GRAPH = {
    "labelloc": "t",
    "labeljust": "l",
    "fontname": "Helvetica",
    "fontcolor": _INK,
    "bgcolor": "white",
    "nodesep": "0.22",
    "ranksep": "0.42",
    "pad": "0.2",
}
_NODE = {
    "fontname": "Helvetica",
    "fontsize": "10",
    "fontcolor": _INK,
    "shape": "box",
    "style": "rounded,filled",
    "height": "0.3",
    "width": "0.5",
    "margin": "0.1,0.05",
}
_EDGE = {"fontname": "Helvetica", "fontsize": "8", "fontcolor": _FAINT_INK, "color": _LINE, "arrowsize": "0.6"}
_SHAPES = {"variable": "cylinder", "constant": "ellipse", "control": "hexagon", "call": "component"}
_KIND_ATTRIBUTES = {
    "data": {},
    "handle": {"weight": "0", "color": _FAINT_LINE},
    "control": {"weight": "0", "color": _FAINT_LINE, "style": "dashed", "arrowhead": "open"},
    "call": {"weight": "0", "style": "dotted", "arrowhead": "open"},
}


def render(graph: GraphModel, options: PictureOptions) -> bytes:
    """The DOT source of a graph's picture."""
    return dot_source(picture(graph, options)).encode()


def dot_source(drawn: Picture) -> str:
    """DOT for `dot`: one node per drawn node, one cluster per box, the legend in the graph's label."""
    import graphviz

    dot = graphviz.Digraph(
        "tfgraphdbg",
        graph_attr={**_GRAPH, "label": f"<{_heading(drawn)}>"},
        node_attr=_NODE,
        edge_attr=_EDGE,
    )
    _add_box(dot, drawn.root, "cluster")
    ends = [(edge.source, edge.target) for edge in drawn.edges]
    lengths = edge_lengths(ends)
    for edge in drawn.edges:
        dot.edge(edge.source, edge.target, **_edge_attributes(edge, lengths.get((edge.source, edge.target), 1)))
    boxes = [[node.name for node in box.nodes] for box in drawn.root.every_box()]
    for above, below in stacking_edges(boxes, ends):
        dot.edge(above, below, style="invis")
    return str(dot.source)


def _add_box(dot: graphviz.Digraph, box: DrawnBox, name: str) -> None:
    for node in box.nodes:
        dot.node(node.name, **_node_attributes(node))
    for place, inner in enumerate(box.boxes):
        inner_name = f"{name}_{place}"
        with dot.subgraph(name=inner_name) as cluster:
            cluster.attr(
                label=_text(inner.title),
                tooltip=_text(inner.tooltip),
                fontsize="10",
                fontcolor=_FAINT_INK,
                style="rounded,filled,dashed" if inner.is_function else "rounded,filled",
                fillcolor=_BOX_FILLS[name.count("_") % len(_BOX_FILLS)],
                color=_FRAME,
                labeljust="l",
                margin="10",
                **{"class": f"{'function' if inner.is_function else 'scope'} level-{name.count('_')}"},
            )
            _add_box(cluster, inner, inner_name)


def _node_attributes(node: DrawnNode) -> dict[str, str]:
    lines = [_markup(node.words.title)]
    lines += [f'<font point-size="8" color="{_DETAIL_INK}">{_markup(line)}</font>' for line in node.words.details]
    shape = None if node.is_folded else _SHAPES.get(node.category)
    return {
        "label": f"<{'<br/>'.join(lines)}>",
        "tooltip": _text("\n".join(node.words.tooltip)),
        "class": " ".join(node.css_classes),
        "fillcolor": node.paint.fill,
        "color": node.paint.stroke,
        **({"shape": shape, "style": "filled"} if shape else {}),
        **({"peripheries": "2"} if node.is_folded else {}),
        **({"penwidth": "2.5"} if node.is_chosen else {}),
    }


def _edge_attributes(edge: DrawnEdge, length: int) -> dict[str, str]:
    counts = [counted(edge.tensors, "tensor")] if edge.tensors else []
    counts += [counted(edge.controls, "control edge")] if edge.controls else []
    attributes = {"class": edge.kind, **_KIND_ATTRIBUTES[edge.kind]}
    attributes["tooltip"] = _text("\n".join([", ".join(counts) or "calls", *edge.label.splitlines()]))
    if edge.label and edge.show_label:
        # The space keeps it off the line.
        attributes["label"] = _text("\n".join(f" {line}" for line in edge.label.splitlines()))
    if edge.kind == "data" and edge.tensors > 1:
        attributes["penwidth"] = f"{min(3.0, 1 + 0.5 * math.log10(edge.tensors)):.1f}"
    if length > 1:
        attributes["minlen"] = str(length)
    return attributes


def _text(text: str) -> str:
    """Foreign text as an attribute: backslashes, `&amp;` and `<b>` stand for themselves."""
    import graphviz

    literal: str = graphviz.escape(text.replace("&", "&amp;"))
    return literal


def _heading(drawn: Picture) -> str:
    """The title, the notes and the legend as an HTML-like table; the graph's label."""
    lines = [f"<b>{_markup(drawn.title)}</b>"]
    lines += [f'<font point-size="10" color="{_FAINT_INK}">{_markup(note)}</font>' for note in drawn.notes]
    lines += [_legend(drawn)] if drawn.legend else []
    rows = "".join(f'<tr><td align="left">{line}</td></tr>' for line in lines)
    return f'<table border="0" cellspacing="0" cellpadding="1">{rows}</table>'


def _legend(drawn: Picture) -> str:
    columns = math.ceil(len(drawn.legend) / math.ceil(len(drawn.legend) / _MOST_LEGEND_COLUMNS))
    starts = range(0, len(drawn.legend), columns)
    rows = ["".join(map(_legend_cell, drawn.legend[start : start + columns])) for start in starts]
    if drawn.legend_words:
        rows.insert(0, f'<td border="0" align="left" colspan="{columns}">{_small(drawn.legend_words)}</td>')
    cells = "".join(f"<tr>{row}</tr>" for row in rows)
    table = f'<table border="0" cellborder="1" cellspacing="4" cellpadding="3">{cells}</table>'
    # Where the title is wider, dot shares the room among all cells alike: these take most of it.
    fillers = "<td></td>" * 30
    return f'<table border="0" cellspacing="0" cellpadding="0"><tr><td>{table}</td>{fillers}</tr></table>'


def _legend_cell(paint: Paint) -> str:
    return f'<td bgcolor="{paint.fill}" color="{paint.stroke}">{_small(paint.words)}</td>'


def _small(words: str) -> str:
    return f'<font point-size="9">{_markup(words)}</font>'


def _markup(text: str) -> str:
    """Foreign text inside an HTML-like label, where nothing may be empty."""
    return html.escape(text) or " "
