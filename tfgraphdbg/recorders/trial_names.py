"""The ops of a chance by their names in the small graph in which it is tried."""

from __future__ import annotations

from typing import NamedTuple


class TrialNames(NamedTuple):
    """What trials, blockers' removals and estimates look at."""

    pattern: tuple[str, ...]
    """In order of computation. Of a duplicate computation: all ops of one copy, then all of another."""
    blocking: tuple[str, ...]
    """Those in the way that came along: only what reads the pattern does."""

    @property
    def root(self) -> str:
        """The last op: what is fused takes its name."""
        return self.pattern[-1]

    @property
    def ends_of_copies(self) -> tuple[str, str]:
        """The last op of either copy."""
        return self.pattern[len(self.pattern) // 2 - 1], self.pattern[-1]
