"""What the runtime's log says of Grappler, line by line: which graph it begins, each pass that ended, each dump.

Seen on TensorFlow 2.16.2, 2.18.1 and 2.21.0 with `TF_CPP_VMODULE=meta_optimizer=4`. Lines of 2.21 and 2.18 name their
thread, those of 2.16 do not. A pass that decides to do nothing is not logged, and failures are at most once a minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class OptimizationBegins(NamedTuple):
    """Grappler was called for a graph; it may then optimize library functions of it as items too."""

    graph: str


class ItemBegins(NamedTuple):
    """The passes begin on one item: the graph itself, again for a second run, or a library function of it."""

    item: str
    nodes: int
    """How many nodes it has: to be sure that the dump that follows is of it."""


class ItemSkipped(NamedTuple):
    """Grappler leaves the graph that it was called for alone."""

    reason: str


class OptimizationFailed(NamedTuple):
    """Grappler gave up, such as when its time was over; the runtime goes on with the graph that it was given."""

    reason: str


class PassEnded(NamedTuple):
    """A pass ended, by MetaOptimizer's own clock, or failed, and its graph is what it was before."""

    pass_name: str
    ms: float | None
    note: str = ""


class Dumped(NamedTuple):
    """A graph was written to a file, whole."""

    path: Path


Event = OptimizationBegins | ItemBegins | ItemSkipped | OptimizationFailed | PassEnded | Dumped


class LogLine(NamedTuple):
    """One event with the thread that it happened in (empty when the line does not say) and the seconds of its clock."""

    thread: str
    seconds: float
    event: Event


_NEW_LINE = re.compile(rb"[IWE]\d{4} (\d+):(\d+):([\d.]+) +(\d+) \S+\] (.+)")
_OLD_LINE = re.compile(rb"\d{4}-\d\d-\d\d (\d+):(\d+):([\d.]+): [IWE] \S+\] (.+)")
_BEGINS = re.compile(rb"Starting optimization for grappler item: (\S+)")
_ITEM = re.compile(rb"Optimize GrapplerItem: item\.id=(\S+) .*num nodes = (\d+)")
_ENDED = re.compile(rb"(\S.*?): Graph size after: .* time = ([\d.]+)ms")
_SKIPPED = re.compile(rb"Skipping (?:graph )?optimization, (.+)")
_FAILED = re.compile(rb"([a-z_]+(?:\{.*\})?) failed: (.+?)(?:, time = ([\d.]+)ms\.?)?$")
_GAVE_UP = re.compile(rb"Ignoring multi-device function optimization failure: (.+)")
_DUMPED = re.compile(rb"Dumped Graph to (.+)")

_SOURCES = re.compile(
    rb"(?:meta_optimizer|dump_graph|optimize_function_graph_utils|process_function_library_runtime)\.cc:\d+\] [^\n]+"
)
"""The lines of interest, each to its end: MetaOptimizer also writes whole graphs, of a great many lines each."""

CHUNK_BYTES = 32 << 20


class GrapplerLog:
    """The log file of this process, read as far as it has got; each call gives what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_to = 0

    def news(self) -> Iterator[LogLine]:
        """What Grappler said since the last call. Raises OSError."""
        with self._path.open("rb") as log:
            log.seek(self._read_to)
            while chunk := log.read(CHUNK_BYTES):
                complete = chunk.rfind(b"\n") + 1
                if not complete:
                    if len(chunk) < CHUNK_BYTES:
                        return
                    # A line of this length is a constant of a graph, and none of ours.
                    complete = len(chunk)
                self._read_to += complete
                log.seek(self._read_to)
                yield from _log_lines(chunk[:complete])


def _log_lines(chunk: bytes) -> Iterator[LogLine]:
    for found in _SOURCES.finditer(chunk):
        start = chunk.rfind(b"\n", 0, found.start()) + 1
        line = _log_line(chunk[start : found.end()])
        if line is not None:
            yield line


def _log_line(line: bytes) -> LogLine | None:
    if found := _NEW_LINE.match(line):
        thread, message = found[4].decode(), found[5]
    elif found := _OLD_LINE.match(line):
        thread, message = "", found[4]
    else:
        return None
    event = _event(message.strip())
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
    return None if event is None else LogLine(thread, seconds, event)


def _event(message: bytes) -> Event | None:
    if found := _BEGINS.match(message):
        return OptimizationBegins(_text(found[1]))
    if found := _ITEM.match(message):
        return ItemBegins(_text(found[1]), int(found[2]))
    if found := _DUMPED.match(message):
        return Dumped(Path(_text(found[1])))
    if found := _GAVE_UP.match(message):
        return OptimizationFailed(_text(found[1])[:300])
    if found := _SKIPPED.match(message):
        return ItemSkipped(_text(found[1]).rstrip("."))
    if found := _ENDED.match(message):
        return PassEnded(_text(found[1]), float(found[2]))
    if found := _FAILED.match(message):
        ms = None if found[3] is None else float(found[3])
        return PassEnded(_text(found[1]), ms, f"failed, and its edits were undone: {_text(found[2])[:300]}")
    return None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip()
