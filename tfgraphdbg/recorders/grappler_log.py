"""What the runtime's log says of Grappler, line by line: which graph it begins, each pass that ended, each dump.

Seen on TensorFlow 2.16.2 and 2.21.0 with `TF_CPP_VMODULE=meta_optimizer=4`. Lines of 2.21 name their thread, those of
2.16 do not.
"""

from __future__ import annotations

import re
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


class PassEnded(NamedTuple):
    """A pass ended, by MetaOptimizer's own clock, or failed."""

    pass_name: str
    ms: float | None
    note: str = ""


class Dumped(NamedTuple):
    """A graph was written to a file, whole."""

    path: Path


Event = OptimizationBegins | ItemBegins | PassEnded | Dumped


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
_FAILED = re.compile(rb"([a-z_]+(?:\{.*\})?) failed: (.+)")
_TOO_LATE = re.compile(rb"DEADLINE_EXCEEDED: ([a-z_]+) exceeded deadline.*, time = ([\d.]+)ms")
_DUMPED = re.compile(rb"Dumped Graph to (.+)")

_MENTIONS = (
    b"grappler item",
    b"GrapplerItem",
    b"Graph size after",
    b" failed: ",
    b"DEADLINE_EXCEEDED",
    b"Dumped Graph",
)


class GrapplerLog:
    """The log file of this process, read as far as it has got; each call gives what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_to = 0

    def news(self) -> list[LogLine]:
        """What Grappler said since the last call. Raises OSError."""
        with self._path.open("rb") as log:
            log.seek(self._read_to)
            news = log.read()
        complete = news.rfind(b"\n") + 1
        self._read_to += complete
        lines = (_log_line(line) for line in news[:complete].split(b"\n") if any(word in line for word in _MENTIONS))
        return [line for line in lines if line is not None]


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
    if found := _TOO_LATE.match(message):
        return PassEnded(_text(found[1]), float(found[2]), "ran out of its time and was undone")
    if found := _ENDED.match(message):
        return PassEnded(_text(found[1]), float(found[2]))
    if found := _FAILED.match(message):
        return PassEnded(_text(found[1]), None, f"failed: {_text(found[2])[:300]}")
    return None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip()
