"""How long threads were busy, from nothing but when each stretch of work began and ended."""

from __future__ import annotations

from collections.abc import Iterable


def busy_ps(stretches: Iterable[tuple[int, int, int]]) -> int:
    """Summed over threads: the length of the union of `(thread, start, end)`; what overlaps counts once a thread."""
    total = 0
    thread: int | None = None
    reached = 0
    for line, start, end in sorted(stretches):
        if line != thread:
            thread, reached = line, start
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total
