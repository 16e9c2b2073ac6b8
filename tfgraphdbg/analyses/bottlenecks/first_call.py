"""Recording -> where the seconds of a first call went: by phase, by source line, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from tfgraphdbg.analyses.bottlenecks.tracing_lines import (
    of_no_op_ms,
    slow_line_findings,
    tracing_lines_table,
)
from tfgraphdbg.analyses.bottlenecks.unrolled_loops import unrolled_loop_findings
from tfgraphdbg.analyses.lost_tracings import WHY, lost_tracing_findings, lost_tracing_ms
from tfgraphdbg.graph_model import garbage_collection_paused
from tfgraphdbg.recording import Basis, Recording, Tracing
from tfgraphdbg.recording_meta import BEFORE_FIRST_LINE
from tfgraphdbg.report import Column, Finding, Table
from tfgraphdbg.rewrites import RewriteHistory

PhaseRow = tuple[str, float | None, str, str]

_COLUMNS = (Column("phase"), Column("ms", "ms"), Column("basis"), Column("note"))


def first_call_tables(recording: Recording, tracing: Tracing) -> tuple[Table, ...]:
    """`first-call`, one row a phase, and `tracing-lines`, one row a source line; a graph that is not there has none."""
    rows = tuple(_phases(recording, tracing))
    lines = tracing_lines_table(recording, tracing)
    return (Table("first-call", _title(recording, tracing), _COLUMNS, rows), *((lines,) if lines else ()))


def _title(recording: Recording, tracing: Tracing) -> str:
    """Only what was measured is told of: a call that came after tracing elsewhere, or no call, is no first call."""
    traced, ran = tracing.trace_ms, tracing.first_run_ms
    if traced is not None:
        traced += lost_tracing_ms(recording, tracing)
    if traced is not None and ran is not None:
        return f"Where the {traced + ran:,.1f} ms of the first call went"
    if traced is not None:
        return f"Where the {traced:,.1f} ms of tracing went; no first run was timed"
    if ran is not None:
        return f"Where the {ran:,.1f} ms of the first recorded run went; its tracing was not timed"
    return "Neither tracing nor a first run was timed"


def tracing_findings(recording: Recording, tracing: Tracing) -> list[Finding]:
    """Loops that Python unrolled, tracings for nothing, and lines that make most of a long tracing."""
    with garbage_collection_paused():
        unrolled = unrolled_loop_findings(recording, tracing)
        told = {(source.file, source.line) for finding in unrolled for source in finding.sources}
        lost = lost_tracing_findings(recording, tracing)
        return [*unrolled, *lost, *slow_line_findings(recording, tracing, told)]


def _phases(recording: Recording, tracing: Tracing) -> Iterator[PhaseRow]:
    if tracing.trace_ms is None:
        yield "Python tracing", None, "", "it was traced before recording began"
    else:
        lost = lost_tracing_ms(recording, tracing)
        if lost:
            yield "a first tracing, for nothing", round(lost, 3), "measured", WHY
        before = of_no_op_ms(recording, tracing).get(BEFORE_FIRST_LINE, 0.0)
        if before:
            yield BEFORE_FIRST_LINE, round(before, 3), "measured", ""
        note = "from the function's first line on" if before else ""
        yield "Python tracing", round(tracing.trace_ms - before, 3), "measured", note
    histories = recording.rewrites(tracing, checked=False)
    if tracing.first_run_ms is None:
        ran = tracing.calls or recording.times(tracing) is not None
        yield "the first run", None, "", "it was not timed" if ran else "it never ran by itself"
        return
    spent, grappler = 0.0, []
    for name, chosen in (
        ("Grappler's passes", [history for history in histories if not history.function]),
        ("Grappler's passes on functions that stay calls", [history for history in histories if history.function]),
    ):
        ms = sum(step.ms or 0.0 for history in chosen for step in history.steps)
        if ms:
            basis, note = _how_known(chosen)
            grappler.append((name, round(ms, 3), basis, note))
            spent += ms
    yield from grappler
    yield from _rest(recording, tracing, spent)


def _how_known(histories: list[RewriteHistory]) -> tuple[Basis, str]:
    if any(history.source == "replayed" for history in histories):
        return "estimated", "timed when they were replayed in another process"
    timed_by = {step.timed_by for history in histories for step in history.steps if step.ms}
    note = "some are the time between two dumps, which includes writing one" if "dump times" in timed_by else ""
    return "measured", note


def _rest(recording: Recording, tracing: Tracing, passes_ms: float) -> Iterator[PhaseRow]:
    first = tracing.first_run_ms or 0.0
    steady, how = _steady_ms(recording, tracing)
    what = "instantiating the function" if not tracing.jit_compile else "XLA's compilation, instantiating the function"
    rest = first - passes_ms - (steady or 0.0)
    name = f"{what}, and the rest of the first run"
    if rest < 0:
        yield name, None, "", "the passes were timed longer than the first run took"
    else:
        included = [] if passes_ms else ["Grappler's passes, which were not timed"]
        included += [] if steady is not None else ["the run itself"]
        included += ["collecting the graphs for this recording"]
        yield name, round(rest, 3), "measured", f"includes {'; '.join(included)}"
    if steady is not None:
        yield "the run itself", round(steady, 3), "measured", how


def _steady_ms(recording: Recording, tracing: Tracing) -> tuple[float | None, str]:
    """What a run takes later: the median of timed ones without the profiler, else of all calls but the first."""
    times = recording.times(tracing)
    if times is not None and times.plain_us:
        return median(times.plain_us) / 1e3, "as long as a steady run"
    later = [call.ms for call in recording.calls if call.tracing == tracing.index][1:]
    return (median(later), f"as long as later calls, the median of {len(later):,}") if later else (None, "")
