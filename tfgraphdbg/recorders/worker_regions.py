"""Which op the threads that only help worked for: an op notes down a number when it hands work to them."""

from __future__ import annotations

from typing import Protocol

from tfgraphdbg.measured_times import ThreadKind
from tfgraphdbg.recorders.trace_events import Event


class HelpedOp(Protocol):
    """An op's execution that takes the time of its helpers."""

    worker_ps: int


class WorkerRegions:
    """Pairs the notes (`Record`) with the stretches of work that they led to (`StartRegion` to `StopRegion`)."""

    def __init__(self) -> None:
        self._ops: dict[int, HelpedOp] = {}
        self._came_from: dict[int, int] = {}
        """A helper may hand on work in turn: the number of the new work -> that of its own."""
        self._open: dict[int, tuple[int, int]] = {}
        self._spent: list[tuple[int, int]] = []

    def take(self, line: int, kind: ThreadKind, event: Event, op: HelpedOp | None) -> None:
        """Read one event of the pool's listener; `op` is the one that is running on its thread."""
        what = event.name.rpartition("::")[2]
        if what == "Record":
            number = int(event.stats.get("_p", 0))
            if op is not None:
                self._ops[number] = op
            elif kind == "worker" and line in self._open:
                self._came_from[number] = self._open[line][0]
        elif kind != "worker":
            # The executor's own threads: what runs there has events of its own.
            return
        elif what == "StartRegion":
            self._open[line] = (int(event.stats.get("_c", 0)), event.start)
        elif what == "StopRegion" and line in self._open:
            number, started = self._open.pop(line)
            self._spent.append((number, event.start - started))

    def add_to_ops(self) -> None:
        """Give each stretch to the op that it was for."""
        for number, spent in self._spent:
            seen = set()
            while number in self._came_from and number not in self._ops and number not in seen:
                seen.add(number)
                number = self._came_from[number]
            if number in self._ops:
                self._ops[number].worker_ps += spent
