"""Source text -> its Python loops: which of them a frame of a stack is in, and the words to write them anew."""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from tfgraphdbg.recording import Frame

LoopKind = Literal["for", "while", "comprehension", "recursion"]

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_COMPREHENSION_FRAMES = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
_ANY_COMPREHENSION = "<comprehension>"


class LoopStatement(NamedTuple):
    """One loop of the user's source text; lines count from 1, and `first` to `last` is what runs again and again.

    A line through which a function calls itself counts as a loop too.
    """

    file: str
    function: str
    kind: LoopKind
    line: int
    first: int
    last: int
    target: str = ""
    """What a `for` or a comprehension assigns to."""
    iterable: str = ""
    """What it goes over; for a `while` its condition."""
    element: str = ""
    """What a comprehension makes of each."""
    times: int | None = None
    """How often it runs, where the text alone says so."""
    counters: tuple[str, ...] = ()
    """Names in the condition of a `while` that its body assigns."""
    appended: tuple[str, ...] = ()
    """Names that the body calls `append` on."""

    @property
    def range_arguments(self) -> str | None:
        """`0, 60` of `range(0, 60)`; None when it goes over something else."""
        if self.kind in ("for", "comprehension") and self.iterable.startswith("range(") and self.iterable.endswith(")"):
            return self.iterable[len("range(") : -1]
        return None


class SourceLoops:
    """The loops of some source files; a file is parsed when a frame of it is first asked for."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._of_file: dict[str, dict[str, list[LoopStatement]]] = {}

    def around(self, frame: Frame) -> tuple[LoopStatement, ...]:
        """The loops of the frame's own function whose repeated part it is in, outermost first."""
        if frame.file not in self._of_file:
            by_function: dict[str, list[LoopStatement]] = {}
            for loop in loops_of(self._sources.get(frame.file, ""), frame.file):
                by_function.setdefault(loop.function, []).append(loop)
                if loop.kind == "comprehension":
                    by_function.setdefault(_ANY_COMPREHENSION, []).append(loop)
            self._of_file[frame.file] = by_function
        function = _ANY_COMPREHENSION if frame.function in _COMPREHENSION_FRAMES else frame.function
        loops = self._of_file[frame.file].get(function, ())
        return tuple(loop for loop in loops if loop.first <= frame.line <= loop.last)


@functools.lru_cache(maxsize=64)
def loops_of(text: str, file: str) -> tuple[LoopStatement, ...]:
    """Every loop of a source text, outer ones before inner ones; none when it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(_loops_in(tree, file))


def _loops_in(tree: ast.AST, file: str) -> Iterator[LoopStatement]:
    # A stack of its own, since expressions can be nested deeper than Python recurses.
    waiting: list[tuple[ast.AST, str]] = [(tree, "<module>")]
    while waiting:
        node, function = waiting.pop()
        if isinstance(node, ast.For | ast.AsyncFor):
            yield _for_statement(node, file, function)
        elif isinstance(node, ast.While):
            yield _while_statement(node, file, function)
        elif isinstance(node, _Comprehension):
            yield _comprehension(node, file, function)
        inner = function
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = node.name
        elif isinstance(node, ast.Lambda):
            inner = "<lambda>"
        waiting.extend((child, inner) for child in reversed(list(ast.iter_child_nodes(node))))


def _for_statement(node: ast.For | ast.AsyncFor, file: str, function: str) -> LoopStatement:
    return LoopStatement(
        file,
        function,
        "for",
        node.lineno,
        node.body[0].lineno,
        _end(node.body[-1]),
        _target(node.target),
        _text(node.iter),
        times=_times(node.iter),
        appended=tuple(dict.fromkeys(_appended(node.body))),
    )


def _while_statement(node: ast.While, file: str, function: str) -> LoopStatement:
    tested = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
    assigned = (
        part.id
        for statement in node.body
        for part in ast.walk(statement)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    )
    return LoopStatement(
        file,
        function,
        "while",
        node.lineno,
        node.lineno,
        _end(node.body[-1]),
        iterable=_text(node.test),
        counters=tuple(dict.fromkeys(name for name in assigned if name in tested)),
        appended=tuple(dict.fromkeys(_appended(node.body))),
    )


def _comprehension(node: _Comprehension, file: str, function: str) -> LoopStatement:
    generator = node.generators[0]
    alone = len(node.generators) == 1 and not generator.ifs
    return LoopStatement(
        file,
        function,
        "comprehension",
        node.lineno,
        node.lineno,
        _end(node),
        _target(generator.target),
        _text(generator.iter),
        "" if isinstance(node, ast.DictComp) or not alone else _text(node.elt),
        times=_times(generator.iter) if alone else None,
    )


def _target(node: ast.expr) -> str:
    """`i, x`, where unparsing a tuple puts parentheses around it."""
    return ", ".join(map(_text, node.elts)) if isinstance(node, ast.Tuple) else _text(node)


def _text(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except RecursionError:
        return "..."


def _end(node: ast.stmt | ast.expr) -> int:
    return node.end_lineno or node.lineno


def _times(iterable: ast.expr) -> int | None:
    if isinstance(iterable, ast.List | ast.Tuple) and not any(isinstance(part, ast.Starred) for part in iterable.elts):
        return len(iterable.elts)
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) and iterable.func.id == "range":
        try:
            return len(range(*[ast.literal_eval(argument) for argument in iterable.args]))
        except (ValueError, TypeError, OverflowError, SyntaxError):
            return None
    return None


def _appended(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        for part in ast.walk(statement):
            if (
                isinstance(part, ast.Call)
                and isinstance(part.func, ast.Attribute)
                and part.func.attr == "append"
                and isinstance(part.func.value, ast.Name)
            ):
                yield part.func.value.id
