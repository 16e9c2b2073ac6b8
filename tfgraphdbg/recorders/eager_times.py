"""A profile of one eager run -> the time of each op, told apart as Python, dispatch and kernel, on each thread.

On every thread the events of TensorFlow's own code nest. Each moment of the run belongs to the innermost op around it:
to its kernel, or else to its dispatch; outside of every op, to the Python that leads to the next one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

MARKER = "tfgraphdbg eager call"
"""The event that marks the call itself in a profile."""

CONSTANT = "_EagerConst"
"""Makes a tensor of a Python value."""

OP_EVENT = "EagerLocalExecute: "
SHELLS = ("EagerExecute", "TFE_Py_FastPathExecute_C", "TFE_Py_ExecuteCancelable", "TFE_Py_Execute")
"""Events around that of an op in which TensorFlow prepares its inputs and outputs, from the inside."""
KERNELS = ("KernelAndDeviceFunc::Run", "KernelAndDeviceOp::Run")
ALLOCATION = "MemoryAllocation"


class TimedOp(NamedTuple):
    """One op of a profile, in microseconds."""

    op_type: str
    python_us: float
    dispatch_us: float
    kernel_us: float
    bytes: int | None
    end_us: float = 0.0
    """On the profiler's own clock."""
    of_argument: bool = False
    """Whether TensorFlow ran it to make a tensor of another op's argument, a number or a variable: callbacks, which
    are told of that other op, never see it."""


class TimedThread(NamedTuple):
    """The ops of one thread in the order of their ends, and the Python time after the last one."""

    ops: tuple[TimedOp, ...]
    after_us: float


class TimedRun(NamedTuple):
    """One profiled run; the thread that called comes first, the others in the order of their first op."""

    wall_us: float
    threads: tuple[TimedThread, ...]


class _Event(NamedTuple):
    start: int
    end: int
    name: str
    bytes: int


def timed_run(space: Any) -> TimedRun | None:
    """Read a profile; None when the call's own marker is not in it."""
    lines = [_events(plane, line) for plane in space.planes for line in plane.lines]
    found = [(events, event) for events in lines for event in events if event.name == MARKER]
    if not found:
        return None
    own, marker = found[0]
    tells_bytes = any(event.name == ALLOCATION for events in lines for event in events)
    others = [
        [event for event in events if marker.start <= event.start < marker.end]
        for events in lines
        if events is not own and any(event.name.startswith(OP_EVENT) for event in events)
    ]
    others = sorted((events for events in others if events), key=_first_op)
    inside = [event for event in own if marker.start <= event.start and event.end <= marker.end and event != marker]
    threads = [_timed_thread(inside, marker.start, marker.end, tells_bytes)]
    threads += [_timed_thread(events, events[0].start, events[-1].end, tells_bytes) for events in others]
    return TimedRun((marker.end - marker.start) / 1e6, tuple(threads))


def _first_op(events: list[_Event]) -> int:
    return next((event.start for event in events if event.name.startswith(OP_EVENT)), 0)


def _events(plane: Any, line: Any) -> list[_Event]:
    """The events of one thread by their start, outer ones first; picoseconds."""
    names = {number: metadata.name for number, metadata in plane.event_metadata.items()}
    sizes = {number for number, metadata in plane.stat_metadata.items() if metadata.name == "requested_bytes"}
    base = line.timestamp_ns * 1000
    events = []
    for event in line.events:
        start = base + event.offset_ps
        name = names.get(event.metadata_id, "")
        size = 0
        if name == ALLOCATION:
            size = sum(stat.int64_value or stat.uint64_value for stat in event.stats if stat.metadata_id in sizes)
        events.append(_Event(start, start + event.duration_ps, name, size))
    events.sort(key=lambda event: (event.start, -event.end))
    return events


class _Span:
    """An op while its events are read."""

    def __init__(self, event: _Event, shells: list[_Event]) -> None:
        self.start = event.start
        self.end = event.end
        self.op_type = event.name.removeprefix(OP_EVENT)
        self.shells = shells
        self.kernel_start = self.kernel_end = event.end
        self.bytes = 0
        self.of_argument = self.op_type == CONSTANT
        self.python = self.dispatch = self.kernel = 0


def _timed_thread(events: list[_Event], begin: int, end: int, tells_bytes: bool) -> TimedThread:
    spans = _spans(events)
    after = _share_out(spans, begin, end)
    ops = tuple(
        TimedOp(
            span.op_type,
            span.python / 1e6,
            span.dispatch / 1e6,
            span.kernel / 1e6,
            span.bytes if tells_bytes else None,
            span.end / 1e6,
            span.of_argument,
        )
        for span in sorted(spans, key=lambda span: (span.end, -span.start))
    )
    return TimedThread(ops, after / 1e6)


def _spans(events: list[_Event]) -> list[_Span]:
    """Each op with its shells, its kernel and its allocations, in the order of their starts."""
    spans: list[_Span] = []
    open_events: list[tuple[_Event, _Span | None]] = []
    for event in events:
        while open_events and open_events[-1][0].end <= event.start:
            open_events.pop()
        around = next((span for _, span in reversed(open_events) if span is not None), None)
        span = None
        if event.name.startswith(OP_EVENT):
            span = _Span(event, _shells(open_events))
            spans.append(span)
        elif event.name in KERNELS and around is not None and around.kernel_start == around.kernel_end:
            around.kernel_start, around.kernel_end = event.start, event.end
        elif event.name == ALLOCATION and around is not None:
            around.bytes += event.bytes
        open_events.append((event, span))
    _widen(spans)
    spans.sort(key=lambda span: (span.start, -span.end))
    return spans


def _shells(open_events: list[tuple[_Event, _Span | None]]) -> list[_Event]:
    shells = []
    for event, inner in reversed(open_events):
        if inner is not None or event.name not in SHELLS:
            break
        shells.append(event)
    return shells


def _widen(spans: list[_Span]) -> None:
    """Let each op begin and end with its shells. A shell belongs to the last op in it: those before make tensors of
    that op's arguments."""
    owners = {shell: span for span in spans for shell in span.shells}
    for span in spans:
        for shell in span.shells:
            if owners[shell] is span:
                span.start, span.end = shell.start, shell.end
            else:
                span.of_argument = True


def _share_out(spans: list[_Span], begin: int, end: int) -> int:
    """Give every moment to an op; return what is left after the last one."""
    now = begin
    open_spans: list[_Span] = []
    for span in [*spans, None]:
        moment = end if span is None else span.start
        while open_spans and now < moment:
            inner = open_spans[-1]
            stop = max(now, min(moment, inner.end))
            _spend(inner, now, stop)
            now = stop
            if inner.end > moment:
                break
            open_spans.pop()
        if span is not None:
            if not any(inner.end > moment for inner in open_spans):
                span.python += max(0, moment - now)
                open_spans.clear()
            now = max(now, moment)
            open_spans.append(span)
    return max(0, end - now)


def _spend(span: _Span, start: int, stop: int) -> None:
    kernel = max(0, min(stop, span.kernel_end) - max(start, span.kernel_start))
    span.kernel += kernel
    span.dispatch += stop - start - kernel
