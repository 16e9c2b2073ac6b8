"""A measured step -> the time in which no op ran, copies between host and devices, and doubts about the measurement."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tfgraphdbg.analyses.bottlenecks.measured_ops import sources_of
from tfgraphdbg.analyses.bottlenecks.step import MeasuredStep
from tfgraphdbg.analyses.time_words import duration, percent
from tfgraphdbg.recording import Tracing
from tfgraphdbg.report import Finding, SourceLine

IDLE_SHARE = 0.25
IDLE_WARNING_SHARE = 0.50
IDLE_WARNING_US = 5_000.0
"""A step so short is mostly the call itself; that says nothing against the program."""

GAPS_WARNING_US = 20_000.0
"""Gaps between ops are the executor's own time; of a short step of small ops they are a large part."""

COPY_SHARE = 0.05
COPY_WARNING_SHARE = 0.20
COPY_WARNING_US = 1_000.0

NOTABLE = 0.05
"""What the profiler adds to a step is told from this share on."""

DISTORTED = 1.25
"""How much longer a profiled step may take before it has to be said."""

UNJOINED_SHARE = 0.05

COPY_OP_TYPES = frozenset({"_Send", "_Recv", "_HostSend", "_HostRecv", "Send", "Recv", "_Copy", "CopyHost"})
_COPY_KERNEL = re.compile("memcpy", re.IGNORECASE)


def host_findings(step: MeasuredStep, tracing: Tracing) -> Iterator[Finding]:
    """What a step spends beside its ops."""
    yield from _host_bound(step, tracing)
    yield from _host_copies(step)
    yield from _distorted(step)
    yield from _unjoined(step)


def _host_bound(step: MeasuredStep, tracing: Tracing) -> Iterator[Finding]:
    times, parallelism = step.times, step.parallelism
    if not times.timeline.op or not 0 <= times.timeline_step < len(times.steps):
        return
    wall = times.steps[times.timeline_step].wall_us
    around = max(0.0, wall - parallelism.span_ns / 1e3)
    idle = parallelism.idle_ns / 1e3
    # A profiled step is longer by what the profiler does, and that is no time of an op.
    added = min(step.summary.distortion_us, around + idle)
    share = (around + idle) / wall if wall else 0.0
    plain_share = (around + idle - added) / (wall - added) if wall > added else 0.0
    if plain_share < IDLE_SHARE:
        return
    is_call = around >= idle
    if is_call:
        where, what = "most of it around the graph, in the call from Python", _CALL_ADVICE
    else:
        where, what = "most of it between ops", _GAP_ADVICE
    is_long = plain_share >= IDLE_WARNING_SHARE and wall - added >= (IDLE_WARNING_US if is_call else GAPS_WARNING_US)
    measuring = f"; up to {duration(added)} of it is the profiler's own work" if added >= NOTABLE * wall else ""
    yield Finding(
        rule="host-bound",
        severity="warning" if is_long else "info",
        message=f"no op runs in {percent(share)} of a step's {duration(wall)}: {where}{measuring}",
        evidence={
            "share": round(share, 4),
            "python_us": round(around, 3),
            "idle_us": round(idle, 3),
            "wall_us": round(wall, 3),
            "profiler_us": round(added, 3),
        },
        sources=(SourceLine(tracing.file, tracing.line, tracing.function),) if tracing.file else (),
        suggestion=what,
        cost=around + idle,
    )


_CALL_ADVICE = (
    "do more in one call: several steps in a tf.range loop inside the tf.function (Keras: steps_per_execution); pass "
    "tensors, since each NumPy array is copied in every call"
)
_GAP_ADVICE = (
    "see the table critical-path for the ops before which nothing ran; many small ops become few with jit_compile=True"
)


def _host_copies(step: MeasuredStep) -> Iterator[Finding]:
    ops = [op for op in step.ops if op.node.op_type in COPY_OP_TYPES]
    kernels = [kernel for kernel in step.times.kernels if _COPY_KERNEL.search(kernel.name)]
    others = [event for event in step.times.unjoined if event.name.rpartition(":")[2] in COPY_OP_TYPES]
    spent = sum(op.time.self_us for op in ops) + sum(event.self_us for event in others)
    spent += sum(kernel.us for kernel in kernels)
    calls = sum(op.time.calls for op in ops) + sum(event.calls for event in others)
    calls += sum(kernel.calls for kernel in kernels)
    share = step.summary.wall_share(spent)
    if share < COPY_SHARE:
        return
    yield Finding(
        rule="host-copy",
        severity="warning" if share >= COPY_WARNING_SHARE and spent >= COPY_WARNING_US else "info",
        message=f"copies between devices take {duration(spent)} a step, as long as {percent(share)} of its wall time",
        evidence={"share": round(share, 4), "copy_us": round(spent, 3), "calls": calls, "kernels": len(kernels)},
        ops=tuple(op.time.op for op in ops),
        sources=sources_of(ops),
        suggestion="keep what one device makes on it: see which ops run on another device (overview's table devices) "
        "and why, such as an op with no kernel for it, or a with tf.device block",
        cost=spent,
    )


def _distorted(step: MeasuredStep) -> Iterator[Finding]:
    summary = step.summary
    if not summary.plain_us or summary.wall_us < DISTORTED * summary.plain_us:
        return
    ratio = summary.wall_us / summary.plain_us
    yield Finding(
        rule="profiler-overhead",
        severity="info",
        message=f"with the profiler a step takes {ratio:.1f} times as long as without it ({duration(summary.wall_us)} "
        f"and {duration(summary.plain_us)}): small ops look slower than they are",
        evidence={
            "ratio": round(ratio, 3),
            "profiled_us": round(summary.wall_us, 3),
            "plain_us": round(summary.plain_us, 3),
        },
        suggestion="trust the order of the big ops and lines; take the length of a step from the plain runs",
        cost=summary.wall_us - summary.plain_us,
    )


def _unjoined(step: MeasuredStep) -> Iterator[Finding]:
    share = step.summary.share(step.summary.unjoined_us)
    if share < UNJOINED_SHARE:
        return
    yield Finding(
        rule="unjoined-time",
        severity="info",
        message=f"{percent(share)} of the busy time belongs to no op of the optimized graph",
        evidence={
            "share": round(share, 4),
            "unjoined_us": round(step.summary.unjoined_us, 3),
            "events": len(step.times.unjoined),
        },
        suggestion="the table unjoined says what it is and why it could not be joined",
        cost=step.summary.unjoined_us,
    )
