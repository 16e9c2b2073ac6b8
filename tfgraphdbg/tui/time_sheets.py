"""The tables of the bottlenecks report -> sheets with bars, in which a row leads to an op or opens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import PurePath

from tfgraphdbg.op_query import quoted
from tfgraphdbg.report import Report
from tfgraphdbg.tui.bars import ShareBar, SpanBar
from tfgraphdbg.tui.cell_text import visible, visible_code
from tfgraphdbg.tui.detail_row import OpJump, Part, QueryJump
from tfgraphdbg.tui.heat import heat, share_words
from tfgraphdbg.tui.op_times import SlackTimes
from tfgraphdbg.tui.plain_sheet import plain_sheet
from tfgraphdbg.tui.sheet import Sheet, SheetColumn, SheetRow
from tfgraphdbg.tui.table_cells import TableCells, cells_of
from tfgraphdbg.views.human_units import human_number, human_quantity

RAN = "optimized"
BAR_WIDTH = 10
AXIS_WIDTH = 20

_SHARE = SheetColumn("share", 6, right=True)
_BAR = SheetColumn("", BAR_WIDTH, rank=1)
_SELF = SheetColumn("self", 9, right=True)


def time_sheet(report: Report, name: str) -> Sheet:
    """The sheet of one table, by its name; one that is not known here is shown as it is."""
    known = {"lines": lines_sheet, "ops": ops_sheet, "scopes": scopes_sheet, "critical-path": path_sheet}
    return known[name](report) if name in known else plain_sheet(report.table(name))


def lines_sheet(report: Report) -> Sheet:
    """Source lines; one opens to its ops."""
    lines, ops = cells_of(report, "lines"), cells_of(report, "ops")
    on_line: dict[tuple[str, str], list[int]] = {}
    for row in range(len(ops)):
        on_line.setdefault((ops.text(row, "file"), ops.text(row, "line")), []).append(row)

    def make(row: int) -> SheetRow:
        line = lines.text(row, "line")
        file = lines.text(row, "file")
        share = lines.amount(row, "share")
        place = _place(file, line)
        code = visible_code(lines.text(row, "code"))
        cells = (*_head(lines, row, share), _count(lines, row, "ops"), Part(place, "strong"), code)
        jump = QueryJump(f"line:{quoted(f'{PurePath(file).name}:{line}')}") if line else None
        own = on_line.get((file, line) if line else ("", ""), ())
        return SheetRow(cells, jump, lambda: [_op_of_line(ops, each) for each in own])

    columns = (_SHARE, _BAR, _SELF, SheetColumn("ops", 6, right=True, rank=3), SheetColumn("line", 16), SheetColumn(""))
    return Sheet(
        "Lines: share of the busy time", columns, len(lines), make, _texts(lines, "file", "line", "code"), "lines"
    )


def _op_of_line(ops: TableCells, row: int) -> SheetRow:
    share = ops.amount(row, "share")
    op = ops.text(row, "op")
    kind = Part(visible(ops.text(row, "op_type")), "accent")
    return SheetRow((*_head(ops, row, share), _count(ops, row, "calls"), kind, visible(op)), OpJump(op, RAN))


def ops_sheet(report: Report) -> Sheet:
    """Ops, the most time first."""
    ops = cells_of(report, "ops")

    def make(row: int) -> SheetRow:
        op, share = ops.text(row, "op"), ops.amount(row, "share")
        efficiency = ops.number(row, "efficiency")
        cells = (
            *_head(ops, row, share),
            _count(ops, row, "calls"),
            _us(ops.number(row, "slack_us")),
            "" if efficiency is None else f"{efficiency:.0%}",
            Part(visible(ops.text(row, "op_type")), "accent"),
            visible(op),
            Part(_place(ops.text(row, "file"), ops.text(row, "line")), "dim"),
        )
        return SheetRow(cells, OpJump(op, RAN))

    columns = (
        _SHARE,
        _BAR,
        _SELF,
        SheetColumn("calls", 7, right=True, rank=3),
        SheetColumn("slack", 9, right=True, rank=5),
        SheetColumn("estimate/self", 13, right=True, rank=6),
        SheetColumn("type", 16, rank=2, is_name=True),
        SheetColumn("op", is_name=True),
        SheetColumn("line", 18, rank=4),
    )
    return Sheet(
        "Ops: share of the busy time", columns, len(ops), make, _texts(ops, "op", "op_type", "file", "line"), "ops"
    )


def scopes_sheet(report: Report) -> Sheet:
    """Name scopes, the most time first."""
    scopes = cells_of(report, "scopes")

    def make(row: int) -> SheetRow:
        label = scopes.text(row, "scope")
        jump = None if label.startswith("(") else QueryJump(f"scope:{quoted(label)}")
        head = _head(scopes, row, scopes.amount(row, "share"))
        return SheetRow((*head, _count(scopes, row, "ops"), visible(label)), jump)

    columns = (_SHARE, _BAR, _SELF, SheetColumn("ops", 7, right=True), SheetColumn("scope", is_name=True))
    return Sheet("Scopes: share of the busy time", columns, len(scopes), make, _texts(scopes, "scope"), "scopes")


def path_sheet(report: Report) -> Sheet:
    """The ops of the critical path on an axis of time, with what each waited for."""
    path, ops = cells_of(report, "critical-path"), cells_of(report, "ops")
    types = {ops.text(row, "op"): (ops.text(row, "op_type"), ops.amount(row, "share")) for row in range(len(ops))}
    end = max((_end(path, row) for row in range(len(path))), default=0.0) or 1.0

    def make(row: int) -> SheetRow:
        op = path.text(row, "op")
        op_type, share = types.get(op, ("", 0.0))
        start = path.amount(row, "start_us")
        wait = path.amount(row, "wait_us")
        waited = path.text(row, "waited_for")
        cells = (
            _us(start),
            SpanBar(start / end, _end(path, row) / end, heat(share)),
            Part(_us(path.number(row, "self_us")), heat(share)),
            Part(_us(wait) if wait else "", "warning" if waited else "dim"),
            Part(visible(op_type), "accent"),
            visible(op),
            Part(visible(waited), "dim"),
        )
        children = partial(_waited, visible(waited)) if waited else None
        return SheetRow(cells, OpJump(op, RAN), children)

    columns = (
        SheetColumn("start", 9, right=True),
        SheetColumn("time", AXIS_WIDTH, rank=1),
        _SELF,
        SheetColumn("wait", 9, right=True, rank=2),
        SheetColumn("type", 16, rank=4, is_name=True),
        SheetColumn("op", is_name=True),
        SheetColumn("waited for", 28, rank=3),
    )
    text = _texts(path, "op", "waited_for")
    return Sheet("Critical path: the chain of ops that set the step's length", columns, len(path), make, text, "ops")


def _waited(why: str) -> list[SheetRow]:
    """Below a row where there may be no room for it."""
    return [SheetRow(("", "", "", "", "", Part(f"waited for {why}", "dim"), ""))]


def slack_times(report: Report) -> SlackTimes:
    """How much longer each op that was timed may take, and which may not at all."""
    ops, path = cells_of(report, "ops"), cells_of(report, "critical-path")
    slack = ((ops.text(row, "op"), ops.number(row, "slack_us")) for row in range(len(ops)))
    critical = frozenset(path.text(row, "op") for row in range(len(path)))
    return SlackTimes({op: us for op, us in slack if us is not None}, critical)


def _head(cells: TableCells, row: int, share: float) -> tuple[Part, ShareBar, Part]:
    style = heat(share)
    return Part(share_words(share), style), ShareBar(share, style), Part(_us(cells.number(row, "self_us")), style)


def _end(path: TableCells, row: int) -> float:
    return path.amount(row, "start_us") + path.amount(row, "self_us")


def _count(cells: TableCells, row: int, column: str) -> str:
    value = cells.number(row, column)
    return "" if value is None else human_number(value)


def _us(value: float | None) -> str:
    return "" if value is None else human_quantity(value, "us")


def _place(file: str, line: str) -> str:
    name = PurePath(file).name if line else file
    return visible(f"{name}:{line}" if line else name)


def _texts(cells: TableCells, *columns: str) -> Callable[[int], str]:
    return lambda row: " ".join(cells.text(row, column) for column in columns)
