"""Dumps of one graph, one after another -> the edit of each pass, as the bytes of the nodes that differ."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tfgraphdbg.recorders.graph_def_bytes import split_nodes, split_text_nodes
from tfgraphdbg.recorders.grappler_log import PassEnded
from tfgraphdbg.rewrites import META_OPTIMIZER, TimedBy, short_pass_name

_DUMP_NAME = re.compile(
    r"(before|after)_MetaOptimizer(?:_iteration_(\d+))?(?:_([^\d].*?))?_(\d+)(?:_(\d+))?\.(pb|pbtxt)", re.DOTALL
)


class DumpName(NamedTuple):
    """What a dump's file name says."""

    is_first: bool
    """Whether it is the graph before an iteration rather than after a pass."""
    iteration: int | None
    """As TensorFlow counts, from 0; None for the graph after all iterations."""
    pass_name: str
    is_text: bool
    run: str
    """A number that all dumps of one graph's optimization share while it lasts; later ones may have it again."""


def dump_name(path: Path) -> DumpName | None:
    """Read a dump's file name; None when it is not one of MetaOptimizer's."""
    found = _DUMP_NAME.fullmatch(path.name)
    if found is None:
        return None
    iteration = None if found[2] is None else int(found[2])
    return DumpName(found[1] == "before", iteration, found[3] or "", found[6] == "pbtxt", found[4])


def node_count(path: Path, name: DumpName) -> int | None:
    """How many nodes a dump has; None when it cannot be read."""
    try:
        return len(_nodes(path.read_bytes(), name))
    except (OSError, ValueError):
        return None


def _nodes(raw: bytes, name: DumpName) -> dict[str, bytes]:
    return split_text_nodes(raw) if name.is_text else split_nodes(raw)


NOT_WRITTEN = "the dump of the graph that Grappler was given was not written: the disk may be full"


class RawStep(NamedTuple):
    """One pass with its edit; nodes are bytes as `graph_def_bytes` splits them."""

    pass_name: str
    iteration: int
    removed: tuple[str, ...]
    added: Mapping[str, bytes]
    changed: Mapping[str, bytes]
    nodes: int
    ms: float | None
    timed_by: TimedBy
    note: str


