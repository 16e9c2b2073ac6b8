"""The user's inputs functions (`train_step_inputs`, `example_inputs`, `--inputs-from`) -> the calls to make."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from inspect import Parameter
from typing import Any

from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import listed, quoted
from tfgraphdbg.recorders.call_arguments import is_required, parameters_of
from tfgraphdbg.recorders.loaded_target import Call, LoadedTarget, LoadOptions
from tfgraphdbg.recorders.user_errors import user_code
from tfgraphdbg.recorders.user_function import named_value
from tfgraphdbg.recorders.user_module import import_user_module
from tfgraphdbg.target import parse_target


def from_named_function(loaded: LoadedTarget, options: LoadOptions) -> Iterable[Call] | None:
    """The calls that `--inputs-from` names, in the target's file or in another."""
    name = options.inputs_from
    if name is None:
        return None
    if ":" in name:
        spec = parse_target(name)
        if spec.kind != "function":
            raise UsageError(f"--inputs-from {quoted(name)} names no function in a file", "for example data.py:batches")
        module = import_user_module(spec)
        return _calls_of(loaded, named_value(spec.path or spec.module, module, spec.attribute), spec.attribute, name)
    if loaded.place is None:
        hint = "name the file too: --inputs-from data.py:batches"
        raise UsageError(
            f"--inputs-from {quoted(name)}: {quoted(loaded.name)} is a model on disk, without a file of names", hint
        )
    value = named_value(loaded.place.file, loaded.place.module, name)
    return _calls_of(loaded, value, name, f"{name} of {loaded.place.file}")


def inputs_function_names(attribute: str) -> tuple[str, ...]:
    """The module-level names under which inputs are looked for, the most special first."""
    return tuple(
        dict.fromkeys(
            [f"{attribute.replace('.', '_')}_inputs", f"{attribute.rpartition('.')[2]}_inputs", "example_inputs"]
        )
    )


def from_inputs_function(loaded: LoadedTarget, options: LoadOptions) -> Iterable[Call] | None:
    """The calls that the target's file gives under one of the known names."""
    if loaded.place is None:
        return None
    names = vars(loaded.place.module)
    name = next((name for name in inputs_function_names(loaded.place.attribute) if name in names), None)
    return None if name is None else _calls_of(loaded, names[name], name, f"{name} of {loaded.place.file}")


def _calls_of(loaded: LoadedTarget, value: Any, name: str, source: str) -> Iterator[Call]:
    """Every call that a function of inputs, or a plain value, stands for."""
    import tensorflow

    if callable(value):
        _check_needs_nothing(value, name, source)
        with user_code(f"calling {name}"):
            value = value()
    if value is None:
        raise UsageError(
            f"{source} returned None", f"return a tuple of the inputs, or yield one for each call, in {name}"
        )
    if isinstance(value, tensorflow.data.Dataset | Iterator):
        items = _each_item(iter(value), name)
    elif isinstance(value, list) and value and all(isinstance(item, tuple | dict) for item in value):
        items = iter(value)
    else:
        items = iter([value])
    for item in items:
        yield _call_of(loaded, item, source)


def _check_needs_nothing(function: Any, name: str, source: str) -> None:
    function = getattr(function, "python_function", function)
    needed = [parameter.name for parameter in inspect.signature(function).parameters.values() if is_required(parameter)]
    if needed:
        what = f"{source} needs {listed(map(quoted, needed))}, and nobody gives it inputs of its own"
        raise UsageError(what, f"let {name} take no parameters, or give them defaults")


def _each_item(items: Iterator[Any], name: str) -> Iterator[Any]:
    while True:
        with user_code(f"running {name}"):
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


def _call_of(loaded: LoadedTarget, item: Any, source: str) -> Call:
    """A tuple is the inputs by position; a dict is the inputs by name, unless it is itself the only input."""
    if isinstance(item, tuple):
        return Call(item, {}, source)
    if isinstance(item, dict):
        parameters = parameters_of(loaded) or ()
        names = [parameter.name for parameter in parameters]
        takes_any = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters)
        needed = [parameter for parameter in parameters if is_required(parameter)]
        if takes_any or set(item) <= set(names) or len(needed) > 1:
            return Call((), item, source)
    return Call((item,), {}, source)
