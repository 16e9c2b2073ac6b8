"""Python source -> lines of coloured pieces. Imports Pygments when first called: run it outside the UI thread."""

from __future__ import annotations

import functools
from typing import NamedTuple


class Piece(NamedTuple):
    """A run of characters of one line; `colour` names a component class, empty for plain text."""

    text: str
    colour: str


CodeLine = tuple[Piece, ...]

COLOURS = ("keyword", "string", "comment", "number", "definition", "builtin")
"""Every colour that a piece can have; the detail panel has a component class `code--...` for each."""


def coloured_lines(source: str) -> tuple[CodeLine, ...]:
    """The lines of a Python file, in pieces. A file that does not lex is still given, with fewer colours."""
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]

    lines: list[CodeLine] = []
    current: list[Piece] = []
    for token, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        colour = _colour_of(token)
        for place, part in enumerate(text.split("\n")):
            if place:
                lines.append(tuple(current))
                current = []
            if part:
                current.append(Piece(part, colour))
    return (*lines, tuple(current))


_PREFIXES = (
    ("Token.Keyword", "keyword"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Literal.String", "string"),
    ("Token.Comment", "comment"),
    ("Token.Literal.Number", "number"),
    ("Token.Name.Function", "definition"),
    ("Token.Name.Class", "definition"),
    ("Token.Name.Decorator", "definition"),
    ("Token.Name.Builtin", "builtin"),
)


@functools.cache
def _colour_of(token: object) -> str:
    return next((colour for prefix, colour in _PREFIXES if str(token).startswith(prefix)), "")


def plain_lines(source: str) -> tuple[CodeLine, ...]:
    """The lines of any text, each as one piece without a colour."""
    return tuple((Piece(line, ""),) for line in source.splitlines())
