"""The profiler's own trace -> every event of it, ops told with their Python lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tfgraphdbg.exports.op_arguments import OpArguments
from tfgraphdbg.exports.trace_events import Slice, TraceEvents
from tfgraphdbg.exports.xspace import TraceLine, TracePlane, Value

LARGEST_NUMBER = 2**53
"""Above it a number of JavaScript is no longer exact, and the profiler's ids of work are."""


def add_profile(trace: TraceEvents, planes: Iterable[TracePlane], arguments: OpArguments) -> None:
    """Add each plane that has events as a process, each of its lines as a thread; time 0 is the first event."""
    shown = [plane for plane in planes if any(line.events for line in plane.lines)]
    lines = [line for plane in shown for line in plane.lines if line.events]
    began_ps = min(
        (min(event.offset_ps for event in line.events) + line.timestamp_ns * 1000 for line in lines), default=0
    )
    for plane in shown:
        process = trace.add_process(f"profiler: {plane.name}, all events of the profiled steps")
        for line in plane.lines:
            if line.events:
                trace.add_thread(process, line.name, _slices(line, began_ps, arguments))


def _slices(line: TraceLine, began_ps: int, arguments: OpArguments) -> Iterator[Slice]:
    shift_ps = line.timestamp_ns * 1000 - began_ps
    for event in line.events:
        start_ps = event.offset_ps + shift_ps
        # An op's event is called after its node and its type: `dense/MatMul:MatMul`.
        told = {
            **arguments.of(event.name.rpartition(":")[0]),
            **{key: _shown(told) for key, told in event.stats.items()},
        }
        yield Slice(event.name, start_ps // 1000, (start_ps + event.duration_ps) // 1000, told, event.duration_ps <= 0)


def _shown(told: Value) -> Value:
    return str(told) if isinstance(told, int) and abs(told) > LARGEST_NUMBER else told
