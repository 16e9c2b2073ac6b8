"""Names of functions: the user's, TensorFlow's own, and what one says of the other."""

from __future__ import annotations

import inspect
from typing import Any

from tfgraphdbg.recorders.python_stacks import LibraryPaths
from tfgraphdbg.recording import Role, Tracing

BACKWARD = "__backward_"
FORWARD = "__forward_"


def text_of(name: str | bytes) -> str:
    """TensorFlow gives names as bytes or as text."""
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def call_kind(tracing: Tracing) -> tuple[str, str, int, str]:
    """What two tracings share when the later one takes the place of the earlier."""
    return tracing.function, tracing.file, tracing.line, _without_captures(tracing.signature)


def _without_captures(signature: str) -> str:
    """A FunctionType's text up to what it captures: variables are captured only by the second tracing."""
    return signature.partition(" -> ")[0]


def concrete_name(concrete: Any) -> str:
    """TensorFlow's own name of a ConcreteFunction."""
    return text_of(concrete.name)


def plain_name(concrete_function: str) -> str:
    """`step` from `__inference_step_12`, `__forward_step_98` or `__inference___backward_step_7_9`."""
    name = concrete_function.removeprefix("__inference_")
    for prefix in (BACKWARD, FORWARD):
        name = name.removeprefix(prefix)
    while (shorter := name.rpartition("_"))[2].isdecimal() and shorter[0]:
        name = shorter[0]
    return name


def place_of(python_function: Any, fallback: str, libraries: LibraryPaths) -> tuple[str, str, int]:
    """Name as the user knows it, file and line of a Python function.

    For a function that TensorFlow itself wrote around the user's, its name for the tracing says more.
    """
    function = inspect.unwrap(python_function) if callable(python_function) else python_function
    code = getattr(function, "__code__", None)
    name = getattr(function, "__qualname__", fallback or "function").rpartition("<locals>.")[2]
    if code is None:
        return name, "", 0
    if fallback and name != fallback and "<locals>" in function.__qualname__ and libraries.holds(code.co_filename):
        return fallback, "", 0
    return name, code.co_filename, code.co_firstlineno


def role_of(concrete_function: str) -> Role:
    """What TensorFlow's name says of a function that it derived for a gradient tape."""
    return "backward" if BACKWARD in concrete_function else "forward" if FORWARD in concrete_function else "inference"
