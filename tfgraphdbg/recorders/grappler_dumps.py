"""Follows the runtime's own dumps of the real run while Grappler works, and drops each once it is read.

The runtime writes them when the environment asks for it before TensorFlow is imported: one GraphDef a pass, announced
in its log. Reading in a thread of our own, while the runtime optimizes without holding Python's lock, costs the run
little and keeps the disk that the dumps take bounded.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from tfgraphdbg.recorders.grappler_log import (
    Dumped,
    GrapplerLog,
    ItemBegins,
    LogLine,
    OptimizationBegins,
    PassEnded,
)
from tfgraphdbg.recorders.pass_edits import DumpName, PassEdits, dump_name
from tfgraphdbg.rewrites import Source

POLL_S = 0.05

MAX_KEPT_BYTES = 512 << 20
"""Edits of graphs that nobody has asked for are dropped beyond this, the oldest first."""

NOT_OPTIMIZED = "Grappler left this graph alone (it skips very small ones), or did not announce its dumps in the log"

NO_DUMP = "TensorFlow optimized this graph without a word of a dump: the disk may be full"


class _Thread:
    """What one thread of the runtime is at."""

    def __init__(self) -> None:
        self.graph = ""
        self.item: PassEdits | None = None
        self.ended: PassEnded | None = None


class GrapplerDumps:
    """The dumps of a process so far, by graph: this one, or one that replays its runs."""

    def __init__(self, folder: Path, log: Path, source: Source = "run") -> None:
        self.source = source
        self._folder = folder
        self._log = GrapplerLog(log)
        self._threads: dict[str, _Thread] = {}
        self._items: dict[str, PassEdits] = {}
        self._lock = threading.Lock()
        self._problem = ""

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """Read dumps as they come while open."""
        stop = threading.Event()

        def follow() -> None:
            while not stop.wait(POLL_S):
                self.catch_up()

        thread = threading.Thread(target=follow, name="tfgraphdbg dumps", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.catch_up()

    def catch_up(self) -> None:
        """Read what has been dumped by now. Never raises: what goes wrong is the reason why edits are missing."""
        with self._lock:
            try:
                for line in self._log.news():
                    self._take(line)
            except OSError as error:
                self._problem = f"TensorFlow's log could not be read: {error.strerror or error}"
            except Exception as error:
                self._problem = f"TensorFlow's dumps could not be followed: {type(error).__name__}: {error}"
            self._drop_oldest()

    def edits_of(self, graph: str) -> PassEdits | str:
        """What Grappler did to a concrete function's graph so far, or the reason why that is not known."""
        self.catch_up()
        edits = self._items.get(graph)
        if edits is None:
            return self._problem or NOT_OPTIMIZED
        if edits.first is None:
            return edits.problem or NO_DUMP
        return edits

    def edits_of_functions(self, functions: frozenset[str]) -> dict[str, tuple[str, PassEdits]]:
        """Of library functions that stayed calls: Grappler's name (it specializes them) -> function and edits."""
        with self._lock:
            return {
                item: (function, edits)
                for item, edits in self._items.items()
                if (function := item.partition(_SPECIALIZED)[0]) in functions
                and edits.first is not None
                and not edits.problem
            }

    def _take(self, line: LogLine) -> None:
        thread = self._threads.setdefault(line.thread, _Thread())
        event = line.event
        if isinstance(event, OptimizationBegins):
            thread.graph, thread.item, thread.ended = event.graph, None, None
        elif isinstance(event, ItemBegins):
            thread.item, thread.ended = self._item(event), None
        elif isinstance(event, PassEnded):
            thread.ended = event
        elif isinstance(event, Dumped):
            name = dump_name(event.path)
            if event.path.parent == self._folder:
                if name is not None:
                    self._read(thread, event.path, name, line.seconds)
                    thread.ended = None
                event.path.unlink(missing_ok=True)

    def _item(self, event: ItemBegins) -> PassEdits:
        known = self._items.get(event.item)
        if known is None or (known.problem and known.first is None):
            known = self._items[event.item] = PassEdits(event.item, event.nodes)
        elif not known.ended:
            known.goes_on(event.nodes)
        return known

    def _read(self, thread: _Thread, path: Path, name: DumpName, seconds: float) -> None:
        is_last = not name.is_first and name.iteration is None
        item = self._items.get(thread.graph) if is_last else thread.item
        # A graph that was optimized before is instantiated again for another caller: the first time is kept.
        if item is not None and not item.ended and not item.problem:
            item.read(path, name, seconds, thread.ended)
            if is_last:
                item.end()

    def _drop_oldest(self) -> None:
        ended = [edits for edits in self._items.values() if edits.ended]
        kept = sum(edits.bytes_kept for edits in ended) if len(ended) > 1 else 0
        for edits in ended[:-1]:
            if kept <= MAX_KEPT_BYTES:
                return
            kept -= edits.bytes_kept
            del self._items[edits.item]


_SPECIALIZED = "_specialized_for_"
