"""A compared run -> findings: what a graph gives here, or does not, and which lines cost Python time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tfgraphdbg.analyses.eager.call_cost import CallCost
from tfgraphdbg.analyses.eager.compared_run import ComparedRun
from tfgraphdbg.analyses.eager.cost_tables import cost_evidence
from tfgraphdbg.analyses.eager.eager_tables import line_times
from tfgraphdbg.analyses.eager.gap_shares import GapPart
from tfgraphdbg.analyses.time_words import duration
from tfgraphdbg.eager_run import EagerOp
from tfgraphdbg.recording import Frame
from tfgraphdbg.report import Finding, SourceLine, ordered

OVERHEAD_RATIO = 1.1
"""How much longer an eager call must take to be worth a word."""

SLOW_GRAPH_RATIO = 1.25
SLOW_GRAPH_US = 20.0
"""A graph call that is slower by both is a warning."""

MANY_CALLS = 1_000
"""When tracing pays back after more calls than that, it is said."""

PYTHON_LINE_SHARE = 0.3
"""Of the whole eager call: one line's Python time, to be told."""

_KERNEL_SHARE_OF_HEAVY_CALL = 0.8


LONG_PYTHON_US = 1_000.0
"""Python that takes longer before an op is more than what calls TensorFlow: it does work of its own, or waits."""

Advice = Callable[[float, int | None], str]
"""What to do about slow eager calls, of the milliseconds of tracing and the calls after which they have paid back."""


def eager_findings(
    run: ComparedRun, gap: tuple[GapPart, ...], concrete_calls: int, advice: Advice
) -> tuple[Finding, ...]:
    """All findings, the most severe first. `concrete_calls`: how often the recorded program called the graph."""
    findings: list[Finding] = []
    if run.cost is not None:
        findings += _overhead(run.cost, gap, advice)
        findings += _slower_graph(run.cost, concrete_calls)
    findings += _python_lines(run)
    findings += _host_copies(run)
    if run.part.unrepeatable:
        findings.append(
            Finding(
                "unrepeatable-run",
                "info",
                f"eager runs are not the same run, so their times are of different work: {run.part.unrepeatable}",
                {"ops": len(run.part.ops), "unmatched": run.part.unmatched},
                suggestion="seed random ops, and keep Python state out of the function",
            )
        )
    return ordered(findings)


def _overhead(cost: CallCost, gap: tuple[GapPart, ...], advice: Advice) -> Iterator[Finding]:
    if not cost.eager.is_above(cost.graph) or cost.ratio < OVERHEAD_RATIO:
        return
    largest = sorted((part for part in gap if part.us > 0), key=lambda part: -part.us)[:3]
    words = ", ".join(f"{part.us / cost.gap_us:.0%} {_WORDS.get(part.name, part.name)}" for part in largest)
    what = f"; of the {duration(cost.gap_us)} between them: {words}" if words else ""
    yield Finding(
        rule="eager-overhead",
        severity="info",
        message=f"eager is {cost.ratio:.1f}x slower than the graph{what}",
        evidence=cost_evidence(cost),
        suggestion=advice(cost.trace_ms, cost.break_even_calls),
        cost=cost.gap_us,
    )


_WORDS = {"python": "Python", "dispatch": "dispatch of ops", "rest": "not explained", "same ops, other time": "kernels"}


def _slower_graph(cost: CallCost, concrete_calls: int) -> Iterator[Finding]:
    evidence = cost_evidence(cost)
    once = f"called once, a graph costs {duration(cost.trace_ms * 1e3)} of tracing on top"
    if cost.graph.is_above(cost.eager):
        slower = cost.graph.median / cost.eager.median
        is_much = slower >= SLOW_GRAPH_RATIO and -cost.gap_us >= SLOW_GRAPH_US
        yield Finding(
            rule="graph-slower",
            severity="warning" if is_much else "info",
            message=f"the graph is {slower:.2f}x slower than eager, {duration(-cost.gap_us)} a call; {once}",
            evidence=evidence,
            suggestion=f"call it without tf.function, or as part of a larger one{_why_slow(cost)}",
            cost=-cost.gap_us,
        )
    elif not cost.eager.is_above(cost.graph):
        yield Finding(
            rule="graph-slower",
            severity="info",
            message=f"a graph saves nothing beyond the spread, so tracing never pays back: {once}{_why_slow(cost)}",
            evidence=evidence,
            suggestion="a tf.function of its own gives nothing here; make it part of a larger one",
        )
    else:
        yield from _late_pay_back(cost, concrete_calls)


