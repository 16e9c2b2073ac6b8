"""Keras models and models on disk as targets: which step is called, with which inputs, and what each failure says."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.recorders.loading import calls, described, environment, load, results, write
from tests.recorders.loading import own_process as own_process
from tfgraphdbg.errors import DebuggerError, UnreadableFileError, UsageError, UserCodeError
from tfgraphdbg.recorders.loaded_target import LoadOptions
from tfgraphdbg.recorders.tensorflow_internals import observed_functions
from tfgraphdbg.recorders.user_program import example_calls

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

pytestmark = pytest.mark.tensorflow

MODELS = """
    import keras
    from keras import layers

    def classifier(loss, **options):
        model = keras.Sequential([keras.Input((8,)), layers.Dense(5, activation="softmax")])
        model.compile(optimizer=options.pop("optimizer", "adam"), loss=loss, **options)
        return model

    forward = keras.Sequential([keras.Input((8,)), layers.Dense(5)])
    sparse = classifier("sparse_categorical_crossentropy", metrics=["accuracy"])
    sparse_object = classifier(keras.losses.SparseCategoricalCrossentropy())
    categorical = classifier(keras.losses.categorical_crossentropy)
    binary = classifier("binary_crossentropy")
    regression = classifier("mse")
    own_loss = classifier(lambda y, prediction: keras.ops.mean(y - prediction))
    compiled_by_xla = classifier("mse", jit_compile=True)

    first = keras.Input((4,), name="first")
    second = keras.Input((None,), name="second", dtype="int32")
    looked_up = layers.GlobalAveragePooling1D()(layers.Embedding(2, 4)(second))
    dicts = keras.Model(
        {"first": first, "second": second},
        {"a": layers.Dense(3, name="a")(first), "b": layers.Dense(1, name="b")(looked_up)},
    )
    dicts.compile("adam", {"a": "sparse_categorical_crossentropy", "b": "mse"})
    lists = keras.Model([first, second], [layers.Dense(3, name="c")(first), layers.Dense(1, name="d")(looked_up)])
    lists.compile("adam", {"c": "categorical_crossentropy", "d": "mse"})
    tokens = keras.Sequential([keras.Input((None,)), layers.Embedding(2, 4), layers.Dense(6)])
    tokens.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    class OwnStep(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x) - y) ** 2)
            weights = self.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
            return {"own_loss": loss}

    unbuilt = OwnStep()
    unbuilt.compile("adam", "mse")
    built = OwnStep()
    built.compile("adam", "mse")
    built(tf.zeros([7, 4]))
    generated = OwnStep()
    generated.compile("adam", "mse")
    def generated_inputs():
        for size in (2, 3):
            yield tf.ones([size, 4]), tf.ones([size, 2])
    no_loss = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    no_loss.compile("adam")
