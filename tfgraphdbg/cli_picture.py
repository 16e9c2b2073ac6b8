"""Draws one stage of a recording as a command line asks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from tfgraphdbg.analyses.diff import stage_changes
from tfgraphdbg.cli_arguments import TERMINAL_COLORS
from tfgraphdbg.errors import UsageError
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.rewrites import AFTER
from tfgraphdbg.views.contract import GraphView, PictureOptions

TRACED = "traced"


def picture_of(arguments: argparse.Namespace, recording: Recording, tracing: Tracing | None, view: GraphView) -> bytes:
    """The picture's bytes. Raises UsageError for a stage, an op or a colouring that is not there."""
    tracing = tracing or recording.main_tracing
    stage = arguments.stage or tracing.default_stage
    color = "op" if arguments.color in TERMINAL_COLORS else arguments.color
    options = PictureOptions(
        scope=arguments.scope,
        focus=arguments.focus,
        hops=arguments.hops,
        depth=arguments.depth,
        path=tuple(arguments.path) if arguments.path else None,
        color=color,
        changes=_changes(recording, tracing, stage) if color == "diff" else None,
        stacks=recording.stacks,
    )
    graph = recording.graph(stage, tracing)
    title = f"{tracing.function} ({' -> '.join(_compared(stage))})" if color == "diff" else tracing.function
    return view.render(GraphModel(title, stage, graph.ops, graph.attr_sets, graph.functions), options)


def _compared(stage: str) -> tuple[str, str]:
    """The stage before and the stage after: traced and optimized, or traced and another one that is drawn."""
    return (TRACED, "optimized" if stage == TRACED else stage)


def _changes(recording: Recording, tracing: Tracing, stage: str) -> Mapping[str, str]:
    """What became of each op of a stage: of the traced graph on the way to the optimized one, else since the traced."""
    before, after = _compared(stage)
    for needed in (before, after):
        # A stage after a pass is no stage of its own in the recording: the graph is made when it is asked for.
        if tracing.stage(needed) is None and not needed.startswith(AFTER):
            raise UsageError(
                f"colours by diff need the stages {before} and {after}, and {needed} was not recorded",
                "record the program that makes the graph: both come with it",
            )
    changes = stage_changes(recording.graph(before, tracing), recording.graph(after, tracing))
    return changes.of_before if stage == TRACED else changes.of_after
