"""Private TensorFlow APIs by which one tracing is followed: the ops it makes, and where the user's function begins.

Seen on TensorFlow 2.16.2 and 2.21.0. Import this only after TensorFlow has been imported by the user's program.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def observed_op_creation(on_op: Callable[[Any, str], None]) -> Iterator[None]:
    """While open, `on_op(func_graph, name)` is called after each op that Python adds to a FuncGraph."""
    from tensorflow.python.framework import func_graph

    create = func_graph.FuncGraph._create_op_internal

    def observed_create(self: Any, *args: Any, **kwargs: Any) -> Any:
        op = create(self, *args, **kwargs)
        on_op(self, op.name)
        return op

    func_graph.FuncGraph._create_op_internal = observed_create
    try:
        yield
    finally:
        func_graph.FuncGraph._create_op_internal = create


@contextlib.contextmanager
def observed_set_up(on_arguments: Callable[[], None], on_converted: Callable[[], None]) -> Iterator[None]:
    """While open, call `on_arguments` when the placeholders of a tracing are made, `on_converted` after AutoGraph.

    A Python function that AutoGraph converts is entered just after the first conversion of its tracing; another one
    just after its placeholders. Functions that the first one calls are converted too, when they are called.
    """
    from tensorflow.core.function.polymorphism import function_type
    from tensorflow.python.autograph.impl import api

    make_placeholders = function_type.FunctionType.placeholder_arguments
    convert = api._convert_actual

    def observed_placeholders(*args: Any, **kwargs: Any) -> Any:
        made = make_placeholders(*args, **kwargs)
        on_arguments()
        return made

    def observed_convert(*args: Any, **kwargs: Any) -> Any:
        converted = convert(*args, **kwargs)
        on_converted()
        return converted

    function_type.FunctionType.placeholder_arguments = observed_placeholders
    api._convert_actual = observed_convert
    try:
        yield
    finally:
        function_type.FunctionType.placeholder_arguments = make_placeholders
        api._convert_actual = convert
