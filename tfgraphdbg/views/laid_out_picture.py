"""GraphModel and PictureOptions -> a picture laid out by an engine, with fewer details where the full ones fail."""

from __future__ import annotations

import time
from typing import NamedTuple

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.views.as_dot import dot_source
from tfgraphdbg.views.contract import PictureOptions
from tfgraphdbg.views.layout_engine import LayoutFailedError, lay_out
from tfgraphdbg.views.picture import Detail, Picture, picture

VECTOR_DETAILS = (
    Detail(),
    Detail(ops=200, part_ops=400, deep_ops=400, nodes=50, box_levels=0),
    Detail(ops=60, part_ops=60, deep_ops=60, nodes=40, box_levels=0),
    Detail(ops=15, part_ops=15, deep_ops=15, nodes=15, box_levels=0),
)
"""From the first to try to the last: each is drawn where the engine could not cope with the one before."""

BITMAP_DETAILS = (Detail(part_ops=300, deep_ops=600), *VECTOR_DETAILS[1:])
"""A bitmap cannot be zoomed into."""


class LaidOutPicture(NamedTuple):
    """What an engine made of a picture."""

    drawn: Picture
    data: bytes


def laid_out(
    graph: GraphModel,
    options: PictureOptions,
    output_format: str,
    details: tuple[Detail, ...] = VECTOR_DETAILS,
    flags: tuple[str, ...] = (),
) -> LaidOutPicture:
    """The graph's picture in a format of the engine.

    Raises UsageError for what is not in the graph, MissingRequirementError without an engine, and LayoutFailedError
    when even the simplest picture failed or took longer than `options.timeout_s`.
    """
    end = time.monotonic() + options.timeout_s
    note = ""
    for place, detail in enumerate(details):
        drawn = picture(graph, options, detail, note)
        left = max(0.0, end - time.monotonic())
        # What takes longer rarely ends at all, and a simpler picture needs some of the time too.
        limit = left if place == len(details) - 1 else left / 4
        try:
            return LaidOutPicture(drawn, lay_out(dot_source(drawn), output_format, limit, *flags))
        except LayoutFailedError as failure:
            reason = failure
            note = f"drawn with fewer details: {failure.message}"
    raise _without_a_picture(reason)


def _without_a_picture(reason: DebuggerError) -> LayoutFailedError:
    return LayoutFailedError(
        reason.message, "write a .dot file, which needs no engine, or draw less with --scope, --focus or --depth"
    )
