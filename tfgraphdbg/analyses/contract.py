"""What every analysis is: a plain function from a recording and options to a report, plus its words for `--help`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.report import Report


class AnalysisOptions(NamedTuple):
    """What a user may choose; an analysis ignores what does not concern it."""

    tracing: Tracing | None = None
    """The tracing to look at; None: the recording's main tracing."""
    stage: str | None = None
    """The stage to look at (`diff`: the one before); None: the analysis's own choice."""
    against_stage: str | None = None
    """`diff`: the stage after."""
    against: Recording | None = None
    """`diff`: the recording to compare with."""
    device_model: str = ""
    """The device that estimates are for, as `--device-model` takes it; empty: the one that ran."""


class Analysis(NamedTuple):
    """One entry of `ANALYSES`: the CLI verb, its help line, and the function."""

    name: str
    summary: str
    run: Callable[[Recording, AnalysisOptions], Report]
    takes_second_target: bool = False
    """Whether the verb compares: with a second target, or a second stage (`--against`)."""
    runs_needed: bool = True
    """Whether it tells of runs: steady ones that are measured, and an eager one. Graphs alone are recorded faster."""
    takes_device_model: bool = False
    """Whether it can tell what another device would take (`--device-model`)."""
