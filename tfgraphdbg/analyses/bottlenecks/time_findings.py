"""A measured step -> what is worth knowing of it: the hot lines and ops, and each kind of time that could be saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tfgraphdbg.analyses.bottlenecks.host_findings import host_findings
from tfgraphdbg.analyses.bottlenecks.measured_ops import (
    MeasuredOp,
    StepSummary,
    measured_ops,
    sources_of,
    step_summary,
)
from tfgraphdbg.analyses.bottlenecks.path_findings import path_findings
from tfgraphdbg.analyses.bottlenecks.python_callbacks import callback_findings
from tfgraphdbg.analyses.bottlenecks.step import MeasuredStep
from tfgraphdbg.analyses.bottlenecks.time_tables import LineTime, line_times
from tfgraphdbg.analyses.known_target import PYTHON_CALLBACKS
from tfgraphdbg.analyses.time_words import counted, duration, percent, place
from tfgraphdbg.graph_model import garbage_collection_paused
from tfgraphdbg.message_words import quoted
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.report import Finding, SourceLine

HOT_LINE_SHARE = 0.10
HOT_OP_SHARE = 0.20
MOST = 3
"""Hot lines, and hot ops, that are findings; the tables have all."""

LISTED_OPS = 20

MOST_OPS_AT_A_GLANCE = 20_000
"""Of a larger graph, adding up the times of all ops takes a quarter of a second."""

JUDGED_OPS = 500
"""The biggest ops of a line, from which is told what kind of work it is."""

_MATRIX_WORK = frozenset(
    {"MatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "_FusedMatMul", "_FusedConv2D"}
    | {f"{kind}{part}" for kind in ("Conv2D", "Conv3D", "DepthwiseConv2dNative") for part in ("", "BackpropInput")}
    | {f"{kind}{part}" for kind in ("Conv2D", "Conv3D", "DepthwiseConv2dNative") for part in ("BackpropFilter",)}
    | {"Conv3DBackpropInputV2", "Conv3DBackpropFilterV2"}
)


def op_time_findings(recording: Recording, tracing: Tracing) -> Iterator[Finding]:
    """Those that need nothing but the time of each op; none where even that would keep a reader waiting."""
    if tracing.stage("optimized") is None or len(recording.graph("optimized", tracing)) > MOST_OPS_AT_A_GLANCE:
        return
    times = recording.times(tracing)
    if times is None or not times.steps:
        return
    with garbage_collection_paused():
        summary = step_summary(times)
        ops = measured_ops(recording, tracing, times, None, "")
        yield from _hot_lines(line_times(ops), summary)
        yield from callback_findings(ops, summary)


def time_findings(step: MeasuredStep, tracing: Tracing) -> Iterator[Finding]:
    """All findings of a step's time, in no order."""
    yield from _hot_lines(step.lines, step.summary)
    yield from _hot_ops(step)
    yield from callback_findings(step.ops, step.summary)
    yield from path_findings(step)
    yield from host_findings(step, tracing)


def _hot_lines(all_lines: Sequence[LineTime], summary: StepSummary) -> Iterator[Finding]:
    """Where the time goes: to know, not a fault, so none is a warning."""
    lines = [line for line in all_lines if line.file]
    for line in lines[:MOST]:
        share = summary.share(line.self_us)
        if share < HOT_LINE_SHARE:
            return
        source = SourceLine(line.file, line.line, line.function)
        kinds = _kinds(line)
        biggest = sorted(line.ops, key=lambda op: -op.time.self_us)
        yield Finding(
            rule="hot-line",
            severity="info",
            message=f"{place(source)} takes {percent(share)} of the busy time, {duration(line.self_us)} a step: "
            f"{', '.join(f'{kind} {percent(part)}' for kind, part in kinds)}",
            evidence={
                "share": round(share, 4),
                "self_us": round(line.self_us, 3),
                "ops": len(line.ops),
                "shared_ops": sum(op.shares_lines for op in line.ops),
            },
            ops=tuple(op.time.op for op in biggest[:LISTED_OPS]),
            sources=(source,),
            suggestion=_advice(biggest, line.self_us),
            cost=line.self_us,
        )


def _kinds(line: LineTime) -> list[tuple[str, float]]:
    """The op types that take most of a line's time, each with its share of it."""
    spent: dict[str, float] = {}
    for op in line.ops:
        kind = op.node.op_type or "?"
        spent[kind] = spent.get(kind, 0.0) + op.time.self_us
    most = sorted(spent.items(), key=lambda item: item[1], reverse=True)[:3]
    return [(kind, us / line.self_us) for kind, us in most if us >= 0.05 * line.self_us]


def _advice(ops: Sequence[MeasuredOp], total_us: float) -> str:
    """What to do about ops, the biggest first, that take `total_us`."""
    biggest, calls = ops[:JUDGED_OPS], sum(op.time.calls for op in ops)
    doubles = sum(op.time.self_us for op in biggest if any(out.dtype in _DOUBLES for out in op.node.outputs))
    callbacks = sum(op.time.self_us for op in biggest if op.node.op_type in PYTHON_CALLBACKS)
    matrices = sum(op.time.self_us for op in biggest if op.node.op_type in _MATRIX_WORK)
    if callbacks >= total_us / 2:
        return "it runs Python inside the graph: write it with TensorFlow ops"
    if doubles >= total_us / 2:
        return "it computes in float64: cast to float32, which takes about half the time"
    if matrices >= total_us / 2:
        return (
            "most of it is matrix work: it takes less with fewer or smaller channels, or in bfloat16 or float16 where "
            "the device computes those faster (tf.keras.mixed_precision)"
        )
    if calls >= 20 and total_us / calls < 50:
        return "it is many small ops: tf.function(jit_compile=True) around it lets XLA make few large ones of them"
    return "its ops are in the table ops: what the biggest of them reads and writes decides what it takes"


_DOUBLES = frozenset({"float64", "double", "complex128"})


def _hot_ops(step: MeasuredStep) -> Iterator[Finding]:
    for op in step.ops[:MOST]:
        share = step.summary.share(op.time.self_us)
        if share < HOT_OP_SHARE:
            return
        if op.node.op_type in PYTHON_CALLBACKS:
            continue
        shapes = ", ".join(map(str, op.node.outputs[:2]))
        evidence: dict[str, object] = {
            "op_type": op.node.op_type,
            "share": round(share, 4),
            "self_us": round(op.time.self_us, 3),
            "calls": op.time.calls,
        }
        yield Finding(
            rule="hot-op",
            severity="info",
            message=f"one op, the {op.node.op_type or 'op'} {quoted(op.time.op)}, takes {percent(share)} of the busy "
            f"time: {duration(op.time.self_us)} a step in {counted(round(op.time.calls), 'call')}"
            f"{f', which gives {shapes}' if shapes else ''}",
            evidence=evidence,
            ops=(op.time.op,),
            sources=sources_of([op]),
            suggestion=_advice([op], op.time.self_us),
            cost=op.time.self_us,
        )
