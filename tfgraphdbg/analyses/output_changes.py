"""An op in two graphs -> how its outputs' dtypes and shapes differ."""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.analyses.change_kinds import Difference, in_one_cell
from tfgraphdbg.graph_model import OpNode

Shape = tuple[int | None, ...] | None


def output_changes(before: OpNode, after: OpNode, unknown_differs: bool) -> Iterator[Difference]:
    """The changes of those outputs that both have. `unknown_differs`: an unknown size is unlike a known one."""
    pairs = [pair for pair in zip(before.outputs, after.outputs, strict=False) if pair[0] != pair[1]]
    dtypes = [(was.dtype, now.dtype) for was, now in pairs if was.dtype != now.dtype]
    if dtypes:
        yield "dtype-changed", in_one_cell([was for was, _ in dtypes]), in_one_cell([now for _, now in dtypes])
    shapes = [
        (shape_text(was.shape), shape_text(now.shape))
        for was, now in pairs
        if _shapes_differ(was.shape, now.shape, unknown_differs)
    ]
    if shapes:
        yield "shape-changed", in_one_cell([was for was, _ in shapes]), in_one_cell([now for _, now in shapes])


def _shapes_differ(was: Shape, now: Shape, unknown_differs: bool) -> bool:
    if was is None or now is None or was == now:
        return unknown_differs and was != now
    if len(was) != len(now):
        return True
    return any(
        old != new and (unknown_differs or (old is not None and new is not None))
        for old, new in zip(was, now, strict=True)
    )


def shape_text(shape: Shape) -> str:
    """`[32,?]`; `[...]` for an unknown rank."""
    if shape is None:
        return "[...]"
    return f"[{','.join('?' if size is None else str(size) for size in shape)}]"
