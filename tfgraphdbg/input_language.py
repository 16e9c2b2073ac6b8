"""The words of `--input` -> the arguments of one call, free of TensorFlow and NumPy.

    input  = [ name "=" ] value                    without a name: the next parameter in order
    name   = parameter { "." ( key | index ) }     batch.image=... makes a dict, batch.0=... a tuple
    value  = tensor | file | scalar
    tensor = dtype "[" [ size { "," size } ] "]" [ ":" fill ]
    fill   = "normal(mean,deviation)" | "uniform(low,high)" | "randint(low,high)"      high itself is left out
           | "zeros" | "ones" | "arange" | "full(value)" | value               float32[]:3.5 is float32[]:full(3.5)
    file   = "@" path                              @batch.npy, @data.npz or @data.npz:key
    scalar = number | "true" | "false" | "none" | 'text' | "text"              a Python value, not a tensor

Without a fill, floats and complex numbers are normal(0,1), strings are random short words, and integers and bools
are randint(0,2). `normal` and `uniform` may stand without parentheses for normal(0,1) and uniform(0,1).
"""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Sequence

from tfgraphdbg.errors import UsageError
from tfgraphdbg.input_values import (
    DTYPE_ALIASES,
    DTYPES,
    FILL_MAKERS,
    HANDLE_DTYPES,
    ExampleInput,
    FileValue,
    Fill,
    InputArguments,
    InputNode,
    PythonScalar,
    ScalarValue,
    TensorValue,
    default_fill,
    example_fill,
    make_fill,
)
from tfgraphdbg.message_words import close_matches, listed, quoted

NAME_PATTERN = re.compile(r"\s*([^\W\d]\w*(?:\.\w+)*)\s*=")
WORD_PATTERN = re.compile(r"[^\W\d]\w*")
TEXT_PATTERN = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
UNKNOWN_SIZES = frozenset({"?", "*", "None", "none", "-1", ""})
LONGEST_NUMBER = 100
MOST_ELEMENTS = 1 << 62
HIGHEST_RANK = 254
DEEPEST_PATH = 32
CONSTANTS: dict[str, PythonScalar] = {"true": True, "false": False, "none": None}


def parse_inputs(texts: Sequence[str]) -> InputArguments:
    """Read every `--input` of one call; raise UsageError at the first word that is wrong or contradicts another."""
    inputs = [parse_input(text) for text in texts]
    names = dict.fromkeys(example.name for example in inputs if example.name)
    return InputArguments(
        positional=tuple(example for example in inputs if not example.name),
        named={name: _put_together([example for example in inputs if example.name == name]) for name in names},
    )


def parse_input(text: str) -> ExampleInput:
    """Read one `--input`."""
    return InputReader(text).example_input()


def _put_together(inputs: Sequence[ExampleInput], depth: int = 0) -> InputNode:
    """One value, tuple or dict of the inputs that share the first `depth` steps of their paths."""
    first = inputs[0]
    if any(len(example.path) == depth for example in inputs):
        if len(inputs) > 1:
            label = ".".join([first.name, *map(str, first.path[:depth])])
            raise UsageError(
                f"{quoted(label)} is given more than once: {listed(quoted(example.text) for example in inputs)}",
                "leave all but one of them out",
            )
        return first
    steps = dict.fromkeys(example.path[depth] for example in inputs)
    parts = {
        step: _put_together([example for example in inputs if example.path[depth] == step], depth + 1) for step in steps
    }
    if all(isinstance(step, str) for step in steps):
        return {str(step): part for step, part in parts.items()}
    _check_indices(".".join([first.name, *map(str, first.path[:depth])]), tuple(steps))
    return tuple(parts[index] for index in range(len(parts)))


def _check_indices(label: str, steps: tuple[str | int, ...]) -> None:
    if any(isinstance(step, str) for step in steps):
        raise UsageError(
            f"{quoted(label)} is given both keys and indices: {listed(map(str, steps))}",
            f"use one kind: {label}.0=... and {label}.1=... make a tuple, {label}.key=... a dict",
        )
    missing = next((index for index in range(len(steps)) if index not in steps), None)
    if missing is not None:
        part = f"{label}.{missing}"
        raise UsageError(f"{quoted(part)} is missing: a tuple has no gaps", f"add --input '{part}=float32[32,784]'")


