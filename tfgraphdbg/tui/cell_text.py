"""Foreign text -> text that keeps its place in a row of the screen, cut to a number of cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.cells import cell_len, chop_cells, set_cell_size

from tfgraphdbg import foreign_text
from tfgraphdbg.foreign_text import ELLIPSIS

# Terminals disagree on how wide a character is together with one of these, so a row with them could end anywhere.
_JOINING = {code: f"\\u{code:04x}" for code in (0x200D, *range(0xFE00, 0xFE10))}


def visible(text: str) -> str:
    """`text` on one line, with every character shown that would be invisible or would move the cursor."""
    if text.isascii() and text.isprintable():
        return text
    return foreign_text.visible(text).translate(_JOINING)


def as_sentence(message: str, names: Iterable[str] = ()) -> str:
    """An error's message, which the command line puts behind a word, as a sentence of its own.

    One that begins with one of `names`, which are the user's, stays as it is.
    """
    begins_with_name = any(name and re.match(rf"{re.escape(name)}(?!\w)", message) for name in names)
    return visible(message if begins_with_name else message[:1].upper() + message[1:])


def visible_code(text: str) -> str:
    """A line of code or a log, as `visible`, with tabs as spaces."""
    return visible(text.rstrip("\r\n").expandtabs(4))


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` cells: most of it is the end, where ops that lie in one scope differ."""
    if cell_len(text) <= width:
        return text
    if width < 4:
        return set_cell_size(text, max(width, 0))
    tail_width = width - 1 - width // 6
    # Cells are at least as many as a tail's characters, but for combining ones, which are then cut.
    tail = text[-tail_width:]
    while cell_len(tail) > tail_width:
        tail = tail[1:]
    head = set_cell_size(text, width - 1 - cell_len(tail)).rstrip(" ")
    return f"{head}{ELLIPSIS}{tail}"


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells: its end is left out."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)) + ELLIPSIS if width > 0 else ""


def wrapped(text: str, width: int, most: int) -> list[str]:
    """`text` in lines of at most `width` cells; after `most` lines it is cut."""
    width = max(width, 1)
    if cell_len(text) <= width:
        return [text]
    # A line holds at least one character, so what lies further behind is never shown.
    lines = chop_cells(text[: width * (most + 1)], width)
    if len(lines) > most:
        return [*lines[: most - 1], cut("".join(lines[most - 1 :]), width)]
    return lines


def paragraph(text: str, width: int) -> list[str]:
    """`text` made visible, in lines of at most `width` cells, broken between words where that can be."""
    width = max(width, 1)
    lines: list[str] = []
    for word in visible(text).split(" "):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines += chop_cells(word, width) or [""]
    return lines
