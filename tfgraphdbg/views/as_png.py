"""GraphModel -> PNG, sharp enough to print and small enough to open."""

from __future__ import annotations

from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.views.contract import PictureOptions
from tfgraphdbg.views.laid_out_picture import BITMAP_DETAILS, laid_out

# At most 7,200 pixels wide or high; `size` only ever shrinks.
_FLAGS = ("-Gdpi=144", "-Gsize=50,50")


def render(graph: GraphModel, options: PictureOptions) -> bytes:
    """The graph's picture; see `laid_out_picture.laid_out` for what is raised."""
    return laid_out(graph, options, "png", BITMAP_DETAILS, _FLAGS).data
