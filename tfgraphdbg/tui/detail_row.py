"""One row of the op detail: what it shows and where it leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload


@dataclass(frozen=True)
class OpJump:
    """To an op; `stage` is empty for the one on screen."""

    op_id: str
    stage: str = ""


@dataclass(frozen=True)
class QueryJump:
    """To what a search finds."""

    query: str


@dataclass(frozen=True)
class FrameJump:
    """To the code of another frame of the stack, counted from the innermost user frame."""

    frame: int


@dataclass(frozen=True)
class FindingJump:
    """To a finding of the passes, by its place among them."""

    place: int


Jump = OpJump | QueryJump | FrameJump | FindingJump


class Part(NamedTuple):
    """A run of text; `style` names one of the panel's component classes, empty for plain text."""

    text: str
    style: str = ""


class DetailRow(NamedTuple):
    """One row. Part number `flexible` is shortened when the row is too wide; -1: the row is cut at its end."""

    parts: tuple[Part, ...] = ()
    jump: Jump | None = None
    flexible: int = -1


class EdgeRows(Sequence[DetailRow]):
    """Rows that are made when they are drawn: an op may have ten thousand edges."""

    def __init__(self, count: int, make: Callable[[int], DetailRow]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> DetailRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[DetailRow]: ...
    def __getitem__(self, place: int | slice) -> DetailRow | list[DetailRow]:
        """The row at this place."""
        if isinstance(place, slice):
            return [self._make(each) for each in range(self._count)[place]]
        return self._make(range(self._count)[place])


def heading(text: str, note: str = "") -> Iterator[DetailRow]:
    """An empty row, then a title with a note behind it."""
    yield DetailRow()
    yield DetailRow((Part(text, "heading"), Part(f"  {note}" if note else "", "dim")))
