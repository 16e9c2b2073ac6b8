"""Example inputs in words, and tensor specs -> tensors, the same ones again for the same seed."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from typing import Any

import psutil

from tfgraphdbg.errors import UnreadableFileError, UsageError
from tfgraphdbg.input_values import (
    COMPLEX_DTYPES,
    Constant,
    Counting,
    ExampleInput,
    FileValue,
    Fill,
    InputNode,
    Normal,
    RandomIntegers,
    RandomWords,
    ScalarValue,
    TensorValue,
    Uniform,
    default_fill,
)
from tfgraphdbg.message_words import close_matches, listed, quoted
from tfgraphdbg.recorders.user_errors import headline

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LONGEST_WORD = 8


class InputMaker:
    """Makes the tensors of all calls of one target, from one random generator."""

    def __init__(self, seed: int | None) -> None:
        import numpy

        # Without a seed too: two recordings of one program should not differ in what we made up.
        self._random = numpy.random.default_rng(seed or 0)

    def argument(self, node: InputNode) -> Any:
        """A value, or a tuple or dict of values, as `--input` describes it."""
        if isinstance(node, ExampleInput):
            return self._value(node)
        if isinstance(node, tuple):
            return tuple(self.argument(inner) for inner in node)
        return {key: self.argument(inner) for key, inner in node.items()}

    def _value(self, example: ExampleInput) -> Any:
        if isinstance(example.value, ScalarValue):
            return example.value.value
        if isinstance(example.value, FileValue):
            return tensor_from_file(example.value, example.text)
        return self.tensor(example.value, f"--input {quoted(example.text)}")

    def tensor(self, value: TensorValue, what: str) -> Any:
        """A tensor of that dtype, shape and fill; `what` names it where it is too large."""
        import tensorflow

        try:
            dtype = tensorflow.as_dtype(value.dtype)
        except TypeError as error:
            hint = "use a dtype that it knows, such as float32"
            raise UsageError(f"{what}: TensorFlow {tensorflow.__version__} has no {value.dtype}", hint) from error
        needed = math.prod(value.shape) * max(dtype.size, 8)
        available = psutil.virtual_memory().available
        if needed > available:
            gigabytes = f"{needed / 1e9:.1f} GB while it is made, and {available / 1e9:.1f} GB are free"
            raise UsageError(f"{what} needs {gigabytes}", "give a smaller shape")
        array = self._array(value.fill, value.shape, value.dtype)
        if value.dtype != "string":
            array = array.astype(dtype.as_numpy_dtype)
        return tensorflow.constant(array, dtype)

    def _array(self, fill: Fill, shape: tuple[int, ...], dtype: str) -> Any:
        import numpy

        if isinstance(fill, Constant):
            return numpy.full(shape, fill.value, numpy.uint64 if dtype == "uint64" else None)
        if isinstance(fill, Counting):
            return numpy.arange(math.prod(shape)).reshape(shape)
        if isinstance(fill, RandomIntegers):
            unsigned = fill.high > 1 << 63
            return self._random.integers(fill.low, fill.high, shape, numpy.uint64 if unsigned else numpy.int64)
        if isinstance(fill, RandomWords):
            words = [self._word() for _ in range(math.prod(shape))]
            return numpy.array(words, dtype=object).reshape(shape)
        real = self._real(fill, shape)
        return real + 1j * self._real(fill, shape) if dtype in COMPLEX_DTYPES else real

    def _real(self, fill: Normal | Uniform, shape: tuple[int, ...]) -> Any:
        if isinstance(fill, Normal):
            return self._random.normal(fill.mean, fill.deviation, shape)
        return self._random.uniform(fill.low, fill.high, shape)

    def _word(self) -> bytes:
        letters = self._random.integers(0, len(LETTERS), self._random.integers(1, LONGEST_WORD + 1))
        return "".join(LETTERS[letter] for letter in letters).encode()

    def from_spec(self, spec: Any, unknown: tuple[int, int]) -> Any:
        """A tensor of a TensorSpec, RaggedTensorSpec or SparseTensorSpec; anything else is a value and stays.

        `unknown` gives the size of an unknown first dimension, and of any other.
        """
        import tensorflow

        if isinstance(spec, tensorflow.TensorSpec):
            return self.tensor(self._described(spec, unknown), "the input")
        if isinstance(spec, tensorflow.RaggedTensorSpec):
            dense = self.tensor(self._described(spec, unknown), "the input")
            return tensorflow.RaggedTensor.from_tensor(
                dense, ragged_rank=spec.ragged_rank, row_splits_dtype=spec.row_splits_dtype
            )
        if isinstance(spec, tensorflow.SparseTensorSpec):
            return tensorflow.sparse.from_dense(self.tensor(self._described(spec, unknown), "the input"))
        if isinstance(spec, tensorflow.TypeSpec):
            raise UsageError(
                f"no example can be made up for {quoted(str(spec))}", "write an inputs function that returns one"
            )
        return spec

    def _described(self, spec: Any, unknown: tuple[int, int]) -> TensorValue:
        return TensorValue(spec.dtype.name, known_shape(spec.shape, unknown), default_fill(spec.dtype.name))


def known_shape(shape: Any, unknown: tuple[int, int]) -> tuple[int, ...]:
    """The shape with its unknown sizes filled in; an unknown rank becomes 1."""
    first, other = unknown
    sizes = [None] if shape.rank is None else shape.as_list()
    return tuple((first if at == 0 else other) if size is None else int(size) for at, size in enumerate(sizes))


def tensor_from_file(file: FileValue, text: str) -> Any:
    """The array of a `.npy` or `.npz` file. Pickled objects, which could run code, are refused."""
    import numpy
    import tensorflow

    try:
        loaded = numpy.load(file.path, allow_pickle=False)
        if isinstance(loaded, Mapping):
            loaded = loaded[_key_in(list(loaded), file, text)]
        return tensorflow.convert_to_tensor(loaded)
    except (OSError, ValueError, TypeError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        hint = "save numbers, bools or text with numpy.save or numpy.savez"
        raise UnreadableFileError(f"{quoted(file.path)} gives no tensor: {headline(error)}", hint) from error


def _key_in(keys: list[str], file: FileValue, text: str) -> str:
    if file.key in keys:
        return file.key
    if not file.key and len(keys) == 1:
        return keys[0]
    what = f"has no array {quoted(file.key)}" if file.key else f"holds {len(keys)} arrays, and a key chooses one"
    examples = listed(f"@{file.path}:{key}" for key in close_matches(file.key, keys) or keys)
    raise UsageError(f"--input {quoted(text)}: the file {what}", f"there are {examples}" if keys else "it is empty")
