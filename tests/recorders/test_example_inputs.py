"""Every way to give a target its example inputs, and what each failure says."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from tests.recorders.loading import calls, described, load, results, write
from tests.recorders.loading import own_process as own_process
from tfgraphdbg.errors import UnreadableFileError, UsageError, UserCodeError
from tfgraphdbg.recorders.user_program import Call, LoadOptions, example_calls

tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.tensorflow

TWO_INPUTS = """
    def train_step(x, y, scale=1.0):
        return x * scale + tf.cast(y, x.dtype)

    def nested(batch):
        return batch["image"] + batch["pair"][0] * batch["pair"][1]

    def scalars(x, step: int, training: bool, name: str, mask=None):
        assert isinstance(step, int) and training is True and name == "text" and mask is None
        return x
"""


def test_inputs_from_the_command_line_reach_the_function_by_position_and_by_name() -> None:
    write("model.py", TWO_INPUTS)
    [given] = calls("model.py:train_step", inputs=("float32[2,3]:full(2)", "y=int64[2,3]:randint(0,10)"))
    assert given.source == "--input"
    assert described(given.args) == ("float32[2, 3]",)
    assert described(given.kwargs) == {"y": "int64[2, 3]"}
    words: tuple[str, ...] = ("batch.image=float32[2]:1", "batch.pair.0=float32[2]:2", "batch.pair.1=float32[2]:3")
    assert results("model.py:nested", inputs=words)[0].numpy().tolist() == [7.0, 7.0]
    words = ("x=float32[2]", "step=3", "training=true", "name='text'", "mask=none")
    assert described(results("model.py:scalars", inputs=words)) == ["float32[2]"]


def test_inputs_come_from_numpy_files() -> None:
    write("model.py", TWO_INPUTS)
    numpy.save("x.npy", numpy.ones([2], numpy.float32))
    numpy.savez("one.npz", y=numpy.arange(2))
    numpy.savez("two.npz", y=numpy.arange(2), z=numpy.arange(3))
    for words in ("y=@one.npz", "y=@one.npz:y", "y=@two.npz:y"):
        [output] = results("model.py:train_step", inputs=("x=@x.npy", words))
        assert output.numpy().tolist() == [1.0, 2.0]
    for words, message in (("@two.npz", "holds 2 arrays, and a key chooses one"), ("@two.npz:q", "has no array 'q'")):
        with pytest.raises(UsageError, match=message) as caught:
            calls("model.py:train_step", inputs=("x=@x.npy", f"y={words}"))
        assert "@two.npz:y, @two.npz:z" in caught.value.hint
    numpy.save("objects.npy", numpy.array([{}], dtype=object), allow_pickle=True)
    Path("damaged.npy").write_bytes(b"\x93NUMPY\x01")
    Path("damaged.npz").write_bytes(b"PK\x03\x04")
    for name in ("objects.npy", "damaged.npy", "damaged.npz"):
        with pytest.raises(UnreadableFileError, match=f"'{name}' gives no tensor"):
            calls("model.py:train_step", inputs=(f"x=@{name}", "y=1"))


MISMATCHES = [
    (("float32[2]",), "--input gives no 'y' to model.py:train_step", "add --input 'y=float32[32,784]'"),
    (
        ("x=1", "z=1"),
        "--input gives 'z', and model.py:train_step has no input of that name",
        "its inputs are x, y, scale",
    ),
    (("x=1", "sclae=1"), "--input gives 'sclae'", "did you mean 'scale'?"),
    (
        ("1", "2", "3", "4"),
        "--input gives 4 inputs, and model.py:train_step takes 3 by position (x, y, scale)",
        "leave",
    ),
    (("1", "2", "x=1"), "--input gives 'x' twice, by its position and by its name", "give every input by its name"),
]


def test_inputs_that_do_not_fit_the_parameters_name_the_argument() -> None:
    write("model.py", TWO_INPUTS)
    for words, message, hint in MISMATCHES:
        with pytest.raises(UsageError) as caught:
            calls("model.py:train_step", inputs=words)
        assert message in caught.value.message
        assert hint in caught.value.hint
    with pytest.raises(UsageError, match="gives no 'step', 'training', 'name'") as caught:
        calls("model.py:scalars", inputs=("float32[2]",))
    assert caught.value.hint == "add --input 'step=3' --input 'training=true' --input \"name='text'\""
    with pytest.raises(UsageError, match=r"needs .* GB while it is made"):
        calls("model.py:train_step", inputs=("x=float32[1000000,1000000]", "y=1"))


SIGNATURES = """
    X = tf.TensorSpec([None, 3], name="x")

    @tf.function(input_signature=[X, tf.TensorSpec([None], tf.int32)])
    def train_step(x, y):
        return x

    @tf.function(input_signature=[{"image": X, "pair": [X, X]}])
    def nested(batch):
        return batch["image"] + batch["pair"][0]

    WORDS = tf.TensorSpec([4, None, None], tf.string)

    @tf.function(input_signature=[tf.TensorSpec(None), WORDS, tf.TensorSpec([], tf.bool)])
    def open_shapes(x, words, flag):
        return x

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None, 4], ragged_rank=1), tf.SparseTensorSpec([None, 3])])
    def composite(ragged, sparse):
        return ragged

    @tf.function(input_signature=[])
    def nothing():
        return tf.constant(1.0)

    @tf.function(input_signature=[tf.data.IteratorSpec(X)])
    def iterates(iterator):
        return next(iterator)

    class Trainer:
        @tf.function(input_signature=[X])
        def step(self, x):
            return x

    trainer = Trainer()