class PassEdits:
    """The passes over one graph so far: what it was at first, what it is now, and each edit between."""

    def __init__(self, item: str, nodes: int) -> None:
        self.item = item
        self.steps: list[RawStep] = []
        self.first: bytes | None = None
        """The whole dump of the graph that Grappler was given; None until it was read."""
        self.is_text = False
        self.problem = ""
        """Why there is no history from here on, or at all; empty while all is well."""
        self.gaps: list[str] = []
        """Dumps that could not be read: the edits of their passes are part of the next step."""
        self.ended = False
        self.bytes_kept = 0
        """About how much memory it holds, once it ended."""
        self._expected = nodes
        self._now: dict[str, bytes] = {}
        self._now_raw = b""
        self._iterations = 0
        self._iteration = 0
        self._dumped_at = 0.0
        self._unread: list[str] = []
        self._skipped = ""

    def goes_on(self, nodes: int) -> None:
        """Grappler begins another run over the same graph: its iterations count on."""
        self._iterations = self._iteration
        self._expected = nodes
        if self.first is None:
            self.problem = self.problem or NOT_WRITTEN

    def skipped(self, reason: str) -> None:
        """Grappler says that it leaves this graph alone: its last dump is its first."""
        self._skipped = f"skipped: {reason}"

    def read(self, path: Path, name: DumpName, seconds: float, ended: Sequence[PassEnded]) -> None:
        """Take one dump, written at `seconds`, after the passes that the log said had ended since the last one."""
        if name.iteration is not None:
            self._iteration = self._iterations + name.iteration + 1
        last = ended[-1] if ended else None
        pass_name = "" if name.is_first else name.pass_name or (last.pass_name if last else "")
        for event in ended:
            if event.pass_name != pass_name:
                self._note_gap(event.pass_name, "it was not written")
        try:
            raw = path.read_bytes()
            nodes = self._now if self.first is not None and raw == self._now_raw else _nodes(raw, name)
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            self._note_gap(pass_name or "an iteration", reason)
            return
        if name.is_first and len(nodes) != self._expected and name.iteration == 0:
            # Without thread names in the log, graphs that are optimized side by side cannot be told apart.
            self.problem = f"the dump {path.name} is of another graph, optimized at the same time"
            return
        if self.first is not None:
            self._add_step(pass_name, nodes, seconds, last)
        elif self._skipped or (name.is_first and name.iteration == 0):
            self.first, self.is_text = raw, name.is_text
            if self._skipped:
                self.steps.append(RawStep(META_OPTIMIZER, 1, (), {}, {}, len(nodes), None, "", self._skipped))
        else:
            self.problem = NOT_WRITTEN
            return
        self._now, self._now_raw, self._dumped_at = nodes, raw, seconds

    def fail(self, reason: str) -> None:
        """Grappler gave up: the runtime goes on with the graph that Grappler was given, so all edits are undone."""
        note = f"Grappler failed, and the graph that it was given ran: {reason}"
        if self.first is None:
            self.problem = self.problem or note
            return
        self._iteration = max(self._iteration, 1)
        nodes = split_text_nodes(self.first) if self.is_text else split_nodes(self.first)
        step = RawStep(META_OPTIMIZER, self._iteration, *self._edit(nodes), len(nodes), None, "", note)
        self.steps.append(step)
        self.end()

    def _note_gap(self, pass_name: str, reason: str) -> None:
        if self.first is None:
            self.problem = f"the dump of the graph that Grappler was given could not be read: {reason}"
            return
        self.gaps.append(f"the dump after {short_pass_name(pass_name)} could not be read: {reason}")
        self._unread.append(short_pass_name(pass_name))

    def _add_step(self, pass_name: str, nodes: dict[str, bytes], seconds: float, ended: PassEnded | None) -> None:
        removed, added, changed = self._edit(nodes)
        if not pass_name and not (removed or added or changed):
            return
        is_timed = ended is not None and ended.pass_name == pass_name
        ms: float | None = None
        timed_by: TimedBy = ""
        if is_timed and ended is not None and ended.ms is not None:
            ms, timed_by = ended.ms, "log"
        elif pass_name and self._dumped_at and seconds >= self._dumped_at:
            ms, timed_by = round((seconds - self._dumped_at) * 1e3, 3), "dump times"
        notes = [ended.note] if is_timed and ended is not None and ended.note else []
        if self._unread:
            notes.append(f"with the edits of {', '.join(self._unread)}, whose dumps could not be read")
            self._unread = []
        step = RawStep(
            pass_name or META_OPTIMIZER,
            self._iteration,
            removed,
            added,
            changed,
            len(nodes),
            ms,
            timed_by,
            "; ".join(notes),
        )
        self.steps.append(step)

    def _edit(self, nodes: dict[str, bytes]) -> tuple[tuple[str, ...], dict[str, bytes], dict[str, bytes]]:
        """Names that are gone, nodes that are new and nodes that differ; equal ones become one object."""
        before = self._now
        added: dict[str, bytes] = {}
        changed: dict[str, bytes] = {}
        if nodes is before:
            return (), added, changed
        for name, node in nodes.items():
            was = before.get(name)
            if was is None:
                added[name] = node
            elif was != node:
                changed[name] = node
            else:
                # One object for equal bytes: only edits take new memory.
                nodes[name] = was
        return tuple([name for name in before if name not in nodes]), added, changed

    def end(self) -> None:
        """The last dump was read: what is no longer needed is let go."""
        self.ended = True
        self.bytes_kept = len(self.first or b"") + sum(
            len(node) for step in self.steps for node in (*step.added.values(), *step.changed.values())
        )
        self._now, self._now_raw = {}, b""
