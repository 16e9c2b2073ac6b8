"""Numbers of a step -> words of a sentence."""

from __future__ import annotations

from tfgraphdbg.report import SourceLine


def duration(us: float) -> str:
    """`1.84 s`, `12.3 ms`, `85 us`."""
    unit, size = next(((unit, size) for unit, size in (("s", 1e6), ("ms", 1e3)) if abs(us) >= size), ("us", 1.0))
    amount = us / size
    return f"{amount:,.{0 if abs(amount) >= 100 else 1 if abs(amount) >= 10 else 2}f} {unit}"


def percent(share: float) -> str:
    """`71 %`, with a decimal below ten."""
    return f"{share:.1%}" if share < 0.0995 else f"{share:.0%}"


def place(source: SourceLine) -> str:
    """`model.py:12`: the file without its folders."""
    return f"{source.file.replace(chr(92), '/').rpartition('/')[2]}:{source.line}"


def counted(number: int, noun: str) -> str:
    """`1 op`, `2 ops`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
