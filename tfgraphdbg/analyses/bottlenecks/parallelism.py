"""One step's timeline -> how many threads were busy, and for how long."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import NamedTuple

from tfgraphdbg.measured_times import TimesPart
from tfgraphdbg.report import Column, Series, Table

SERIES_POINTS = 240


class Parallelism(NamedTuple):
    """The time from the start of the first op to the end of the last, by how many threads ran ops."""

    busy_ns: dict[int, int]
    """Nanoseconds by number of busy threads."""
    changes: tuple[tuple[int, int], ...]
    """Moments, and how many threads were busy from then on."""
    first_ns: int
    last_ns: int

    @property
    def span_ns(self) -> int:
        """From the start of the first op to the end of the last."""
        return self.last_ns - self.first_ns

    @property
    def mean(self) -> float:
        """Busy threads on average over the span."""
        return sum(count * ns for count, ns in self.busy_ns.items()) / self.span_ns if self.span_ns else 0.0

    @property
    def idle_ns(self) -> int:
        """Time between the first and the last op in which none ran."""
        return self.busy_ns.get(0, 0)


def parallelism_of(times: TimesPart) -> Parallelism:
    """Sweep over the executions of the step; those nested in another one do not count twice."""
    changes: defaultdict[int, int] = defaultdict(int)
    busy_until = [-1] * len(times.threads)
    timeline = times.timeline
    for thread, start, end in zip(timeline.thread, timeline.start_ns, timeline.end_ns, strict=True):
        begin = max(start, busy_until[thread])
        if end > begin:
            busy_until[thread] = end
            changes[begin] += 1
            changes[end] -= 1
    busy: Counter[int] = Counter()
    steps: list[tuple[int, int]] = []
    count, before = 0, min(changes, default=0)
    for moment in sorted(changes):
        busy[count] += moment - before
        count, before = count + changes[moment], moment
        steps.append((moment, count))
    return Parallelism(
        {count: ns for count, ns in sorted(busy.items()) if ns}, tuple(steps), min(changes, default=0), before
    )


def parallelism_table(parallelism: Parallelism) -> Table:
    """One row for each number of busy threads."""
    columns = (Column("busy_threads"), Column("us", "us", "measured"), Column("share", "share", "measured"))
    span = parallelism.span_ns or 1
    rows = tuple((count, ns / 1e3, round(ns / span, 4)) for count, ns in parallelism.busy_ns.items())
    title = "How long so many threads ran ops at once, from the first op's start to the last one's end"
    return Table("parallelism", title, columns, rows)


def busy_threads_series(parallelism: Parallelism) -> Series:
    """Busy threads over the step, averaged over equal pieces of time."""
    first, span = parallelism.first_ns, parallelism.span_ns
    pieces = min(SERIES_POINTS, span)
    edges = [first + place * span // pieces for place in range(pieces + 1)] if pieces else []
    sums = [0] * pieces
    piece = 0
    for (start, count), (end, _) in itertools.pairwise(parallelism.changes):
        while start < end:
            until = min(end, edges[piece + 1])
            sums[piece] += count * (until - start)
            start = until
            piece += until == edges[piece + 1]
    points = tuple(
        (edge / 1e3, round(total / (end - edge), 3)) for edge, end, total in zip(edges, edges[1:], sums, strict=False)
    )
    return Series("busy-threads", "threads", "us", points)
