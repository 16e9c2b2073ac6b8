"""Numbers -> bars of block characters, in exactly as many cells as there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tfgraphdbg.tui.detail_row import Part

EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """A bar of `share` (0 to 1) of `width` cells; the smallest share is seen, nothing is not."""
    eighths = min(round(share * width * 8), width * 8)
    if share > 0 and width > 0:
        eighths = max(eighths, 1)
    full = EIGHTHS[-1] * max(eighths // 8, 0)
    return f"{full}{EIGHTHS[max(eighths, 0) % 8].strip()}"


class ShareBar(NamedTuple):
    """A bar from the left edge."""

    share: float
    style: str = "bar"

    def parts(self, width: int) -> tuple[Part, ...]:
        """The bar, then space."""
        return (Part(f"{bar(self.share, width):<{width}}", self.style),)


class SpanBar(NamedTuple):
    """A bar that begins and ends somewhere on an axis; both are shares of it."""

    start: float
    end: float
    style: str = "bar"

    def parts(self, width: int) -> tuple[Part, ...]:
        """Space, the bar, space: a bar too short for a cell is a thin line."""
        first = min(max(int(self.start * width), 0), max(width - 1, 0))
        last = min(max(round(self.end * width), first), width)
        drawn = "█" * (last - first) or "▏"
        return (Part(" " * first), Part(f"{drawn:<{width - first}}"[: width - first], self.style))


class StackedBar(NamedTuple):
    """Several amounts behind one another, on a scale where 1 is the whole width; each in a style of its own."""

    amounts: Sequence[float]
    styles: Sequence[str]

    def parts(self, width: int) -> tuple[Part, ...]:
        """One run of cells for each amount; the ends are rounded, so that together they are as long as the sum."""
        parts, total, filled = [], 0.0, 0
        for amount, style in zip(self.amounts, self.styles, strict=True):
            total += amount
            end = min(round(total * width), width)
            parts.append(Part("█" * (end - filled), style))
            filled = max(end, filled)
        if not filled and total > 0 and width:
            return (Part(f"{'▏':<{width}}", self.styles[max(range(len(self.amounts)), key=self.amounts.__getitem__)]),)
        return (*parts, Part(" " * (width - filled)))


Bar = ShareBar | SpanBar | StackedBar
