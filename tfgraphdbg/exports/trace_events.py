"""Slices of threads -> the trace-event format, which Perfetto and chrome://tracing open.

The format: "Trace Event Format" of the Chromium project. Perfetto drops a slice that overlaps another one of its thread
without being nested in it, so such slices get a thread beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec


class Slice(NamedTuple):
    """Something that took time on a thread; with `instant`, something that happened."""

    name: str
    start_ns: int
    end_ns: int
    args: Mapping[str, object] = {}
    instant: bool = False


class Place(NamedTuple):
    """Where a slice is in the trace."""

    process: int
    thread: int
    start_ns: int


class TraceEvents:
    """A trace in the making."""

    def __init__(self) -> None:
        self._events: list[dict[str, Any]] = []
        self._processes = 0
        self._threads = 0
        self._flows = 0

    def add_process(self, name: str) -> int:
        """A group of threads, shown in the order in which groups are added."""
        self._processes += 1
        self._name("process", self._processes, 0, name, self._processes)
        return self._processes

    def add_thread(self, process: int, name: str, slices: Iterable[Slice]) -> list[Place]:
        """A thread and its slices; where each of them is, in the order given."""
        given = list(slices)
        lanes = _lanes(given)
        threads = range(self._threads + 1, self._threads + 1 + max(lanes, default=0) + 1)
        self._threads = threads[-1]
        for lane, thread in enumerate(threads):
            self._name("thread", process, thread, name if lane == 0 else f"{name} (overlapping {lane})", thread)
        places = [Place(process, threads[lane], one.start_ns) for one, lane in zip(given, lanes, strict=True)]
        # Perfetto takes slices of one start in the order of the file, so that the outer one has to come first.
        for number in _outer_first(given):
            self._events.append(_event(given[number], places[number]))
        return places

    def add_arrow(self, name: str, source: Place, target: Place) -> None:
        """An arrow from one slice to another."""
        self._flows += 1
        for phase, place, more in (("s", source, {}), ("f", target, {"bp": "e"})):
            self._events.append(
                {
                    "ph": phase,
                    "id": self._flows,
                    "name": name,
                    "cat": name,
                    "pid": place.process,
                    "tid": place.thread,
                    "ts": place.start_ns / 1e3,
                    **more,
                }
            )

    def as_json(self, facts: Mapping[str, object]) -> bytes:
        """The file; `facts` tell what it was made from."""
        return msgspec.json.encode({"displayTimeUnit": "ns", "otherData": facts, "traceEvents": self._events})

    def _name(self, kind: str, process: int, thread: int, name: str, order: int) -> None:
        for what, args in ((f"{kind}_name", {"name": name}), (f"{kind}_sort_index", {"sort_index": order})):
            self._events.append({"ph": "M", "pid": process, "tid": thread, "name": what, "args": args})


def _event(one: Slice, place: Place) -> dict[str, Any]:
    event: dict[str, Any] = {
        "ph": "i" if one.instant else "X",
        "name": one.name,
        "pid": place.process,
        "tid": place.thread,
        "ts": one.start_ns / 1e3,
        "args": one.args,
    }
    return {**event, "s": "t"} if one.instant else {**event, "dur": (one.end_ns - one.start_ns) / 1e3}


def _outer_first(slices: Sequence[Slice]) -> list[int]:
    return sorted(range(len(slices)), key=lambda number: (slices[number].start_ns, -slices[number].end_ns))


def _lanes(slices: Sequence[Slice]) -> list[int]:
    """The first lane for each slice in which it lies beside all others or inside them."""
    lanes: list[list[int]] = []
    chosen = [0] * len(slices)
    for number in _outer_first(slices):
        one = slices[number]
        if one.instant:
            continue
        for lane, ends in enumerate(lanes):
            while ends and ends[-1] <= one.start_ns:
                ends.pop()
            if not ends or one.end_ns <= ends[-1]:
                ends.append(one.end_ns)
                chosen[number] = lane
                break
        else:
            chosen[number] = len(lanes)
            lanes.append([one.end_ns])
    return chosen
