"""Traced graph and the time that Python took for each op -> the source lines that tracing spent its time on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple

from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.report import Cell, Column, Finding, SourceLine, Table

LONG_TRACING_MS = 2_000.0
"""A tracing that takes longer than this is worth looking at."""

MOST = 0.5

NOT_RECORDED = "tracing time by line not recorded"


class TracedLine(NamedTuple):
    """A line of the user's source, the innermost one on the stacks of the ops that it made."""

    file: str
    line: int
    function: str
    ops: int
    ms: float | None


def traced_lines(recording: Recording, tracing: Tracing) -> tuple[TracedLine, ...]:
    """Every line that made ops, the most expensive first; line 0 stands for ops that no line of the user's made."""
    graph, metric = recording.graph("traced", tracing), recording.tracing_times(tracing)
    frames, stacks = recording.stacks.frames, recording.stacks
    places: dict[int, tuple[str, int, str]] = {}
    counts: dict[tuple[str, int, str], int] = {}
    spent: dict[tuple[str, int, str], float] = {}
    values = metric.values if metric else {}
    for op in graph.ops:
        place = places.get(op.stack)
        if place is None:
            frame = stacks.user_frame(op.stack) if frames else None
            place = places[op.stack] = (frame.file, frame.line, frame.function) if frame else ("", 0, "")
        counts[place] = counts.get(place, 0) + 1
        if values:
            spent[place] = spent.get(place, 0.0) + values.get(op.id, 0.0)
    lines = (TracedLine(*place, ops, spent.get(place, 0.0) / 1e3 if metric else None) for place, ops in counts.items())
    return tuple(sorted(lines, key=lambda line: (line.ms or 0.0, line.ops), reverse=True))


def tracing_lines_table(recording: Recording, tracing: Tracing) -> Table | None:
    """Ops and tracing time by source line; None when the traced graph was not recorded."""
    if tracing.stage("traced") is None:
        return None
    lines, beside = traced_lines(recording, tracing), of_no_op_ms(recording, tracing)
    total = _total_ms(tracing, lines, beside)
    spent: list[tuple[float | None, tuple[str, int | None, int | None]]] = [
        (line.ms, (line.file or "(no line of yours)", line.line or None, line.ops)) for line in lines
    ]
    spent += [(ms, (name, None, None)) for name, ms in beside.items() if ms]
    spent.sort(key=lambda row: row[0] or 0.0, reverse=True)
    rows: list[tuple[Cell, ...]] = [
        (*place, None if ms is None else round(ms, 3), round(ms / total, 4) if ms is not None and total else None)
        for ms, place in spent
    ]
    known = recording.tracing_times(tracing) is not None
    title = "What each source line added to the traced graph" + ("" if known else f"; {NOT_RECORDED}")
    columns = (
        Column("file"),
        Column("line"),
        Column("ops"),
        Column("tracing_ms", "ms", "measured"),
        Column("share", None, "measured"),
    )
    return Table("tracing-lines", title, columns, tuple(rows))


def of_no_op_ms(recording: Recording, tracing: Tracing) -> dict[str, float]:
    """What passed beside the ops, by what it was: before the function's first line, after its last op, thrown away."""
    metric = recording.tracing_times(tracing)
    return {name: us / 1e3 for name, us in metric.of_no_op.items()} if metric else {}


def _total_ms(tracing: Tracing, lines: tuple[TracedLine, ...], beside: Mapping[str, float]) -> float:
    """All of tracing, as far as it is known: ops are only a part of it."""
    return max(tracing.trace_ms or 0.0, sum(beside.values()) + sum(line.ms or 0.0 for line in lines))


def slow_line_findings(recording: Recording, tracing: Tracing, told: Set[tuple[str, int]]) -> Iterator[Finding]:
    """The line that makes most of a long tracing, unless another finding tells of it (`told`: file and line)."""
    trace_ms = tracing.trace_ms or 0.0
    if trace_ms < LONG_TRACING_MS or tracing.stage("traced") is None or recording.tracing_times(tracing) is None:
        return
    lines = traced_lines(recording, tracing)
    total = _total_ms(tracing, lines, of_no_op_ms(recording, tracing))
    for line in lines[:1]:
        share = (line.ms or 0.0) / total
        if share >= MOST and line.line and (line.file, line.line) not in told:
            yield _slow_line(line, share, tracing, recording.graph("traced", tracing))


def _slow_line(line: TracedLine, share: float, tracing: Tracing, graph: GraphModel) -> Finding:
    ms = line.ms or 0.0
    return Finding(
        rule="slow-tracing-line",
        severity="info",
        message=f"line {line.line} of {line.function} took {ms / 1e3:,.1f} s of tracing, {share:.0%} of it: "
        f"it made {line.ops:,} of {len(graph):,} ops",
        evidence={
            "tracing_ms": round(ms, 1),
            "share": round(share, 3),
            "ops": line.ops,
            "us_an_op": round(ms * 1e3 / max(line.ops, 1), 1),
            "trace_ms": tracing.trace_ms,
        },
        sources=(SourceLine(line.file, line.line, line.function),),
        suggestion="each tracing pays this again, so keep the function from being traced anew; fewer ops make it "
        "shorter: one larger op in place of many, or a loop in the graph in place of layers that are alike",
        cost=ms,
    )
