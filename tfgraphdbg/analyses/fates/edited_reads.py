"""The ops of one edit -> who read what before it and does no more, and what is read anew.

Most inputs of the ops that a pass changes stay as they were: what follows looks only at those that do not.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.fates.op_inputs import data_inputs, producer
from tfgraphdbg.graph_model import OpNode


class EditedNames(NamedTuple):
    """The ops of an edit by what happened to them."""

    removed: Sequence[str]
    changed: Sequence[str]
    added: Sequence[str]


class EditedOp(NamedTuple):
    """An op that an edit removed or changed, with its data inputs."""

    was: OpNode
    now: OpNode | None
    """None when it is gone."""
    read: tuple[str, ...]
    """What it read before."""
    reads: tuple[str, ...]
    """What it reads now."""


class EditedReads:
    """What the ops of one edit read before it and after it."""

    def __init__(self, before: Mapping[str, OpNode], after: Mapping[str, OpNode], names: EditedNames) -> None:
        self.changed: list[EditedOp] = []
        """The ops that are there before and after."""
        self.lost: dict[str, list[tuple[EditedOp, int]]] = defaultdict(list)
        """For each op that lost readers: those, each with the position of the input; readers that are gone first."""
        self.waiting_for: dict[str, list[str]] = defaultdict(list)
        """For each op: which removed or changed ops had a control edge from it before."""
        self._gained: list[str] = []
        for name in names.removed:
            self._add_removed(before[name])
        for name in names.changed:
            self._add_changed(before[name], after[name])
        for name in names.added:
            self._gained += map(producer, data_inputs(after[name]))

    def _add_removed(self, was: OpNode) -> None:
        read = data_inputs(was)
        if len(read) < len(was.inputs):
            self._add_waiting(was)
        if read:
            op = EditedOp(was, None, read, ())
            for position, text in enumerate(read):
                self.lost[producer(text)].append((op, position))

    def _add_changed(self, was: OpNode, now: OpNode) -> None:
        read, reads = data_inputs(was), data_inputs(now)
        if len(read) < len(was.inputs):
            self._add_waiting(was)
        op = EditedOp(was, now, read, reads)
        self.changed.append(op)
        if read == reads:
            return
        for position, (old, new) in enumerate(itertools.zip_longest(read, reads, fillvalue="")):
            if old != new:
                if old:
                    self.lost[producer(old)].append((op, position))
                if new:
                    self._gained.append(producer(new))

    def _add_waiting(self, was: OpNode) -> None:
        for text in was.inputs:
            if text[:1] == "^":
                self.waiting_for[text[1:]].append(was.name)

    def bring_up_to_date(self, uses: Counter[str]) -> list[str]:
        """Make `uses`, how often the data of each op is read, tell of the graph after the edit; the ops of no readers.

        Only such as had readers before.
        """
        uses.update(self._gained)
        unread = []
        for name, readers in self.lost.items():
            left = uses[name] = uses[name] - len(readers)
            if not left:
                unread.append(name)
        return unread
