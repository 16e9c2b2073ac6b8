"""The table of Grappler's options -> rows: passes that someone switched off or on first, then the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from tfgraphdbg.report import Table
from tfgraphdbg.tui.cell_text import paragraph, visible
from tfgraphdbg.tui.detail_row import DetailRow, Part

NOTE_WIDTH = 24
"""With less room than this beside the name, a note stands below it."""

GROUPS = ("switched off", "switched on", "not known", "on by default", "off by default")
"""In the order in which they are shown: what someone decided first."""

SWITCHES = "--without PASS switches it off, --only PASS switches off all others"


class OptionRow(NamedTuple):
    """One pass: its group, and the cells of the table."""

    group: str
    name: str
    state: str
    origin: str
    note: str


def option_rows(table: Table, words: Sequence[str] = ()) -> list[OptionRow]:
    """One for each pass that holds all of the lowercase `words`."""
    rows = (_row(*(str(cell or "") for cell in cells)) for cells in table.rows)
    return [row for row in rows if all(word in "\n".join(row).lower() for word in words)]


def _row(name: str, state: str, origin: str, note: str) -> OptionRow:
    how = "off" if state == "off" else "on"
    group = "not known" if not state else f"{how} by default" if origin == "default" else f"switched {how}"
    return OptionRow(group, name, state, origin, note)


def switched_off(table: Table) -> list[str]:
    """The passes that someone switched off."""
    return [row.name for row in option_rows(table) if row.group == "switched off"]


def option_sections(table: Table, target: str, words: Sequence[str], width: int) -> list[list[DetailRow]]:
    """One section for each group, and how to switch passes; none when nothing matches."""
    rows = option_rows(table, words)
    groups = [[row for row in rows if row.group == group] for group in GROUPS]
    sections = [list(_group(group, width)) for group in groups if group]
    return [*sections, list(_switching(target, width))] if sections and not words else sections


def _group(rows: Sequence[OptionRow], width: int) -> Iterator[DetailRow]:
    group = rows[0].group
    count = f"{len(rows):,} pass{'es' * (len(rows) > 1)}"
    yield DetailRow((Part(group, "warning" if group == "switched off" else "heading"), Part(f"  {count}", "dim")))
    by_default = group.endswith("default")
    name_width = max(cell_len(visible(row.name)) for row in rows)
    origin_width = 0 if by_default else max(cell_len(_origin(row)) for row in rows) + 2
    for row in rows:
        name = visible(row.name)
        gap = " " * (name_width - cell_len(name) + 2)
        style = "warning" if group == "switched off" else "dim" if group == "off by default" else "strong"
        origin = "" if by_default else f"{_origin(row)}{' ' * (origin_width - cell_len(_origin(row)))}"
        begin = (Part(f"  {name}", style), Part(gap), Part(origin, "accent"))
        yield from _with_note(begin, row.note, width)
    yield DetailRow()


def _origin(row: OptionRow) -> str:
    """Who decided, and the value where it says more than on or off."""
    value = f" ({row.state})" if row.state not in ("on", "off", "") else ""
    return visible(f"by {row.origin}{value}" if row.origin else "")


def _with_note(begin: tuple[Part, ...], note: str, width: int) -> Iterator[DetailRow]:
    used = sum(cell_len(part.text) for part in begin)
    if width - used >= NOTE_WIDTH:
        for number, line in enumerate(paragraph(note, width - used) or [""]):
            lead = (Part(" " * used),) if number else begin
            yield DetailRow((*lead, Part(line, "dim")))
        return
    yield DetailRow(begin)
    yield from (DetailRow((Part(f"      {line}", "dim"),)) for line in paragraph(note, width - 6))


def _switching(target: str, width: int) -> Iterator[DetailRow]:
    yield DetailRow((Part("to switch passes", "heading"), Part("  record again", "dim")))
    command = f"tfgraphdbg inspect {target} --without PASS"
    yield from (DetailRow((Part(f"  {line}"),)) for line in paragraph(command, width - 2))
    yield from (DetailRow((Part(f"  {line}", "dim"),)) for line in paragraph(SWITCHES, width - 2))
