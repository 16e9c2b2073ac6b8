"""Names from a user's program -> text that no terminal, picture or spreadsheet can take for a command."""

from __future__ import annotations

import unicodedata

_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})

# A zero-width joiner only glues an emoji together.
_HARMLESS = frozenset({"\u200d"})

ELLIPSIS = "…"


def visible(text: str, keep: str = "") -> str:
    """Show control characters, bidi overrides and lone surrogates as escapes such as `\\x1b`; those in `keep` stay."""
    if text.isprintable():
        return text
    return "".join(
        character if character in keep or not _is_hidden(character) else _escape(character) for character in text
    )


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _ESCAPED_CATEGORIES and character not in _HARMLESS


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def shorten_middle(text: str, length: int) -> str:
    """Cut `text` to `length` characters in its middle: the ends of an op name say most."""
    if len(text) <= length:
        return text
    if length <= 1:
        return ELLIPSIS[:length]
    tail = length // 2
    return text[: length - 1 - tail] + ELLIPSIS + text[-tail:]
