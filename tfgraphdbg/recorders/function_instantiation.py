"""Lets the runtime prepare a function for a call (inline, lower, optimize, partition) that then never runs.

TensorFlow looks at a call's cancellation manager after it has prepared the function and before it runs it: a call that
was cancelled beforehand ends there. Seen on TensorFlow 2.16.2, 2.18.1 and 2.21.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec


class HandleSpec(msgspec.Struct, frozen=True, array_like=True):
    """What a resource holds, such as a variable's value; `shape` is None for unknown rank."""

    dtype: int
    shape: tuple[int | None, ...] | None


class ArgumentSpec(msgspec.Struct, frozen=True, array_like=True):
    """All that the runtime asks of an argument when it prepares a call; `dtype` is TensorFlow's number of it."""

    dtype: int
    device: str
    holds: HandleSpec | None = None


class CallSpec(msgspec.Struct, frozen=True, array_like=True):
    """One call, as the runtime is asked for it: everything that decides what it prepares."""

    name: str
    definition: bytes
    """The FunctionDef."""
    arguments: tuple[ArgumentSpec, ...]
    config: bytes
    """The ConfigProto, with the options of the optimizer that were in force."""
    executor: str
    device: str
    """The device scope around the call; empty for none."""


def call_spec(atomic: Any, tensors: Sequence[Any]) -> CallSpec:
    """The call of an AtomicFunction that this thread has just made with these tensors."""
    from tensorflow.python.eager import context

    definition = atomic.cached_definition
    options = context.context().function_call_options.as_attrs()
    dtypes = [argument.type for argument in definition.signature.input_arg]
    arguments = tuple([_argument(tensor, dtype) for tensor, dtype in zip(tensors, dtypes, strict=True)])
    return CallSpec(
        definition.signature.name,
        definition.SerializeToString(),
        arguments,
        options["config_proto"],
        options["executor_type"],
        context.context().device_name or "",
    )


def _argument(tensor: Any, dtype: int) -> ArgumentSpec:
    handle = getattr(tensor, "_handle_data", None)
    holds = None
    if handle is not None and handle.is_set and handle.shape_and_type:
        first = handle.shape_and_type[0]
        sizes = tuple([None if dim.size < 0 else int(dim.size) for dim in first.shape.dim])
        holds = HandleSpec(first.dtype, None if first.shape.unknown_rank else sizes)
    return ArgumentSpec(dtype, str(getattr(tensor, "device", "") or ""), holds)


def prepare(call: CallSpec, library: Sequence[bytes]) -> None:
    """Let the runtime of this process prepare a call, without running any of it; `library` are FunctionDefs.

    Raises what TensorFlow raises for a function that it cannot prepare.
    """
    import tensorflow
    from tensorflow.core.framework import function_pb2
    from tensorflow.python.eager import cancellation, context, execute

    eager_context = context.context()
    for definition in (*library, call.definition):
        eager_context.add_function_def(function_pb2.FunctionDef.FromString(definition))
    outputs = len(function_pb2.FunctionDef.FromString(call.definition).signature.output_arg)
    cancelled = cancellation.CancellationManager()
    cancelled.start_cancel()
    inputs = [_stand_in(argument) for argument in call.arguments]
    attrs = ("executor_type", call.executor, "config_proto", call.config)
    try:
        with tensorflow.device(call.device or None):
            execute.execute_with_cancellation(call.name, outputs, inputs, attrs, eager_context, cancelled)
    except tensorflow.errors.CancelledError:
        return
    raise RuntimeError("TensorFlow ran a call that was cancelled beforehand")


def _stand_in(argument: ArgumentSpec) -> Any:
    """A tensor of the same dtype on the same device: the runtime asks neither for values nor, but of resources, shapes.

    A stand-in for a variable is a handle without a value.
    """
    import tensorflow as tf

    dtype = tf.dtypes.as_dtype(argument.dtype)
    with tf.device(argument.device or None):
        if dtype == tf.variant:
            return tf.raw_ops.EmptyTensorList(
                element_shape=tf.constant([], tf.int32), max_num_elements=-1, element_dtype=tf.float32
            )
        if dtype != tf.resource:
            return tf.zeros([], dtype)
        if argument.holds is None:
            return tf.raw_ops.HashTableV2(key_dtype=tf.int64, value_dtype=tf.int64)
        shape = tf.TensorShape(argument.holds.shape)
        return tf.raw_ops.VarHandleOp(dtype=tf.dtypes.as_dtype(argument.holds.dtype), shape=shape)
