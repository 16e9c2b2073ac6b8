"""The life of one op -> the rows of the detail panel that tell it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from tfgraphdbg.analyses.life_events import LifeEvent
from tfgraphdbg.analyses.op_life import OpLives
from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.tui.cell_text import cut, visible
from tfgraphdbg.tui.detail_row import DetailRow, EdgeRows, OpJump, Part, heading
from tfgraphdbg.tui.op_facts import OpFacts
from tfgraphdbg.tui.op_times import are_of_stage

TYPE_WIDTH = 16
"""Of the ops that an op was made of."""


def life_sections(facts: OpFacts, stage: str, width: int) -> Iterator[Sequence[DetailRow]]:
    """What happened to an op; for one that ran, also the ops that it was made of."""
    if facts.lives_note:
        yield list(heading("Life", visible(facts.lives_note)))
    op, lives = facts.op, facts.lives
    if lives is None:
        return
    events = lives.life(op)
    rows = [row for event in events for row in _event_rows(event, width)]
    if rows[0].jump is None and stage != "traced" and lives.key_of(op) in lives.traced.by_id:
        rows[0] = rows[0]._replace(jump=OpJump(lives.key_of(op), "traced"))
    yield [*heading("Life"), *rows]
    origins = _origins(lives, op) if are_of_stage(stage) else ()
    # Of a single one its life tells already.
    if not origins or origins in ((op.id,), (events[0].op,)):
        return
    yield list(heading("Made of", f"{len(origins):,} ops, in this order" if len(origins) > 1 else ""))
    yield EdgeRows(len(origins), lambda place: _ancestor_row(lives, origins[place]))


def _origins(lives: OpLives, op: OpNode) -> tuple[str, ...]:
    """What an op that ran came from; itself only where it was traced, perhaps as an op of another type."""
    return tuple(id_ for id_ in lives.origins(op) if id_ != op.id or id_ in lives.traced.by_id)


def _event_rows(event: LifeEvent, width: int) -> Iterator[DetailRow]:
    """What happened, over several rows where there is too little room, and the op that it leads to."""
    jump = OpJump(event.op, event.stage) if event.op and event.stage else None
    *before, last = textwrap.wrap(visible(event.told), max(width - 4, 20), subsequent_indent="  ") or [""]
    yield from (DetailRow((Part(f"  {line}"),), jump) for line in before)
    name, op_type = visible(event.op), visible(event.op_type)
    if not name:
        fits = cell_len(last) + cell_len(op_type) + 3 <= width
        yield DetailRow((Part(f"  {last}"), Part(f" {op_type}" if fits else "", "accent")))
        if not fits:
            yield DetailRow((Part("    "), Part(op_type, "accent")))
        return
    kind = Part(f"  {op_type}", "accent")
    if cell_len(last) + cell_len(name) + cell_len(kind.text) + 4 <= width:
        yield DetailRow((Part(f"  {last} "), Part(name, "link"), kind), jump, 1)
    else:
        yield DetailRow((Part(f"  {last}"),), jump)
        yield DetailRow((Part("    → ", "dim"), Part(name, "link"), kind), jump, 1)


def _ancestor_row(lives: OpLives, origin: str) -> DetailRow:
    ancestor = lives.ancestor(origin)
    kind = cut(visible(ancestor.op_type), TYPE_WIDTH)
    gap = " " * (TYPE_WIDTH - cell_len(kind))
    parts = (Part(f"  {kind}{gap} ", "accent"), Part(visible(origin), "link"), Part(f"  {ancestor.stage}", "dim"))
    return DetailRow(parts, OpJump(origin, ancestor.stage), 1)
