"""What the readers of an op tell of it, counted."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from tfgraphdbg.analyses.fates.edits import Outcome, PassRun
from tfgraphdbg.analyses.fates.op_inputs import output_of, producer

Voted = TypeVar("Voted")


def count(votes: dict[Voted, int], voted: Voted) -> None:
    """Add one vote."""
    votes[voted] = votes.get(voted, 0) + 1


def most(votes: dict[Voted, int]) -> Voted:
    """What has most votes, of equals the first."""
    return max(votes, key=votes.__getitem__)


class ReaderVotes(NamedTuple):
    """What the readers of an op tell of it, and how many do."""

    stand_ins: dict[str, int]
    """Ops that are read in its place."""
    outputs: dict[int, str]
    """For each of its outputs what is read in its place."""
    absorbers: dict[str, int]
    """Readers that became a fused op."""
    takers: dict[str, int]
    """Readers that became another op, which does its work too."""
    folders: dict[str, int]
    """Constants into which its readers were folded."""
    rewritten: dict[Outcome, int]
    """What became of readers that were rewritten together with it."""
    runs: list[PassRun]
    """Of each reader on which an earlier pass had decided: that pass."""

    def for_stand_in(self, old: str, new: str) -> None:
        """Count a reader that reads `new` in place of `old`, both in GraphDef notation."""
        count(self.stand_ins, producer(new))
        self.outputs.setdefault(output_of(old), new)