class InputReader:
    """Reads one `--input` from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.prefix = ""

    def example_input(self) -> ExampleInput:
        """Read all of it: the name, the value, and nothing after."""
        name, path = self.name()
        return ExampleInput(self.text, self.value(), name, path)

    def failure(self, what: str, example: str = "float32[32,784]", meant: str = "") -> UsageError:
        """The error for the word that begins here, with a correct example for the same argument."""
        correct = self.prefix + example
        # A shell takes the outer quotes away, so text needs a second pair.
        correct = f'--input "{correct}"' if "'" in correct else f"--input '{correct}'"
        hint = f"{meant}; for example {correct}" if meant else f"for example {correct}"
        return UsageError(f"--input {quoted(self.text)}, column {self.at + 1}: {what}", hint)

    def name(self) -> tuple[str, tuple[str | int, ...]]:
        """Read `name=`, if there is one."""
        match = NAME_PATTERN.match(self.text)
        if match is None:
            before, equals, _ = self.text.partition("=")
            if equals and not re.search(r"""[\[:@'"]""", before):
                raise self.failure(f"{quoted(before.strip())} is no name of a parameter", "x=float32[32,784]")
            return "", ()
        name, *steps = match[1].split(".")
        if len(steps) > DEEPEST_PATH:
            raise self.failure(f"{quoted(match[1])} has more than {DEEPEST_PATH} steps", "x.0=float32[32,784]")
        self.at = match.end()
        self.prefix = f"{match[1]}="
        return name, tuple(int(step) if step.isdecimal() and len(step) < 6 else step for step in steps)

    def value(self) -> TensorValue | FileValue | ScalarValue:
        """Read a tensor, a file or a scalar, up to the end."""
        self.skip_spaces()
        if self.at == len(self.text):
            raise self.failure("the value is missing")
        if self.text[self.at] == "@":
            return self.file()
        word = WORD_PATTERN.match(self.text, self.at)
        if word is not None and self.text[word.end() :].lstrip()[:1] == "[":
            return self.tensor(word[0])
        rest = self.text[self.at :].strip()
        try:
            return ScalarValue(read_scalar(rest))
        except ValueError:
            raise self.no_value(rest, word[0] if word else "") from None

    def no_value(self, rest: str, word: str) -> UsageError:
        """The error for text that begins like none of the values."""
        dtype = DTYPE_ALIASES.get(word, word)
        if dtype in DTYPES:
            what = f"{quoted(word)} has no shape" if rest == word else f"no shape follows {quoted(word)}"
            return self.failure(what, f"{word}[32,784]", f"{word}[] is a scalar")
        if rest[0] in "'\"":
            return self.failure(f"the text {quoted(rest)} is not one pair of quotes around text", "'text'")
        what = f"{quoted(rest)} is no dtype with a shape, number, true, false, none, text in quotes or @file"
        matches = close_matches(word, DTYPES)
        if matches:
            return self.failure(what, f"{matches[0]}[32,784]", f"did you mean {matches[0]}[]?")
        if word:
            return self.failure(what, "'text'", "text takes quotes of its own")
        return self.failure(what, "@batch.npy", "several values come from a file")

    def file(self) -> FileValue:
        """Read `@path`, or `@path.npz:key`."""
        self.at += 1
        rest = self.text[self.at :].strip()
        archive = re.match(r"(.*?\.npz):(.*)", rest, re.IGNORECASE | re.DOTALL)
        path, key = (archive[1], archive[2]) if archive and not os.path.exists(rest) else (rest, "")
        if archive and not key and path != rest:
            raise self.failure("no key follows the colon", f"@{path}:x")
        if ".npy:" in path.lower() and not os.path.exists(path):
            raise self.failure("a .npy file holds one array, so no key follows it", "@batch.npy")
        if not path.lower().endswith((".npy", ".npz")):
            raise self.failure(f"{quoted(path)} is not a .npy or .npz file", "@batch.npy")
        if not os.path.isfile(path):
            folder, name = os.path.split(path)
            names = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
            matches = close_matches(name, (name for name in names if name.lower().endswith((".npy", ".npz"))))
            meant = f"did you mean {quoted(os.path.join(folder, matches[0]))}?" if matches else ""
            raise self.failure(f"no file {quoted(path)}", "@batch.npy", meant)
        return FileValue(path, key)

    def tensor(self, word: str) -> TensorValue:
        """Read `dtype[sizes]`, and `:fill` where it is given."""
        dtype = DTYPE_ALIASES.get(word, word)
        if dtype in HANDLE_DTYPES:
            raise self.failure(f"a {dtype} has no values to write", meant="yield it from an inputs function instead")
        if dtype not in DTYPES:
            sized = tuple(f"{word}{bits}" for bits in (32, 64) if f"{word}{bits}" in DTYPES)
            matches = sized or close_matches(word, DTYPES)
            meant = f"did you mean {' or '.join(matches)}?" if matches else f"dtypes: {listed(sorted(DTYPES), 40)}"
            raise self.failure(f"no dtype {quoted(word)}", f"{matches[0] if matches else 'float32'}[32,784]", meant)
        self.at += len(word)
        shape = self.shape(word)
        self.skip_spaces()
        return TensorValue(dtype, shape, self.fill(dtype, shape))

    def shape(self, word: str) -> tuple[int, ...]:
        """Read `[size, ...]`."""
        self.skip_spaces()
        opening, closing = self.at, self.text.find("]", self.at)
        if closing < 0:
            raise self.failure("the bracket is never closed", f"{word}[32,784]")
        sizes = self.text[opening + 1 : closing].split(",")
        if len(sizes) > HIGHEST_RANK:
            raise self.failure(f"no tensor has {len(sizes)} dimensions", f"{word}[32,784]")
        shape: list[int] = []
        for size in sizes if sizes != [""] else []:
            self.at = min(opening + 1 + len(size) - len(size.lstrip()), closing)
            shape.append(self.size(size.strip(), word, len(sizes)))
            opening += len(size) + 1
        if math.prod(shape) > MOST_ELEMENTS:
            raise self.failure("that is more than any machine holds", f"{word}[32,784]")
        self.at = closing + 1
        return tuple(shape)

    def size(self, size: str, word: str, rank: int) -> int:
        """Read one size of a shape."""
        example = f"{word}[{','.join(['32'] * rank)}]"
        if size in UNKNOWN_SIZES:
            what = f"the size {quoted(size)} is unknown" if size else "a size is missing"
            raise self.failure(what, example, "an example has known sizes")
        if not (size.isascii() and size.isdecimal() and len(size) < LONGEST_NUMBER):
            raise self.failure(f"{quoted(size)} is no size", example)
        return int(size)

    def fill(self, dtype: str, shape: tuple[int, ...]) -> Fill:
        """Read `:distribution(numbers)` or `:value`, up to the end."""
        example = f"{dtype}[{','.join(map(str, shape))}]:{example_fill(dtype)}"
        rest = self.text[self.at :].strip()
        if not rest:
            return default_fill(dtype)
        if rest[0] != ":":
            raise self.failure(f"{quoted(rest)} follows the shape, where only a colon may", example)
        self.at += 1
        self.skip_spaces()
        try:
            name, parameters = self.fill_words(rest[1:].strip())
            return make_fill(name, parameters, dtype, shape)
        except ValueError as error:
            raise self.failure(str(error), example) from None

    def fill_words(self, rest: str) -> tuple[str, list[PythonScalar]]:
        """Read `name`, `name(number, ...)` or a value, which is short for `full(value)`."""
        call = re.fullmatch(r"(\w+)\s*(?:\((.*)\))?", rest, re.DOTALL)
        name, inner = (call[1], (call[2] or "").strip()) if call else ("", "")
        if name in FILL_MAKERS:
            words = [inner] if name == "full" else inner.split(",")
            return name, [read_scalar(word.strip()) for word in words] if inner else []
        if name == "" and re.match(r"\w+\(", rest):
            raise ValueError("the parenthesis is never closed")
        try:
            return "full", [read_scalar(rest)]
        except ValueError:
            matches = close_matches(name or rest, FILL_MAKERS)
            meant = f"did you mean {' or '.join(matches)}?" if matches else f"there are {listed(FILL_MAKERS)}"
            raise ValueError(f"{quoted(rest)} is no value and no way to fill; {meant}") from None

    def skip_spaces(self) -> None:
        """Go on to the next word."""
        self.at = len(self.text) - len(self.text[self.at :].lstrip())


def read_scalar(word: str) -> PythonScalar:
    """A number, true, false, none or text in quotes; raise ValueError for anything else."""
    if word.lower() in CONSTANTS:
        return CONSTANTS[word.lower()]
    if TEXT_PATTERN.fullmatch(word):
        return re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL)
    # Python takes minutes to read a number of millions of digits.
    if word.isascii() and len(word) < LONGEST_NUMBER:
        for kind in (int, float, complex):
            with contextlib.suppress(ValueError):
                return kind(word)
    raise ValueError(f"{quoted(word)} is no number, true, false, none or text in quotes")
