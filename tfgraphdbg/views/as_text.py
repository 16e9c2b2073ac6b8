"""Report -> text for people: findings first, then tables and curves, and last what could not be known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from tfgraphdbg.foreign_text import shorten_middle, visible
from tfgraphdbg.report import Finding, Report, Series
from tfgraphdbg.views.contract import TextOptions
from tfgraphdbg.views.human_units import human_evidence, human_span
from tfgraphdbg.views.text_table import table_lines

MAX_LISTED_OPS = 5

_SEVERITY_STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}
_BASIS_STYLES = {"measured": "green", "estimated": "yellow", "guessed": "magenta"}
_LABEL_WIDTH = 11
_BARS = "▁▂▃▄▅▆▇█"
_MAX_BARS = 60
_NARROWEST = 20


class _Line(NamedTuple):
    """One line; where it is too long for a terminal, it goes on at column `hang`."""

    text: Text
    hang: int = 0


def render(report: Report, options: TextOptions) -> str:
    """The report as lines. Without a width (a pipe): nothing is wrapped or cut, and every row of every table is there
    but for the last ones of a long table of ops.

    With a width: names are cut in their middle, and tables after their first rows.
    """
    # An empty environment: what is shown depends on the options alone.
    console = Console(
        width=options.width or 80,
        force_terminal=options.color,
        color_system="standard" if options.color else None,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    lines = [part for line in _lines(report, options.width) for part in _wrapped(line, options.width, console)]
    if not options.color:
        return "".join(line.plain.rstrip() + "\n" for line in lines)
    with console.capture() as capture:
        for line in lines:
            console.print(line, soft_wrap=True)
    return capture.get()


def _wrapped(line: _Line, width: int | None, console: Console) -> Iterator[Text]:
    if width is None or line.text.cell_len <= width or width < line.hang + _NARROWEST:
        yield line.text
        return
    head, tail = line.text.divide([line.hang])
    for place, part in enumerate(tail.wrap(console, width - line.hang)):
        part.rstrip()
        yield Text.assemble(head if not place else " " * line.hang, part)


def _lines(report: Report, width: int | None) -> Iterator[_Line]:
    yield _Line(Text(visible(report.title), "bold"))
    about = [visible(report.target.name)]
    about += [f"TensorFlow {visible(report.target.tensorflow)}"] if report.target.tensorflow else []
    about += [visible(", ".join(report.target.devices))] if report.target.devices else []
    yield _Line(Text(" · ".join(about), "dim"))
    yield _Line(Text())
    if not report.findings:
        yield _Line(Text("No findings.", "green"))
    for finding in report.findings:
        yield from _finding_lines(finding)
    for table in report.tables:
        yield _Line(Text())
        yield _Line(Text.assemble((visible(table.title), "bold underline"), (f"  ({visible(table.name)})", "dim")))
        yield from (_Line(line, 2) for line in table_lines(table, width))
    for series in report.series:
        yield _Line(Text())
        yield from _series_lines(series, width)
    if report.missing:
        yield _Line(Text())
        yield _Line(Text("Not recorded", "bold underline"))
        for gap in report.missing:
            yield _Line(Text.assemble("  ", (visible(gap.evidence), "yellow"), f": {visible(gap.reason)}"), 4)


def _finding_lines(finding: Finding) -> Iterator[_Line]:
    severity = _SEVERITY_STYLES[finding.severity]
    basis = (finding.basis, _BASIS_STYLES[finding.basis])
    start = Text.assemble((f"{finding.severity}: ", severity), (visible(finding.message), "bold"))
    yield _Line(Text.assemble(start, (f"  [{visible(finding.rule)}]", "dim")), 4)
    evidence = ", ".join(f"{visible(label)}: {visible(value)}" for label, value in human_evidence(finding.evidence))
    yield _labelled(*basis, evidence or "no numbers")
    if finding.ops:
        shown = ", ".join(visible(shorten_middle(op, 120)) for op in finding.ops[:MAX_LISTED_OPS])
        more = len(finding.ops) - MAX_LISTED_OPS
        yield _labelled("ops", "dim", shown + (f", and {more:,} more (-f json shows all)" if more > 0 else ""))
    for at in finding.sources:
        inside = f" in {visible(at.function)}" if at.function else ""
        yield _labelled("at", "dim", f"{visible(at.file)}:{at.line}{inside}")
    if finding.suggestion:
        yield _labelled("to do", "cyan", visible(finding.suggestion))


def _labelled(label: str, style: str, words: str) -> _Line:
    return _Line(Text.assemble("    ", (label.ljust(_LABEL_WIDTH), style), words), 4 + _LABEL_WIDTH)


def _series_lines(series: Series, width: int | None) -> Iterator[_Line]:
    yield _Line(Text.assemble((visible(series.name), "bold underline"), (f"  ({len(series.points):,} points)", "dim")))
    finite = [(x, y) for x, y in series.points if math.isfinite(x) and math.isfinite(y)]
    if not finite:
        yield _Line(Text("  (no points)", "dim"))
        return
    lowest, highest = min(y for _, y in finite), max(y for _, y in finite)
    first, last = min(x for x, _ in finite), max(x for x, _ in finite)
    yield _Line(
        Text.assemble("  ", (_bars(finite, lowest, highest, min(_MAX_BARS, (width or _MAX_BARS + 2) - 2)), "cyan"))
    )
    span = human_span(lowest, highest, series.unit)
    over = human_span(first, last, series.x_unit)
    yield _Line(Text(f"  {visible(span)}, over {visible(over)}", "dim"), 2)


def _bars(points: list[tuple[float, float]], lowest: float, highest: float, most: int) -> str:
    """A curve in one line: of the points that share a bar, the highest counts."""
    ordered = [y for _, y in sorted(points)]
    count = max(1, min(len(ordered), most))
    bars = [max(ordered[place * len(ordered) // count : (place + 1) * len(ordered) // count]) for place in range(count)]
    # Halved, so that the height of the largest floats is still a number.
    height = (highest / 2 - lowest / 2) or 1.0
    return "".join(_BARS[round((value / 2 - lowest / 2) / height * (len(_BARS) - 1))] for value in bars)
