"""Private TensorFlow APIs of eager runs and of variables, each behind a function named for what it gives.

Seen on TensorFlow 2.16.2, 2.18.1 and 2.21.0. Import this only after TensorFlow has been imported by the user's program.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from tfgraphdbg.graph_model import AttrScalar, AttrValue
from tfgraphdbg.recorders import tensorflow_internals
from tfgraphdbg.recorders.graph_defs import MAX_ITEMS, MAX_TEXT


class Captured(NamedTuple):
    """A resource that a concrete function captured from outside."""

    handle: Any
    is_variable: bool


def concrete_functions_of(function: Any) -> list[Any]:
    """Every tracing that a `tf.function` has so far; a ConcreteFunction is its own."""
    listed = getattr(function, "_list_all_concrete_functions", None)
    if listed is not None:
        return list(listed())
    return [function] if hasattr(function, "captured_inputs") else []


def captured_resources(concrete_function: Any) -> list[Captured]:
    """The resource handles that a concrete function reads, those of the functions that it calls among them."""
    import tensorflow

    return [
        Captured(tensor, handle_is_of_variable(tensor))
        for tensor in concrete_function.captured_inputs
        if tensor.dtype == tensorflow.resource
    ]


def handle_is_of_variable(handle: Any) -> bool:
    """Whether a resource handle is that of a variable: those of tables and iterators carry no dtype."""
    known = getattr(handle, "_handle_data", None)
    return known is not None and bool(known.is_set) and len(known.shape_and_type) == 1


def variable_value(handle: Any) -> Any | None:
    """A copy of what a variable holds now, on its own device; None: it has no value, or one that cannot be copied.

    What reading a variable gives shares its memory, and then its next update would have to copy.
    """
    import tensorflow
    from tensorflow.python.ops import gen_array_ops, gen_resource_variable_ops

    dtype = tensorflow.dtypes.as_dtype(handle._handle_data.shape_and_type[0].dtype)
    try:
        with tensorflow.device(handle.device):
            value = gen_resource_variable_ops.read_variable_op(handle, dtype)
            return gen_array_ops.deep_copy(value) if _is_plain(dtype) else value
    except tensorflow.errors.OpError:
        return None


def set_variable_value(handle: Any, value: Any) -> None:
    """Give a variable a copy of `value`."""
    import tensorflow
    from tensorflow.python.ops import gen_array_ops, gen_resource_variable_ops

    with tensorflow.device(handle.device):
        copy = gen_array_ops.deep_copy(value) if _is_plain(value.dtype) else value
        gen_resource_variable_ops.assign_variable_op(handle, copy)


def _is_plain(dtype: Any) -> bool:
    return bool(dtype.is_floating or dtype.is_integer or dtype.is_complex or dtype.is_bool)


def handles_of(variable: Any) -> list[Any]:
    """The resource handles of a `tf.Variable`, of a Keras variable, or of a variable of several replicas."""
    inner = variable if hasattr(variable, "handle") or hasattr(variable, "values") else getattr(variable, "value", None)
    replicas = getattr(inner, "values", None)
    variables = replicas if isinstance(replicas, tuple) else (inner,)
    return [each.handle for each in variables if hasattr(each, "handle")]


def global_generator() -> Any | None:
    """The `tf.random.Generator` of the whole process, unless nobody asked for it yet: asking would make it."""
    from tensorflow.python.ops import stateful_random_ops

    return stateful_random_ops.global_generator


def op_seeds() -> Any | None:
    """Where the eager runtime takes the seeds of random ops from: a `random.Random`, or None without `set_seed`."""
    from tensorflow.python.eager import context

    return getattr(context.context(), "_rng", None)


@contextlib.contextmanager
def functions_run_eagerly(called: Any = None) -> Iterator[None]:
    """While open, every tf.function is a plain Python function, `called` and methods as they were written.

    A method that was traced before would run what AutoGraph made of it: slower, and in lines of no file of the user's.
    """
    import tensorflow
    from tensorflow.python.eager.polymorphic_function import polymorphic_function

    before = tensorflow.config.functions_run_eagerly()
    bind = polymorphic_function.Function.__get__
    converted: list[tuple[Any, Any]] = []

    def as_written(function: Any) -> None:
        wrapper: Any = getattr(function, "_python_function", None)
        original = getattr(wrapper, "__original_wrapped__", None)
        if original is not None and wrapper.__wrapped__ is not original:
            converted.append((wrapper, wrapper.__wrapped__))
            wrapper.__wrapped__ = original

    def observed_bind(self: Any, *args: Any) -> Any:
        function = bind(self, *args)
        as_written(function)
        return function

    as_written(called)
    polymorphic_function.Function.__get__ = observed_bind
    tensorflow.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tensorflow.config.run_functions_eagerly(before)
        polymorphic_function.Function.__get__ = bind
        for wrapper, wrapped in converted:
            wrapper.__wrapped__ = wrapped


@contextlib.contextmanager
def observed_eager_ops(observer: Callable[..., None]) -> Iterator[None]:
    """While open, call `observer(op_type, inputs, attrs, outputs, op_name, graph)` for each op of this thread.

    Callbacks belong to threads, so threads that start meanwhile are given it too; `graph` is None for an eager op. The
    profile hook of a new thread is the one public way into it before it runs anything.
    """
    from tensorflow.python.framework import op_callbacks

    def begin(*_: Any) -> None:
        sys.setprofile(None)
        op_callbacks.add_op_callback(observer)

    before = threading.getprofile()
    op_callbacks.add_op_callback(observer)
    threading.setprofile(begin)
    try:
        yield
    finally:
        threading.setprofile(before)
        op_callbacks.remove_op_callback(observer)


def next_tensor_id() -> int:
    """The number that is given to the next eager tensor; every later tensor has a larger one."""
    from tensorflow.python.framework import ops

    return int(ops.uid()) + 1


def variable_names() -> dict[int, str]:
    """The name of every variable that is alive, by its handle's tensor number; a Keras variable's path.

    An eager handle knows no name, and only Python's garbage collector knows all variables.
    """
    from tensorflow.python.ops import resource_variable_ops

    names: dict[int, str] = {}
    paths: dict[int, str] = {}
    for found in gc.get_objects():
        kind = type(found)
        if issubclass(kind, resource_variable_ops.BaseResourceVariable):
            with contextlib.suppress(Exception):
                names[found.handle._id] = str(found.name).removesuffix(":0")
        elif kind.__name__ == "Variable" and kind.__module__.startswith("keras."):
            with contextlib.suppress(Exception):
                paths.update({handle._id: str(found.path) for handle in handles_of(found)})
    return {**names, **paths}


def wait_for_devices() -> Callable[[], None]:
    """What to call for kernels to end that devices still run; on CPUs an eager call has ended when it returns."""
    import tensorflow

    others = [device for device in tensorflow.config.list_logical_devices() if device.device_type != "CPU"]
    if not others:
        return lambda: None
    return cast("Callable[[], None]", tensorflow.test.experimental.sync_devices)


def leaves_with_paths(value: Any) -> list[tuple[tuple[str, ...], Any]]:
    """The leaves of a nested structure, each with the words that lead to it."""
    from tensorflow.python.util import nest

    return [
        (tuple(str(step) for step in path), leaf)
        for path, leaf in nest.flatten_with_tuple_paths(value, expand_composites=True)
    ]


def op_attrs(op_type: str, attrs: tuple[Any, ...]) -> dict[str, AttrValue]:
    """The attrs that an op callback was given, name and value in turns, as plain data; None stands for a default."""
    definition = tensorflow_internals.op_def_of(op_type)
    kinds = {} if definition is None else {attr.name: attr.type for attr in definition.attr}
    return {
        str(name): _attr_value(kinds.get(name, ""), value)
        for name, value in zip(attrs[::2], attrs[1::2], strict=False)
        if value is not None
    }


def _attr_value(kind: str, value: Any) -> AttrValue:
    if isinstance(value, list | tuple):
        inner = kind.removeprefix("list(").removesuffix(")") if kind.startswith("list(") else ""
        if kind != "shape":
            return [_attr_scalar(inner, item) for item in value[:MAX_ITEMS]]
        return f"[{','.join('?' if size is None else str(size) for size in value)}]"
    return _attr_scalar(kind, value)


def _attr_scalar(kind: str, value: Any) -> AttrScalar:
    if kind == "type":
        return tensorflow_internals.dtype_name(int(getattr(value, "as_datatype_enum", value)))
    if isinstance(value, bytes):
        return value[:MAX_TEXT].decode("utf-8", "backslashreplace")
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:MAX_TEXT]