def _late_pay_back(cost: CallCost, concrete_calls: int) -> Iterator[Finding]:
    needed = cost.break_even_calls
    if needed is not None and needed > MANY_CALLS:
        made = f"; this run made {concrete_calls:,}" if 0 < concrete_calls < needed else ""
        yield Finding(
            rule="graph-slower",
            severity="info",
            message=f"the graph pays back only after {needed:,} calls: tracing took {duration(cost.trace_ms * 1e3)}, "
            f"and a call saves {duration(cost.gap_us)}{made}",
            evidence=cost_evidence(cost),
            suggestion="for fewer calls than that, call it eagerly",
        )


def _why_slow(cost: CallCost) -> str:
    share = cost.share(cost.parts.kernel_us) if cost.parts else None
    if share is None or share < _KERNEL_SHARE_OF_HEAVY_CALL:
        return ""
    return f" (kernels are {min(share, 1.0):.0%} of an eager call, and a graph runs the same ones)"


def skipped_python(run: ComparedRun) -> list[tuple[Frame, float]]:
    """Lines of which long Python takes much of the eager run, and how long it does: a graph call does none of it."""
    total = run.eager_total
    if total is None or not total.attributed_us:
        return []
    return [
        (frame, spent.python_us)
        for frame, spent in line_times(run).items()
        if frame is not None
        and spent.python_us / total.attributed_us >= PYTHON_LINE_SHARE
        and spent.python_us / spent.ops >= LONG_PYTHON_US
    ]


def _python_lines(run: ComparedRun) -> Iterator[Finding]:
    total = run.eager_total
    lines = line_times(run) if total is not None else {}
    if total is None or not total.attributed_us:
        return
    long = {frame for frame, _ in skipped_python(run)}
    for frame, spent in lines.items():
        share = spent.python_us / total.attributed_us
        if frame is None or share < PYTHON_LINE_SHARE or (len(lines) < 2 and not long):
            continue
        skips = ": a graph call skips it, so the two modes do not do the same work" if frame in long else ""
        yield Finding(
            rule="python-line-overhead",
            severity="warning" if skips else "info",
            message=f"Python before the ops of one line is {share:.0%} of the eager run{skips}",
            evidence={"python_us": spent.python_us, "share": share, "ops": spent.ops},
            sources=(_source(frame),),
            suggestion="a graph runs this Python only while it is traced: what must run in every call has to be "
            "TensorFlow ops",
            cost=spent.python_us,
        )


class _Copies(NamedTuple):
    ops: list[EagerOp]
    sizes: list[int]


def _host_copies(run: ComparedRun) -> Iterator[Finding]:
    """Tensors that an op on one kind of device reads from another: the runtime copies them, and often waits."""
    if len({_kind(device) for device in {op.device for op in run.part.ops}} - {""}) < 2:
        return
    copies: defaultdict[tuple[str, str], _Copies] = defaultdict(lambda: _Copies([], []))
    by_index = {op.index: op for op in run.part.ops}
    for op in run.part.ops:
        for word in op.inputs:
            maker, _, output = word.partition(":")
            source = by_index.get(int(maker)) if maker.isdecimal() and output.isdecimal() else None
            if source is None or _kind(source.device) in ("", _kind(op.device)) or not _kind(op.device):
                continue
            found = copies[_kind(source.device), _kind(op.device)]
            found.ops.append(op)
            found.sizes.append(source.bytes or 0)
    for (origin, target), found in copies.items():
        frames = dict.fromkeys(frame for op in found.ops if (frame := run.line_of(op)))
        yield Finding(
            rule="host-copy",
            severity="info",
            message=f"{len(found.ops):,} tensors are copied from {origin} to {target} in one eager call",
            evidence={"copies": len(found.ops), "bytes": sum(found.sizes), "from": origin, "to": target},
            sources=tuple(map(_source, list(frames)[:3])),
            suggestion="keep what a step needs on one device, and read values on the host after the step",
            cost=float(sum(found.sizes)),
        )


def _kind(device: str) -> str:
    """`GPU` of `/job:localhost/replica:0/task:0/device:GPU:0`."""
    _, _, place = device.rpartition("device:")
    return place.partition(":")[0].upper()


def _source(frame: Frame) -> SourceLine:
    return SourceLine(frame.file, frame.line, frame.function)
