"""Follows the runtime's own dumps of the real run while Grappler works, and drops each once it is read.

The runtime writes them when the environment asks for it before TensorFlow is imported: one GraphDef a pass, announced
in its log. Reading in a thread of our own, while the runtime optimizes without holding Python's lock, costs the run
little and keeps the disk that the dumps take bounded.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tfgraphdbg.recorders.dump_owners import DumpOwners
from tfgraphdbg.recorders.grappler_log import Dumped, GrapplerLog, LogLine
from tfgraphdbg.recorders.pass_edits import NOT_WRITTEN, PassEdits, dump_name
from tfgraphdbg.rewrites import Source

POLL_S = 0.05

STALE_NS = 60_000_000_000
"""A dump that the log has not announced by then never will be."""

MAX_KEPT_BYTES = 512 << 20
"""Edits of graphs that nobody has asked for are dropped beyond this, the oldest first."""

NOT_OPTIMIZED = (
    "the runtime did not give this graph to Grappler (disable_meta_optimizer does that), or did not announce its dumps "
    "in the log"
)

DROPPED = f"the edits of later graphs took more than {MAX_KEPT_BYTES >> 20} MiB, so that those of this one were let go"


class GrapplerDumps:
    """The dumps of a process so far, by graph: this one, or one that replays its runs."""

    def __init__(self, folder: Path, log: Path, source: Source = "run") -> None:
        self.source = source
        self._folder = folder
        self._log = GrapplerLog(log)
        self._owners = DumpOwners()
        self._dropped: set[str] = set()
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
                    self._take_safely(line)
            except OSError as error:
                self._problem = f"TensorFlow's log could not be read: {error.strerror or error}"
            self._remove_dumps(time.time_ns() - STALE_NS)
            self._drop_oldest()

    def edits_of(self, graph: str) -> PassEdits | str:
        """What Grappler did to a concrete function's graph so far, or the reason why that is not known."""
        self.catch_up()
        edits = self._owners.items.get(graph)
        if edits is None:
            return self._problem or (DROPPED if graph in self._dropped else NOT_OPTIMIZED)
        if edits.first is None:
            return edits.problem or NOT_WRITTEN
        return edits

    def edits_of_functions(self, functions: frozenset[str]) -> dict[str, tuple[str, PassEdits]]:
        """Of library functions that stayed calls: Grappler's name (it specializes them) -> function and edits."""
        with self._lock:
            return {
                item: (function, edits)
                for item, edits in self._owners.items.items()
                if (function := item.partition(_SPECIALIZED)[0]) in functions
                and edits.first is not None
                and not edits.problem
            }

    def _take_safely(self, line: LogLine) -> None:
        try:
            self._take(line)
        except Exception as error:
            # Whatever a foreign version writes: the recording goes on, and says what it lacks.
            self._problem = f"TensorFlow's dumps could not be followed: {type(error).__name__}: {error}"

    def _take(self, line: LogLine) -> None:
        if not isinstance(line.event, Dumped):
            self._owners.take(line)
            return
        path = line.event.path
        if path.parent != self._folder:
            return
        name = dump_name(path)
        owner = None if name is None else self._owners.owner(line.thread, path, name)
        try:
            # A graph that was optimized before is instantiated again for another caller: the first time is kept.
            if name is not None and owner is not None and not owner.item.ended and not owner.item.problem:
                owner.item.read(path, name, line.seconds, owner.ended)
                if owner.is_last:
                    owner.item.end()
        finally:
            if name is not None and owner is not None and owner.is_last:
                with contextlib.suppress(OSError):
                    self._remove_dumps(path.stat().st_mtime_ns, name.run)
            with contextlib.suppress(OSError):
                path.unlink()

    def _remove_dumps(self, before_ns: int, run: str | None = None) -> None:
        """Remove dumps older than a time, of one run or of all: never announced, they were cut off by a full disk."""
        with contextlib.suppress(OSError):
            for entry in os.scandir(self._folder):
                name = dump_name(Path(entry.name))
                if entry.stat().st_mtime_ns < before_ns and (run is None or (name is not None and name.run == run)):
                    os.unlink(entry.path)

    def _drop_oldest(self) -> None:
        ended = [edits for edits in self._owners.items.values() if edits.ended]
        kept = sum(edits.bytes_kept for edits in ended) if len(ended) > 1 else 0
        for edits in ended[:-1]:
            if kept <= MAX_KEPT_BYTES:
                return
            kept -= edits.bytes_kept
            self._owners.forget(edits)
            self._dropped.add(edits.item)


_SPECIALIZED = "_specialized_for_"
