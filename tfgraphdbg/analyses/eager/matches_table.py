"""A compared run -> the eager ops beside the ops of the traced graph and of the one that ran."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

from tfgraphdbg.analyses.eager.compared_run import ComparedRun
from tfgraphdbg.analyses.eager.graph_ends import GONE, TRACED_ONLY, GraphEnd
from tfgraphdbg.eager_run import EagerOp
from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.report import Cell, Column, Table

EAGER_ONLY = "ran eagerly, in no graph"
GRAPH_ONLY = "only in the graph"

_COLUMNS = (
    Column("index"),
    Column("eager op"),
    Column("runs"),
    Column("traced op"),
    Column("optimized op"),
    Column("status"),
    Column("found by"),
    Column("kernel_us", "us", "measured"),
    Column("graph_us", "us", "measured"),
)

_KINDS = {
    "argument": ("Placeholder", "_Arg"),
    "constant": ("Const",),
    "result": ("Identity", "_Retval"),
    "order": ("NoOp",),
    "control flow": ("If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase"),
    "call": ("PartitionedCall", "StatefulPartitionedCall"),
}
_KIND_OF = {op_type: kind for kind, op_types in _KINDS.items() for op_type in op_types}


def matches_table(run: ComparedRun) -> Table:
    """A row for each traced op that ran eagerly, however often, and for each op that is in one mode only."""
    graph_us = {op.op: op.self_us for op in run.graph_times.ops} if run.graph_times else {}
    rows = (*_eager_rows(run, graph_us), *_graph_rows(run, graph_us), *_new_rows(run, graph_us))
    found = len(run.matches)
    title = f"Eager ops beside the graph's: {found:,} of {len(run.part.ops):,} were found in the traced graph"
    if run.graph.told_by == "origins":
        title += "; what passes did to each is not told (`passes` tells it)"
    return Table("matches", title, _COLUMNS, rows)


def _eager_rows(run: ComparedRun, graph_us: dict[str, float]) -> Iterator[tuple[Cell, ...]]:
    runs: defaultdict[str, list[EagerOp]] = defaultdict(list)
    for op in run.part.ops:
        match = run.matches.get(op.index)
        runs[match.traced if match else f"{op.index}\n"].append(op)
    for traced, ops in runs.items():
        timed = [op.kernel_us for op in ops if op.kernel_us is not None]
        spent = math.fsum(timed) if timed else None
        first = ops[0]
        head = (first.index, first.op_type, len(ops))
        match = run.matches.get(first.index)
        if match is None:
            yield *head, None, None, EAGER_ONLY, None, spent, None
            continue
        end = run.graph.ends[traced]
        status = f"{end.status} x {len(ops)}" if len(ops) > 1 else end.status
        yield *head, traced, end.optimized or None, status, match.found_by, spent, _time_of(end, graph_us)


def _graph_rows(run: ComparedRun, graph_us: dict[str, float]) -> Iterator[tuple[Cell, ...]]:
    if not run.part.ops:
        return
    matched = {match.traced for match in run.matches.values()}
    for op in run.traced.ops:
        if op.id not in matched:
            end = run.graph.ends[op.id]
            yield (
                None,
                None,
                0,
                op.id,
                end.optimized or None,
                _only_in_graph(op, end),
                None,
                None,
                _time_of(end, graph_us),
            )


def _only_in_graph(op: OpNode, end: GraphEnd) -> str:
    kind = _KIND_OF.get(op.op_type)
    said = f"{GRAPH_ONLY} ({kind})" if kind else GRAPH_ONLY
    if end.status.startswith(GONE):
        return f"only traced, gone in the graph{end.status.removeprefix(GONE)}"
    return said if kind or end.status in ("same", TRACED_ONLY) else f"{said}, {end.status}"


def _new_rows(run: ComparedRun, graph_us: dict[str, float]) -> Iterator[tuple[Cell, ...]]:
    """Ops that ran in the graph and come from no traced one, as far as they took time."""
    for id_, spent in graph_us.items():
        if run.part.ops and not run.graph.origins.get(id_):
            yield None, None, 0, None, id_, "only in the graph (made after tracing)", None, None, spent


def _time_of(end: GraphEnd, graph_us: dict[str, float]) -> float | None:
    return None if end.is_gone else graph_us.get(end.optimized)
