"""Which graph each dump is of: by the thread that the log names, or by the dumps' own numbers where it names none."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tfgraphdbg.recorders.grappler_log import (
    ItemBegins,
    ItemSkipped,
    LogLine,
    OptimizationBegins,
    OptimizationFailed,
    PassEnded,
)
from tfgraphdbg.recorders.pass_edits import DumpName, PassEdits, node_count

NOT_TOLD_APART = (
    "graphs of one size were optimized at the same time, and the log of this version of TensorFlow does not tell "
    "whose dumps are whose"
)


class DumpOwner(NamedTuple):
    """The graph that a dump is of, and the passes that had ended since the dump before it."""

    item: PassEdits
    ended: tuple[PassEnded, ...]
    is_last: bool


class _Work:
    """What one thread of the runtime is at: the graph that it was called for, and the one that passes work on now."""

    def __init__(self, graph: str = "") -> None:
        self.graph = graph
        self.item: PassEdits | None = None
        self.items: list[PassEdits] = []
        self.ended: list[PassEnded] = []

    def begin(self, item: PassEdits | None) -> None:
        self.item = item
        self.items += [] if item is None else [item]
        self.ended = []


class DumpOwners:
    """The graphs that Grappler has optimized so far, and what it is at."""

    def __init__(self) -> None:
        self.items: dict[str, PassEdits] = {}
        self._works: dict[str, _Work] = {}
        self._begun_by: dict[str, str] = {}
        """Graph -> thread: another one that optimizes the same function at the same time is not listened to."""
        self._unnamed = _UnnamedThreads()

    def take(self, line: LogLine) -> None:
        """Follow an event that is no dump."""
        event = line.event
        work = self._works.setdefault(line.thread, _Work()) if line.thread else None
        if isinstance(event, OptimizationBegins):
            self._retry(event.graph, line.thread)
            if work is None:
                self._unnamed.begun.append(event.graph)
            else:
                self._works[line.thread] = _Work(event.graph)
        elif isinstance(event, ItemSkipped):
            graph = work.graph if work is not None else self._unnamed.only_begun()
            # What is left of a graph may be so small that a second run skips it; the first run tells of it.
            if graph and graph not in self.items:
                self.items[graph] = PassEdits(graph, 0)
                self.items[graph].skipped(event.reason)
                if work is not None:
                    work.begin(self.items[graph])
        elif isinstance(event, OptimizationFailed):
            self._fail(work.graph if work is not None else self._unnamed.only_begun(), event.reason)
        elif isinstance(event, ItemBegins):
            if work is None:
                self._unnamed.waiting.append((self._item(event), event.nodes))
            elif self._begun_by.setdefault(event.item, line.thread) == line.thread:
                work.begin(self._item(event))
            else:
                work.begin(None)
        elif isinstance(event, PassEnded):
            (self._unnamed.ended if work is None else work.ended).append(event)

    def _fail(self, graph: str, reason: str) -> None:
        item = self.items.setdefault(graph, PassEdits(graph, 0)) if graph else None
        if item is not None and not item.ended:
            item.fail(reason)
        if graph in self._unnamed.begun:
            self._unnamed.begun.remove(graph)

    def _retry(self, graph: str, thread: str) -> None:
        """A graph that is optimized again from its beginning may be understood this time."""
        known = self.items.get(graph)
        if known is not None and known.first is None and self._begun_by.get(graph, thread) == thread:
            self.forget(known)

    def _item(self, event: ItemBegins) -> PassEdits:
        known = self.items.get(event.item)
        if known is None:
            known = self.items[event.item] = PassEdits(event.item, event.nodes)
        elif not known.ended:
            known.goes_on(event.nodes)
        return known

    def owner(self, thread: str, path: Path, name: DumpName) -> DumpOwner | None:
        """Whose a dump is; None when that is not known, or nobody's."""
        is_last = not name.is_first and name.iteration is None
        work = self._works.get(thread) if thread else self._unnamed.work_of(path, name)
        if work is None:
            return None
        item = work.item
        if is_last:
            ours = work.items if thread else self.items.values()
            item = next((known for known in ours if known.item == work.graph), None)
        ended, work.ended = tuple(work.ended), []
        if is_last and thread:
            for function in [other for other in work.items if other is not item]:
                function.end()
        elif is_last:
            self._unnamed.finish(name, work)
        return None if item is None else DumpOwner(item, ended, is_last)

    def forget(self, item: PassEdits) -> None:
        """Let the edits of a graph go."""
        self.items.pop(item.item, None)
        self._begun_by.pop(item.item, None)


class _UnnamedThreads:
    """What all threads are at, where the log does not say which does what."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.waiting: list[tuple[PassEdits, int]] = []
        self.ended: list[PassEnded] = []
        self._by_run: dict[str, _Work] = {}

    def only_begun(self) -> str:
        """The graph that is being optimized, when it is the only one."""
        return self.begun[0] if len(self.begun) == 1 else ""

    def work_of(self, path: Path, name: DumpName) -> _Work | None:
        """What the thread that wrote a dump is at."""
        if name.is_first and name.iteration == 0:
            self._claim(path, name)
        work = self._by_run.get(name.run)
        if work is None and not name.is_first and name.iteration is None and self.only_begun():
            return _Work(self.only_begun())
        if work is not None:
            same = [event for event in self.ended if event.pass_name == name.pass_name]
            self.ended = [event for event in self.ended if event.pass_name != name.pass_name]
            # Two threads may have ended a pass of one name: whose time is whose is then unknown.
            work.ended = same if len(same) == 1 else []
        return work

    def _claim(self, path: Path, name: DumpName) -> None:
        """Find the item that a first dump is of by its number of nodes."""
        candidates = self.waiting
        if len(candidates) > 1:
            nodes = node_count(path, name)
            candidates = [waiting for waiting in candidates if waiting[1] == nodes] or candidates
        if len(candidates) == 1:
            item = candidates[0][0]
            work = self._by_run.setdefault(name.run, _Work())
            if item.item in self.begun:
                work.graph = item.item
            work.begin(item)
        else:
            self._by_run.pop(name.run, None)
            for item, _ in candidates:
                item.problem = item.problem or NOT_TOLD_APART
        self.waiting = [waiting for waiting in self.waiting if waiting not in candidates]

    def finish(self, name: DumpName, work: _Work) -> None:
        """The optimization of a graph is over."""
        self._by_run.pop(name.run, None)
        if work.graph in self.begun:
            self.begun.remove(work.graph)
        if not self.begun:
            self.ended, self.waiting = [], []
