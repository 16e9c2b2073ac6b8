"""What the difference between an eager call and a graph call consists of, in parts that add up to it.

Python and dispatch of the eager call are what the graph does without. Kernel times of both are compared op by op over
the matches: ops that the graph does not run, fused ones, same ones, and those that only the graph runs. What ops on
several threads saved, and what the graph call takes beside its ops, come from the graph's own timeline.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tfgraphdbg.analyses.eager.call_cost import CallCost, EagerTimes
from tfgraphdbg.analyses.eager.compared_run import ComparedRun
from tfgraphdbg.measured_times import TimesPart

MEASURED, ESTIMATED, DERIVED = "measured", "estimated", "what is left"


class GapPart(NamedTuple):
    """One part; positive microseconds are what the graph saves."""

    name: str
    us: float
    known: str
    how: str


class KernelTimes(NamedTuple):
    """Microseconds that the graph saves in kernels, by reason."""

    gone: float
    fused: float
    same: float
    only_graph: float


def gap_parts(run: ComparedRun) -> tuple[GapPart, ...]:
    """The parts of the gap; none when the calls of both modes or the eager ops were not timed."""
    cost = run.cost
    if cost is None or cost.parts is None:
        return ()
    parts = [
        *_eager_parts(cost.parts),
        *_kernel_and_graph_parts(run, cost),
    ]
    # A sum of floats is not exact: a millionth of a microsecond is nothing.
    rest = round(cost.gap_us - math.fsum(part.us for part in parts), 6) + 0.0
    return (*parts, GapPart("rest", rest, DERIVED, "what the parts above don't explain"))


def _eager_parts(times: EagerTimes) -> Iterator[GapPart]:
    how = "profiled eager runs, scaled to a plain call; a graph call runs none of it"
    yield GapPart("python", times.python_us, ESTIMATED, how)
    yield GapPart("dispatch", times.dispatch_us, ESTIMATED, how)


def _kernel_and_graph_parts(run: ComparedRun, cost: CallCost) -> Iterator[GapPart]:
    times, eager = run.graph_times, cost.parts
    assert eager is not None
    if times is None or not times.ops:
        how = "eager kernels less the whole graph call: its ops were not timed one by one"
        yield GapPart("kernels", eager.kernel_us - cost.graph.median, MEASURED, how)
        return
    kernels = kernel_times(run, times, eager.kernel_factor)
    known = MEASURED if eager.kernel_factor == 1.0 else ESTIMATED
    side_by_side = "eager kernels, their set-up included, less the same ops in profiled graph runs"
    if run.graph.told_by == "passes":
        yield GapPart("fewer ops", kernels.gone, known, "kernels of ops that the graph does not run")
        yield GapPart("fusion", kernels.fused, known, "kernels of ops less the fused ones that stand for them")
    else:
        # An op that no op came from may be gone, or be a part of a fused one.
        how = "kernels of ops that are gone or fused, less the fused ones: only passes could tell them apart"
        yield GapPart("fewer ops and fusion", kernels.gone + kernels.fused, known, how)
    yield GapPart("same ops, other time", kernels.same, known, side_by_side)
    yield GapPart("ops only in the graph", kernels.only_graph, MEASURED, "graph ops that no eager op was found for")
    saved = _overlap_us(times)
    op_us = math.fsum(op.self_us for op in times.ops)
    yield GapPart("parallelism", saved, MEASURED, "graph ops that ran at the same time on several threads")
    own = cost.graph.median - (op_us - saved)
    yield GapPart(
        "the graph call itself", -own, ESTIMATED, "a plain graph call less the time in which ops ran in profiled ones"
    )


def kernel_times(run: ComparedRun, times: TimesPart, eager_factor: float = 1.0) -> KernelTimes:
    """Compare kernels of ops that belong together: all that one op of the graph stands for, and all its copies."""
    groups = _Groups()
    eager_us: defaultdict[str, list[float]] = defaultdict(list)
    gone: list[float] = []
    fused: set[str] = set()
    ends = run.graph.ends
    for op in run.part.ops:
        match = run.matches.get(op.index)
        if match is None or ends[match.traced].is_gone:
            gone.append((op.kernel_us or 0.0) * eager_factor)
        else:
            eager_us[match.traced].append((op.kernel_us or 0.0) * eager_factor)
            if ends[match.traced].is_fused:
                fused.add(match.traced)
    graph_us: defaultdict[str, list[float]] = defaultdict(list)
    only_graph: list[float] = []
    for timed in times.ops:
        ours = [origin for origin in run.graph.origins.get(timed.op, ()) if origin in eager_us]
        if not ours:
            only_graph.append(-timed.self_us)
            continue
        for origin in ours[1:]:
            groups.join(ours[0], origin)
        graph_us[ours[0]].append(timed.self_us)
    sums: defaultdict[str, list[float]] = defaultdict(list)
    for traced, spent in eager_us.items():
        sums[groups.root(traced)] += spent
    for traced, spent in graph_us.items():
        sums[groups.root(traced)] += [-us for us in spent]
    fused_roots = {groups.root(traced) for traced in fused}
    return KernelTimes(
        math.fsum(gone),
        math.fsum(us for root in fused_roots for us in sums[root]),
        math.fsum(us for root, spent in sums.items() if root not in fused_roots for us in spent),
        math.fsum(only_graph),
    )


class _Groups:
    """Traced ops that cannot be told apart in the graph that ran."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, id_: str) -> str:
        while (parent := self._parent.get(id_)) is not None:
            id_ = parent
        return id_

    def join(self, first: str, second: str) -> None:
        first, second = self.root(first), self.root(second)
        if first != second:
            self._parent[second] = first


def _overlap_us(times: TimesPart) -> float:
    """Time of ops that ran beside others, in the step that the timeline shows."""
    line = times.timeline
    covered = end = 0
    for start, stop in sorted(zip(line.start_ns, line.end_ns, strict=True)):
        if stop > end:
            covered += stop - max(start, end)
            end = stop
    return max(0.0, (sum(line.self_ns) - covered) / 1e3)
