"""GraphModel -> PDF, which only the real Graphviz can write."""

from __future__ import annotations

from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.views.contract import PictureOptions
from tfgraphdbg.views.laid_out_picture import laid_out


def render(graph: GraphModel, options: PictureOptions) -> bytes:
    """The graph's picture; see `laid_out_picture.laid_out` for what is raised."""
    return laid_out(graph, options, "pdf").data
