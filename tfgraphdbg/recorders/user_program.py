"""The user's target -> something to call, or a program that runs; TensorFlow comes in after the user's file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import quoted
from tfgraphdbg.recorders import keras_model, stored_model
from tfgraphdbg.recorders.example_inputs import example_calls
from tfgraphdbg.recorders.in_place import missing_tensorflow
from tfgraphdbg.recorders.loaded_target import Call, InputSpecs, LoadedTarget, LoadOptions, UserPlace
from tfgraphdbg.recorders.random_seeds import fix_random_seeds
from tfgraphdbg.recorders.user_errors import user_code
from tfgraphdbg.recorders.user_function import check_callable, graph_function, named_value
from tfgraphdbg.recorders.user_module import FreshSourceLoader, import_user_module, put_first_on_path
from tfgraphdbg.target import TargetSpec

__all__ = ["Call", "LoadOptions", "LoadedTarget", "call", "example_calls", "load_target", "run_program"]


def load_target(spec: TargetSpec, options: LoadOptions) -> LoadedTarget:
    """Load a function, a Keras model or a model on disk; raise a DebuggerError that says why it cannot be called."""
    if options.batch is not None and options.batch < 1:
        raise UsageError(f"--batch {options.batch} is no size of a batch", "for example --batch 32")
    fix_random_seeds(options.seed)
    if spec.kind == "function":
        loaded = _load_function(spec, options)
    elif spec.kind == "keras_file":
        _require_tensorflow()
        model = stored_model.load_keras_file(spec.path)
        loaded = keras_model.loaded_keras_model(model, spec.text, options.mode, None)
    elif spec.kind == "saved_model":
        _require_tensorflow()
        loaded = stored_model.load_saved_model(spec)
    else:
        raise ValueError(f"a {spec.kind} is nothing to call")
    if options.mode is not None and loaded.kind != "keras_model":
        what = f"--mode chooses a step of a Keras model, and {quoted(loaded.name)} is none"
        raise UsageError(what, "leave --mode out")
    return loaded


def _load_function(spec: TargetSpec, options: LoadOptions) -> LoadedTarget:
    module = import_user_module(spec)
    place = UserPlace(spec.path or spec.module, module, spec.attribute)
    value = named_value(place.file, module, spec.attribute)
    _require_tensorflow()
    if keras_model.is_keras_model(value):
        return keras_model.loaded_keras_model(value, spec.text, options.mode, place)
    check_callable(value, place.file, spec.attribute)
    function = graph_function(value)
    signature = getattr(function, "input_signature", None)
    specs = None if signature is None else InputSpecs(tuple(signature))
    return LoadedTarget(spec.text, "function", value, function, place, specs=specs)


def _require_tensorflow() -> None:
    try:
        import tensorflow  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_tensorflow() from error


def call(loaded: LoadedTarget, example: Call) -> Any:
    """Call the target's `tf.function`; what the user's code raises becomes a UserCodeError."""
    with user_code(f"calling {loaded.name}"):
        return loaded.function(*example.args, **example.kwargs)


def run_program(spec: TargetSpec, seed: int | None = None) -> ModuleType:
    """Run a whole program as `__main__` with its own arguments, as `python train.py ...` would; return its module."""
    fix_random_seeds(seed)
    file = os.path.abspath(spec.path)
    module = ModuleType("__main__")
    module.__dict__.update(__file__=file, __builtins__=__builtins__, __loader__=FreshSourceLoader("__main__", file))
    with _as_main_program(module, spec), user_code(f"running {spec.path}"):
        try:
            exec(FreshSourceLoader("__main__", file).get_code("__main__"), module.__dict__)
        except SystemExit as error:
            if error.code not in (None, 0):
                raise
    return module


@contextlib.contextmanager
def _as_main_program(module: ModuleType, spec: TargetSpec) -> Iterator[None]:
    """Stand in for the process's own main module, so that pickle and multiprocessing find the program's names."""
    main, argv, path = sys.modules["__main__"], sys.argv, list(sys.path)
    sys.modules["__main__"] = module
    sys.argv = [spec.path, *spec.arguments]
    put_first_on_path(os.path.dirname(os.path.realpath(spec.path)))
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = main, argv, path
