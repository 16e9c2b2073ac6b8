"""The text of XLA's HLO -> its computations and instructions; a line that it cannot read is counted, never an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tfgraphdbg.graph_model import garbage_collection_paused

InstructionKey = tuple[str, str]
"""A computation and an instruction in it: instruction names alone repeat from one computation to another."""


class HloInstruction(NamedTuple):
    """One instruction. Names come without their `%`; what the text does not say is empty."""

    name: str
    opcode: str
    shape: str
    computation: str
    """The computation that it is part of."""
    operands: tuple[str, ...] = ()
    literal: str = ""
    """What stands between its brackets: the value of a constant, the number of a parameter."""
    settings: str = ""
    """Its attributes as text, without the metadata: `dimensions={0,1}, to_apply=%add`."""
    calls: tuple[tuple[str, str], ...] = ()
    """The computations that it calls, each after the attribute that names it: `("body", "while_body.5")`."""
    fusion_kind: str = ""
    """`kLoop`, `kInput`, `kOutput` or `kCustom` of a fusion."""
    op_name: str = ""
    """The TensorFlow op that it was made for, as its metadata has it: foreign text."""
    op_type: str = ""
    is_root: bool = False

    @property
    def key(self) -> InstructionKey:
        """What tells it from every other instruction of its module."""
        return self.computation, self.name


class HloComputation(NamedTuple):
    """One computation: the entry, a fusion, the body of a loop, the function of a reduction ..."""

    name: str
    is_entry: bool
    instructions: tuple[HloInstruction, ...]

    @property
    def root(self) -> HloInstruction | None:
        """The instruction whose value it returns."""
        return next((made for made in reversed(self.instructions) if made.is_root), None)


class HloModule(NamedTuple):
    """Everything that one text says."""

    name: str
    computations: tuple[HloComputation, ...]
    unread_lines: int
    """Lines that are neither an instruction nor a computation's beginning or end."""

    def instructions(self) -> Iterator[HloInstruction]:
        """Every instruction, computation by computation, in the order of the text."""
        for computation in self.computations:
            yield from computation.instructions

    @property
    def entry(self) -> HloComputation | None:
        """The computation that runs first: the one marked so, else the last one."""
        marked = (computation for computation in self.computations if computation.is_entry)
        return next(marked, self.computations[-1] if self.computations else None)


_COMPUTATION = re.compile(r"(ENTRY\s+)?%?([^\s(%]+)(?=\s*[({]).*\{$")
_INSTRUCTION = re.compile(r"(ROOT\s+)?%?([^\s=%]+) = ")
_OPCODE = re.compile(r"\s*([a-zA-Z][\w-]*)\(")
# A string that never ends is one to the end of the line: each of these reads on from where it was, whatever the text.
_ROUND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.?)*(?:"|$)|[()]')
_BRACES = re.compile(r'"(?:[^"\\]|\\.?)*(?:"|$)|[{}]')
_OPERAND = re.compile(r"%([^\s,()%]+)")
_CALLS = re.compile(
    r"(?<![\w.])(calls|to_apply|condition|body|true_computation|false_computation|branch_computations"
    r"|called_computations|select|scatter|comparator)=(\{[^{}]*\}|%?[^\s,{}()]+)"
)
_KIND = re.compile(r"(?<![\w.])kind=(\w+)")
_METADATA = "metadata={"
_OP_NAME = re.compile(r'(?<!\w)(op_name|op_type)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)")
_CONTROL_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
# Tables of Python frames that newer texts begin with.
_SECTIONS = ("FileNames", "FunctionNames", "FileLocations", "StackFrames")


def parse_hlo(text: str) -> HloModule:
    """Read a text of HLO, as `tf.function.experimental_get_compiler_ir` gives it."""
    name, unread = "", 0
    computations: list[HloComputation] = []
    inside: list[HloInstruction] | None = None
    header = ("", False)
    in_section = False
    with garbage_collection_paused():
        for line in map(str.strip, text.split("\n")):
            in_section = line in _SECTIONS or (in_section and line != "")
            if not line or in_section:
                continue
            if inside is None:
                if line.startswith("HloModule"):
                    name = name or line[9:].strip().partition(",")[0]
                elif begins := _COMPUTATION.match(line):
                    header, inside = (begins[2], begins[1] is not None), []
                else:
                    unread += 1
            elif line.startswith("}"):
                computations.append(HloComputation(*header, tuple(inside)))
                inside = None
            elif (made := _instruction(line, header[0])) is not None:
                inside.append(made)
            else:
                unread += 1
    if inside:
        computations.append(HloComputation(*header, tuple(inside)))
    return HloModule(name, tuple(computations), unread)


def _instruction(line: str, computation: str) -> HloInstruction | None:
    begins = _INSTRUCTION.match(line)
    if begins is None:
        return None
    start = begins.end()
    # The shape of a tuple has brackets, spaces and comments of its own.
    shape_end = _closing_bracket(line, start) if line.startswith("(", start) else line.find(" ", start)
    opcode = _OPCODE.match(line, shape_end) if shape_end > 0 else None
    if opcode is None:
        return None
    end = _closing_bracket(line, opcode.end() - 1)
    literal = line[opcode.end() : end - 1]
    settings, metadata = _settings_and_metadata(line[end:])
    named = dict(_OP_NAME.findall(metadata))
    kind = _KIND.search(settings) if opcode[1] == "fusion" else None
    return HloInstruction(
        begins[2],
        opcode[1],
        line[start:shape_end],
        computation,
        () if opcode[1] in ("constant", "parameter") else _operands(literal),
        literal,
        settings,
        _calls(settings) if "=" in settings else (),
        kind[1] if kind else "",
        _unescaped(named.get("op_name", "")),
        _unescaped(named.get("op_type", "")),
        begins[1] is not None,
    )


def _settings_and_metadata(attributes: str) -> tuple[str, str]:
    """The attributes without metadata and without what only the backend reads, and the metadata."""
    start = attributes.find(_METADATA)
    if start < 0:
        return attributes.partition("backend_config=")[0].strip(", "), ""
    end = _closing_bracket(attributes, start + len(_METADATA) - 1, _BRACES, "{")
    settings = attributes[:start] + attributes[end:].lstrip(", ")
    return settings.partition("backend_config=")[0].strip(", "), attributes[start:end]


def _closing_bracket(line: str, start: int, brackets: re.Pattern[str] = _ROUND_BRACKETS, opening: str = "(") -> int:
    """Where the text goes on after the bracket that opens at `start`; the end of the line when it never closes."""
    depth = 0
    for found in brackets.finditer(line, start):
        if found[0] == opening:
            depth += 1
        elif found[0][0] != '"':
            depth -= 1
            if depth == 0:
                return found.end()
    return len(line)


def _operands(text: str) -> tuple[str, ...]:
    if "%" in text or not text:
        return tuple(_OPERAND.findall(text))
    # Texts without `%`: `f32[2,3] a, b` - the name is the last word, and a shape's own commas leave only digits.
    words = (part.split()[-1] for part in text.split(",") if part.strip())
    return tuple(word for word in words if re.match(r"[A-Za-z_]", word) and "[" not in word)


def _calls(settings: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (role, name)
        for role, called in _CALLS.findall(settings)
        for name in (part.strip(" %{}") for part in called.split(","))
        if name
    )


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(
        lambda found: chr(int(found[1], 8)) if found[1].isdigit() else _CONTROL_LETTERS.get(found[1], found[1]), text
    )