"""

MADE_UP = [
    ("forward", None, ("float32[2, 8]",)),
    ("sparse", None, ("float32[2, 8]", "int32[2]")),
    ("sparse", "test", ("float32[2, 8]", "int32[2]")),
    ("sparse", "predict", ("float32[2, 8]",)),
    ("sparse_object", None, ("float32[2, 8]", "int32[2]")),
    ("categorical", None, ("float32[2, 8]", "float32[2, 5]")),
    ("binary", None, ("float32[2, 8]", "float32[2, 5]")),
    ("regression", None, ("float32[2, 8]", "float32[2, 5]")),
    ("own_loss", None, ("float32[2, 8]", "float32[2, 5]")),
    ("compiled_by_xla", None, ("float32[2, 8]", "float32[2, 5]")),
    ("dicts", None, ({"first": "float32[2, 4]", "second": "int32[2, 32]"}, {"a": "int32[2]", "b": "float32[2, 1]"})),
    ("lists", None, (["float32[2, 4]", "int32[2, 32]"], ["float32[2, 3]", "float32[2, 1]"])),
    ("tokens", None, ("float32[2, 32]", "int32[2, 32]")),
    ("built", None, ("float32[2, 4]", "float32[2, 2]")),
]


def test_a_model_gets_a_batch_that_its_input_spec_and_loss_take() -> None:
    write("model.py", MODELS)
    for name, mode, batch in MADE_UP:
        loaded = load(f"model:{name}", mode=mode)
        assert (loaded.kind, loaded.mode) == ("keras_model", mode or ("predict" if name == "forward" else "train"))
        [given] = calls(f"model:{name}", mode=mode)
        opened = ", other unknown sizes set to 32" if ", 32]" in str(batch) else ""
        assert given.source == f"the model's input spec, batch size 2{opened}"
        assert described(given.args) == (batch,), name


def test_made_up_targets_are_of_the_kind_that_the_loss_takes() -> None:
    write("model.py", MODELS)
    targets = {
        name: calls(f"model:{name}", batch=64)[0].args[0][1].numpy() for name in ("sparse", "categorical", "binary")
    }
    assert set(targets["sparse"]) == {0, 1, 2, 3, 4}
    assert targets["categorical"].sum(axis=1).tolist() == [1.0] * 64
    assert set(targets["binary"].ravel()) == {0.0, 1.0}


@pytest.mark.parametrize("name", ["forward", "sparse", "compiled_by_xla", "dicts", "lists", "tokens", "built"])
def test_the_step_is_one_graph_that_is_traced_once(name: str) -> None:
    write("model.py", MODELS)
    loaded = load(f"model:{name}")
    for given in example_calls(loaded, LoadOptions()):
        graph = loaded.function(*given.args)
        assert loaded.function.experimental_get_tracing_count() == 1
        definition = loaded.function.get_concrete_function(*given.args).function_def
        assert definition.attr["_XlaMustCompile"].b == (name == "compiled_by_xla")
        eager = loaded.callable(*given.args)
        if loaded.mode == "train":
            assert set(graph) == set(eager)
        else:
            assert described(graph) == described(eager)


def test_the_graph_is_the_one_that_fit_executes() -> None:
    write("model.py", MODELS)
    loaded = load("model.py:sparse")
    [given] = example_calls(loaded, LoadOptions())
    ours = op_types(loaded.function.get_concrete_function(*given.args).graph)
    model = load("model.py:sparse").model
    assert ours == op_types(graph_of_fit(model, given.args[0]))


def graph_of_fit(model: Any, batch: Any) -> Any:
    """What `fit` executes for one batch: the last tracing, since the first may only create variables."""
    traced: dict[str, Any] = {}

    def keep(trace: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        concrete = trace(*args, **kwargs)
        traced[concrete.graph.name] = concrete.graph
        return concrete

    with observed_functions(keep, lambda run, atomic, tensors: run()):
        model.fit(tf.data.Dataset.from_tensors(batch).repeat(2), verbose=0)
    return traced["one_step_on_data"]


def op_types(graph: Any) -> Counter[str]:
    return Counter(op.type for op in graph.get_operations())


def test_a_model_takes_the_users_own_batches() -> None:
    write("model.py", MODELS)
    assert [described(given.args) for given in calls("model:generated")] == [
        (("float32[2, 4]", "float32[2, 2]"),),
        (("float32[3, 4]", "float32[3, 2]"),),
    ]
    assert all("own_loss" in output for output in results("model:generated"))
    words: tuple[str, ...] = ("x=float32[2,4]", "y=float32[2,2]")
    assert "own_loss" in results("model:unbuilt", inputs=words)[0]
    words = ("float32[2,8]", "int32[2]", "sample_weight=float32[2]:1")
    assert "loss" in results("model:sparse", inputs=words)[0]
    words = ("x.first=float32[2,4]", "x.second=int32[2,6]", "y.a=int32[2]", "y.b=float32[2,1]")
    assert "loss" in results("model:dicts", inputs=words)[0]
    numpy.save("x.npy", numpy.ones([2, 8]))
    [given] = calls("model:forward", inputs=("@x.npy",))
    assert described(given.args) == (("float32[2, 8]",),)


MODEL_FAILURES: list[tuple[str, dict[str, Any], str, str]] = [
    ("forward", {"mode": "train"}, "--mode train needs a compiled model", "call its compile(optimizer="),
    ("forward", {"mode": "fit"}, "--mode 'fit' is none of train, test, predict", "--mode train"),
    ("unbuilt", {}, "no example inputs for model:unbuilt(x, y=None", "a keras.Input as the model's first layer"),
    (
        "sparse",
        {"inputs": ("float32[2,7]",)},
        "'x' as float32[2,7], and the model's input is float32[?,8]",
        "x=float32[2,8]",
    ),
    (
        "dicts",
        {"inputs": ("x.first=float32[2,4]", "x.second=int32[2]")},
        "'x.second' as int32[2]",
        "x.second=int32[2,2]",
    ),
    ("sparse", {"inputs": ("z=float32[2,8]",)}, "no input of that name", "its inputs are x, y, sample_weight"),
    ("forward", {"inputs": ("float32[2,8]", "1")}, "takes 1 by position (x)", "leave the others out"),
]


def test_what_does_not_fit_a_model_is_named() -> None:
    write("model.py", MODELS)
    for name, options, message, hint in MODEL_FAILURES:
        with pytest.raises(UsageError) as caught:
            results(f"model:{name}", **options)
        assert message in caught.value.message
        assert hint in caught.value.hint
    with pytest.raises(UserCodeError, match="calling model:no_loss failed: ValueError: No loss to compute"):
        results("model:no_loss")


def test_a_model_on_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    write("model.py", MODELS)
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(UsageError, match="is a Keras model on the jax backend") as caught:
        load("model.py:sparse")
    assert caught.value.hint == "set KERAS_BACKEND=tensorflow"


TWO_REPLICAS = """
    import keras
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        model.compile("sgd", "mse")
"""

CHECK_REPLICAS = """
    import keras
    from tests.recorders.loading import calls, load, results
    from tests.recorders.test_model_targets import graph_of_fit, op_types
    from tfgraphdbg.errors import UsageError

    assert results("replicas:model")[0]["loss"].shape == ()
    assert results("replicas:model", mode="predict", batch=6)[0].shape == (6, 3)
    [given] = calls("replicas:model")
    loaded = load("replicas:model")
    if tuple(int(part) for part in keras.__version__.split(".")[:2]) >= (3, 9):
        # Older Keras nests the functions of one batch and of the replicas the other way round.
        ours = op_types(loaded.function.get_concrete_function(*given.args).graph)
        assert ours == op_types(graph_of_fit(loaded.model, (tf.zeros([4, 4]), tf.zeros([4, 3]))))
    try:
        calls("replicas:model", batch=1)
    except UsageError as error:
        assert "2 replicas share a batch" in error.message
        assert "--batch 2" in error.hint
    else:
        raise AssertionError("a batch that two replicas cannot share")
    print("checked")
