"""What happened to each op, event by event, put together when somebody first asks: reports ask for fates alone."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from tfgraphdbg.analyses.fates.edits import PassRun
from tfgraphdbg.analyses.fates.fate_events import FateEvent
from tfgraphdbg.analyses.fates.rewrite_fates import RewriteFates
from tfgraphdbg.graph_model import op_id


class ToldEvents(Mapping[str, tuple[FateEvent, ...]]):
    """By op id: its events in the order of the passes; of several copies of a function those of the first."""

    def __init__(self) -> None:
        self._graphs: list[tuple[str, RewriteFates]] = []

    def add_graph(self, function: str, followed: RewriteFates) -> None:
        """Tell of the graph itself (no name), or of a function that stayed a call."""
        self._graphs.append((function, followed))

    @functools.cached_property
    def _events(self) -> Mapping[str, tuple[FateEvent, ...]]:
        found: dict[str, tuple[FateEvent, ...]] = {}
        for function, followed in self._graphs:
            for name, events in _all_events(followed).items():
                found.setdefault(op_id(function, name), tuple(events))
        return found

    def __getitem__(self, id_: str) -> tuple[FateEvent, ...]:
        return self._events[id_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)


def _all_events(followed: RewriteFates) -> dict[str, list[FateEvent]]:
    """The events of each op, with those of passes that only rewired it in their places."""
    order = {run: place for place, (run, _) in enumerate(followed.rewired)}
    events = {name: list(told) for name, told in followed.events.items()}
    for run, ops in followed.rewired:
        for name, op_type in ops:
            event = FateEvent("changed", "inputs changed", *run, name, op_type, op_type)
            events.setdefault(name, []).append(event)
    for told in events.values():
        if len(told) > 1:
            told.sort(key=lambda event: order.get(PassRun(event.pass_name, event.iteration), len(order)))
    return events
