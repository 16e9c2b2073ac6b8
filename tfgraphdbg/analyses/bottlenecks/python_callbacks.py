"""A measured step -> what tf.py_function and tf.numpy_function cost it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tfgraphdbg.analyses.bottlenecks.measured_ops import MeasuredOp, StepSummary, sources_of
from tfgraphdbg.analyses.known_target import PYTHON_CALLBACKS
from tfgraphdbg.analyses.time_words import counted, duration, percent
from tfgraphdbg.report import Finding

NOTEWORTHY_SHARE = 0.05
WARNING_SHARE = 0.20
WARNING_US = 1_000.0


def callback_findings(all_ops: Sequence[MeasuredOp], summary: StepSummary) -> Iterator[Finding]:
    """One finding for all of them."""
    ops = [op for op in all_ops if op.node.op_type in PYTHON_CALLBACKS]
    spent = sum(op.time.self_us for op in ops)
    share = summary.wall_share(spent)
    if share < NOTEWORTHY_SHARE:
        return
    calls = sum(op.time.calls for op in ops)
    is_slow = share >= WARNING_SHARE and spent >= WARNING_US
    yield Finding(
        rule="python-callback-time",
        severity="warning" if is_slow else "info",
        message=f"Python code that the graph calls runs for {duration(spent)} a step, {percent(share)} of its wall "
        f"time, in {counted(round(calls), 'call')}",
        evidence={"share": round(share, 4), "self_us": round(spent, 3), "calls": calls, "ops": len(ops)},
        ops=tuple(op.time.op for op in ops),
        sources=sources_of(ops),
        suggestion="write it with TensorFlow ops; where that cannot be, move it into the tf.data pipeline, which "
        "prepares the next batch meanwhile (map with num_parallel_calls, then prefetch)",
        cost=spent,
    )
