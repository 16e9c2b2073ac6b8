"""Expected fates as text, one op a line, as programs and fixtures of fates have them.

    product fused by remapper 1 into relu
    relu from product, biased, relu

An op, its fate, the pass and its iteration after `by`, and the op that stands for it in the end after `into` (itself
where that is left out; `-` for none). A line `op from a, b, c` lists what an op that ran came from, in order of
computation. Ops that are not listed are kept as they are, but where a line begins with `Others`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tfgraphdbg.analyses.fates import OpFate, PassFates

FateWords = tuple[str, str, str]
"""Fate, pass and iteration, where it ended."""

_FATE = re.compile(r"(\S+) (\w+)(?: by (\w+(?: \d+)?))?(?: into (\S+))?")
_ORIGINS = re.compile(r"(\S+) from (.+)")


class ExpectedFates(NamedTuple):
    """What a text says of the ops of a graph."""

    fates: dict[str, FateWords]
    origins: dict[str, tuple[str, ...]]
    others_kept: bool


def expected_fates(text: str) -> ExpectedFates:
    """What `text` says."""
    fates, origins, others_kept = {}, {}, True
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("Others "):
            others_kept = False
        elif found := _ORIGINS.fullmatch(line):
            origins[found[1]] = tuple(found[2].split(", "))
        else:
            found = _FATE.fullmatch(line)
            assert found, line
            fates[found[1]] = (found[2], found[3] or "-", found[4] or found[1])
    return ExpectedFates(fates, origins, others_kept)


def words_of(row: OpFate) -> FateWords:
    """A row of the accounting in the same words."""
    return row.fate, f"{row.pass_name or '-'} {row.iteration or ''}".strip(), row.into or "-"


def found_fates(fates: PassFates) -> dict[str, FateWords]:
    """Every row of an accounting, by op id."""
    return {id_: words_of(row) for id_, row in fates.fates.items()}
