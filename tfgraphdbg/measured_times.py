"""What steady runs of an optimized graph took: each op's times over several steps, and one step event by event."""

from __future__ import annotations

from typing import Literal

import msgspec

ThreadKind = Literal["python", "executor", "worker", "stream"]
"""Who ran: Python itself, the executor's threads, threads that only help an op (Eigen, oneDNN), a device's stream."""


class OpTime(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One op of the optimized graph: microseconds of one step, the median over all profiled steps."""

    op: str
    """Its id in the optimized graph, as `OpNode.id` gives it."""
    calls: float
    """Executions in a step: one for each iteration of a loop that it is in."""
    self_us: float
    """Time of all its executions in a step, without that of ops which ran inside it on the same thread."""
    low_us: float
    """The smallest of all steps."""
    high_us: float
    """The largest of all steps."""
    worker_us: float = 0.0
    """Time that worker threads spent on it beside its own thread; 0 when the runtime does not tell."""


class Timeline(msgspec.Struct, frozen=True, array_like=True):
    """The executions of one step in order of their start, as columns of one length.

    An op of a loop has one execution an iteration, in order. Times are nanoseconds since the step began.
    """

    op: tuple[int, ...] = ()
    """Position in `TimesPart.ops`."""
    thread: tuple[int, ...] = ()
    """Position in `TimesPart.threads`."""
    start_ns: tuple[int, ...] = ()
    end_ns: tuple[int, ...] = ()
    self_ns: tuple[int, ...] = ()
    """`end - start`, without what ran nested in it."""


class StepTime(msgspec.Struct, frozen=True, array_like=True):
    """One profiled step, a call of the function, in microseconds: `busy_us` = `op_us + executor_us + unjoined_us`."""

    wall_us: float
    """From the call in Python to its outputs; in a program of its own, and inside another function, without the time
    that `tf.function` takes to find the graph for the arguments."""
    busy_us: float
    """Summed over threads: time in which a thread ran at least one op or another unit of work of this step.

    Threads that only help an op are not in it: see `OpTime.worker_us`.
    """
    op_us: float
    """Sum of the self times of all joined ops; of a function that XLA compiled whole, its run."""
    executor_us: float
    """The executor's own time beside ops: choosing what runs next, and passing values on, also between devices.

    Of all times this is the one that the profiler itself makes longer, where ops are small: see `TimesPart.plain_us`.
    """
    unjoined_us: float
    """Self time of events that no op of the optimized graph could be found for."""


class UnjoinedTime(msgspec.Struct, frozen=True, array_like=True):
    """Events that belong to no op of the optimized graph: microseconds of a step, the median over steps."""

    name: str
    calls: float
    self_us: float
    reason: str


class KernelTime(msgspec.Struct, frozen=True, array_like=True):
    """A kernel on a device's stream, such as a CUDA kernel, and the op that launched it; empty: not known."""

    name: str
    op: str
    stream: str
    calls: float
    us: float


class ThreadInfo(msgspec.Struct, frozen=True, array_like=True):
    """A thread of the timeline."""

    name: str
    kind: ThreadKind


class TimesPart(msgspec.Struct, frozen=True):
    """What was measured of one tracing; every number is measured."""

    steps: tuple[StepTime, ...]
    ops: tuple[OpTime, ...]
    threads: tuple[ThreadInfo, ...] = ()
    timeline: Timeline = Timeline()
    timeline_step: int = 0
    """The step that the timeline shows: the one whose wall time is the median."""
    plain_us: tuple[float, ...] = ()
    """Wall times of the same calls without the profiler."""
    unjoined: tuple[UnjoinedTime, ...] = ()
    """Also what passes values on, from one device to another for example, which `StepTime.executor_us` counts."""
    kernels: tuple[KernelTime, ...] = ()
    hlo_us: dict[str, float] = {}
    """XLA: microseconds a step of each HLO instruction that the trace tells, by `hlo_module/instruction`."""
    note: str = ""
    """Why there are fewer steps than were asked for, and the like; empty for nothing."""


def times_part(tracing: int) -> str:
    """Name of the part that holds the measured times of a tracing."""
    return f"tracings/{tracing}/times"


def trace_part(tracing: int) -> str:
    """Name of the part that holds the profiler's own trace of some steps, a serialized XSpace."""
    return f"traces/{tracing}/steps.xplane.pb.zst"


def tracing_times_part(tracing: int) -> str:
    """Name of the part that holds how long Python took to make each op of the traced graph, an OpMetric."""
    return f"tracings/{tracing}/tracing-times"
