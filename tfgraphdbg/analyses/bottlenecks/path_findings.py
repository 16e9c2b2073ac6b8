"""A measured step -> whether its ops wait for each other: one long chain, and chains of tiny ops."""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.analyses.bottlenecks.measured_ops import sources_of
from tfgraphdbg.analyses.bottlenecks.step import MeasuredStep
from tfgraphdbg.analyses.time_words import counted, duration, percent
from tfgraphdbg.message_words import quoted
from tfgraphdbg.report import Finding

SERIAL_SHARE = 0.80
SERIAL_PARALLELISM = 1.3
SERIAL_US = 1_000.0
HELPED_SHARE = 0.30
"""With so much time of worker threads beside that of ops, ops are parallel inside: a chain of them is no loss."""

TINY_US = 10.0
"""An op of less takes about as long to schedule as to run."""

MANY_TINY = 100
TINY_SHARE = 0.25
TINY_WARNING_SHARE = 0.50
NOTABLE_PART = 0.10
TINY_WARNING_US = 20_000.0

LOOP_SHARE = 0.25
"""Of the step: a loop that takes so much of it is named."""

MOST_OPS = 20


def path_findings(step: MeasuredStep) -> Iterator[Finding]:
    """What the shape of the graph costs."""
    yield from _serial_graph(step)
    yield from _tiny_ops(step)


def _serial_graph(step: MeasuredStep) -> Iterator[Finding]:
    span = step.parallelism.span_ns
    if step.slack is None or not step.slack.longest_ns or span < SERIAL_US * 1e3:
        return
    all_ns = sum(step.times.timeline.self_ns)
    share, parallelism = step.slack.longest_ns / span, all_ns / step.slack.longest_ns
    helped = sum(op.time.worker_us for op in step.ops)
    if share < SERIAL_SHARE or parallelism > SERIAL_PARALLELISM or helped > HELPED_SHARE * step.summary.op_us:
        return
    names = {step.times.ops[step.times.timeline.op[place.row]].op for place in step.path}
    on_path = sorted((op for op in step.ops if op.time.op in names), key=lambda op: -op.time.self_us)
    if len(on_path) < 2:
        return
    yield Finding(
        rule="serial-graph",
        severity="info",
        message=f"the ops of a step form one chain: {percent(share)} of the time from the first to the last op is the "
        f"longest chain of ops that wait for each other, so no more than {parallelism:.1f} of them can run at once",
        evidence={
            "critical_share": round(share, 4),
            "parallelism": round(parallelism, 3),
            "longest_us": step.slack.longest_ns / 1e3,
            "path_ops": len(on_path),
        },
        ops=tuple(op.time.op for op in on_path[:MOST_OPS]),
        sources=sources_of(on_path),
        suggestion="more threads do not help it; make the ops of the chain cheaper (table critical-path), or compute "
        "larger batches at once",
    )


def _tiny_ops(step: MeasuredStep) -> Iterator[Finding]:
    summary = step.summary
    tiny = [op for op in step.ops if op.each_us < TINY_US]
    calls, spent = sum(op.time.calls for op in tiny), sum(op.time.self_us for op in tiny)
    all_calls = sum(op.time.calls for op in step.ops) or 1.0
    # The executor works for every op alike, so the tiny ones have their part of its time.
    executor = summary.executor_us * calls / all_calls
    # What the profiler adds is nearly all in that time: without it the share may be too small to matter.
    added = min(summary.distortion_us, summary.executor_us)
    share = summary.share(spent + executor)
    plain_share = (spent + executor - added * calls / all_calls) / max(summary.busy_us - added, 1e-9)
    if calls < MANY_TINY or min(share, plain_share) < TINY_SHARE:
        return
    loop = next((loop for loop in step.loops if summary.wall_share(loop.whole_us) >= LOOP_SHARE), None)
    costly = min(share, plain_share) >= TINY_WARNING_SHARE and (summary.plain_us or summary.wall_us) >= TINY_WARNING_US
    within = "" if added < NOTABLE_PART * (spent + executor) else ", part of it the profiler's own work"
    if loop is not None:
        within += f", many of them in the {counted(loop.iterations, 'iteration')} of the loop {quoted(loop.name)}"
    evidence: dict[str, object] = {
        "share": round(share, 4),
        "calls": calls,
        "tiny_us": round(spent, 3),
        "executor_us": round(executor, 3),
        "each_us": round(spent / calls, 3),
        "profiler_us": round(added, 3),
    }
    if loop is not None:
        evidence |= {"loop": loop.name, "iterations": loop.iterations}
    yield Finding(
        rule="tiny-ops",
        severity="warning" if costly else "info",
        message=f"{counted(round(calls), 'execution')} of ops shorter than {TINY_US:.0f} us, with what it takes to "
        f"schedule them, are {percent(share)} of the busy time ({duration(spent + executor)} a step){within}",
        evidence=evidence,
        ops=tuple(op.time.op for op in tiny[:MOST_OPS]),
        sources=sources_of(tiny),
        suggestion="let XLA make few large ops of them: tf.function(jit_compile=True)"
        + (", do the work of all iterations at once, outside of the loop" if loop else "")
        + "; or give each op more to do (a larger batch)",
        cost=spent + executor,
    )
