"""The tables of the eager report -> sheets: the op trace beside what each op became in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from tfgraphdbg.report import Report
from tfgraphdbg.tui.bars import StackedBar
from tfgraphdbg.tui.cell_text import visible, visible_code
from tfgraphdbg.tui.detail_row import OpJump, Part
from tfgraphdbg.tui.heat import heat, share_words
from tfgraphdbg.tui.plain_sheet import plain_sheet
from tfgraphdbg.tui.sheet import Sheet, SheetColumn, SheetRow
from tfgraphdbg.tui.table_cells import TableCells, cells_of
from tfgraphdbg.views.human_units import human_quantity

PARTS = ("python", "dispatch", "kernel")
"""What the time of an eager op consists of; also the styles of the three."""

BAR_WIDTH = 12
TRACED, RAN = "traced", "optimized"
NO_TIME = "not timed"
SAME = "same"
"""The status of an op that became one of its own name and type."""


def eager_sheet(report: Report, name: str) -> Sheet:
    """The sheet of one table, by its name; one that is not known here is shown as it is."""
    known = {"trace": trace_sheet, "lines": lines_sheet, "matches": matches_sheet, "gap": gap_sheet}
    return known[name](report) if name in known else plain_sheet(report.table(name))


def trace_sheet(report: Report) -> Sheet:
    """Every op that ran eagerly, in order; one opens to its numbers and what it became."""
    trace, matches = cells_of(report, "trace"), cells_of(report, "matches")
    became = {matches.text(row, "index"): row for row in range(len(matches)) if matches.text(row, "index")}
    longest = max((_total(trace, row) or 0.0 for row in range(len(trace))), default=0.0) or 1.0

    def make(row: int) -> SheetRow:
        match = became.get(trace.text(row, "index"), -1)
        total = _total(trace, row)
        op_type = visible(trace.text(row, "op_type"))
        place = _place(trace, row)
        name, style = _became(matches, match)
        cells = (
            Part(trace.text(row, "index"), "dim"),
            _bar(trace, row, longest),
            NO_TIME if total is None else human_quantity(total, "us"),
            Part(op_type, "accent"),
            place,
            Part(name, style),
        )
        return SheetRow(cells, match_jump(matches, match), lambda: _details(trace, row, matches, match))

    def text_of(row: int) -> str:
        match = became.get(trace.text(row, "index"), -1)
        words = (matches.text(match, name) for name in ("traced op", "optimized op", "status")) if match >= 0 else ()
        return " ".join((trace.text(row, "op_type"), _place(trace, row), trace.text(row, "inputs"), *words))

    columns = (
        SheetColumn("", 5, right=True, rank=2),
        SheetColumn("by part", BAR_WIDTH, rank=1),
        SheetColumn("time", 9, right=True),
        SheetColumn("eager op", 16, is_name=True),
        SheetColumn("line", 16, rank=3),
        SheetColumn("became in the graph"),
    )
    return Sheet("Op trace: one eager run", columns, len(trace), make, text_of, "ops")


def lines_sheet(report: Report) -> Sheet:
    """Source lines, with what their eager ops took."""
    lines = cells_of(report, "lines")
    longest = max((_total(lines, row) or 0.0 for row in range(len(lines))), default=0.0) or 1.0

    def make(row: int) -> SheetRow:
        share = lines.number(row, "share")
        cells = (
            Part(share_words(share), heat(share)),
            _bar(lines, row, longest),
            human_quantity(lines.amount(row, "self_us"), "us"),
            f"{lines.amount(row, 'ops'):,.0f}",
            Part(_place(lines, row), "strong"),
            visible_code(lines.text(row, "code")),
        )
        return SheetRow(cells)

    columns = (
        SheetColumn("share", 6, right=True),
        SheetColumn("by part", BAR_WIDTH, rank=1),
        SheetColumn("time", 9, right=True),
        SheetColumn("ops", 6, right=True, rank=2),
        SheetColumn("line", 16),
        SheetColumn(""),
    )
    return Sheet("Lines: time of eager ops", columns, len(lines), make, lambda row: _line_text(lines, row), "lines")


def matches_sheet(report: Report) -> Sheet:
    """Each op of either mode, side by side."""
    matches = cells_of(report, "matches")

    def make(row: int) -> SheetRow:
        name, style = _became(matches, row)
        kernel, graph = matches.number(row, "kernel_us"), matches.number(row, "graph_us")
        cells = (
            Part(visible(matches.text(row, "eager op")), "accent"),
            "" if kernel is None else human_quantity(kernel, "us"),
            "" if graph is None else human_quantity(graph, "us"),
            Part(name, style),
        )
        return SheetRow(cells, match_jump(matches, row))

    def text_of(row: int) -> str:
        return " ".join(matches.text(row, name) for name in ("eager op", "traced op", "optimized op", "status"))

    columns = (
        SheetColumn("eager op", 16, is_name=True),
        SheetColumn("kernel", 9, right=True),
        SheetColumn("in graph", 9, right=True),
        SheetColumn("became in the graph"),
    )
    return Sheet("Ops of both modes side by side", columns, len(matches), make, text_of, "ops")


def gap_sheet(report: Report) -> Sheet:
    """What the difference between both modes consists of, and how each part is known."""
    gap = cells_of(report, "gap")

    def make(row: int) -> SheetRow:
        share, known = gap.number(row, "share"), visible(gap.text(row, "known"))
        cells = (
            Part(visible(gap.text(row, "part")), "strong"),
            human_quantity(gap.amount(row, "us"), "us"),
            "" if share is None else f"{share:.0%}",
            Part(known, "warning" if known == "estimated" else "dim"),
            Part(visible(gap.text(row, "how")), "dim"),
        )
        return SheetRow(cells)

    columns = (
        SheetColumn("part", 22),
        SheetColumn("time", 9, right=True),
        SheetColumn("of gap", 6, right=True),
        SheetColumn("known", 9, rank=1),
        SheetColumn("how"),
    )
    title = "Eager less graph: what a graph adds is negative"
    return Sheet(title, columns, len(gap), make, lambda row: f"{gap.text(row, 'part')} {gap.text(row, 'how')}", "parts")


def match_jump(matches: TableCells, row: int) -> OpJump | None:
    """Where the op of a row of the matches is: in the graph that ran, else in the traced one."""
    if row < 0:
        return None
    optimized, traced = matches.text(row, "optimized op"), matches.text(row, "traced op")
    return OpJump(optimized, RAN) if optimized else OpJump(traced, TRACED) if traced else None


def _became(matches: TableCells, row: int) -> tuple[str, str]:
    """In words, and its style: what is only in one of the modes stands back."""
    if row < 0:
        return "ran before, see there", "dim"
    status = matches.text(row, "status")
    name = visible(matches.text(row, "optimized op") or matches.text(row, "traced op"))
    if not name:
        return visible(status), "dim"
    style = "" if matches.text(row, "optimized op") else "dim"
    return name if status in ("", SAME) else f"{visible(status)}  {name}", style


def _details(trace: TableCells, row: int, matches: TableCells, match: int) -> Sequence[SheetRow]:
    """The numbers of an op, one a row, then what it read and gave and what it became."""
    jump = match_jump(matches, match)
    rows = []
    for part in PARTS:
        us = trace.number(row, f"{part}_us")
        rows.append(_fact(part, NO_TIME if us is None else human_quantity(us, "us"), part))
    for label in ("inputs", "output", "bytes", "thread"):
        if text := trace.text(row, label):
            rows.append(_fact(label, visible(text)))
    if match >= 0:
        for label in ("traced op", "optimized op", "status", "found by"):
            if text := matches.text(match, label):
                stage = {"traced op": TRACED, "optimized op": RAN}.get(label)
                fact = _fact(label, visible(text))
                rows.append(fact._replace(jump=OpJump(text, stage) if stage else jump))
        if (us := matches.number(match, "graph_us")) is not None:
            rows.append(_fact("in graph", human_quantity(us, "us")))
    return rows


def _fact(label: str, value: str, style: str = "") -> SheetRow:
    return SheetRow(("", "", "", Part(label, "dim"), Part("■" if style else "", style), Part(value, style)))


def _bar(cells: TableCells, row: int, longest: float) -> StackedBar:
    return StackedBar([cells.amount(row, f"{part}_us") / longest for part in PARTS], PARTS)


def _total(cells: TableCells, row: int) -> float | None:
    amounts = [cells.number(row, f"{part}_us") for part in PARTS]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _place(cells: TableCells, row: int) -> str:
    file, line = cells.text(row, "file"), cells.text(row, "line")
    return visible(f"{PurePath(file).name}:{line}" if line else file)


def _line_text(lines: TableCells, row: int) -> str:
    return f"{_place(lines, row)} {lines.text(row, 'code')}"
