"""Private TensorFlow APIs, each behind a function named for what it gives; `tracing_internals` has those of tracing.

Seen on TensorFlow 2.16.2 and 2.21.0. Import this only after TensorFlow has been imported by the user's program.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Tracer = Callable[..., Any]
TraceObserver = Callable[[Tracer, tuple[Any, ...], dict[str, Any]], Any]
RunObserver = Callable[[Callable[[], Any], Any, tuple[Any, ...]], Any]


class FunctionGraphs(NamedTuple):
    """The GraphDefs of one concrete function's first run, as the runtime made them."""

    pre_optimization: Any
    optimized: Any
    partitions: tuple[Any, ...]


@contextlib.contextmanager
def observed_functions(
    on_trace: TraceObserver, on_run: RunObserver
) -> Iterator[Callable[[], contextlib.AbstractContextManager[None]]]:
    """While open, route every tracing and every call of a concrete function through the observers.

    Yields what makes a context in which nothing is observed, at no cost to the calls in it.

    `on_trace(trace, args, kwargs)` must return `trace(*args, **kwargs)`, a ConcreteFunction; the tracing options are
    the last of the args. `on_run(run, atomic_function, tensors)` must return `run()`.
    """
    from tensorflow.python.eager.polymorphic_function import atomic_function, tracing_compilation

    trace = tracing_compilation._create_concrete_function
    run = atomic_function.AtomicFunction.call_flat

    def observed_trace(*args: Any, **kwargs: Any) -> Any:
        return on_trace(trace, args, kwargs)

    def observed_run(self: Any, *tensors: Any) -> Any:
        return on_run(lambda: run(self, *tensors), self, tensors)

    def route(trace_to: Any, run_to: Any) -> None:
        tracing_compilation._create_concrete_function = trace_to
        atomic_function.AtomicFunction.call_flat = run_to

    @contextlib.contextmanager
    def paused() -> Iterator[None]:
        route(trace, run)
        try:
            yield
        finally:
            route(observed_trace, observed_run)

    route(observed_trace, observed_run)
    try:
        yield paused
    finally:
        route(trace, run)


def raise_trace_level(level: int) -> bool:
    """Have the profiler's session that is under way tell more; whether that could be done.

    TensorFlow 2.21 reads the levels of a session as truth values and stays at its default of 2 ("host_tracer_level
    expects an i value"), whatever it is asked for. The level is a variable of its library, and ends with the session.
    """
    import ctypes
    import glob
    import os

    import tensorflow

    folder = os.path.dirname(tensorflow.__file__)
    for library in glob.glob(os.path.join(folder, "libtensorflow_framework.so.2")):
        try:
            variable = ctypes.c_int.in_dll(ctypes.CDLL(library), "_ZN3tsl8profiler8internal13g_trace_levelE")
        except (OSError, ValueError):
            continue
        if 0 < variable.value <= level:
            variable.value = level
            return True
    return False


def executing_eagerly() -> bool:
    """Whether this thread is outside every graph that is being traced."""
    from tensorflow.python.eager import context

    return bool(context.executing_eagerly())


@contextlib.contextmanager
def collected_graphs(into: list[FunctionGraphs]) -> Iterator[None]:
    """While open, the runtime keeps the graphs of each function that it instantiates; they are in `into` afterwards.

    Only a first run instantiates. Collection is one switch of the whole process: let one thread at a time use it.
    """
    from tensorflow.python.eager import context

    eager_context = context.context()
    eager_context.enable_graph_collection()
    failed = True
    try:
        yield
        failed = False
    finally:
        if failed:
            _flush_failed_run()
        collected = [
            FunctionGraphs(
                graphs.pre_optimization_graph, graphs.post_optimization_graph, tuple(graphs.partition_graphs)
            )
            for graphs in eager_context.export_run_metadata().function_graphs
        ]
        eager_context.disable_graph_collection()
        into.extend(_without_flush(collected) if failed else collected)


def _flush_failed_run() -> None:
    """A run that raises keeps its graphs back, and the next run would come out mixed with them: run a NoOp."""
    import tensorflow

    with contextlib.suppress(tensorflow.errors.OpError):
        tensorflow.raw_ops.NoOp()


