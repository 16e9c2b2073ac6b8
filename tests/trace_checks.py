"""The rules of the trace-event format that Perfetto's loader holds a file to."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

KEYS = {
    "M": {"ph", "pid", "tid", "name", "args"},
    "X": {"ph", "pid", "tid", "name", "ts", "dur", "args"},
    "i": {"ph", "pid", "tid", "name", "ts", "args", "s"},
    "s": {"ph", "pid", "tid", "name", "ts", "id", "cat"},
    "f": {"ph", "pid", "tid", "name", "ts", "id", "cat", "bp"},
}

Event = dict[str, Any]


def checked(data: bytes) -> list[Event]:
    """The events of a trace, after every rule held."""
    trace = json.loads(data.decode("utf-8"))
    assert set(trace) == {"displayTimeUnit", "otherData", "traceEvents"}
    events: list[Event] = trace["traceEvents"]
    for event in events:
        _check_keys(event)
    _check_names(events)
    _check_nesting(events)
    _check_arrows(events)
    return events


def _check_keys(event: Event) -> None:
    assert set(event) == KEYS[event["ph"]], event
    assert isinstance(event["name"], str)
    assert type(event["pid"]) is int
    assert event["pid"] > 0
    assert type(event["tid"]) is int
    for key in ("ts", "dur"):
        assert isinstance(event.get(key, 0), int | float)
        assert event.get(key, 0) >= 0, event
    for value in event.get("args", {}).values():
        assert isinstance(value, str | int | float)
        assert isinstance(value, str) or abs(value) <= 2**53
    assert event.get("s", "t") == "t"
    assert event.get("bp", "e") == "e"


def _check_names(events: list[Event]) -> None:
    """Every process and thread is named once, and a thread belongs to one process."""
    named = [(e["name"], e["pid"], e["tid"]) for e in events if e["ph"] == "M"]
    assert len(named) == len(set(named))
    processes = {pid for name, pid, _ in named if name == "process_name"}
    threads = {(pid, tid) for name, pid, tid in named if name == "thread_name"}
    assert len({tid for _, tid in threads}) == len(threads)
    for event in events:
        if event["ph"] != "M":
            assert event["pid"] in processes
            assert (event["pid"], event["tid"]) in threads


def _check_nesting(events: list[Event]) -> None:
    """On one thread a slice lies beside every other one or inside it, outer ones first in the file."""
    threads: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            threads[event["tid"]].append(event)
    for slices in threads.values():
        open_ends: list[int] = []
        last = 0
        for event in slices:
            start = _ns(event["ts"])
            end = _ns(event["ts"]) + _ns(event["dur"])
            assert start >= last, "slices of a thread are not in order of time"
            last = start
            while open_ends and open_ends[-1] <= start:
                open_ends.pop()
            assert not open_ends or end <= open_ends[-1], f"{event} overlaps another slice"
            open_ends.append(end)


def _check_arrows(events: list[Event]) -> None:
    """Each arrow has one beginning and one end, not back in time, both at a slice of their thread."""
    starts = {(e["tid"], e["ts"]) for e in events if e["ph"] == "X"}
    ends: dict[int, dict[str, Event]] = defaultdict(dict)
    for event in events:
        if event["ph"] in "sf":
            assert event["ph"] not in ends[event["id"]]
            ends[event["id"]][event["ph"]] = event
            assert (event["tid"], event["ts"]) in starts
    for both in ends.values():
        assert set(both) == {"s", "f"}
        assert both["s"]["ts"] <= both["f"]["ts"]
        assert both["s"]["cat"] == both["f"]["cat"]


def _ns(microseconds: float) -> int:
    return round(microseconds * 1e3)


def threads_of(events: list[Event]) -> dict[tuple[str, str], list[Event]]:
    """What ran on each thread, by the names of its process and its own."""
    processes = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name" and e["ph"] == "M"}
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name" and e["ph"] == "M"}
    found: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        if event["ph"] in "Xi":
            found.setdefault((processes[event["pid"]], names[event["tid"]]), []).append(event)
    return found
