"""A serialized XSpace -> the events of each thread of the host, and the kernels of each device, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tfgraphdbg.graph_model import garbage_collection_paused
from tfgraphdbg.measured_times import ThreadKind

_NONE: Mapping[str, Any] = MappingProxyType({})


class Event(NamedTuple):
    """One event; times are picoseconds of one clock."""

    start: int
    end: int
    name: str
    stats: Mapping[str, Any] = _NONE
    """Only of events that `_WITH_STATS` names."""


class EventLine(NamedTuple):
    """What one thread did, by start; of two events that start together, the longer one first."""

    name: str
    kind: ThreadKind
    events: list[Event]


class KernelEvent(NamedTuple):
    """One kernel that a device ran."""

    start: int
    end: int
    name: str
    stream: str
    op: str
    """The name of the op that launched it, as the trace tells it; empty: not told."""


class TraceEvents(NamedTuple):
    """All that one session saw."""

    lines: list[EventLine]
    kernels: list[KernelEvent]
    events: int


_WITH_STATS = frozenset(
    {
        "EagerExecute",
        "FunctionRun",
        "ExecutorState::Process",
        "ExecutorState::ProcessAsync::Start",
        "ExecutorDoneCallback",
        "ThreadpoolListener::Record",
        "ThreadpoolListener::StartRegion",
    }
)
_LEFT_OUT = frozenset({"MemoryAllocation", "MemoryDeallocation"})


def trace_events(serialized: bytes) -> TraceEvents:
    """Read one session's trace."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(serialized)
    lines: list[EventLine] = []
    kernels: list[KernelEvent] = []
    count = 0
    with garbage_collection_paused():
        for plane in space.planes:
            count += sum(len(line.events) for line in plane.lines)
            if plane.name.startswith("/device:"):
                kernels += _kernels(plane)
            elif plane.name.startswith("/host:CPU"):
                lines += [_line(plane, line) for line in plane.lines]
    return TraceEvents(lines, kernels, count)


def _line(plane: Any, line: Any) -> EventLine:
    names = {number: metadata.name for number, metadata in plane.event_metadata.items()}
    left_out = {number for number, name in names.items() if name in _LEFT_OUT}
    stat_names = {number: metadata.name for number, metadata in plane.stat_metadata.items()}
    hlo = {number for number, name in stat_names.items() if name == "hlo_op"}
    base = line.timestamp_ns * 1000
    events = []
    for event in line.events:
        number = event.metadata_id
        if number in left_out:
            continue
        name = names.get(number, "")
        start = base + event.offset_ps
        told = name in _WITH_STATS or (hlo and any(stat.metadata_id in hlo for stat in event.stats))
        stats = dict(_stats(event, stat_names)) if told else _NONE
        events.append(Event(start, start + event.duration_ps, name, stats))
    events.sort(key=lambda event: (event.start, -event.end))
    return EventLine(line.name, _kind(line.name), events)


def _kind(name: str) -> ThreadKind:
    if name.startswith("python") or not name:
        return "python"
    return "executor" if name.startswith("tf_Compute") or name.startswith("tf_inter") else "worker"


def _stats(event: Any, stat_names: dict[int, str]) -> Iterator[tuple[str, Any]]:
    for stat in event.stats:
        kind = stat.WhichOneof("value")
        value: Any = getattr(stat, kind) if kind else None
        yield stat_names.get(stat.metadata_id, ""), stat_names.get(value, "") if kind == "ref_value" else value


def _kernels(plane: Any) -> Iterator[KernelEvent]:
    """Not seen on a machine with such a device yet: after TensorFlow's cupti_collector.cc and xplane_schema.cc."""
    stat_names = {number: metadata.name for number, metadata in plane.stat_metadata.items()}
    for line in plane.lines:
        if not line.name.startswith("Stream"):
            continue
        for event in line.events:
            stats = dict(_stats(event, stat_names))
            start = line.timestamp_ns * 1000 + event.offset_ps
            told = str(stats.get("tf_op") or stats.get("annotation") or stats.get("kernel_annotation") or "")
            name = plane.event_metadata[event.metadata_id].name
            op = told.rpartition("::")[2].partition(":")[0]
            yield KernelEvent(start, start + event.duration_ps, name, f"{plane.name} {line.name}", op)
