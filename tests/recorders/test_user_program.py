"""Functions, methods, objects, modules and programs as targets, and what each failure says."""

from __future__ import annotations

import json
import os
import pickle
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recorders.loading import environment, load, results, write
from tests.recorders.loading import own_process as own_process
from tfgraphdbg.errors import UsageError, UserCodeError
from tfgraphdbg.recorders.user_errors import without_foreign_frames
from tfgraphdbg.recorders.user_program import run_program
from tfgraphdbg.target import parse_target

tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.tensorflow


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
    assert loaded.function is sys.modules["model"].compiled.__call__


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


def test_a_file_that_is_saved_twice_within_a_second_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for value in (1.0, 2.0):
        write("model.py", f"def step(): return tf.constant({value})")
        os.utime("model.py", (1e9, 1e9))
        assert results("model.py:step")[0].numpy() == value


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
        "from tfgraphdbg.recorders.import_hook import when_tensorflow_is_imported\n"
        "told = []\n"
        "when_tensorflow_is_imported(lambda: told.append('tensorflow' in sys.modules))\n"
        "loaded = load_target(parse_target('model.py:step'), LoadOptions(seed=1))\n"
        "import tensorflow as tf\n"
        "seeded = float(tf.random.uniform([]))\n"
        "tf.random.set_seed(1)\n"
        "told.append(seeded == float(tf.random.uniform([])))\n"
        "print(json.dumps([loaded.place.module.first, told]))\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment()
    )
    assert json.loads(output.stdout) == [[], [True, True]]


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
    # TensorFlow lists where a failed op was made, and there the frames of pytest and of its workers come along.
    assert caught.value.detail.count("\n") < 150
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


def test_mode_and_batch_are_checked() -> None:
    write("model.py", STEPS)
    with pytest.raises(UsageError, match=r"--mode chooses a step of a Keras model, and 'model.py:train_step' is none"):
        load("model.py:train_step", mode="train")
    with pytest.raises(UsageError, match="--batch 0 is no size of a batch"):
        load("model.py:train_step", batch=0)
