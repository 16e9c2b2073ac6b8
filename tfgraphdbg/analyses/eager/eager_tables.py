"""A compared run -> tables of the eager side: the op trace, its times by line, and curves of them."""

from __future__ import annotations

from collections import defaultdict

from tfgraphdbg.analyses.eager.compared_run import ComparedRun
from tfgraphdbg.graph_model import OutputInfo
from tfgraphdbg.message_words import listed
from tfgraphdbg.recording import Frame
from tfgraphdbg.report import Cell, Column, Series, Table

_TRACE_COLUMNS = (
    Column("index"),
    Column("op_type"),
    Column("file"),
    Column("line"),
    Column("python_us", "us", "measured"),
    Column("dispatch_us", "us", "measured"),
    Column("kernel_us", "us", "measured"),
    Column("bytes", "bytes", "measured"),
    Column("inputs"),
    Column("output"),
    Column("thread"),
)

_LINE_COLUMNS = (
    Column("file"),
    Column("line"),
    Column("ops"),
    Column("self_us", "us", "measured"),
    Column("share", "share", "measured"),
    Column("python_us", "us", "measured"),
    Column("dispatch_us", "us", "measured"),
    Column("kernel_us", "us", "measured"),
    Column("code"),
)


def trace_table(run: ComparedRun) -> Table:
    """Every op that ran, in order."""
    rows = []
    words: dict[tuple[OutputInfo, ...], str | None] = {}
    threads = run.part.threads
    for op in run.part.ops:
        frame = run.line_of(op)
        if op.outputs not in words:
            words[op.outputs] = listed(map(str, op.outputs), 4) or None
        rows.append(
            (
                op.index,
                op.op_type,
                frame.file if frame else None,
                frame.line if frame else None,
                op.python_us,
                op.dispatch_us,
                op.kernel_us,
                op.bytes,
                listed(op.inputs) or None,
                words[op.outputs],
                threads[op.thread] if threads else None,
            )
        )
    return Table("trace", "Ops of one eager run, in the order in which they ran", _TRACE_COLUMNS, tuple(rows))


class LineTime:
    """Sums over the ops of one line."""

    def __init__(self) -> None:
        self.ops = 0
        self.python_us = self.dispatch_us = self.kernel_us = 0.0

    @property
    def self_us(self) -> float:
        """All three."""
        return self.python_us + self.dispatch_us + self.kernel_us


def line_times(run: ComparedRun) -> dict[Frame | None, LineTime]:
    """By user line, the most costly first; None for ops that no line of the user's is known for."""
    # Frames of one line differ by function only when one of them is a lambda or a comprehension in the other.
    first: dict[tuple[str, int], Frame] = {}
    spent: defaultdict[Frame | None, LineTime] = defaultdict(LineTime)
    frames: dict[int, Frame | None] = {}
    for op in run.part.ops:
        if op.stack not in frames:
            frame = run.line_of(op)
            frames[op.stack] = first.setdefault((frame.file, frame.line), frame) if frame else None
        line = spent[frames[op.stack]]
        line.ops += 1
        line.python_us += op.python_us or 0.0
        line.dispatch_us += op.dispatch_us or 0.0
        line.kernel_us += op.kernel_us or 0.0
    return dict(sorted(spent.items(), key=lambda item: -item[1].self_us))


def lines_table(run: ComparedRun) -> Table:
    """Eager time by Python line; none of it when no op was timed."""
    total = run.eager_total.attributed_us if run.eager_total else 0.0
    rows: list[tuple[Cell, ...]] = []
    for frame, spent in line_times(run).items():
        times: tuple[Cell, ...] = (None,) * 5
        if total:
            share = spent.self_us / total
            times = (spent.self_us, share, spent.python_us, spent.dispatch_us, spent.kernel_us)
        place = (frame.file, frame.line) if frame else (None, None)
        rows.append((*place, spent.ops, *times, frame.code if frame else None))
    return Table(
        "lines", "Eager time by line of Python, Python time before each op included", _LINE_COLUMNS, tuple(rows)
    )


def timeline_series(run: ComparedRun) -> tuple[Series, ...]:
    """Python, dispatch and kernel time of each op, over the time at which it began on its thread."""
    if run.eager_total is None:
        return ()
    began: defaultdict[int, float] = defaultdict(float)
    python, dispatch, kernel = [], [], []
    for op in run.part.ops:
        start = round(began[op.thread], 3)
        python.append((start, op.python_us or 0.0))
        dispatch.append((start, op.dispatch_us or 0.0))
        kernel.append((start, op.kernel_us or 0.0))
        began[op.thread] += (op.python_us or 0.0) + (op.dispatch_us or 0.0) + (op.kernel_us or 0.0)
    named = (("eager-python", python), ("eager-dispatch", dispatch), ("eager-kernel", kernel))
    return tuple(Series(name, "us", "us", tuple(points)) for name, points in named)
