"""A dotted name in the user's module -> the object that it names, and a `tf.function` of it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import close_matches, listed, quoted
from tfgraphdbg.recorders.user_errors import user_code

NO_VALUE = object()


def named_value(place: str, module: ModuleType, name: str) -> Any:
    """Follow a dotted name; raise UsageError with what there is when a step of it is missing."""
    value: Any = module
    steps = name.split(".")
    for depth, step in enumerate(steps):
        with user_code(f"reading {step} of {place}"):
            inner = getattr(value, step, NO_VALUE)
        if inner is NO_VALUE:
            raise _missing_name(place, value, steps[:depth], step)
        value = inner
    return value


def _missing_name(place: str, value: Any, before: list[str], step: str) -> UsageError:
    prefix = ".".join([*before, ""])
    whole = f"{quoted('.'.join(before))} of {place}" if before else place
    names = callable_names(value)
    hints = []
    matches = close_matches(step, [name for name in names_of(value) if not name.startswith("__")])
    if matches:
        hints.append(f"did you mean {' or '.join(f'{place}:{prefix}{match}' for match in matches)}?")
    if names:
        hints.append(f"what can be called there: {listed(f'{prefix}{name}' for name in names)}")
    return UsageError(f"{whole} has no {quoted(step)}", " ".join(hints) or "define it at the top level of the file")


def names_of(value: Any) -> Mapping[str, Any]:
    """What a module, an object or its class defines itself, without what it inherits from a library."""
    return {**vars(type(value)), **getattr(value, "__dict__", {})} if not isinstance(value, ModuleType) else vars(value)


def callable_names(value: Any) -> list[str]:
    """The public names in a module or object that could be a target, in the order of their definition."""
    home = getattr(value, "__name__", "") if isinstance(value, ModuleType) else type(value).__module__
    return [name for name, inner in names_of(value).items() if not name.startswith("_") and _is_candidate(inner, home)]


def _is_candidate(value: Any, home: str) -> bool:
    if inspect.ismodule(value) or inspect.isclass(value) or not callable(value):
        return False
    # A function that was imported from elsewhere is seldom what the user looks for; an object has no home.
    return not inspect.isroutine(value) or getattr(value, "__module__", home) == home


def check_callable(value: Any, place: str, attribute: str) -> None:
    """Raise UsageError for what has no graph: classes, data, coroutines."""
    shown = f"{quoted(attribute)} in {place}"
    if inspect.isclass(value):
        made = f"{attribute.rpartition('.')[2].lower()} = {attribute}(...)"
        raise UsageError(
            f"{shown} is a class, and only an object of it can be called",
            f"make one in the file, {made}, and name that",
        )
    if inspect.iscoroutinefunction(value):
        raise UsageError(
            f"{shown} is a coroutine function, which no tf.function can hold", "name the function that it awaits"
        )
    if not callable(value):
        raise UsageError(
            f"{shown} is of type {type(value).__name__}, which cannot be called",
            "name a function, a tf.function or a model",
        )


def graph_function(value: Any) -> Any:
    """The `tf.function` that a callable is, or holds as its `__call__`; else a new one around it."""
    import tensorflow

    if is_graph_function(value):
        return value
    if is_graph_function(value.__call__):
        return value.__call__
    if isinstance(value, tensorflow.types.experimental.ConcreteFunction):
        return tensorflow.function(value, autograph=False)
    return tensorflow.function(value)


def is_graph_function(value: Any) -> bool:
    """Whether it is a `tf.function`."""
    return hasattr(value, "get_concrete_function")
