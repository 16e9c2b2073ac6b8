"""A table of a report as it is listed: columns that fit a width, rows that are made when they are drawn."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tfgraphdbg.tui.bars import Bar
from tfgraphdbg.tui.detail_row import OpJump, Part, QueryJump

SheetCell = str | Part | Bar

FLEXIBLE_WIDTH = 24
"""A column without a width of its own gets at least this before others are shown that matter less."""


class SheetColumn(NamedTuple):
    """One column. `width` 0: it takes what others leave, and is shortened. The highest `rank` is left out first."""

    title: str
    width: int = 0
    right: bool = False
    rank: int = 0
    is_name: bool = False
    """Whether the end of a text says most, as that of an op's name does."""


class SheetRow(NamedTuple):
    """One row: a cell a column. `children` gives what is listed below it when it is opened."""

    cells: tuple[SheetCell, ...]
    jump: OpJump | QueryJump | None = None
    children: Callable[[], Sequence[SheetRow]] | None = None


@dataclass(frozen=True, eq=False)
class Sheet:
    """Rows by position, and what a search looks through."""

    title: str
    columns: tuple[SheetColumn, ...] = ()
    count: int = 0
    make: Callable[[int], SheetRow] = field(default=lambda _: SheetRow(()))
    text_of: Callable[[int], str] = field(default=lambda _: "")
    unit: str = "rows"
    """What the rows are, for their count."""

    @functools.cached_property
    def _texts(self) -> list[str]:
        return [self.text_of(row).lower() for row in range(self.count)]

    def found(self, words: Sequence[str]) -> Sequence[int]:
        """The positions of the rows that hold all of the lowercase `words`."""
        if not words:
            return range(self.count)
        return [row for row, text in enumerate(self._texts) if all(word in text for word in words)]


def fitting(columns: Sequence[SheetColumn], width: int) -> list[tuple[int, int]]:
    """Which columns are shown in `width` cells, by place, and how wide each is; one cell is left free between them."""
    shown = list(range(len(columns)))

    def needed() -> int:
        return sum((columns[place].width or FLEXIBLE_WIDTH) + 1 for place in shown)

    while needed() > width and any(columns[place].rank for place in shown):
        shown.remove(max(shown, key=lambda place: columns[place].rank))
    flexible = [place for place in shown if not columns[place].width]
    left = width - sum(columns[place].width + 1 for place in shown)
    widths = []
    for place in shown:
        share = max(left // len(flexible), 8) if flexible else 0
        widths.append((place, columns[place].width or share))
    return widths
