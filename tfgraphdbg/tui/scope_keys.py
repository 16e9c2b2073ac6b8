"""How rows of the scope tree are told apart."""

from __future__ import annotations

FUNCTIONS = "\0functions"
"""Key of the row that holds the library functions: no op name holds a zero byte."""


def function_key(function: str) -> str:
    """Key of the row of a library function; that of a scope is its path."""
    return f"{FUNCTIONS}{function}"
