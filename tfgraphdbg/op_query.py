"""A search over the ops of one graph: a line of text becomes an `OpQuery`, which an `OpIndex` answers.

Terms are separated by spaces and all of them must hold: `relu type:Conv2D -scope:gradient "two words"`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Literal, TypeVar, get_args

import msgspec

from tfgraphdbg.errors import UsageError
from tfgraphdbg.graph_model import GraphModel, OutputInfo
from tfgraphdbg.recording import Frame, StackTable

Field = Literal["type", "line", "file", "scope", "device", "dtype", "in"]

FIELD_HELP: Mapping[str, str] = {
    "word": "the op's name or type contains it; capitals do not matter",
    "type:MatMul": "the op type contains it; type:=MatMul: it is exactly that",
    "line:42": "your line 42 made it, also through calls; line:40-45, line:model.py:42",
    "file:model.py": "a line of this file of yours made it",
    "scope:dense": "its name scope contains it; scope:=a/b: that scope and all inside it",
    "device:gpu": "the device contains it; device:= has none",
    "dtype:float16": "one of its outputs has this type",
    "in:loop_body": "it is part of a library function of this name; in:= is the graph itself",
    "-word": "not so; works before every term: -type:Const",
    '"two words"': "quoted: spaces, colons and dashes are plain text",
}
"""The whole language: an example of each term and what it means."""


class Term(msgspec.Struct, frozen=True):
    """One condition. `whole` asks for the whole value, not for a part of it."""

    field: Field | None
    value: str
    whole: bool = False
    negated: bool = False


class OpQuery(msgspec.Struct, frozen=True):
    """Terms that must all hold; no terms match every op."""

    terms: tuple[Term, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The lowercase texts that each found op shows in its name or type."""
        return tuple(term.value for term in self.terms if term.field is None and not term.negated)


