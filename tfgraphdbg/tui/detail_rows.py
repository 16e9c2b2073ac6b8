"""What is known of one op -> the rows of its detail panel, for a given width."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from rich.cells import cell_len

from tfgraphdbg.graph_model import CONTROL, Edge
from tfgraphdbg.op_query import quoted
from tfgraphdbg.recording import Frame
from tfgraphdbg.tui.cell_text import cut, visible, visible_code, wrapped
from tfgraphdbg.tui.detail_row import DetailRow, EdgeRows, FindingJump, FrameJump, OpJump, Part, QueryJump, heading
from tfgraphdbg.tui.finding_signs import severity_part
from tfgraphdbg.tui.life_rows import life_sections
from tfgraphdbg.tui.op_facts import OpFacts
from tfgraphdbg.tui.source_colours import CodeLine
from tfgraphdbg.tui.time_rows import edge_share, time_rows

INFO_WIDTH = 22
"""At most this much of a row is a dtype and a shape."""

EDGES_MEASURED = 50
"""Inputs that decide how wide that column is."""

LINES_AROUND = 4
"""Lines of code shown above and below the op's own."""


class DetailRows:
    """All rows of the panel: sections one after another."""

    def __init__(self, sections: Sequence[Sequence[DetailRow]]) -> None:
        self._sections = [section for section in sections if section]
        self._ends = list(itertools.accumulate(map(len, self._sections)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, row: int) -> DetailRow:
        """The row at this place."""
        place = bisect_right(self._ends, row)
        return self._sections[place][row - (self._ends[place - 1] if place else 0)]

    @property
    def starts(self) -> list[int]:
        """The first row of each section."""
        return [0, *self._ends[:-1]] if self._ends else []

    def section_of(self, row: int) -> int:
        """The section that a row is in."""
        return bisect_right(self._ends, row)


def detail_rows(
    facts: OpFacts, stage: str, code: Mapping[str, tuple[CodeLine, ...]], frame: int, width: int
) -> DetailRows:
    """All rows; `code` holds the lines of each recorded source file, `frame` says which user frame's code to show."""
    return DetailRows(
        [
            list(_title(facts, width)),
            list(_findings(facts)),
            list(time_rows(facts, stage)),
            *_inputs(facts),
            *_outputs(facts),
            list(_functions(facts)),
            *life_sections(facts, stage, width),
            list(_origins(facts, stage)),
            list(_source(facts, code, frame)),
            list(_user_frames(facts, frame)),
            list(_attributes(facts, width)),
            list(_library_frames(facts)),
        ]
    )


def _title(facts: OpFacts, width: int) -> Iterator[DetailRow]:
    op = facts.op
    for line in wrapped(visible(op.name), width, 6):
        yield DetailRow((Part(line, "strong"),))
    place = visible(op.device.rpartition("device:")[2] or "no device yet")
    yield DetailRow((Part(visible(op.op_type), "accent"), Part(f"  {place}", "dim")))
    if op.function:
        yield DetailRow(
            (Part("in function ", "dim"), Part(visible(op.function))), QueryJump(f"in:={quoted(op.function)}"), 1
        )


def _findings(facts: OpFacts) -> Iterator[DetailRow]:
    """A line for each finding that it takes part in, which leads there."""
    for place, finding, blocks in facts.findings:
        rule = severity_part(finding.severity, f"{'in the way: ' if blocks else ''}{visible(finding.rule)}")
        yield DetailRow((rule, Part(visible(finding.message), "link")), FindingJump(place))


def _inputs(facts: OpFacts) -> Iterator[Sequence[DetailRow]]:
    count = len(facts.op.inputs)
    yield list(heading("Inputs", "none" if not count else f"{count:,}" if count > 9 else ""))
    first = (facts.input(place).info for place in range(min(count, EDGES_MEASURED)))
    info_width = min(max((cell_len(visible(str(info))) for info in first if info), default=0), INFO_WIDTH)
    yield EdgeRows(count, lambda place: _input(facts, place, info_width))


def _input(facts: OpFacts, place: int, info_width: int) -> DetailRow:
    fact = facts.input(place)
    is_control = fact.output == CONTROL
    label = "control" if is_control else cut(visible(str(fact.info)), info_width) if fact.info else ""
    name = visible(fact.op_id) + (f":{fact.output}" if fact.output > 0 else "")
    known = Part(f"  {visible(fact.op_type)}", "accent") if fact.op_type else Part("  not in this graph", "warning")
    number = Part(f"{'^' if is_control else place:>3} ", "dim")
    jump = OpJump(fact.op_id) if fact.op_type else None
    share, style = edge_share(facts, fact.op_id)
    return DetailRow((number, Part(f"{label:<{info_width}} "), Part(name, style), known, share), jump, 2)


def _outputs(facts: OpFacts) -> Iterator[Sequence[DetailRow]]:
    outputs, consumers = facts.op.outputs, facts.consumers
    yield list(heading("Outputs", "" if outputs else "none"))
    if consumers is None:
        yield [_output(index, str(info), "") for index, info in enumerate(outputs)]
        yield [DetailRow((Part("    looking for consumers ...", "dim"),))]
        return
    for index in sorted({*range(len(outputs)), *(index for index in consumers if index != CONTROL)}):
        used = consumers.get(index, ())
        note = "unused" if not used else f"{len(used):,} consumers" if len(used) > 1 else ""
        yield [_output(index, str(outputs[index]) if index < len(outputs) else "not declared", note)]
        yield _consumers(facts, used)
    if CONTROL in consumers:
        yield [DetailRow((Part("  ^ ", "dim"), Part("runs before", "dim")))]
        yield _consumers(facts, consumers[CONTROL])


def _output(index: int, info: str, note: str) -> DetailRow:
    return DetailRow((Part(f"{index:>3} ", "dim"), Part(visible(info)), Part(f"  {note}", "dim")))


def _consumers(facts: OpFacts, edges: Sequence[Edge]) -> EdgeRows:
    def row(place: int) -> DetailRow:
        edge = edges[place]
        op_type = facts.graph.by_id[edge.target].op_type
        notes = [Part(f"  {visible(op_type)}", "accent")]
        if edge.output != CONTROL:
            notes.append(Part(f"  input {edge.position}", "dim"))
        share, style = edge_share(facts, edge.target)
        name = Part(visible(edge.target), style)
        return DetailRow((Part("    → ", "dim"), name, *notes, share), OpJump(edge.target), 1)

    return EdgeRows(len(edges), row)


def _functions(facts: OpFacts) -> Iterator[DetailRow]:
    if facts.functions:
        yield from heading("Calls")
    for name in facts.functions:
        yield DetailRow((Part("  ƒ ", "dim"), Part(visible(name), "link")), QueryJump(f"in:={quoted(name)}"), 1)


def _origins(facts: OpFacts, stage: str) -> Iterator[DetailRow]:
    # Its life tells it in full.
    if stage == "traced" or facts.lives is not None:
        return
    yield from heading("Comes from", "" if facts.op.origins else "no traced op: the runtime made it")
    for origin in facts.op.origins:
        yield DetailRow((Part("  traced  ", "dim"), Part(visible(origin), "link")), OpJump(origin, "traced"), 1)


def _source(facts: OpFacts, code: Mapping[str, tuple[CodeLine, ...]], chosen: int) -> Iterator[DetailRow]:
    frames = facts.user_frames
    if not frames:
        yield from heading("Source", "no line of your program made it")
        return
    frame = frames[min(chosen, len(frames) - 1)]
    yield from heading("Source", _place(frame))
    lines = code.get(frame.file)
    if lines is None or not 0 < frame.line <= len(lines):
        if frame.code:
            yield DetailRow((Part(f"{frame.line:>5} ▸ ", "warning"), Part(visible_code(frame.code))))
        yield DetailRow((Part("        source not recorded: only this line is known", "dim"),))
        return
    first = max(frame.line - LINES_AROUND, 1)
    for number in range(first, min(frame.line + LINES_AROUND, len(lines)) + 1):
        gutter = Part(f"{number:>5} ▸ ", "warning") if number == frame.line else Part(f"{number:>5} │ ", "dim")
        pieces = (
            Part(visible_code(piece.text), f"code-{piece.colour}" if piece.colour else "")
            for piece in lines[number - 1]
        )
        yield DetailRow((gutter, *pieces))


def _user_frames(facts: OpFacts, chosen: int) -> Iterator[DetailRow]:
    if facts.user_frames:
        yield from heading("Your stack", "innermost first")
    for place, frame in enumerate(facts.user_frames):
        mark = Part("  ▸ " if place == min(chosen, len(facts.user_frames) - 1) else "    ", "warning")
        yield DetailRow((mark, Part(_place(frame)), Part(f"  {visible_code(frame.code)}", "dim")), FrameJump(place))


def _library_frames(facts: OpFacts) -> Iterator[DetailRow]:
    if facts.library_frames:
        yield from heading("Library frames", "innermost first")
    for frame in facts.library_frames:
        yield DetailRow((Part("    "), Part(_place(frame), "dim")))


def _place(frame: Frame) -> str:
    return visible(f"{PurePath(frame.file).name}:{frame.line} in {frame.function}")


def _attributes(facts: OpFacts, width: int) -> Iterator[DetailRow]:
    yield from heading("Attributes", "" if facts.attrs else "none")
    name_width = min(max((len(visible(name)) for name in facts.attrs), default=0), 24)
    for name, value in facts.attrs.items():
        label = cut(visible(name), name_width)
        for place, line in enumerate(wrapped(visible(str(value)), width - name_width - 4, 5)):
            yield DetailRow((Part(f"  {label if place == 0 else '':<{name_width}}  ", "dim"), Part(line)))
