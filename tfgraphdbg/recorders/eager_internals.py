"""Private TensorFlow APIs of eager runs and of variables, each behind a function named for what it gives.

Seen on TensorFlow 2.16.2, 2.18.1 and 2.21.0. Import this only after TensorFlow has been imported by the user's program.
"""

from __future__ import annotations

from typing import Any, NamedTuple


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
