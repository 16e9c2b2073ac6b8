"""What ran when a function was called eagerly: each op in order, and what eager and graph calls cost side by side."""

from __future__ import annotations

import msgspec

from tfgraphdbg.graph_model import AttrValue, OutputInfo


class EagerOp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One op that ran eagerly. Times come from other runs than the structure, joined op by op.

    On the thread that called, Python, dispatch and kernel times of all ops, and `EagerPart.after_us`, sum up to the
    wall time of a run.
    """

    index: int
    op_type: str
    inputs: tuple[str, ...] = ()
    """One word an input: `12:0` is output 0 of op 12; `argument:x`, `variable:dense/kernel`, `constant`, or `outside`
    for a tensor that was there before the call. A `constant` was a Python value."""
    outputs: tuple[OutputInfo, ...] = ()
    attrs: int = -1
    """Position in `EagerPart.attr_sets`; -1: none."""
    device: str = ""
    stack: int = -1
    """Position in the recording's stack table."""
    thread: int = 0
    """Position in `EagerPart.threads`."""
    python_us: float | None = None
    """Time of Python from the end of the op before to TensorFlow's taking over; None: not measured.

    What an op of `tf.py_function` does in Python beside the ops in it is kernel time of that op."""
    dispatch_us: float | None = None
    """Time of TensorFlow's eager runtime around the kernel: finding it, preparing inputs and outputs."""
    kernel_us: float | None = None
    """Time of the kernel itself; on a device that runs kernels by themselves, of launching it."""
    bytes: int | None = None
    """What the op allocated, as the allocator told; None: not told."""


class EagerPart(msgspec.Struct, frozen=True):
    """One eager run of a function, and the profiled runs that give its times.

    Each time is the mean over the runs whose wall times are neither in the shortest nor in the longest quarter.
    Ops are in the order of their ends: what `tf.py_function` runs comes before its own op.
    """

    ops: tuple[EagerOp, ...]
    attr_sets: tuple[dict[str, AttrValue], ...] = ()
    threads: tuple[str, ...] = ()
    wall_us: tuple[float, ...] = ()
    """Of each profiled run, from the call to its return."""
    after_us: float = 0.0
    """Python time after the last op, the mean over the same runs."""
    unmatched: int = 0
    """Events of the profile that could not be joined to an op of the list."""
    unrepeatable: str = ""
    """Why two runs are not the same run, in one sentence; empty when they are."""
    note: str = ""


class CallCosts(msgspec.Struct, frozen=True):
    """Wall times of eager and graph calls on the same inputs in one process, taken in turns; microseconds a call."""

    eager_us: tuple[float, ...]
    graph_us: tuple[float, ...]
    calls_a_sample: int = 1
    """Each sample is the mean of so many calls."""
    trace_ms: float = 0.0
    """Tracing, and what the first graph call took beyond a steady one."""
    note: str = ""


def eager_part(tracing: int) -> str:
    """Name of the part that holds the eager run of a tracing's function."""
    return f"tracings/{tracing}/eager"


def call_costs_part(tracing: int) -> str:
    """Name of the part that holds what eager and graph calls of a tracing's function cost."""
    return f"tracings/{tracing}/call-costs"
