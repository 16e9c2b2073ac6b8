"""Kernels of our own for calls that only measure: those of seeded random ops hold how far they have drawn.

The runtime keeps one set of kernels for each function and each ConfigProto that it is called with.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from tfgraphdbg.recorders import tensorflow_internals


def config_of_calls() -> bytes:
    """The serialized ConfigProto that functions are called with now."""
    from tensorflow.python.eager import context

    return bytes(context.context().function_call_options.config_proto_serialized)


def draws_from_seeds(concrete_functions: Iterable[Any]) -> bool:
    """Whether a random op in these graphs has a seed, so that its next values depend on how often it ran."""
    for concrete in concrete_functions:
        for graph in (concrete.graph, *tensorflow_internals.library_graphs(concrete.graph).values()):
            if any(_has_seed(op) for op in graph.get_operations()):
                return True
    return False


def _has_seed(op: Any) -> bool:
    attrs = op.node_def.attr
    return bool(op.op_def.is_stateful) and any(attrs[name].i for name in ("seed", "seed2") if name in attrs)


@contextlib.contextmanager
def functions_called_with(config: bytes, own_kernels: bool) -> Iterator[None]:
    """While open, functions are called on this thread with this ConfigProto, and if wanted with kernels of our own."""
    from tensorflow.core.protobuf import config_pb2
    from tensorflow.python.eager import context

    # No function looks at this field: it only tells one set of kernels from another.
    proto = config_pb2.ConfigProto.FromString(config)
    proto.graph_options.timeline_step += int(own_kernels)
    runtime = context.context()
    before = runtime.function_call_options
    runtime.function_call_options = context.FunctionCallOptions(before.executor_type, proto)
    try:
        yield
    finally:
        runtime.function_call_options = before


@contextlib.contextmanager
def own_eager_seed() -> Iterator[None]:
    """While open, eager random ops have another seed of `set_seed`, and with it kernels of their own."""
    from tensorflow.python.eager import context

    runtime = context.context()
    seed = getattr(runtime, "_seed", None)
    if seed is None:
        yield
        return
    # Not by set_seed, which clears all kernels.
    runtime._seed = seed ^ 0x5EED
    try:
        yield
    finally:
        runtime._seed = seed
