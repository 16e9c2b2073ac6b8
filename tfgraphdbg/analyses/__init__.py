"""Recording -> Report, one file an analysis; `ANALYSES` lists them in the order of `--help` and of the screen."""

from __future__ import annotations

from tfgraphdbg.analyses.contract import Analysis, AnalysisOptions
from tfgraphdbg.analyses.diff import compare_graphs
from tfgraphdbg.analyses.overview import summarize_recording
from tfgraphdbg.analyses.passes import explain_passes
from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import close_matches
from tfgraphdbg.recording import Recording
from tfgraphdbg.report import Report


# These two are many modules, which take a tenth of a second to import: only who asks for them waits for that.
def _find_bottlenecks(recording: Recording, options: AnalysisOptions) -> Report:
    from tfgraphdbg.analyses.bottlenecks import find_bottlenecks

    return find_bottlenecks(recording, options)


def _explain_eager(recording: Recording, options: AnalysisOptions) -> Report:
    from tfgraphdbg.analyses.eager import explain_eager

    return explain_eager(recording, options)


ANALYSES: tuple[Analysis, ...] = (
    Analysis("overview", "what was recorded: stages, op types, scopes, functions and devices", summarize_recording),
    Analysis(
        "diff",
        "what became of each op from one stage to another, or from one recording to another",
        compare_graphs,
        takes_second_target=True,
        runs_needed=False,
    ),
    Analysis(
        "passes",
        "what each Grappler pass did to each op, what it left undone, and why",
        explain_passes,
        runs_needed=False,
    ),
    Analysis(
        "bottlenecks",
        "where the time of a step goes: source lines, ops, the critical path",
        _find_bottlenecks,
        takes_device_model=True,
    ),
    Analysis(
        "eager", "what eager execution costs beside the graph, and which graph op each eager op became", _explain_eager
    ),
)


def analysis_named(name: str) -> Analysis:
    """The analysis of that name. Raises UsageError, with the names that exist, when there is none."""
    for analysis in ANALYSES:
        if analysis.name == name:
            return analysis
    names = [analysis.name for analysis in ANALYSES]
    meant = close_matches(name, names, 1) if name else []
    guess = f"did you mean {meant[0]!r}? " if meant else ""
    raise UsageError(f"there is no analysis {name!r}", f"{guess}analyses: {', '.join(names)}")