"""


def test_replicas_share_the_batch_as_in_fit() -> None:
    write("replicas.py", TWO_REPLICAS)
    write("check.py", CHECK_REPLICAS)
    output = subprocess.run(
        [sys.executable, "check.py"], capture_output=True, text=True, env=environment(), check=False
    )
    assert output.stdout.endswith("checked\n"), output.stderr[-2000:]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models on disk, written once."""
    folder = tmp_path_factory.mktemp("stored")

    module = tf.Module()
    row, count = tf.TensorSpec([None, 3], name="x"), tf.TensorSpec([], tf.int32, "times")
    module.scale = tf.function(lambda x, times: {"scaled": x * tf.cast(times, x.dtype)}, input_signature=[row, count])
    module.double = tf.function(lambda x: x * 2.0, input_signature=[tf.TensorSpec([4], name="x")])
    scale, double = module.scale.get_concrete_function(), module.double.get_concrete_function()
    tf.saved_model.save(module, str(folder / "functions"))
    tf.saved_model.save(module, str(folder / "several"), signatures={"scale": scale, "double": double})
    tf.saved_model.save(module, str(folder / "one"), signatures={"only": double})
    tf.saved_model.save(module, str(folder / "default"), signatures={"serving_default": scale, "other": double})
    tf.saved_model.save(tf.Module(), str(folder / "nothing"))
    shutil.copytree(folder / "default", folder / "damaged")
    (folder / "damaged/saved_model.pb").write_bytes(b"no protobuf at all")

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.save(folder / "forward.keras")
    model.save(folder / "forward.h5")
    model.compile("adam", keras.losses.MeanSquaredError())
    model.save(folder / "compiled.keras")
    keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x)]).save(folder / "lambda.keras")
    content = (folder / "compiled.keras").read_bytes()
    (folder / "truncated.keras").write_bytes(content[: len(content) // 2])
    with zipfile.ZipFile(folder / "foreign.keras", "w") as archive:
        archive.writestr("readme", "not a model")
    return folder


def test_a_saved_model_is_called_by_a_signature_or_a_function(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stored)
    for target, name, kwargs in (
        ("default/", "default/:serving_default", {"times": "int32[]", "x": "float32[2, 3]"}),
        ("default/:other", "default/:other", {"x": "float32[4]"}),
        ("one", "one:only", {"x": "float32[4]"}),
        ("several:scale", "several:scale", {"times": "int32[]", "x": "float32[2, 3]"}),
    ):
        loaded = load(target)
        assert (loaded.name, loaded.kind) == (name, "saved_model")
        [given] = calls(target)
        assert given.source.startswith("saved signature")
        assert (given.args, described(given.kwargs)) == ((), kwargs)
        assert len(results(target)) == 1
        assert loaded.callable(**given.kwargs)
    [given] = calls("functions:scale")
    assert described(given.args) == ("float32[2, 3]", "int32[]")
    [output] = results("functions:scale", inputs=("float32[1,3]:2", "int32[]:3"))
    assert output["scaled"].numpy().tolist() == [[6.0, 6.0, 6.0]]
    [output] = results("default", inputs=("x=float32[1,3]:2", "times=3"))
    assert output["scaled"].numpy().tolist() == [[6.0, 6.0, 6.0]]
    write("data.py", "def batches(): yield {'x': tf.ones([5, 3]), 'times': 3}")
    [output] = results("default", inputs_from="data.py:batches")
    assert output["scaled"].shape == (5, 3)


SCALE = {"inputs": ("x=float32[2,4]", "times=3")}

STORED_FAILURES: list[tuple[str, dict[str, Any], type[DebuggerError], str, str]] = [
    (
        "several",
        {},
        UsageError,
        "'several' has several signatures and no serving_default",
        "several/:scale, several/:double",
    ),
    ("functions", {}, UsageError, "'functions' has several signatures", "functions/:double, functions/:scale"),
    ("nothing", {}, UsageError, "'nothing' holds no signature and no function to call", "load it in a Python file"),
    (
        "default:serving",
        {},
        UsageError,
        "'default' has no signature 'serving'",
        "did you mean 'default/:serving_default'?",
    ),
    ("default:zzz", {}, UsageError, "'default' has no signature 'zzz'", "type one of default/:serving_default"),
    ("damaged", {}, UnreadableFileError, "'damaged' cannot be loaded", "load it in a Python file"),
    (
        "default",
        {"inputs": ("x=float32[2,4]", "times=3")},
        UsageError,
        "'x' as float32[2,4]",
        "--input 'x=float32[2,3]'",
    ),
    ("default", {"inputs": ("x=float32[2,3]",)}, UsageError, "--input gives no 'times'", "add --input 'times=int32[]'"),
    ("default", {"inputs_from": "batches"}, UsageError, "is a model on disk", "--inputs-from data.py:batches"),
    ("default", {"mode": "train"}, UsageError, "--mode chooses a step of a Keras model", "leave --mode out"),
    ("truncated.keras", {}, UnreadableFileError, "'truncated.keras' cannot be loaded", "load it in a Python file"),
    ("foreign.keras", {}, UnreadableFileError, "'foreign.keras' cannot be loaded", "load it in a Python file"),
    (
        "lambda.keras",
        {},
        UnreadableFileError,
        "'lambda.keras' cannot be loaded: ValueError:",
        "load it in a Python file",
    ),
]


def test_what_is_wrong_with_a_model_on_disk_is_said(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stored)
    for target, options, kind, message, hint in STORED_FAILURES:
        with pytest.raises(kind) as caught:
            calls(target, **options)
        assert message in caught.value.message
        assert hint in caught.value.hint
        assert caught.value.message.isprintable()


def test_a_keras_file_is_called_as_its_model_would_be(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stored)
    for name, mode in (("forward.keras", "predict"), ("compiled.keras", "train"), ("forward.h5", "predict")):
        loaded = load(name)
        assert (loaded.name, loaded.kind, loaded.mode) == (name, "keras_model", mode)
        assert len(results(name)) == 1
    assert results("compiled.keras", mode="predict", batch=3)[0].shape == (3, 2)
