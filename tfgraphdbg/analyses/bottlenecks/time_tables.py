"""Measured ops -> the tables of where the time went: by op, by source line and by name scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.measured_ops import MeasuredOp, StepSummary
from tfgraphdbg.analyses.scope_rollup import MAX_SCOPES, scope_label
from tfgraphdbg.report import Cell, Column, Table

Row = tuple[Cell, ...]

OF_BUSY = "share of the busy time of all threads"


class LineTime(NamedTuple):
    """What the ops of one source line took together: microseconds of a step."""

    file: str
    """Empty for ops without a line of the user's."""
    line: int
    function: str
    code: str
    self_us: float
    ops: tuple[MeasuredOp, ...]


def line_times(ops: Sequence[MeasuredOp]) -> tuple[LineTime, ...]:
    """Every source line that has an op which ran, the most time first."""
    # Ops of one frame share the object: hashing tens of thousands of frames by their text would take longer.
    of_frame: dict[int, list[MeasuredOp]] = defaultdict(list)
    for op in ops:
        of_frame[id(op.line)].append(op)
    on_line: dict[tuple[str, int], list[MeasuredOp]] = defaultdict(list)
    for group in of_frame.values():
        frame = group[0].line
        on_line[(frame.file, frame.line) if frame else ("", 0)].extend(group)
    lines = []
    for (file, line), own in on_line.items():
        frame = own[0].line
        function, code = (frame.function, frame.code) if frame else ("", "")
        lines.append(LineTime(file, line, function, code, sum(op.time.self_us for op in own), tuple(own)))
    return tuple(sorted(lines, key=lambda line: (-line.self_us, line.file, line.line)))


def ops_table(ops: Sequence[MeasuredOp], summary: StepSummary) -> Table:
    """One row an op that was timed."""
    with_workers = any(op.time.worker_us for op in ops)
    with_what_if = any(op.what_if_us is not None for op in ops)
    columns = [
        Column("op"),
        Column("op_type"),
        Column("calls"),
        Column("self_us", "us", "measured"),
        Column("share", "share", "measured"),
        Column("estimated_us", "us", "estimated"),
        Column("efficiency", "share", "estimated"),
        *([Column("what_if_us", "us", "estimated")] if with_what_if else []),
        Column("low_us", "us", "measured"),
        Column("high_us", "us", "measured"),
        *([Column("worker_us", "us", "measured")] if with_workers else []),
        Column("slack_us", "us", "measured"),
        Column("file"),
        Column("line"),
    ]
    busy = summary.busy_us or 1.0
    rows: list[Row] = []
    for op in ops:
        time, line = op.time, op.line
        rows.append(
            (
                time.op,
                op.node.op_type,
                _count(time.calls),
                time.self_us,
                round(time.self_us / busy, 5),
                None if op.estimated_us is None else round(op.estimated_us, 3),
                efficiency(op),
                *((None if op.what_if_us is None else round(op.what_if_us, 3),) if with_what_if else ()),
                time.low_us,
                time.high_us,
                *((time.worker_us,) if with_workers else ()),
                op.slack_us,
                line.file if line else None,
                line.line if line else None,
            )
        )
    title = f"Time of each op in a step, median over the steps; {OF_BUSY}"
    if any((efficiency(op) or 0.0) > 1 for op in ops):
        title += "; efficiency above 100%: the cost model counts one operation a core and cycle"
        title += ", so compare estimates, what_if_us too, with one another alone" * with_what_if
    return Table("ops", title, tuple(columns), tuple(rows))


def efficiency(op: MeasuredOp) -> float | None:
    """Estimated time as a share of the measured one; None where either is not known."""
    if op.estimated_us is None or op.time.self_us <= 0:
        return None
    return round(op.estimated_us / op.time.self_us, 4)


def lines_table(lines: Sequence[LineTime], summary: StepSummary) -> Table:
    """One row a source line, and one for all ops that have none."""
    columns = (
        Column("file"),
        Column("line"),
        Column("ops"),
        Column("self_us", "us", "measured"),
        Column("share", "share", "measured"),
        Column("shared_ops"),
        Column("code"),
    )
    rows: list[Row] = [
        (
            line.file or "(no line of yours)",
            line.line or None,
            len(line.ops),
            round(line.self_us, 3),
            round(summary.share(line.self_us), 4),
            sum(op.shares_lines for op in line.ops),
            line.code,
        )
        for line in lines
    ]
    title = f"Time of each source line; {OF_BUSY}; shared_ops: fused ops, which may hold ops of other lines too"
    return Table("lines", title, columns, tuple(rows))


def scopes_table(ops: Sequence[MeasuredOp], summary: StepSummary) -> Table:
    """Name scopes, two levels: the most time first, small ones in one row."""
    spent: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for op in ops:
        label = scope_label(op.node)
        spent[label] += op.time.self_us
        counts[label] += 1
    scopes = sorted(spent, key=lambda label: (-spent[label], label))
    shown, rest = scopes[:MAX_SCOPES], scopes[MAX_SCOPES:]
    rows = [_scope_row(label, counts[label], spent[label], summary) for label in shown]
    if rest:
        words = f"({len(rest):,} more scopes)"
        rows.append(_scope_row(words, sum(map(counts.__getitem__, rest)), sum(map(spent.__getitem__, rest)), summary))
    columns = (
        Column("scope"),
        Column("ops"),
        Column("self_us", "us", "measured"),
        Column("share", "share", "measured"),
    )
    return Table("scopes", f"Time of each name scope, two levels; {OF_BUSY}", columns, tuple(rows))


def _scope_row(label: str, count: int, us: float, summary: StepSummary) -> Row:
    return label, count, round(us, 3), round(summary.share(us), 4)


def _count(calls: float) -> Cell:
    return int(calls) if calls == int(calls) else round(calls, 2)
