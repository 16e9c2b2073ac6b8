"""GraphModel -> SVG with scope boxes, colours for light and dark, tooltips and a legend."""

from __future__ import annotations

from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.views.contract import PictureOptions
from tfgraphdbg.views.laid_out_picture import laid_out
from tfgraphdbg.views.svg_style import styled


def render(graph: GraphModel, options: PictureOptions) -> bytes:
    """The graph's picture; see `laid_out_picture.laid_out` for what is raised."""
    drawn, svg = laid_out(graph, options, "svg")
    return styled(svg, drawn.legend, {node.name: node.words.tooltip for node in drawn.nodes})
