"""What one example input is before any tensor is made of it, and the ways to fill a tensor of each dtype."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

PythonScalar = None | bool | int | float | complex | str

FLOAT8_DTYPES = {"float8_e5m2", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e4m3b11fnuz", "float8_e5m2fnuz"}
FLOAT_DTYPES = frozenset({"bfloat16", "float16", "float32", "float64", "float4_e2m1fn", *FLOAT8_DTYPES})
COMPLEX_DTYPES = frozenset({"complex64", "complex128"})
INTEGER_DTYPES = frozenset(
    {f"{sign}int{bits}" for sign in ("", "u") for bits in (2, 4, 8, 16, 32, 64)}
    | {"qint8", "qint16", "qint32", "quint8", "quint16"}
)
DTYPES = FLOAT_DTYPES | COMPLEX_DTYPES | INTEGER_DTYPES | {"bool", "string"}

DTYPE_ALIASES = {"half": "float16", "float": "float32", "double": "float64"}

HANDLE_DTYPES = frozenset({"resource", "variant"})
"""Handles to something that a program made, such as an iterator: no text can stand for their values."""


class Normal(msgspec.Struct, frozen=True, tag=True):
    """Draw from the normal distribution; complex numbers draw both parts."""

    mean: float = 0.0
    deviation: float = 1.0


class Uniform(msgspec.Struct, frozen=True, tag=True):
    """Draw evenly from `low` up to, without, `high`; complex numbers draw both parts."""

    low: float = 0.0
    high: float = 1.0


class RandomIntegers(msgspec.Struct, frozen=True, tag=True):
    """Draw whole numbers from `low` up to, without, `high`."""

    low: int
    high: int


class RandomWords(msgspec.Struct, frozen=True, tag=True):
    """Draw short words of lower-case letters."""


class Constant(msgspec.Struct, frozen=True, tag=True):
    """The same value everywhere."""

    value: PythonScalar


class Counting(msgspec.Struct, frozen=True, tag=True):
    """0, 1, 2 ... in row-major order."""


Fill = Normal | Uniform | RandomIntegers | RandomWords | Constant | Counting


class TensorValue(msgspec.Struct, frozen=True, tag=True):
    """A tensor to make."""

    dtype: str
    shape: tuple[int, ...]
    fill: Fill


class FileValue(msgspec.Struct, frozen=True, tag=True):
    """An array in a NumPy file. An empty key is the only array of an `.npz`."""

    path: str
    key: str = ""


class ScalarValue(msgspec.Struct, frozen=True, tag=True):
    """A Python value, passed as it is."""

    value: PythonScalar


class ExampleInput(msgspec.Struct, frozen=True):
    """One `--input`: which parameter, or which part of it, gets which value."""

    text: str
    value: TensorValue | FileValue | ScalarValue
    name: str = ""
    """The parameter; empty: the next one in order."""
    path: tuple[str | int, ...] = ()
    """Where in the parameter: keys of dicts and indices of tuples; empty: the parameter itself."""

    @property
    def label(self) -> str:
        """The argument as the user writes it, such as `batch.0`; empty for one given by its position."""
        return ".".join([self.name, *map(str, self.path)])


InputNode = ExampleInput | tuple["InputNode", ...] | dict[str, "InputNode"]
"""One argument: a value, or a tuple or a dict of further ones."""


class InputArguments(msgspec.Struct, frozen=True):
    """Every `--input` of one call, put together as its arguments."""

    positional: tuple[ExampleInput, ...]
    named: dict[str, InputNode]


def default_fill(dtype: str) -> Fill:
    """What a tensor holds when nothing is said."""
    if dtype == "string":
        return RandomWords()
    # 0 and 1 are valid indices, labels and mask entries almost everywhere.
    return Normal() if dtype in FLOAT_DTYPES | COMPLEX_DTYPES else RandomIntegers(0, 2)


def example_fill(dtype: str) -> str:
    """A way to fill that the dtype takes, in the words of `--input`."""
    if dtype == "string":
        return "full('text')"
    return "normal(0,1)" if dtype in FLOAT_DTYPES | COMPLEX_DTYPES else "randint(0,2)"


def integer_range(dtype: str) -> tuple[int, int]:
    """The lowest value of an integer dtype or bool, and the first above its highest."""
    if dtype == "bool":
        return 0, 2
    bits = int(dtype.lstrip("quint"))
    return (0, 1 << bits) if dtype.lstrip("q").startswith("u") else (-(1 << (bits - 1)), 1 << (bits - 1))


def make_fill(name: str, parameters: Sequence[PythonScalar], dtype: str, shape: tuple[int, ...]) -> Fill:
    """The fill that a user wrote as `name(parameters)`; raise ValueError saying why the tensor cannot have it."""
    if dtype == "string" and name != "full":
        raise ValueError(f"{name} gives numbers, and a string tensor takes full('text') or nothing")
    allowed = (0, 2) if name in ("normal", "uniform") else (FILL_PARAMETERS[name],)
    if len(parameters) not in allowed:
        raise ValueError(f"{name} takes {FILL_PARAMETERS[name]} in parentheses, and here are {len(parameters)}")
    return FILL_MAKERS[name](parameters, dtype, shape)


def _normal(parameters: Sequence[PythonScalar], dtype: str, shape: tuple[int, ...]) -> Fill:
    fill = Normal(*_fractions("normal", parameters, dtype))
    if fill.deviation < 0:
        raise ValueError("the deviation in normal(mean,deviation) is negative")
    return fill


def _uniform(parameters: Sequence[PythonScalar], dtype: str, shape: tuple[int, ...]) -> Fill:
    fill = Uniform(*_fractions("uniform", parameters, dtype))
    if fill.low >= fill.high:
        raise ValueError("low is not below high in uniform(low,high)")
    return fill


def _randint(parameters: Sequence[PythonScalar], dtype: str, shape: tuple[int, ...]) -> Fill:
    low, high = (_whole(parameter) for parameter in parameters)
    if low >= high:
        raise ValueError("low is not below high in randint(low,high), and high itself is left out")
    _check_fits(low, dtype)
    _check_fits(high - 1, dtype)
    return RandomIntegers(low, high)


def _arange(parameters: Sequence[PythonScalar], dtype: str, shape: tuple[int, ...]) -> Fill:
    _check_fits(max(math.prod(shape) - 1, 0), dtype)
    return Counting()


def _full(parameters: Sequence[PythonScalar], dtype: str, shape: tuple[int, ...]) -> Fill:
    value = parameters[0]
    if dtype == "string":
        if not isinstance(value, str):
            raise ValueError("a string tensor holds text in quotes")
    elif value is None or isinstance(value, str):
        raise ValueError(f"{value!r:.40} is no value of {dtype}")
    elif dtype in FLOAT_DTYPES and isinstance(value, complex):
        raise ValueError(f"{dtype} holds no complex number")
    elif dtype in INTEGER_DTYPES or dtype == "bool":
        _check_fits(_whole(value), dtype)
    return Constant(value)


def _fractions(name: str, parameters: Sequence[PythonScalar], dtype: str) -> list[float]:
    if dtype in INTEGER_DTYPES or dtype == "bool":
        raise ValueError(f"{name} gives fractions, and {dtype} takes randint(low,high)")
    numbers = [float(parameter) for parameter in parameters if isinstance(parameter, int | float)]
    if len(numbers) < len(parameters) or not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"{name} takes finite real numbers")
    return numbers


def _whole(parameter: PythonScalar) -> int:
    if not isinstance(parameter, int):
        raise ValueError(f"{parameter!r:.40} is no whole number")
    return int(parameter)


def _check_fits(value: int, dtype: str) -> None:
    low, end = (-(1 << 63), 1 << 63) if dtype in FLOAT_DTYPES | COMPLEX_DTYPES else integer_range(dtype)
    if not low <= value < end:
        raise ValueError(f"{value!r:.40} does not fit into {dtype}, which holds {low} to {end - 1}")


FillMaker = Callable[[Sequence[PythonScalar], str, tuple[int, ...]], Fill]

FILL_MAKERS: dict[str, FillMaker] = {
    "normal": _normal,
    "uniform": _uniform,
    "randint": _randint,
    "zeros": lambda parameters, dtype, shape: Constant(0),
    "ones": lambda parameters, dtype, shape: Constant(1),
    "arange": _arange,
    "full": _full,
}

FILL_PARAMETERS = {"normal": 2, "uniform": 2, "randint": 2, "zeros": 0, "ones": 0, "arange": 0, "full": 1}
"""How many values stand in the parentheses; normal and uniform may also stand alone."""
