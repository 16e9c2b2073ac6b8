"""Every kind of target and every way to give it inputs, on real programs; and what each failure says."""

from __future__ import annotations

import json
import pickle
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tfgraphdbg.errors import MissingRequirementError, UnreadableFileError, UsageError, UserCodeError
from tfgraphdbg.recorders.user_program import Call, LoadedTarget, LoadOptions, call, example_calls, load_target, run_program
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
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment())
    assert json.loads(output.stdout) == [[], True]


def environment() -> dict[str, str]:
    import os

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
