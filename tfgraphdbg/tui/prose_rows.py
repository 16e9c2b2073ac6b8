"""A text of a few sentences -> rows, wrapped to a width."""

from __future__ import annotations

from tfgraphdbg.tui.cell_text import paragraph
from tfgraphdbg.tui.detail_row import DetailRow, Part


def prose_sections(text: str, width: int) -> list[list[DetailRow]]:
    """One section; empty lines and the space that a line begins with stay."""
    rows = [DetailRow()]
    for line in text.splitlines():
        words = line.lstrip(" ")
        indent = " " * (len(line) - len(words))
        rows += [DetailRow((Part(f" {indent}{part}"),)) for part in paragraph(words, width - 1 - len(indent))]
    return [rows]
