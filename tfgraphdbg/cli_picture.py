"""Draws one stage of a recording as a command line asks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from tfgraphdbg.analyses.diff import stage_changes
from tfgraphdbg.cli_arguments import TERMINAL_COLORS
from tfgraphdbg.errors import UsageError
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.views.contract import GraphView, PictureOptions


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
    return view.render(recording.graph(stage, tracing), options)


def _changes(recording: Recording, tracing: Tracing, stage: str) -> Mapping[str, str]:
    """What became of each op of a stage: of the traced graph on the way to the optimized one, else since the traced."""
    traced = "traced"
    other = "optimized" if stage == traced else traced
    if tracing.stage(other) is None or tracing.stage(stage) is None:
        raise UsageError(
            f"colours by diff need the stages {stage} and {other}",
            "record the program that makes the graph: both come with it",
        )
    before, after = (stage, other) if stage == traced else (other, stage)
    changes = stage_changes(recording.graph(before, tracing), recording.graph(after, tracing))
    return changes.of_before if stage == traced else changes.of_after
