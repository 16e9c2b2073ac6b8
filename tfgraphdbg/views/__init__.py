"""Views: a report or a graph becomes text or a picture. The two tuples are the registries."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from tfgraphdbg.errors import UsageError
from tfgraphdbg.views.contract import GraphView, PictureOptions, ReportView, TextOptions

if TYPE_CHECKING:
    from tfgraphdbg.graph_model import GraphModel
    from tfgraphdbg.report import Report


def _text(report: Report, options: TextOptions) -> str:
    from tfgraphdbg.views import as_text

    return as_text.render(report, options)


def _json(report: Report, options: TextOptions) -> str:
    from tfgraphdbg.views import as_json

    return as_json.render(report, options)


def _csv(report: Report, options: TextOptions) -> str:
    from tfgraphdbg.views import as_csv

    return as_csv.render(report, options)


def _dot(graph: GraphModel, options: PictureOptions) -> bytes:
    from tfgraphdbg.views import as_dot

    return as_dot.render(graph, options)


def _svg(graph: GraphModel, options: PictureOptions) -> bytes:
    from tfgraphdbg.views import as_svg

    return as_svg.render(graph, options)


def _png(graph: GraphModel, options: PictureOptions) -> bytes:
    from tfgraphdbg.views import as_png

    return as_png.render(graph, options)


def _pdf(graph: GraphModel, options: PictureOptions) -> bytes:
    from tfgraphdbg.views import as_pdf

    return as_pdf.render(graph, options)


REPORT_VIEWS: tuple[ReportView, ...] = (
    ReportView("text", (".txt", ".log"), "for people: findings, then tables", _text),
    ReportView("json", (".json",), "for scripts: everything, in one stable shape", _json),
    ReportView("csv", (".csv",), "for spreadsheets: the tables", _csv),
)

GRAPH_VIEWS: tuple[GraphView, ...] = (
    GraphView("dot", (".dot", ".gv"), "the source of the picture, for Graphviz", _dot),
    GraphView("svg", (".svg",), "for browsers: scopes, colours, tooltips", _svg),
    GraphView("png", (".png",), "for chats and papers", _png, is_binary=True),
    GraphView("pdf", (".pdf",), "for printing; needs Graphviz's own dot", _pdf, is_binary=True),
)

View = TypeVar("View", ReportView, GraphView)


def report_view_for(format_: str | None, output: str | None) -> ReportView:
    """The view of that format, else the one that the output's extension chooses, else text. Raises UsageError."""
    return _chosen(REPORT_VIEWS, format_, output, "text")


def graph_view_for(format_: str | None, output: str | None) -> GraphView:
    """The view of that format, else the one that the output's extension chooses, else DOT. Raises UsageError."""
    return _chosen(GRAPH_VIEWS, format_, output, "dot")


def _chosen(views: Sequence[View], format_: str | None, output: str | None, default: str) -> View:
    formats = ", ".join(view.format for view in views)
    if format_ is None and output is not None:
        extension = os.path.splitext(output)[1].lower()
        for view in views:
            if extension in view.extensions:
                return view
        if extension:
            extensions = ", ".join(extension for view in views for extension in view.extensions)
            raise UsageError(
                f"no format is known for {extension!r}", f"extensions: {extensions}; or choose one with -f"
            )
    for view in views:
        if view.format == (format_ or default):
            return view
    raise UsageError(f"no format {format_!r} here", f"formats: {formats}")