"""


def test_an_input_signature_gives_inputs_and_says_what_it_filled_in() -> None:
    write("model.py", SIGNATURES)
    [given] = calls("model.py:train_step")
    assert given.source == "input_signature, unknown sizes set to 2"
    assert described(given.args) == ("float32[2, 3]", "int32[2]")
    [given] = calls("model.py:train_step", batch=5)
    assert given.source == "input_signature, unknown sizes set to 5"
    assert described(given.args) == ("float32[5, 3]", "int32[5]")
    [given] = calls("model.py:nested")
    assert described(given.args) == ({"image": "float32[2, 3]", "pair": ["float32[2, 3]", "float32[2, 3]"]},)
    [given] = calls("model.py:open_shapes")
    assert described(given.args) == ("float32[2]", "string[4, 2, 2]", "bool[]")
    [given] = calls("model.py:nothing")
    assert (given.args, given.source) == ((), "input_signature")
    [given] = calls("model.py:trainer.step")
    assert described(given.args) == ("float32[2, 3]",)
    for name in ("train_step", "nested", "open_shapes", "composite", "nothing", "trainer.step"):
        assert len(results(f"model.py:{name}")) == 1
    with pytest.raises(UsageError, match="no example can be made up for 'IteratorSpec") as caught:
        calls("model.py:iterates")
    assert "write an inputs function" in caught.value.hint


SIGNATURE_MISMATCHES = [
    (
        "train_step",
        ("x=float32[2,4]", "y=int32[2]"),
        "'x' as float32[2,4], and its spec is float32[?,3]",
        "x=float32[2,3]",
    ),
    ("train_step", ("x=int32[2,3]", "y=int32[2]"), "'x' as int32[2,3], and its spec is float32[?,3]", "x=float32[2,3]"),
    ("train_step", ("float32[2,3]", "float32[2]"), "'y' as float32[2], and its spec is int32[?]", "y=int32[2]"),
    ("train_step", ("float32[2,3]", "y='text'"), "'y' as str, and its spec is int32[?]", "y=int32[2]"),
    ("nested", ("batch.image=float32[2,3]",), "another structure as 'batch' than a dict of image, pair", "batch.key="),
    ("nested", ("batch.image=float32[2,3]", "batch.pair.0=1"), "'batch.pair' than a list of 2", "batch.pair.0="),
]


def test_inputs_that_do_not_fit_the_signature_name_the_argument() -> None:
    write("model.py", SIGNATURES)
    for name, words, message, hint in SIGNATURE_MISMATCHES:
        with pytest.raises(UsageError) as caught:
            calls(f"model.py:{name}", inputs=words)
        assert message in caught.value.message
        assert hint in caught.value.hint
    words = ("batch.image=float32[2,3]", "batch.pair.0=float32[2,3]", "batch.pair.1=float32[2,3]")
    assert described(results("model.py:nested", inputs=words)) == ["float32[2, 3]"]


INPUTS_FUNCTIONS = """
    one = tf.constant(1.0)

    class Trainer:
        def step(self, x): return x
        def other(self, x): return x

    trainer = Trainer()
    def step(x): return x

    def by_name(x, y): return x + y
    def by_name_inputs(): return {"x": one, "y": one}

    def from_graph(x): return x
    from_graph_inputs = tf.function(lambda: one + 7.0)

    def takes_dict(batch): return batch["x"]
    def takes_dict_inputs(): return {"x": one}

    def several(x, y=2.0): return x * y
    def several_inputs():
        for count in range(3):
            yield (one * count,) if count else (one, 5.0)

    def listed(x): return x
    listed_inputs = [(one,), {"x": one}]

    def from_dataset(x): return x
    def from_dataset_inputs(): return tf.data.Dataset.range(4)

    @tf.function(input_signature=[tf.TensorSpec([])])
    def has_both(x): return x
    def has_both_inputs(): return one + 6.0

    def step_inputs(): return one
    def trainer_step_inputs(): return one + 1.0
    def example_inputs(): return (one + 2.0,)

    def returns_none(x): return x
    def returns_none_inputs(): pass
    def empty(x): return x
    def empty_inputs(): yield from ()
    def needy(x): return x
    def needy_inputs(size, kind=1): return one
    def failing(x): return x
    def failing_inputs():
        yield one
        raise KeyError("second batch")
    def too_many(x): return x
    def too_many_inputs(): return (one, one)

    def endless():
        while True:
            yield one
