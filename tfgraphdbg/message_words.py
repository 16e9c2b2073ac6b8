"""Words for messages: foreign text made short and printable, and the close matches of a misspelt word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def quoted(text: str, limit: int = 80) -> str:
    """The text in single quotes on one printable line, shortened in its middle to `limit` characters."""
    line = text if text.isprintable() else ascii(text)[1:-1]
    if len(line) > limit:
        line = f"{line[: limit // 2]}...{line[-(limit // 2) + 3 :]}"
    return f"'{line}'"


def close_matches(word: str, choices: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The choices that a hurried user may have meant by `word`, the best first: those that hold it, else alike ones."""
    spelling = {choice.lower(): choice for choice in sorted(choices)}
    wanted = word.lower()
    found = sorted((choice for choice in spelling if wanted in choice), key=len)[:most] if len(wanted) > 2 else []
    if not found:
        # Comparing is quadratic in the length, and a name of thousands of characters was never typed by hand.
        short = [choice for choice in spelling if len(choice) <= 200]
        typed = wanted[:200]
        # Far matches only help where there are no near ones.
        found = difflib.get_close_matches(typed, short, most, 0.8) or difflib.get_close_matches(typed, short, most)
    return tuple(spelling[choice] for choice in found)


def listed(words: Iterable[str], most: int = 8) -> str:
    """`a, b, c`, cut after `most` words: `a, b and 5 more`."""
    every = tuple(words)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"
