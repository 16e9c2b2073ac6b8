"""A model on disk -> what can be called of it: the signatures and functions of a SavedModel, or a Keras model."""

from __future__ import annotations

import os
import re
from typing import Any

from tfgraphdbg.errors import UnreadableFileError, UsageError
from tfgraphdbg.message_words import close_matches, listed, quoted
from tfgraphdbg.recorders.loaded_target import InputSpecs, LoadedTarget
from tfgraphdbg.recorders.user_errors import headline
from tfgraphdbg.recorders.user_function import is_graph_function
from tfgraphdbg.target import TargetSpec

DEFAULT_SIGNATURE = "serving_default"

LOAD_IT_YOURSELF = "load it in a Python file, where what it needs is defined, and name the result: load.py:model"


def load_keras_file(path: str) -> Any:
    """The Keras model in a `.keras` or HDF5 file. Keras itself refuses what would run foreign Python code."""
    import keras

    try:
        return keras.models.load_model(path)
    except Exception as error:
        raise UnreadableFileError(f"{quoted(path)} cannot be loaded: {headline(error)}", LOAD_IT_YOURSELF) from error


def load_saved_model(spec: TargetSpec) -> LoadedTarget:
    """The chosen signature of a SavedModel: the named one, `serving_default`, or the only one."""
    import tensorflow

    try:
        model = tensorflow.saved_model.load(spec.path)
    except Exception as error:
        raise UnreadableFileError(
            f"{quoted(spec.path)} cannot be loaded: {headline(error)}", LOAD_IT_YOURSELF
        ) from error
    signatures = dict(model.signatures)
    functions = _restored_functions(model)
    name = _chosen(spec, list(signatures), list(functions))
    shown = f"{spec.path}:{name}"
    if name in signatures:
        return _loaded_signature(shown, name, model, signatures[name])
    function = functions[name]
    # A restored function has a concrete function for each saved signature; the first is as good as any.
    args, kwargs = function.concrete_functions[0].structured_input_signature
    specs = InputSpecs(tuple(args), dict(kwargs), "saved signature")
    return LoadedTarget(shown, "saved_model", function, function, model=model, specs=specs)


def _loaded_signature(shown: str, name: str, model: Any, signature: Any) -> LoadedTarget:
    import tensorflow

    # `tf.function` names graphs so; those of a signature would all be called `function`.
    signature.__name__ = signature.__qualname__ = re.sub(r"\W", "_", name)
    args, kwargs = signature.structured_input_signature
    specs = InputSpecs(tuple(args), dict(kwargs), "saved signature")
    function = tensorflow.function(signature, autograph=False)
    return LoadedTarget(shown, "saved_model", signature, function, model=model, specs=specs)


def _restored_functions(model: Any) -> dict[str, Any]:
    """The `tf.function`s that were saved as attributes of the object, `__call__` among them."""
    found = {}
    for name in dir(model):
        if name == "__call__" or not name.startswith("_"):
            value = getattr(model, name, None)
            if is_graph_function(value) and getattr(value, "concrete_functions", None):
                found[name] = value
    return found


def _chosen(spec: TargetSpec, signatures: list[str], functions: list[str]) -> str:
    names = [*signatures, *(name for name in functions if name not in signatures)]
    folder = spec.path.rstrip(os.sep) + os.sep
    ways = f"type one of {listed(f'{folder}:{name}' for name in names)}"
    if spec.signature:
        if spec.signature in names:
            return spec.signature
        matches = [f"{folder}:{match}" for match in close_matches(spec.signature, names)]
        hint = f"did you mean {quoted(matches[0])}?" if matches else ways
        raise UsageError(
            f"{quoted(spec.path)} has no signature {quoted(spec.signature)}", hint if names else LOAD_IT_YOURSELF
        )
    if DEFAULT_SIGNATURE in signatures:
        return DEFAULT_SIGNATURE
    if len(signatures) == 1 or len(names) == 1:
        return names[0]
    if not names:
        raise UsageError(f"{quoted(spec.path)} holds no signature and no function to call", LOAD_IT_YOURSELF)
    raise UsageError(f"{quoted(spec.path)} has several signatures and no {DEFAULT_SIGNATURE}", ways)