"""


@pytest.mark.parametrize(
    ("name", "source", "outputs"),
    [
        ("trainer.step", "trainer_step_inputs", [2.0]),
        ("step", "step_inputs", [1.0]),
        ("trainer.other", "example_inputs", [3.0]),
        ("by_name", "by_name_inputs", [2.0]),
        ("takes_dict", "takes_dict_inputs", [1.0]),
        ("several", "several_inputs", [5.0, 2.0, 4.0]),
        ("from_graph", "from_graph_inputs", [8.0]),
        ("has_both", "has_both_inputs", [7.0]),
        ("listed", "listed_inputs", [1.0, 1.0]),
        ("from_dataset", "from_dataset_inputs", [0.0, 1.0, 2.0, 3.0]),
    ],
)
def test_an_inputs_function_gives_one_call_or_several(name: str, source: str, outputs: list[float]) -> None:
    write("model.py", INPUTS_FUNCTIONS)
    assert [float(output) for output in results(f"model.py:{name}")] == outputs
    assert {given.source for given in calls(f"model.py:{name}")} == {f"{source} of model.py"}


def test_inputs_from_names_a_function_here_or_in_another_file() -> None:
    write("model.py", INPUTS_FUNCTIONS)
    write("data.py", "def batches(): yield 1.0\nvalue = 2.0")
    assert [float(output) for output in results("model.py:step", inputs_from="trainer_step_inputs")] == [2.0]
    assert [float(output) for output in results("model.py:step", inputs_from="one")] == [1.0]
    assert results("model.py:several", inputs_from="data.py:batches")[0].numpy() == 2.0
    assert results("model.py:step", inputs_from="data.py:value")[0].numpy() == 2.0
    loaded = load("model.py:step")
    endless = example_calls(loaded, LoadOptions(inputs_from="endless"))
    assert next(endless).source == next(endless).source == "endless of model.py"
    for name, message in (
        ("steps_inputs", "model.py has no 'steps_inputs'"),
        ("data.py:", "nothing follows the colon"),
    ):
        with pytest.raises(UsageError, match=message):
            calls("model.py:step", inputs_from=name)
    with pytest.raises(UsageError, match=r"'data\.py:' names no function|nothing follows"):
        calls("model.py:step", inputs_from="data.py:")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("returns_none", "returns_none_inputs of model.py returned None", "return a tuple of the inputs"),
        ("empty", "the example inputs of model.py:empty are empty", "yield at least one tuple"),
        ("needy", "needy_inputs of model.py needs 'size', and nobody gives it inputs", "take no parameters"),
        ("too_many", "too_many_inputs of model.py gives 2 inputs, and model.py:too_many takes 1 by position", "leave"),
    ],
)
def test_an_inputs_function_that_gives_none_says_why(name: str, message: str, hint: str) -> None:
    write("model.py", INPUTS_FUNCTIONS)
    with pytest.raises(UsageError) as caught:
        calls(f"model.py:{name}")
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_an_inputs_function_that_fails_keeps_the_calls_before() -> None:
    write("model.py", INPUTS_FUNCTIONS)
    given = example_calls(load("model.py:failing"), LoadOptions())
    assert next(given).args
    with pytest.raises(UserCodeError, match=r"running failing_inputs failed: KeyError: 'second batch'") as caught:
        next(given)
    assert "in failing_inputs" in caught.value.detail


def test_a_function_without_inputs_needs_none() -> None:
    write("model.py", "def step(scale=2.0, *rest, **more): return tf.constant(scale)")
    [given] = calls("model.py:step")
    assert given == Call((), {}, "no inputs needed")


def test_missing_inputs_show_every_way_to_give_them() -> None:
    write("model.py", "class T:\n    def step(self, image, training: bool): return image\nt = T()")
    with pytest.raises(UsageError) as caught:
        calls("model.py:t.step")
    assert caught.value.message == "no example inputs for model.py:t.step(image, training: bool)"
    assert caught.value.hint.splitlines() == [
        "give them in one of these ways:",
        "  --input 'image=float32[32,784]' --input 'training=true'",
        "  in model.py: def t_step_inputs(): return image, training   (or yield one tuple for each call)",
        "  --inputs-from NAME, another function or value in model.py",
        "  @tf.function(input_signature=[tf.TensorSpec([None, 784]), tf.TensorSpec([None, 784])]) on t.step",
    ]


def test_a_seed_fixes_every_source_of_random_numbers() -> None:
    write(
        "model.py",
        """
        import random
        import numpy as np
        weights = [random.random(), np.random.rand(), float(tf.random.uniform([]))]
        def step(x): return x
        def later_inputs():
            return tf.constant([random.random(), np.random.rand(), float(tf.random.uniform([]))])
        later = step
        """,
    )

    def made(seed: int | None) -> tuple[list[float], list[float], list[float]]:
        loaded = load("model.py:later", seed=seed)
        [given] = example_calls(loaded, LoadOptions(seed=seed))
        [again] = example_calls(loaded, LoadOptions(seed=seed))
        assert (given.args[0].numpy().tolist() == again.args[0].numpy().tolist()) == (seed is not None)
        [words] = calls("model.py:step", inputs=("float32[3]",), seed=seed)
        assert loaded.place is not None
        return loaded.place.module.weights, given.args[0].numpy().tolist(), words.args[0].numpy().tolist()

    first, again, other = made(7), made(7), made(8)
    assert first == again
    for one, two in zip(first, other, strict=True):
        assert not set(one) & set(two)
    assert made(None)[2] == made(None)[2]
    assert made(None)[0] != made(None)[0]
