"""Recordings with measured times and an eager run, built by hand on the two small graphs of `hand_built`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import NamedTuple

from tests.hand_built import MATRIX, SCALAR, packed_recording, small_optimized, small_traced
from tfgraphdbg.cost_estimates import EstimatesPart, OpEstimate, estimates_part
from tfgraphdbg.eager_run import CallCosts, EagerOp, EagerPart, call_costs_part, eager_part
from tfgraphdbg.graph_model import GraphModel, OutputInfo
from tfgraphdbg.measured_times import (
    OpTime,
    StepTime,
    ThreadInfo,
    Timeline,
    TimesPart,
    times_part,
    tracing_times_part,
)
from tfgraphdbg.recording import META_PART, OpMetric, Recording, RecordingMeta
from tfgraphdbg.recording_file import MemoryParts, decode_part, encode_part


class Ran(NamedTuple):
    """One execution of an op: microseconds since the step began."""

    op: str
    start: float
    end: float
    thread: int = 0


SMALL_RUN = (
    Ran("dense/MatMul/ReadVariableOp", 10, 12),
    Ran("dense/Relu", 12, 112),
    Ran("sub", 113, 123),
    Ran("pow", 123, 163, 1),
    Ran("Mean", 165, 185),
    Ran("PartitionedCall/mul", 185, 187),
)
"""One step of `small_optimized`: its matmul on line 6 takes most of the time."""


def times_of(runs: Iterable[Ran], wall: float, executor: float = 0.0, worker: Mapping[str, float] = {}) -> TimesPart:
    """The times of three equal steps with these executions, none of them nested in another."""
    ran = sorted(runs, key=lambda run: run.start)
    ops = tuple(dict.fromkeys(run.op for run in ran))
    threads = 1 + max(run.thread for run in ran)
    total = sum(run.end - run.start for run in ran)
    spent = {op: sum(run.end - run.start for run in ran if run.op == op) for op in ops}
    return TimesPart(
        steps=(StepTime(wall, total + executor, total, executor, 0.0),) * 3,
        ops=tuple(
            OpTime(op, sum(run.op == op for run in ran), us, us * 0.9, us * 1.2, worker.get(op, 0.0))
            for op, us in spent.items()
        ),
        threads=tuple(ThreadInfo(f"tf_Compute/{number}", "executor") for number in range(threads)),
        timeline=Timeline(
            op=tuple(ops.index(run.op) for run in ran),
            thread=tuple(run.thread for run in ran),
            start_ns=tuple(round(run.start * 1e3) for run in ran),
            end_ns=tuple(round(run.end * 1e3) for run in ran),
            self_ns=tuple(round((run.end - run.start) * 1e3) for run in ran),
        ),
        plain_us=(wall * 0.98, wall, wall * 1.02),
    )


WEIGHTS = OutputInfo("float32", (784, 10))

SMALL_EAGER = (
    EagerOp(
        0, "ReadVariableOp", ("variable:weights",), (WEIGHTS,), stack=0, python_us=20.0, dispatch_us=8.0, kernel_us=1.5
    ),
    EagerOp(1, "MatMul", ("argument:x", "0:0"), (MATRIX,), -1, "", 0, 0, 15.0, 9.0, 95.0, 1280),
    EagerOp(2, "Relu", ("1:0",), (MATRIX,), -1, "", 1, 0, 6.0, 5.0, 3.0, 1280),
    EagerOp(3, "Sub", ("2:0", "argument:y"), (MATRIX,), -1, "", 2, 0, 8.0, 6.0, 2.5, 1280),
    EagerOp(4, "Pow", ("3:0", "constant"), (MATRIX,), -1, "", 2, 0, 12.0, 7.0, 30.0, 1280),
    EagerOp(5, "Mean", ("4:0", "constant"), (SCALAR,), -1, "", 2, 0, 14.0, 7.0, 18.0, 4),
    EagerOp(6, "Mul", ("5:0", "constant"), (SCALAR,), -1, "", 2, 0, 7.0, 5.0, 1.0, 4),
)
"""The small train step, eagerly: the op list that stands beside `small_traced`."""


def packed_with_times(runs: Iterable[Ran] = SMALL_RUN, wall: float = 240.0) -> dict[str, bytes]:
    """The parts of a recording of the small train step with times, an eager run, call costs and estimates."""
    packed = packed_recording([small_traced(), small_optimized()])
    times = times_of(runs, wall, executor=20.0)
    packed[times_part(0)] = encode_part(times)
    packed[eager_part(0)] = encode_part(EagerPart(SMALL_EAGER, threads=("MainThread",), wall_us=(300.0, 310.0, 320.0)))
    packed[call_costs_part(0)] = encode_part(
        CallCosts((300.0, 305.0, 310.0, 320.0), (238.0, 240.0, 241.0, 250.0), 10, trace_ms=120.0)
    )
    estimates = tuple(OpEstimate(op.op, op.self_us * 0.4, op.self_us * 0.1) for op in times.ops)
    packed[estimates_part(0)] = encode_part(EstimatesPart("CPU: 2 cores at 2445 MHz", 4.89, 32.0, estimates))
    traced = {op.id: 100.0 for op in small_traced().ops}
    packed[tracing_times_part(0)] = encode_part(OpMetric("tracing", "us", "traced", traced))
    return packed


def recording_with_times(runs: Iterable[Ran] = SMALL_RUN, wall: float = 240.0) -> Recording:
    """The same, opened."""
    packed = packed_with_times(runs, wall)
    return Recording(decode_part(packed[META_PART], RecordingMeta, "meta"), MemoryParts(packed))


def with_times(times: TimesPart, graph: GraphModel | None = None) -> Recording:
    """A recording of the small train step, or of another optimized graph, with these times."""
    packed = packed_recording([small_traced(), small_optimized()] if graph is None else [graph])
    packed[times_part(0)] = encode_part(times)
    return Recording(decode_part(packed[META_PART], RecordingMeta, "meta"), MemoryParts(packed))


def median_wall(times: TimesPart) -> float:
    """The wall time of a step, as analyses take it."""
    return median(step.wall_us for step in times.steps)
