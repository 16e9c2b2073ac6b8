"""Measured graph -> what each while loop of the step took, iteration by iteration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.frames import EXIT, MERGE
from tfgraphdbg.analyses.bottlenecks.measured_graph import MeasuredGraph
from tfgraphdbg.analyses.bottlenecks.measured_ops import StepSummary
from tfgraphdbg.graph_model import LOOP_BACK_OP_TYPES, GraphModel
from tfgraphdbg.measured_times import TimesPart
from tfgraphdbg.report import Cell, Column, Series, Table

_SWITCH = frozenset({"Switch", "RefSwitch"})
_PASSING_ON = MERGE | LOOP_BACK_OP_TYPES
"""They only hand values from one iteration to the next: the first may do so long before the loop can begin."""


class LoopTime(NamedTuple):
    """A while loop of the profiled step."""

    name: str
    ops: int
    """Ops in it that were timed."""
    self_us: float
    """Of its ops, over all iterations."""
    iteration_us: tuple[float, ...]
    """From the start of an iteration's first execution to the end of its last, those of loops inside left out."""
    whole_us: float
    """Time in which at least one iteration was under way."""

    @property
    def iterations(self) -> int:
        """How often its body ran."""
        return len(self.iteration_us)


def loop_times(graph: GraphModel, measured: MeasuredGraph, times: TimesPart) -> tuple[LoopTime, ...]:
    """Every while loop whose body ran, the longest first."""
    frames = measured.frames.frames
    if not any(frame.is_loop for frame in frames):
        return ()
    rows_of: list[dict[int, list[tuple[int, int]]]] = [{} for _ in frames]
    node = 0
    for position, frame in enumerate(measured.frames.of_op):
        number = measured.passes[frame].number
        if frames[frame].is_loop:
            timed = [(place, row) for place in range(number) if (row := measured.rows[node + place]) >= 0]
            if timed:
                rows_of[frame][position] = timed
        node += number
    bodies = _bodies(graph, measured)
    loops = []
    for frame, rows in enumerate(rows_of):
        spans = _spans(graph, rows, bodies.get(frame, rows.keys()), times)
        if spans:
            spent = sum(times.timeline.self_ns[row] for timed in rows.values() for _, row in timed)
            durations = tuple((end - start) / 1e3 for start, end in spans)
            loops.append(LoopTime(frames[frame].name, len(rows), spent / 1e3, durations, _union_ns(spans) / 1e3))
    return tuple(sorted(loops, key=lambda loop: -loop.whole_us))


def _bodies(graph: GraphModel, measured: MeasuredGraph) -> dict[int, set[int]]:
    """By loop, the ops that read what its condition let in: all others also run in the pass that only asks it."""
    ops, of_op = graph.ops, measured.frames.of_op
    readers: dict[int, list[int]] = {}
    bodies: dict[int, set[int]] = {}
    gates: dict[int, list[int]] = {}
    for position, sources in enumerate(graph.input_positions):
        for source in sources:
            if source >= 0:
                readers.setdefault(source, []).append(position)
                if ops[source].op_type == "LoopCond" and ops[position].op_type in _SWITCH:
                    gates.setdefault(of_op[position], []).append(position)
    for frame, switches in gates.items():
        found: set[int] = set()
        waiting = [
            reader for switch in switches for reader in readers.get(switch, ()) if ops[reader].op_type not in EXIT
        ]
        while waiting:
            position = waiting.pop()
            if position not in found:
                found.add(position)
                if ops[position].op_type not in LOOP_BACK_OP_TYPES:
                    waiting.extend(readers.get(position, ()))
        bodies[frame] = found
    return bodies


def _spans(
    graph: GraphModel, rows: dict[int, list[tuple[int, int]]], body: Iterable[int], times: TimesPart
) -> list[tuple[int, int]]:
    """Begin and end of each iteration in which something of the body ran."""
    begun = {place for position in body for place, _ in rows.get(position, ())}
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for position, timed in rows.items():
        if graph.ops[position].op_type in _PASSING_ON:
            continue
        for place, row in timed:
            if place in begun:
                start, end = times.timeline.start_ns[row], times.timeline.end_ns[row]
                starts[place] = min(starts.get(place, start), start)
                ends[place] = max(ends.get(place, end), end)
    return [(starts[place], ends[place]) for place in sorted(starts)]


def _union_ns(spans: Sequence[tuple[int, int]]) -> int:
    """Iterations may overlap: the runtime begins one before the last has ended."""
    total = reached = 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def iterations_table(loops: Sequence[LoopTime], summary: StepSummary) -> Table:
    """One row a loop."""
    columns = (
        Column("loop"),
        Column("iterations"),
        Column("ops"),
        *(Column(name, "us", "measured") for name in ("whole_us", "median_us", "low_us", "high_us", "self_us")),
        Column("share", "share", "measured"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            loop.name,
            loop.iterations,
            loop.ops,
            round(loop.whole_us, 3),
            round(median(loop.iteration_us), 3),
            round(min(loop.iteration_us), 3),
            round(max(loop.iteration_us), 3),
            round(loop.self_us, 3),
            round(summary.wall_share(loop.whole_us), 4),
        )
        for loop in loops
    )
    title = (
        "While loops of the step with the median wall time: time of an iteration, from its first op to its last, where "
        "iterations may overlap; share of the step's wall time"
    )
    return Table("iterations", title, columns, rows)


def iteration_series(loops: Sequence[LoopTime]) -> tuple[Series, ...]:
    """The time of each iteration of the longest loop."""
    if not loops:
        return ()
    points = tuple((float(place), round(us, 3)) for place, us in enumerate(loops[0].iteration_us))
    return (Series("iteration-time", "us", "iteration", points),)
