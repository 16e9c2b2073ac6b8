"""Traced graph, stacks and source text -> findings on Python loops that left a copy of their body an iteration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.copied_values import CopyDifferences, differences_of
from tfgraphdbg.analyses.bottlenecks.loop_rewrites import rewrite_of
from tfgraphdbg.analyses.bottlenecks.loop_statements import LoopStatement, SourceLoops
from tfgraphdbg.analyses.bottlenecks.repeated_lines import LoopRun, RepeatedOps, repeated_ops
from tfgraphdbg.analyses.bottlenecks.unrolled_gradients import gradients_of
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import OpMetric, Recording, Tracing
from tfgraphdbg.report import Finding, Severity, SourceLine

NOTEWORTHY_OPS = 100
LARGE_OPS = 500

LARGE_SHARE = 0.2
"""Of a tracing that takes longer than `LONG_TRACING_MS`."""

NOTEWORTHY_SHARE = 0.05
LONG_TRACING_MS = 1_000.0


class UnrolledLoop(NamedTuple):
    """A loop whose body is in the graph many times, with the loops inside it that are so too."""

    loops: tuple[int, ...]
    copies: int
    copy: tuple[int, ...]
    """Positions of the ops of one copy."""
    differences: CopyDifferences


def unrolled_loop_findings(recording: Recording, tracing: Tracing) -> list[Finding]:
    """One finding a loop, the outermost that could be a loop in the graph; loops that made little are left out."""
    if tracing.stage("traced") is None or not recording.sources:
        return []
    graph = recording.graph("traced", tracing)
    repeated = repeated_ops(graph, recording.stacks, SourceLoops(recording.sources))
    metric = recording.tracing_times(tracing)
    findings = []
    for unrolled in unrolled_loops(repeated, graph):
        tally = _tally(unrolled, repeated, graph, metric)
        severity = _severity(tally, unrolled, tracing)
        if severity is not None:
            findings.append(_finding(recording, unrolled, repeated, tally, (severity, tracing)))
    return findings


def unrolled_loops(repeated: RepeatedOps, graph: GraphModel) -> list[UnrolledLoop]:
    """Loops with alike copies, outer ones first; a loop inside one that is already told belongs to it."""
    by_loop: dict[int, list[LoopRun]] = {}
    for run in repeated.runs:
        by_loop.setdefault(run.loop, []).append(run)
    told: set[int] = set()
    found, apart = [], []
    for loop in sorted(by_loop, key=lambda loop: len(repeated.inside[loop]), reverse=True):
        if loop in told:
            continue
        runs = by_loop[loop]
        differences = differences_of(max(runs, key=lambda run: run.copies.ops), graph)
        if differences.own_variables or differences.attr:
            apart.append(_unrolled((loop,), runs, differences))
            continue
        inner = _alike_inside(loop, by_loop, repeated)
        found.append(_unrolled((loop, *inner), by_loop[(loop, *inner)[-1]], differences, repeated.loops))
        told |= {loop} | repeated.inside[loop]
    return [*found, *(loop for loop in apart if not repeated.inside[loop.loops[0]] & told)]


def _alike_inside(loop: int, by_loop: dict[int, list[LoopRun]], repeated: RepeatedOps) -> list[int]:
    """Loops nested in one that make most of its ops, outer ones first: they can be written anew with it."""
    most = len(repeated.of_loop[loop]) / 2
    nested = [inner for inner in repeated.inside[loop] if inner in by_loop and len(repeated.of_loop[inner]) > most]
    return sorted(nested, key=lambda inner: len(repeated.inside[inner]), reverse=True)


def _unrolled(
    loops: tuple[int, ...],
    runs: list[LoopRun],
    differences: CopyDifferences,
    statements: tuple[LoopStatement, ...] = (),
) -> UnrolledLoop:
    copies = sum(len(run.copies.starts) for run in runs)
    first = next(runs[0].each_copy())
    times = [statements[loop].times for loop in loops] if statements else []
    if len(times) > 1 and len(runs) == 1 and all(times):
        # Runs of an inner loop that follow one another look like one run: then the source text counts better.
        counted = 1
        for number in times:
            counted *= number or 1
        ops = len(runs[0].positions)
        if ops % counted == 0:
            copies, first = counted, runs[0].positions[: ops // counted]
    return UnrolledLoop(loops, copies, first, differences)


class _Tally(NamedTuple):
    """What a loop made in the graph, and what that cost."""

    ops: int
    gradient_ops: int
    graph_ops: int
    ms: float | None


def _tally(unrolled: UnrolledLoop, repeated: RepeatedOps, graph: GraphModel, metric: OpMetric | None) -> _Tally:
    positions = repeated.of_loop[unrolled.loops[0]]
    gradients = gradients_of(positions, graph)
    ms = None
    if metric is not None:
        ms = sum(metric.values.get(graph.ops[place].id, 0.0) for place in (*positions, *gradients)) / 1e3
    return _Tally(len(positions), len(gradients), len(graph), ms)


def _severity(tally: _Tally, unrolled: UnrolledLoop, tracing: Tracing) -> Severity | None:
    share = _tracing_share(tally, tracing)
    is_long = (tracing.trace_ms or 0.0) >= LONG_TRACING_MS
    every = tally.ops + tally.gradient_ops
    if unrolled.differences.own_variables or unrolled.differences.attr:
        # Nothing simple would make these fewer: worth a word only when they cost much.
        return "info" if is_long and share >= LARGE_SHARE else None
    if every >= LARGE_OPS or (is_long and share >= LARGE_SHARE):
        return "warning"
    return "info" if every >= NOTEWORTHY_OPS or (is_long and share >= NOTEWORTHY_SHARE) else None


def _tracing_share(tally: _Tally, tracing: Tracing) -> float:
    return tally.ms / tracing.trace_ms if tally.ms and tracing.trace_ms else 0.0


def _finding(
    recording: Recording,
    unrolled: UnrolledLoop,
    repeated: RepeatedOps,
    tally: _Tally,
    how: tuple[Severity, Tracing],
) -> Finding:
    severity, tracing = how
    graph = recording.graph("traced", tracing)
    loops = [repeated.loops[loop] for loop in unrolled.loops]
    busiest = _busiest_lines(recording, repeated.of_loop[unrolled.loops[0]], graph)
    evidence: dict[str, object] = {
        "copies": unrolled.copies,
        "ops": tally.ops,
        "ops_a_copy": len(unrolled.copy),
        "gradient_ops": tally.gradient_ops,
        "share": round((tally.ops + tally.gradient_ops) / tally.graph_ops, 3),
        "line_ops": busiest[0][1] if busiest else 0,
    }
    if tally.ms is not None:
        evidence["tracing_ms"] = round(tally.ms, 1)
        if tracing.trace_ms:
            evidence["tracing_share"] = round(_tracing_share(tally, tracing), 3)
    return Finding(
        rule="python-unrolled-loop",
        severity=severity,
        message=_message(loops, unrolled, tally, tracing) + _line_words(busiest, tally),
        evidence=evidence,
        ops=tuple(graph.ops[place].id for place in unrolled.copy[:20]),
        sources=tuple(dict.fromkeys((*map(_line_of, loops), *(line for line, _ in busiest[:3])))),
        suggestion=_suggestion(loops, unrolled, repeated),
        cost=tally.ms if tally.ms is not None else float(tally.ops + tally.gradient_ops),
    )


def _message(loops: list[LoopStatement], unrolled: UnrolledLoop, tally: _Tally, tracing: Tracing) -> str:
    where = " and ".join(f"the {_kind(loop)} on line {loop.line}" for loop in loops)
    ops = f"{tally.ops:,} ops" + (f" and {tally.gradient_ops:,} of their gradient" if tally.gradient_ops else "")
    share = (tally.ops + tally.gradient_ops) / tally.graph_ops
    words = f"Python ran {where} while tracing and left {unrolled.copies:,} copies of {len(unrolled.copy):,} ops"
    words += f": {ops}, {share:.0%} of the traced graph"
    if tally.ms is not None:
        of = f" of {tracing.trace_ms:,.0f}" if tracing.trace_ms else ""
        words += f"; making them took {tally.ms:,.0f}{of} ms of tracing"
    return words


def _line_of(loop: LoopStatement) -> SourceLine:
    return SourceLine(loop.file, loop.line, loop.function)


def _kind(loop: LoopStatement) -> str:
    return loop.kind if loop.kind in ("comprehension", "recursion") else f"`{loop.kind}`"


def _line_words(busiest: list[tuple[SourceLine, int]], tally: _Tally) -> str:
    if len(busiest) < 2:
        return ""
    line, ops = busiest[0]
    return f"; line {line.line} alone made {ops:,}" if ops < tally.ops else ""


def _suggestion(loops: list[LoopStatement], unrolled: UnrolledLoop, repeated: RepeatedOps) -> str:
    differences = unrolled.differences
    if differences.own_variables:
        return (
            "each copy has variables of its own, so no loop in the graph takes its place as it is: keep them in one "
            "variable with a further dimension and go over that with tf.scan, if tracing takes too long"
        )
    if differences.attr:
        return f"copies differ in {differences.attr}, so no loop in the graph takes their place as it is"
    outer, *inner = zip(loops, unrolled.loops, strict=True)
    words = rewrite_of(outer[0], differences, outer[1] in repeated.converted)
    words += "".join(f"; the same for the {_kind(loop)} on line {loop.line}" for loop, _ in inner)
    return f"{words}. An iteration in the graph costs some time of its own: measure both"


def _busiest_lines(recording: Recording, positions: Iterable[int], graph: GraphModel) -> list[tuple[SourceLine, int]]:
    stacks = Counter(graph.ops[position].stack for position in positions)
    lines: Counter[SourceLine] = Counter()
    for stack, count in stacks.items():
        frame = recording.stacks.user_frame(stack)
        if frame is not None:
            lines[SourceLine(frame.file, frame.line, frame.function)] += count
    return lines.most_common()