def _without_flush(collected: list[FunctionGraphs]) -> list[FunctionGraphs]:
    """Take the NoOp out again: it comes last in both graphs, and as the last partition.

    It has an entry of its own where an op that a `tf.py_function` ran has brought the graphs out before.
    """
    if not collected or len(collected[-1].partitions) < 2:
        return collected[:-1]
    mixed = collected[-1]
    for graph_def in mixed[:2]:
        for place in range(len(graph_def.node) - 1, -1, -1):
            if graph_def.node[place].op == "NoOp":
                del graph_def.node[place]
                break
    return [*collected[:-1], FunctionGraphs(mixed.pre_optimization, mixed.optimized, mixed.partitions[:-1])]


def library_graphs(func_graph: Any) -> dict[str, Any]:
    """The FuncGraph of each library function that `func_graph` holds, nested ones too, by function name."""
    found: dict[str, Any] = {}
    waiting = [func_graph]
    while waiting:
        for name, function in getattr(waiting.pop(), "_functions", {}).items():
            body = getattr(function, "graph", None)
            name = name if isinstance(name, str) else name.decode()
            if body is not None and name not in found:
                found[name] = body
                waiting.append(body)
    return found


def python_function_of(polymorphic_function: Any) -> Any:
    """The function that the user wrote, from a `tf.function` or from what tracing was asked to call."""
    from tensorflow.python.util import tf_decorator

    inner = getattr(polymorphic_function, "python_function", polymorphic_function)
    return tf_decorator.unwrap(inner)[1]


def untraced_copy(polymorphic_function: Any) -> Any:
    """The same `tf.function` with the same options and no tracing yet; itself while it was never traced.

    A method's `tf.function` carries its object in its Python function, and so does the copy.
    """
    count = getattr(polymorphic_function, "experimental_get_tracing_count", int)()
    clone = getattr(polymorphic_function, "_clone", None)
    return clone(None) if count and clone is not None else polymorphic_function


def op_def_of(op_type: str) -> Any | None:
    """The registered OpDef, or None for an op that this TensorFlow does not know."""
    from tensorflow.python.framework import op_def_registry

    return op_def_registry.get(op_type)


def dtype_name(enum: int) -> str:
    """`float32` for `DT_FLOAT`; references get the suffix `_ref`."""
    from tensorflow.python.framework import dtypes

    try:
        return str(dtypes.as_dtype(enum).name) if enum else "invalid"
    except TypeError:
        return f"dtype {enum}"


def function_body_graph(function_def: Any) -> Any:
    """A FunctionDef as a GraphDef: its arguments become Placeholders and its inputs use GraphDef notation."""
    from tensorflow.python.framework import function_def_to_graph

    return function_def_to_graph.function_def_to_graph_def(function_def)[0]


def hlo_of(concrete_function: Any, tensors: tuple[Any, ...], stage: str) -> str:
    """XLA's HLO text (`hlo` or `optimized_hlo`) of a `jit_compile` concrete function for inputs like `tensors`."""
    from tensorflow.python.eager.polymorphic_function import compiler_ir
    from tensorflow.python.framework import tensor_spec

    captured = len(concrete_function.captured_inputs)
    arguments = tensors[: len(tensors) - captured] if captured else tensors
    specs = [tensor_spec.TensorSpec(tensor.shape, tensor.dtype) for tensor in arguments]
    generate = compiler_ir.from_concrete_function(concrete_function, specs or None)
    return str(generate(stage=stage))


def must_compile(definition: Any) -> bool:
    """Whether a FunctionDef asks XLA to compile it (`jit_compile=True`)."""
    return "_XlaMustCompile" in definition.attr and bool(definition.attr["_XlaMustCompile"].b)


def op_determinism() -> bool:
    """Whether `tf.config.experimental.enable_op_determinism` is on; TensorFlow offers no public reader."""
    from tensorflow.python.framework import config

    return bool(config.is_op_determinism_enabled())
