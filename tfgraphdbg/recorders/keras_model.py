"""A Keras model -> the step that `fit`, `evaluate` or `predict` executes for one batch, as a function of that batch."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, cast, get_args

from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import quoted
from tfgraphdbg.recorders.loaded_target import LoadedTarget, Mode, UserPlace
from tfgraphdbg.recorders.user_errors import user_code

KERAS_PACKAGES = ("keras", "tf_keras")


def is_keras_model(value: Any) -> bool:
    """Whether it is an object of a Keras model class."""
    return _package_of_model(value) is not None


def _package_of_model(value: Any) -> str | None:
    """The Keras that a model belongs to, told without importing any: there are two, and importing them is slow."""
    for each in type(value).__mro__:
        package = each.__module__.partition(".")[0]
        if each.__name__ == "Model" and package in KERAS_PACKAGES:
            return package
    return None


def loaded_keras_model(model: Any, name: str, mode: str | None, place: UserPlace | None) -> LoadedTarget:
    """The train step of a compiled model, the forward pass of another, or the step that `mode` names."""
    if _package_of_model(model) == "keras":
        _check_backend(name)
    chosen = _chosen_mode(model, name, mode)
    with user_code(f"preparing {name}"):
        step, function = _step_functions(model, chosen)
    return LoadedTarget(name, "keras_model", step, function, place, model, chosen)


def _check_backend(name: str) -> None:
    import keras

    backend = keras.config.backend()
    if backend != "tensorflow":
        what = f"{name} is a Keras model on the {backend} backend, which makes no TensorFlow graphs"
        raise UsageError(what, "set KERAS_BACKEND=tensorflow")


def _chosen_mode(model: Any, name: str, mode: str | None) -> Mode:
    compiled = bool(getattr(model, "compiled", getattr(model, "_is_compiled", False)))
    if mode is None:
        return "train" if compiled else "predict"
    if mode not in get_args(Mode):
        raise UsageError(f"--mode {quoted(mode)} is none of {', '.join(get_args(Mode))}", "for example --mode train")
    if mode != "predict" and not compiled:
        what = f"--mode {mode} needs a compiled model, and {name} is not"
        raise UsageError(what, "call its compile(optimizer=..., loss=...) in the file, or use --mode predict")
    return cast(Mode, mode)


def _step_functions(model: Any, mode: Mode) -> tuple[Any, Any]:
    """The step for eager and for graph execution.

    `fit` calls a tf.function of a dataset iterator, which fetches a batch and calls the tf.function of one batch.
    That inner function is made here as Keras makes it (keras/src/backend/tensorflow/trainer.py, `_make_function`,
    3.15): no AutoGraph, the model's own `jit_compile`, replicas reduced alike. So its graph is the one that `fit`
    inlines or compiles, and its inputs are tensors that can be given and shown; only, `fit` leaves the batch size of
    arrays unknown to it. Whoever wants the iterator too records the whole program.
    """
    import tensorflow

    step = getattr(model, f"{mode}_step")

    @functools.wraps(step)
    def step_on_batch(data: Any) -> Any:
        outputs = model.distribute_strategy.run(step, args=(data,))
        return tensorflow.nest.map_structure(lambda output: _reduced(output, model.distribute_strategy, mode), outputs)

    step_on_batch = tensorflow.autograph.experimental.do_not_convert(step_on_batch)
    function = tensorflow.function(step_on_batch, reduce_retracing=True, jit_compile=model.jit_compile)
    return step_on_batch, function


def _reduced(output: Any, strategy: Any, mode: Mode) -> Any:
    """One value from those of all replicas: metrics are averaged, predictions joined."""
    import tensorflow

    replicas = strategy.experimental_local_results(output)
    if len(replicas) == 1:
        return replicas[0]
    return tensorflow.concat(replicas, axis=0) if mode == "predict" else tensorflow.reduce_mean(replicas, axis=0)


def build_before_tracing(model: Any, data: Any) -> None:
    """Create the variables of model, metrics, loss and optimizer from the shapes of one batch.

    Otherwise the first tracing creates them, and `tf.function` throws it away and traces a second time. Keras offers
    no public way; `_symbolic_build` is what its own `fit` calls for models under a distribution strategy (seen on
    3.15), and what older Keras 3 calls for all.
    """
    # What fails here fails again in the call, where it is shown as the user's own failure.
    with contextlib.suppress(Exception), model.distribute_strategy.scope():
        model._symbolic_build(data_batch=data)
