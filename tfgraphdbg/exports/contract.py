"""What every export is: a function from a recording and one of its tracings to another tool's file."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tfgraphdbg.recording import Recording, Tracing


class Export(NamedTuple):
    """One entry of `EXPORTS`: the word after `--to`, its help, and the function."""

    name: str
    summary: str
    extensions: tuple[str, ...]
    """What the file may end with; `.gz` after one of them packs it."""
    write: Callable[[Recording, Tracing], bytes]
