"""The whole `--input` language, what each wrong word is answered with, and that no text breaks the reader."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path
from typing import Any

import pytest

from tfgraphdbg.errors import UsageError
from tfgraphdbg.input_language import parse_input, parse_inputs
from tfgraphdbg.input_values import (
    DTYPES,
    Constant,
    Counting,
    ExampleInput,
    FileValue,
    Normal,
    RandomIntegers,
    RandomWords,
    ScalarValue,
    TensorValue,
    Uniform,
)


@pytest.fixture(autouse=True)
def _folder_of_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("batch.npy", "data.npz", "a=b.npy", "odd.npz:x.npy"):
        (tmp_path / name).write_bytes(b"")


def tensor(dtype: str, shape: tuple[int, ...], fill: Any) -> TensorValue:
    return TensorValue(dtype, shape, fill)


GOOD_VALUES = [
    ("float32[32,784]", tensor("float32", (32, 784), Normal())),
    (" float32 [ 32 , 784 ] : zeros ", tensor("float32", (32, 784), Constant(0))),
    ("float32[]", tensor("float32", (), Normal())),
    ("float32[0,3]", tensor("float32", (0, 3), Normal())),
    ("int64[32]:randint(0,10)", tensor("int64", (32,), RandomIntegers(0, 10))),
    ("int32[4]", tensor("int32", (4,), RandomIntegers(0, 2))),
    ("bool[4]", tensor("bool", (4,), RandomIntegers(0, 2))),
    ("bool[4]:true", tensor("bool", (4,), Constant(True))),
    ("string[4]", tensor("string", (4,), RandomWords())),
    ("string[4]:full('a, b')", tensor("string", (4,), Constant("a, b"))),
    ("string[]:'text'", tensor("string", (), Constant("text"))),
    ("float32[]:3.5", tensor("float32", (), Constant(3.5))),
    ("float32[2]:-1e-3", tensor("float32", (2,), Constant(-1e-3))),
    ("float32[2]:inf", tensor("float32", (2,), Constant(float("inf")))),
    ("float32[2]:full(7)", tensor("float32", (2,), Constant(7))),
    ("float32[2]:ones", tensor("float32", (2,), Constant(1))),
    ("float32[2]:ones()", tensor("float32", (2,), Constant(1))),
    ("float32[2]:arange", tensor("float32", (2,), Counting())),
    ("float32[2]:randint(-5,5)", tensor("float32", (2,), RandomIntegers(-5, 5))),
    ("float32[2]:normal", tensor("float32", (2,), Normal(0.0, 1.0))),
    ("float32[2]:normal( 3 , 0.5 )", tensor("float32", (2,), Normal(3.0, 0.5))),
    ("bfloat16[2]:uniform", tensor("bfloat16", (2,), Uniform(0.0, 1.0))),
    ("bfloat16[2]:uniform(-1,1)", tensor("bfloat16", (2,), Uniform(-1.0, 1.0))),
    ("uint64[2]:randint(0,18446744073709551616)", tensor("uint64", (2,), RandomIntegers(0, 1 << 64))),
    ("int8[2]:randint(-128,128)", tensor("int8", (2,), RandomIntegers(-128, 128))),
    ("complex64[2]", tensor("complex64", (2,), Normal())),
    ("complex64[2]:1+2j", tensor("complex64", (2,), Constant(1 + 2j))),
    ("half[2]", tensor("float16", (2,), Normal())),
    ("float[2]", tensor("float32", (2,), Normal())),
    ("double[2]", tensor("float64", (2,), Normal())),
    ("@batch.npy", FileValue("batch.npy")),
    ("@ batch.npy ", FileValue("batch.npy")),
    ("@./batch.npy", FileValue("./batch.npy")),
    ("@a=b.npy", FileValue("a=b.npy")),
    ("@data.npz", FileValue("data.npz")),
    ("@data.npz:features/x:0", FileValue("data.npz", "features/x:0")),
    ("@odd.npz:x.npy", FileValue("odd.npz:x.npy")),
    ("3", ScalarValue(3)),
    ("-3", ScalarValue(-3)),
    ("3.0", ScalarValue(3.0)),
    ("1e-3", ScalarValue(1e-3)),
    ("2j", ScalarValue(2j)),
    ("true", ScalarValue(True)),
    ("False", ScalarValue(False)),
    ("none", ScalarValue(None)),
    ("'text'", ScalarValue("text")),
    ('"it\'s"', ScalarValue("it's")),
    (r"'it\'s \\'", ScalarValue("it's \\")),
    ("'x=float32[2]'", ScalarValue("x=float32[2]")),
    ("''", ScalarValue("")),
]


@pytest.mark.parametrize("name", ["", "x=", " größe = ", "batch.image=", "batch.0.y="])
def test_each_value_is_read_with_and_without_a_name(name: str) -> None:
    for text, value in GOOD_VALUES:
        example = parse_input(name + text)
        # Equality alone would take 1 for True and for 1.0.
        assert repr(example.value) == repr(value), name + text
        assert example.label == name.strip(" =")


@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_every_dtype_has_a_default_fill_and_takes_constants(dtype: str) -> None:
    value = parse_input(f"{dtype}[2,3]").value
    assert isinstance(value, TensorValue)
    assert (value.dtype, value.shape) == (dtype, (2, 3))
    one = "'text'" if dtype == "string" else "1"
    assert isinstance(parse_input(f"{dtype}[2,3]:full({one})").value, TensorValue)


def test_inputs_are_put_together_as_the_arguments_of_one_call() -> None:
    arguments = parse_inputs(["float32[2]", "y=3", "batch.image.1=1", "batch.image.0=0", "batch.mask=none", "4"])
    assert [example.text for example in arguments.positional] == ["float32[2]", "4"]
    assert list(arguments.named) == ["y", "batch"]
    batch = arguments.named["batch"]
    assert isinstance(batch, dict)
    assert isinstance(batch["image"], tuple)
    parts = [*batch["image"], batch["mask"], arguments.named["y"]]
    assert [part.value for part in parts if isinstance(part, ExampleInput)] == [
        ScalarValue(0),
        ScalarValue(1),
        ScalarValue(None),
        ScalarValue(3),
    ]


BAD_GROUPS = [
    (["a=1", "a=2"], "'a' is given more than once: 'a=1', 'a=2'", "leave all but one of them out"),
    (["a=1", "a.b=2"], "'a' is given more than once: 'a=1', 'a.b=2'", "leave all but one of them out"),
    (["a.b.c=1", "a.b=2"], "'a.b' is given more than once: 'a.b.c=1', 'a.b=2'", "leave all but one of them out"),
    (["a.0=1", "a.x=2"], "'a' is given both keys and indices: 0, x", "a.0=... and a.1=... make a tuple"),
    (["a.b.0=1", "a.b.2=2"], "'a.b.1' is missing: a tuple has no gaps", "add --input 'a.b.1=float32[32,784]'"),
    (["3", "a=flaot32[3]"], "column 3: no dtype 'flaot32'", "did you mean float32?"),
]


@pytest.mark.parametrize(("texts", "message", "hint"), BAD_GROUPS)
def test_inputs_that_contradict_each_other_are_named(texts: list[str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_inputs(texts)
    assert message in caught.value.message
    assert hint in caught.value.hint


BAD_INPUTS = [
    ("", "column 1: the value is missing", ""),
    ("x=", "column 3: the value is missing", "--input 'x=float32[32,784]'"),
    ("=3", "column 1: '' is no name of a parameter", "--input 'x=float32[32,784]'"),
    ("1x=3", "column 1: '1x' is no name of a parameter", ""),
    ("x-y=3", "column 1: 'x-y' is no name of a parameter", ""),
    ("x.=3", "column 1: 'x.' is no name of a parameter", ""),
    ("x" + ".0" * 33 + "=3", "has more than 32 steps", ""),
    ("x=flaot32[3]", "column 3: no dtype 'flaot32'", "did you mean float32?; for example --input 'x=float32[32,784]'"),
    ("x=int[3]", "column 3: no dtype 'int'", "did you mean int32 or int64?"),
    ("x=tensor[3]", "column 3: no dtype 'tensor'", "dtypes: bfloat16, bool"),
    ("x=resource[]", "column 3: a resource has no values to write", "yield it from an inputs function"),
    ("x=float32", "column 3: 'float32' has no shape", "float32[] is a scalar"),
    ("x=float32(3)", "column 3: no shape follows 'float32'", "float32[] is a scalar"),
    ("x=float32[?,3]", "column 11: the size '?' is unknown", "--input 'x=float32[32,32]'"),
    ("x=float32[3,None]", "column 13: the size 'None' is unknown", "an example has known sizes"),
    ("x=float32[3, -1]", "column 14: the size '-1' is unknown", "an example has known sizes"),
    ("x=float32[2,,3]", "column 13: a size is missing", "an example has known sizes"),
    ("x=float32[-2]", "column 11: '-2' is no size", ""),
    ("x=float32[1e3]", "column 11: '1e3' is no size", ""),
    ("x=float32[²]", "column 11: '²' is no size", ""),
    ("x=float32[2,3", "column 10: the bracket is never closed", ""),
    ("x=float32[2,3]]", "column 15: ']' follows the shape, where only a colon may", ""),
    ("x=float32[2],int32[3]", "column 13: ',int32[3]' follows the shape", ""),
    ("x=float32[9999999999,9999999999]", "that is more than any machine holds", ""),
    (f"x=float32[{'1,' * 300}1]", "no tensor has 301 dimensions", ""),
    ("x=float32[2]:", "column 14: '' is no value and no way to fill; there are normal", ""),
    ("x=float32[2]:norml(0,1)", "column 14: 'norml(0,1)' is no value and no way to fill; did you mean normal", ""),
    ("x=float32[2]:uniform(0,1", "column 14: the parenthesis is never closed", ""),
    ("x=float32[2]:normal(0)", "normal takes 2 in parentheses, and here are 1", ""),
    ("x=float32[2]:zeros(3)", "zeros takes 0 in parentheses, and here are 1", ""),
    ("x=float32[2]:randint", "randint takes 2 in parentheses, and here are 0", ""),
    ("x=float32[2]:full()", "full takes 1 in parentheses, and here are 0", ""),
    ("x=float32[2]:normal(a,1)", "'a' is no number, true, false, none or text in quotes", ""),
    ("x=float32[2]:normal(nan,1)", "normal takes finite real numbers", ""),
    ("x=float32[2]:normal('a',1)", "normal takes finite real numbers", ""),
    ("x=float32[2]:normal(0,-1)", "the deviation in normal(mean,deviation) is negative", ""),
    ("x=float32[2]:uniform(1,1)", "low is not below high in uniform(low,high)", ""),
    ("x=float32[2]:full('a')", "'a' is no value of float32", ""),
    ("x=float32[2]:2j", "float32 holds no complex number", ""),
    ("x=float32[2]:randint(0,1e9)", "1000000000.0 is no whole number", ""),
    ("x=int32[2]:normal", "normal gives fractions, and int32 takes randint(low,high)", "x=int32[2]:randint(0,2)"),
    ("x=int32[2]:randint(5,5)", "low is not below high in randint(low,high)", ""),
    ("x=int32[2]:1.5", "1.5 is no whole number", ""),
    ("x=int8[2]:128", "128 does not fit into int8, which holds -128 to 127", ""),
    ("x=uint8[2]:randint(-1,5)", "-1 does not fit into uint8, which holds 0 to 255", ""),
    ("x=uint8[2]:randint(0,257)", "256 does not fit into uint8", ""),
    ("x=quint8[2]:256", "256 does not fit into quint8, which holds 0 to 255", ""),
    ("x=uint8[300]:arange", "299 does not fit into uint8", "x=uint8[300]:randint(0,2)"),
    ("x=bool[2]:2", "2 does not fit into bool, which holds 0 to 1", ""),
    ("x=string[2]:zeros", "zeros gives numbers, and a string tensor takes full('text')", "x=string[2]:full('text')"),
    ("x=string[2]:3", "a string tensor holds text in quotes", ""),
    (
        "x=foo",
        "'foo' is no dtype with a shape, number, true",
        "text takes quotes of its own; for example --input \"x='text'\"",
    ),
    ("x=flot32", "'flot32' is no dtype with a shape", "did you mean float32[]?"),
    (
        "x=[1,2]",
        "'[1,2]' is no dtype with a shape",
        "several values come from a file; for example --input 'x=@batch.npy'",
    ),
    ("x=1 2", "'1 2' is no dtype with a shape", ""),
    ("x='a", "the text ''a' is not one pair of quotes around text", ""),
    ("x='a' 'b'", "is not one pair of quotes around text", ""),
    ("x=@", "column 4: '' is not a .npy or .npz file", "--input 'x=@batch.npy'"),
    ("x=@batch.txt", "'batch.txt' is not a .npy or .npz file", ""),
    ("x=@bacth.npy", "no file 'bacth.npy'", "did you mean 'batch.npy'?"),
    ("x=@no/such/batch.npy", "no file 'no/such/batch.npy'", ""),
    ("x=@batch.npy:key", "a .npy file holds one array, so no key follows it", ""),
    ("x=@data.npz:", "no key follows the colon", ""),
    ("x=" + "9" * 5000, "is no dtype with a shape, number", ""),
    ("x=float32[" + "9" * 5000 + "]", "is no size", ""),
    ("x=float32[2]:" + "9" * 5000, "is no value and no way to fill", ""),
]


@pytest.mark.parametrize(("text", "message", "hint"), BAD_INPUTS, ids=[text[:30] for text, _, _ in BAD_INPUTS])
def test_each_wrong_word_is_shown_with_its_column_and_a_correct_example(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_input(text)
    assert message in caught.value.message
    assert caught.value.message.startswith("--input '")
    assert hint in caught.value.hint
    check_failure(caught.value)


def check_failure(error: UsageError) -> None:
    """It is one short printable line, and the example that it gives is right."""
    assert (error.message + error.hint).isprintable()
    assert len(error.message) < 400
    example = re.search(r"for example --input (['\"])(.*)\1$", error.hint)
    assert example is not None, error.hint
    parse_input(example[2])


def test_no_text_breaks_the_reader() -> None:
    words = [
        "x",
        "=",
        ".",
        "0",
        "float32",
        "int8",
        "string",
        "[",
        "]",
        ",",
        ":",
        "normal",
        "full",
        "(",
        ")",
        "@",
        "-1",
        "1.5",
    ]
    words += [
        "'",
        '"',
        "\\",
        "\0",
        "\n",
        "\u202e",
        "\udcff",
        "٣",
        "²",
        "🦊",
        " ",
        "batch.npy",
        "data.npz",
        "?",
        "1e999",
        "j",
    ]
    choose = random.Random(7)
    texts = ["".join(pair) for pair in itertools.product(words, repeat=2)]
    texts += ["".join(choose.choices(words, k=choose.randrange(3, 12))) for _ in range(4000)]
    for text in texts:
        try:
            assert parse_input(text).text == text
        except UsageError as error:
            check_failure(error)
