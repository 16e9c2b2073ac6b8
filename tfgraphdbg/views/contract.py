"""What a view is: a plain function from a report or a graph to text or bytes, and the extensions that choose it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tfgraphdbg.graph_model import GraphModel
    from tfgraphdbg.recording import OpMetric, StackTable
    from tfgraphdbg.report import Report


class TextOptions(NamedTuple):
    """How a report is shown in a terminal or a pipe."""

    width: int | None = None
    """Columns; None: as wide as the content needs (a pipe)."""
    color: bool = False


class PictureOptions(NamedTuple):
    """What of a graph is drawn, and how."""

    scope: str = ""
    """Only ops in this name scope."""
    focus: str = ""
    """Only ops within `hops` edges of this op."""
    hops: int = 2
    depth: int | None = None
    """How many levels of scopes are open; None: as many as keep the picture readable."""
    path: tuple[str, str] | None = None
    """Only ops on a path between these two."""
    color: str = "op"
    metric: OpMetric | None = None
    changes: Mapping[str, str] | None = None
    """Op id -> `removed`, `added`, `changed` or `kept`: for `--color diff`."""
    stacks: StackTable | None = None
    """For tooltips with the user's line."""
    timeout_s: float = 60.0
    """Limit for the layout engine; a picture that takes longer is drawn with fewer details, and says so."""


class ReportView(NamedTuple):
    """One entry of `REPORT_VIEWS`: a report becomes text."""

    format: str
    extensions: tuple[str, ...]
    summary: str
    render: Callable[[Report, TextOptions], str]


class GraphView(NamedTuple):
    """One entry of `GRAPH_VIEWS`: a graph becomes a picture's bytes."""

    format: str
    extensions: tuple[str, ...]
    summary: str
    render: Callable[[GraphModel, PictureOptions], bytes]
    is_binary: bool = False
    """Whether it is no text, so that a terminal must not be given it."""