_TERM = re.compile(
    r"""(?P<negated>-)?
        (?:(?P<field>[A-Za-z]+):(?!:)(?P<whole>=)?)?
        (?P<value>"(?:\\.|[^"\\])*(?:"|\\?$)|\S*)\s*""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_NAMED_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_LINES = re.compile(r"(?:(?P<file>.*):)?(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?")


def parse_query(text: str) -> OpQuery:
    """Read a search. Raises UsageError, in one line, when it cannot be meant; an open quote ends with the text."""
    terms = []
    text = text.strip()
    position = 0
    while position < len(text):
        found = _TERM.match(text, position)
        assert found is not None
        position = found.end()
        terms.append(_term(found))
    return OpQuery(tuple(terms))


def quoted(value: str) -> str:
    """`value` as one word of a query, whatever characters it holds."""
    if re.fullmatch(r"[\w./>][\w./>-]*", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else _escape(char) for char in escaped) + '"'


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def _unescape(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if not code:
        return _NAMED_ESCAPES.get(found[4], found[4])
    return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else "\ufffd"


def _term(found: re.Match[str]) -> Term:
    raw, name = found["value"], found["field"]
    value = _text_in_quotes(raw) if raw.startswith('"') else raw
    negated, whole = bool(found["negated"]), bool(found["whole"])
    if name is None:
        if not value:
            raise UsageError("nothing to search for: write a word after '-'" if negated else "the quotes are empty")
        return Term(None, value.lower(), False, negated)
    field = _FIELDS.get(name.lower())
    if field is None:
        raise UsageError(f"no field {name[:12]!r}: use {' '.join(_FIELDS)}, or quotes")
    if field == "line" and not _LINES.fullmatch(value):
        raise UsageError("line: needs a number, as in line:42, line:40-45 or line:model.py:42")
    if not value and not whole:
        example = next(example for example in FIELD_HELP if example.startswith(f"{field}:"))
        raise UsageError(f"{field}: needs a value, as in {example}")
    return Term(field, value.lower(), whole, negated)


_FIELDS: Mapping[str, Field] = {name: name for name in get_args(Field)}


def _text_in_quotes(raw: str) -> str:
    closed = re.fullmatch(r'"(?:\\.|[^"\\])*"', raw) and len(raw) > 1
    return _ESCAPE.sub(_unescape, raw[1:-1] if closed else raw[1:])


class OpIndex:
    """The ops of one graph with what searching needs, lowercased once."""

    def __init__(self, graph: GraphModel, stacks: StackTable) -> None:
        self.graph = graph
        self.ops = graph.ops
        self.stacks = stacks

    @functools.cached_property
    def texts(self) -> Sequence[str]:
        """For each op: its id and its type, lowercased."""
        return [f"{op.id}\n{op.op_type}".lower() for op in self.ops]

    @functools.cached_property
    def positions(self) -> Mapping[str, int]:
        """Where each op id is in `ops`."""
        return {op.id: position for position, op in enumerate(self.ops)}

    def search(self, query: OpQuery) -> Sequence[int]:
        """Positions in `ops` of those that `query` matches, in the order of the graph."""
        found: Sequence[int] = range(len(self.ops))
        for term in query.terms:
            if term.negated:
                rejected = set(self._matching(term, found))
                found = [position for position in found if position not in rejected]
            elif term.field not in ("file", "line"):
                found = self._matching(term, found)
        # All of these must hold for one and the same line, so they are looked at together.
        of_source = [term for term in query.terms if term.field in ("file", "line") and not term.negated]
        return self._made_by(of_source, found) if of_source else found

    def _matching(self, term: Term, among: Sequence[int]) -> Sequence[int]:
        ops, value = self.ops, term.value
        match term.field:
            case None:
                texts = self.texts
                return [position for position in among if value in texts[position]]
            case "file" | "line":
                return self._made_by([term], among)
            case "dtype":
                return _keep(among, lambda position: ops[position].outputs, lambda outputs: _any_dtype(outputs, term))
            case "scope":
                texts = self.texts
                # A scope is part of the name, so most ops are ruled out without cutting their names up.
                among = [position for position in among if value in texts[position]]
                return _keep(among, lambda position: ops[position].scope, lambda scope: _in_scope(scope, term))
            case "type":
                return _keep(among, lambda position: ops[position].op_type, lambda text: _has(text, term))
            case "device":
                return _keep(among, lambda position: ops[position].device, lambda text: _has(text, term))
            case "in":
                return _keep(among, lambda position: ops[position].function, lambda text: _has(text, term))

    def _made_by(self, terms: Sequence[Term], among: Sequence[int]) -> Sequence[int]:
        frames = self.stacks.frames
        wanted = {
            place
            for place, frame in enumerate(frames)
            if not frame.library and all(_is_frame(frame, term) for term in terms)
        }
        stacks = {place for place, stack in enumerate(self.stacks.stacks) if not wanted.isdisjoint(stack)}
        ops = self.ops
        return [position for position in among if ops[position].stack in stacks]


Value = TypeVar("Value", bound=Hashable)


def _keep(among: Sequence[int], value_of: Callable[[int], Value], fits: Callable[[Value], bool]) -> list[int]:
    # A graph of 70,000 ops has a few hundred op types, devices and functions: each is judged once.
    verdicts: dict[Value, bool] = {}
    kept = []
    for position in among:
        value = value_of(position)
        verdict = verdicts.get(value)
        if verdict is None:
            verdict = verdicts[value] = fits(value)
        if verdict:
            kept.append(position)
    return kept


def _has(text: str, term: Term) -> bool:
    return text.lower() == term.value if term.whole else term.value in text.lower()


def _any_dtype(outputs: tuple[OutputInfo, ...], term: Term) -> bool:
    return any(_has(output.dtype, term) for output in outputs)


def _in_scope(scope: str, term: Term) -> bool:
    lowered = scope.lower()
    if term.whole:
        return not term.value or lowered == term.value or lowered.startswith(term.value + "/")
    return term.value in lowered


def _is_frame(frame: Frame, term: Term) -> bool:
    if term.field == "file":
        return _has(frame.file, term)
    found = _LINES.fullmatch(term.value)
    if found is None:
        return False
    first = int(found["first"])
    last = int(found["last"] or first)
    return first <= frame.line <= last and (found["file"] or "").lower() in frame.file.lower()
