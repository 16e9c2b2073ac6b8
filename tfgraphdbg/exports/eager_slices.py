"""An eager run -> a thread on which its ops follow one another, each split into Python, dispatch and kernel."""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.eager_run import EagerOp, EagerPart
from tfgraphdbg.exports.op_arguments import line_of
from tfgraphdbg.exports.trace_events import Slice, TraceEvents
from tfgraphdbg.recording import StackTable

PARTS = ("python", "dispatch", "kernel")


def has_times(eager: EagerPart) -> bool:
    """Whether any op of it was measured."""
    return any(length is not None for op in eager.ops for length in _lengths(op))


def add_eager(trace: TraceEvents, eager: EagerPart, stacks: StackTable) -> None:
    """Add the eager run: lengths are measured, and each op begins where the one before it ended."""
    process = trace.add_process("eager run: measured lengths, laid end to end")
    trace.add_thread(process, "eager ops", _slices(eager, stacks))


def _slices(eager: EagerPart, stacks: StackTable) -> Iterator[Slice]:
    now = 0
    for op in eager.ops:
        lengths = [round((length or 0.0) * 1e3) for length in _lengths(op)]
        yield Slice(op.op_type, now, now + sum(lengths), _told(op, eager, stacks))
        for name, length in zip(PARTS, lengths, strict=True):
            if length > 0:
                yield Slice(name, now, now + length)
            now += length


def _lengths(op: EagerOp) -> tuple[float | None, float | None, float | None]:
    return (op.python_us, op.dispatch_us, op.kernel_us)


def _told(op: EagerOp, eager: EagerPart, stacks: StackTable) -> dict[str, object]:
    told: dict[str, object] = {"index": op.index, "op_type": op.op_type, **line_of(stacks, op.stack)}
    told["inputs"] = ", ".join(op.inputs)
    told["outputs"] = ", ".join(map(str, op.outputs))
    if op.device:
        told["device"] = op.device
    if op.bytes is not None:
        told["bytes"] = op.bytes
    if 0 <= op.thread < len(eager.threads):
        told["thread"] = eager.threads[op.thread]
    if None in _lengths(op):
        told["not_measured"] = ", ".join(
            name for name, length in zip(PARTS, _lengths(op), strict=True) if length is None
        )
    return told
