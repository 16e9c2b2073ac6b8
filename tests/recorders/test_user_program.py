"""Every kind of target and every way to give it inputs, on real programs; and what each failure says."""

from __future__ import annotations

import json
import os
import pickle
import random
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tfgraphdbg.errors import UnreadableFileError, UsageError, UserCodeError
from tfgraphdbg.recorders.user_errors import without_foreign_frames
from tfgraphdbg.recorders.user_program import (
    Call,
    LoadedTarget,
    LoadOptions,
    call,
    example_calls,
    load_target,
    run_program,
)
from tfgraphdbg.target import parse_target

tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.tensorflow


@pytest.fixture(autouse=True)
def _own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loading hands the process over to the program; tests take it back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def write(name: str, source: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("import tensorflow as tf\n" + textwrap.dedent(source), encoding="utf-8")


def load(target: str, **options: Any) -> LoadedTarget:
    return load_target(parse_target(target), LoadOptions(**options))


def calls(target: str, **options: Any) -> list[Call]:
    return list(example_calls(load(target, **options), LoadOptions(**options)))


def results(target: str, **options: Any) -> list[Any]:
    loaded = load(target, **options)
    return [call(loaded, example) for example in example_calls(loaded, LoadOptions(**options))]


def described(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: described(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(described(inner) for inner in value)
    return f"{value.dtype.name}{value.shape.as_list()}" if tf.is_tensor(value) else value


STEPS = """
    class Trainer:
        def __init__(self):
            self.weight = tf.Variable(2.0)

        def plain(self, x):
            return x * self.weight

        @tf.function
        def step(self, x):
            return x * self.weight

        def __call__(self, x):
            return x * self.weight

    class Compiled(Trainer):
        __call__ = tf.function(Trainer.__call__)

    def train_step(x):
        return x * 2.0

    graph_step = tf.function(train_step)
    concrete = graph_step.get_concrete_function(tf.TensorSpec([None]))
    doubled = __import__("functools").partial(tf.multiply, y=2.0)
    trainer = Trainer()
    compiled = Compiled()
    layer = tf.keras.layers.Dense(1, kernel_initializer="ones")
"""

CALLABLES = ["train_step", "graph_step", "concrete", "doubled", "trainer.plain", "trainer.step", "trainer", "compiled"]


@pytest.mark.parametrize("name", CALLABLES)
def test_everything_that_can_be_called_has_a_graph(name: str) -> None:
    write("model.py", STEPS)
    loaded = load(f"model.py:{name}")
    assert (loaded.name, loaded.kind) == (f"model.py:{name}", "function")
    [output] = results(f"model.py:{name}", inputs=("float32[3]:full(4)",))
    assert output.numpy().tolist() == [8.0, 8.0, 8.0]
    assert loaded.callable(tf.constant([4.0, 4.0, 4.0])).numpy().tolist() == [8.0, 8.0, 8.0]
    assert loaded.function.get_concrete_function(tf.TensorSpec([3])).graph.get_operations()


def test_a_tf_function_stays_the_users_own_object() -> None:
    write("model.py", STEPS)
    loaded = load("model.py:trainer.step")
    trainer = sys.modules["model"].trainer
    assert loaded.function is trainer.step
    assert loaded.callable is trainer.step
    loaded = load("model.py:compiled")
    assert loaded.function.get_concrete_function(tf.TensorSpec([3]))
    assert loaded.function.python_function is not None


def test_a_keras_layer_is_a_callable_object() -> None:
    write("model.py", STEPS)
    [output] = results("model.py:layer", inputs=("float32[2,3]:ones",))
    assert output.numpy().tolist() == [[3.0], [3.0]]


def test_the_file_is_imported_as_python_would_import_it() -> None:
    write("project/sibling.py", "factor = 3.0")
    write(
        "project/my-model.py",
        """
        import dataclasses, inspect, pickle, sys
        from sibling import factor

        @dataclasses.dataclass
        class Options:
            scale: "float" = 1.0

        argv = list(sys.argv)
        source = inspect.getsource(Options)
        copy = pickle.loads(pickle.dumps(Options(2.0)))

        def step(x):
            return x * factor * copy.scale

        if __name__ == "__main__":
            raise RuntimeError("this part must not run")
        """,
    )
    sys.argv = ["tfgraphdbg", "inspect"]
    [output] = results("project/my-model.py:step", inputs=("float32[]:1",))
    assert output.numpy() == 6.0
    module = sys.modules["my_model"]
    assert module.argv == ["project/my-model.py"]
    assert sys.path[0] == str(Path("project").resolve())
    assert pickle.loads(pickle.dumps(module.copy)) == module.copy  # noqa: S301
    assert not list(Path("project/__pycache__").glob("my-model*"))


def test_a_file_may_be_named_like_a_module_that_others_need() -> None:
    write("random.py", "def step(x): return x")
    load("random.py:step")
    assert sys.modules["random"] is random
    assert "random_program" in sys.modules


def test_a_module_is_named_by_its_dotted_name() -> None:
    write("pkg/__init__.py", "")
    write("pkg/other.py", "factor = 3.0")
    write("pkg/model.py", "from .other import factor\ndef step(x): return x * factor")
    [output] = results("pkg.model:step", inputs=("float32[]:1",))
    assert output.numpy() == 3.0


def test_the_program_is_imported_before_tensorflow() -> None:
    Path("model.py").write_text(
        "import os, sys\n"
        "first = [name for name in ('tensorflow', 'keras', 'numpy') if name in sys.modules]\n"
        "def step(x): return x\n"
    )
    script = (
        "import json, sys\n"
        "from tfgraphdbg.recorders.user_program import LoadOptions, load_target\n"
        "from tfgraphdbg.target import parse_target\n"
        "loaded = load_target(parse_target('model.py:step'), LoadOptions(seed=1))\n"
        "print(json.dumps([loaded.place.module.first, 'tensorflow' in sys.modules]))\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment()
    )
    assert json.loads(output.stdout) == [[], True]


def environment() -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": root}


def test_a_machine_without_tensorflow_says_what_to_install() -> None:
    for name, source in (("with_it.py", "import tensorflow"), ("without_it.py", "")):
        Path(name).write_text(f"{source}\ndef step(): return 1\n")
        script = (
            "import sys\n"
            "sys.modules['tensorflow'] = None\n"
            "from tfgraphdbg.errors import MissingRequirementError\n"
            "from tfgraphdbg.recorders.user_program import LoadOptions, load_target\n"
            "from tfgraphdbg.target import parse_target\n"
            "try:\n"
            f"    load_target(parse_target('{name}:step'), LoadOptions())\n"
            "except MissingRequirementError as error:\n"
            "    print(error.message, error.hint)\n"
        )
        output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment())
        assert "TensorFlow" in output.stdout, output.stderr
        assert "pip install 'tfgraphdbg[tensorflow]'" in output.stdout


WRONG_NAMES = [
    ("model.py:train_stp", "model.py has no 'train_stp'", "did you mean model.py:train_step?"),
    (
        "model.py:zzz",
        "model.py has no 'zzz'",
        "what can be called there: train_step, graph_step, concrete, doubled, trainer",
    ),
    ("model.py:trainer.stp", "'trainer' of model.py has no 'stp'", "did you mean model.py:trainer.step?"),
    ("model.py:trainer.zzz", "'trainer' of model.py has no 'zzz'", "trainer.plain, trainer.step"),
    ("model.py:Trainer", "'Trainer' in model.py is a class", "make one in the file, trainer = Trainer(...)"),
    ("model.py:trainer.weight", "'trainer.weight' in model.py is of type ResourceVariable", "name a function"),
    ("model:zzz", "model has no 'zzz'", "what can be called there"),
    ("modle:train_step", "no module 'modle' in", "did you mean 'model'?"),
    ("model.inner:step", "no module 'inner' in model", "a file works too"),
    ("empty.py:step", "empty.py has no 'step'", "define it at the top level of the file"),
    ("waits.py:step", "'step' in waits.py is a coroutine function", "name the function that it awaits"),
]


def test_a_wrong_name_is_answered_with_what_there_is() -> None:
    write("model.py", STEPS)
    Path("empty.py").write_text("")
    write("waits.py", "async def step(x): return x")
    for target, message, hint in WRONG_NAMES:
        with pytest.raises(UsageError) as caught:
            load(target)
        assert message in caught.value.message, target
        assert hint in caught.value.hint, target


FAILURES = [
    ("1 / 0", "importing fails.py failed: ZeroDivisionError: division by zero", ""),
    ("import sys; sys.exit(7)", "importing fails.py ended the program: it exited with code 7", ""),
    ("raise SystemExit('bye')", "it exited with code 1 and said 'bye'", ""),
    ("raise SystemExit", "it exited with code 0", ""),
    ("import no_such_package", "No module named 'no_such_package'", "install no_such_package here"),
    ("from . import sibling", "ImportError: attempted relative import", "pkg.module:train_step"),
    ("open('no.csv')", "FileNotFoundError", "relative paths begin at the current folder"),
    ("def step(:", "importing fails.py failed: SyntaxError", ""),
    ("raise RuntimeError", "importing fails.py failed: RuntimeError", ""),
    ("raise RuntimeError('one\\ntwo')", "importing fails.py failed: RuntimeError: one", ""),
]


@pytest.mark.parametrize(("line", "message", "hint"), FAILURES)
def test_what_the_program_raises_on_import_is_shown_with_its_own_frames(line: str, message: str, hint: str) -> None:
    write("helper.py", f"def fail():\n    exec({line!r}, globals())" if "def" not in line else line)
    write("fails.py", "import helper\nhelper.fail()\n")
    with pytest.raises(UserCodeError) as caught:
        load("fails.py:step")
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message
    files = [line.split('"')[1] for line in caught.value.detail.splitlines() if line.lstrip().startswith("File ")]
    assert [Path(file).name for file in files][:2] == ["fails.py", "helper.py"]
    assert "tfgraphdbg" not in caught.value.detail
    assert "importlib" not in caught.value.detail
    assert "fails" not in sys.modules


BAD_CALLS = """
    class Model(tf.keras.Model):
        def call(self, x):
            return inner(x)

    def inner(x):
        return tf.matmul(x, tf.zeros([5, 5]))

    @tf.function
    def outer(x):
        if tf.reduce_sum(x) > 0.0:
            x = inner(x)
        return x

    @tf.function
    def checked(x):
        tf.debugging.assert_less(x, 0.0, message="x is too large")
        return x

    @tf.function
    def raises(x):
        raise KeyError("the key")

    model = Model()
"""


@pytest.mark.parametrize(
    ("name", "message", "lines"),
    [
        ("outer", "calling bad.py:outer failed: ValueError: Dimensions must be equal, but are 3 and 5", ["in inner"]),
        (
            "checked",
            "calling bad.py:checked failed: InvalidArgumentError: assertion failed: [x is too large]",
            ["in checked"],
        ),
        ("raises", "calling bad.py:raises failed: KeyError: 'the key'", ["in raises"]),
        ("model", "calling bad.py:model failed: ValueError: Dimensions must be equal", ["in call", "in inner"]),
    ],
)
def test_what_a_call_raises_is_shown_with_the_users_own_frames(name: str, message: str, lines: list[str]) -> None:
    write("bad.py", BAD_CALLS)
    with pytest.raises(UserCodeError) as caught:
        results(f"bad.py:{name}", inputs=("x=float32[2,3]:ones",))
    assert message in caught.value.message
    assert "\x1b" not in caught.value.message + caught.value.detail
    assert caught.value.detail.count("\n") < 80
    for line in lines:
        assert line in caught.value.detail
    assert not re.search(r"site-packages.(tensorflow|keras)", caught.value.detail)
    assert os.path.join("tfgraphdbg", "recorders") not in caught.value.detail
    assert " inside tensorflow" in caught.value.detail or " inside keras" in caught.value.detail


AUTOGRAPH_TEXT = """\
Traceback (most recent call last):
  File "/x/site-packages/tensorflow/python/util/traceback_utils.py", line 153, in error_handler
    raise e.with_traceback(filtered_tb) from None
  File "/tmp/__autograph_generated_filex.py", line 6, in tf__step
RecursionError: in user code:

    File "/home/me/model.py", line 19, in step  *
        def step(x): return step(x)
    File "/home/me/model.py", line 19, in step  *
        def step(x): return step(x)
    File "/home/me/model.py", line 19, in step  *
        def step(x): return step(x)
    File "/home/me/model.py", line 19, in step  *
        def step(x): return step(x)
    File "/home/me/model.py", line 19, in step  *
        def step(x): return step(x)
    File "/x/site-packages/keras/src/layers/layer.py", line 941, in __call__  **

    RecursionError: too deep
"""

SHOWN_TEXT = """\
Traceback (most recent call last):
  ... 2 frames inside tensorflow
RecursionError: in user code:

    File "/home/me/model.py", line 19, in step  *
        def step(x): return step(x)
    File "/home/me/model.py", line 19, in step  *
        def step(x): return step(x)
    File "/home/me/model.py", line 19, in step  *
        def step(x): return step(x)
    [Previous frame repeated 2 more times]
    ... 1 frame inside keras
    RecursionError: too deep"""


def test_frames_inside_tensorflow_are_counted_and_repeated_ones_folded() -> None:
    assert without_foreign_frames(AUTOGRAPH_TEXT) == SHOWN_TEXT


def test_the_cause_of_an_exception_is_shown_too() -> None:
    write("caused.py", "try:\n    {}['first']\nexcept KeyError as error:\n    raise ValueError('second') from error")
    with pytest.raises(UserCodeError, match=r"importing caused.py failed: ValueError: second") as caught:
        load("caused.py:step")
    assert "KeyError: 'first'" in caught.value.detail
    assert "direct cause" in caught.value.detail
    assert caught.value.detail.count("caused.py") == 2


PROGRAM = """
    import pickle, sys
    from sibling import factor

    class Options:
        pass

    @tf.function
    def step(x):
        return x * factor

    if __name__ == "__main__":
        assert pickle.loads(pickle.dumps(Options())).__class__ is Options
        assert sys.modules["__main__"].Options is Options
        arguments = sys.argv
        total = step(tf.constant(2.0))
        sys.exit({code})
"""


def test_a_program_runs_as_main_with_its_arguments() -> None:
    write("project/sibling.py", "factor = 3.0")
    for code in ("0", "None", ""):
        write("project/train.py", PROGRAM.replace("{code}", code))
        before = sys.modules["__main__"], list(sys.argv), list(sys.path)
        module = run_program(parse_target("project/train.py", ["--epochs", "1"]))
        assert module.arguments == ["project/train.py", "--epochs", "1"]
        assert (module.__name__, module.__file__) == ("__main__", str(Path("project/train.py").resolve()))
        assert module.total.numpy() == 6.0
        assert (sys.modules["__main__"], sys.argv, sys.path) == before


def test_a_program_that_fails_is_shown_with_its_own_frames() -> None:
    write("project/sibling.py", "factor = 3.0")
    write("project/train.py", PROGRAM.replace("{code}", "3"))
    with pytest.raises(UserCodeError, match=r"running project/train.py ended the program: it exited with code 3"):
        run_program(parse_target("project/train.py"))
    write("project/train.py", "def inner():\n    return {}['key']\ninner()")
    with pytest.raises(UserCodeError, match=r"running project/train.py failed: KeyError: 'key'") as caught:
        run_program(parse_target("project/train.py"))
    frames = [line.strip() for line in caught.value.detail.splitlines() if line.startswith("  File")]
    assert [frame.rpartition(", ")[2] for frame in frames] == ["in <module>", "in inner"]


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
    words = ("batch.image=float32[2]:1", "batch.pair.0=float32[2]:2", "batch.pair.1=float32[2]:3")
    assert results("model.py:nested", inputs=words)[0].numpy().tolist() == [7.0, 7.0]
    words = ("x=float32[2]", "step=3", "training=true", "name='text'", "mask=none")
    assert described(results("model.py:scalars", inputs=words)) == ["float32[2]"]


def test_inputs_come_from_numpy_files() -> None:
    import numpy

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
        [words] = calls("model.py:step", inputs=("float32[3]",), seed=seed)
        assert loaded.place is not None
        return loaded.place.module.weights, given.args[0].numpy().tolist(), words.args[0].numpy().tolist()

    first, again, other = made(7), made(7), made(8)
    assert first == again
    for one, two in zip(first, other, strict=True):
        assert not set(one) & set(two)
    assert made(None)[2] == made(None)[2]
    assert made(None)[0] != made(None)[0]


def test_mode_and_batch_are_checked() -> None:
    write("model.py", STEPS)
    with pytest.raises(UsageError, match=r"--mode chooses a step of a Keras model, and 'model.py:train_step' is none"):
        load("model.py:train_step", mode="train")
    with pytest.raises(UsageError, match="--batch 0 is no size of a batch"):
        load("model.py:train_step", batch=0)
