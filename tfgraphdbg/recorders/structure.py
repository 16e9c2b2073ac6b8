"""Records the structure of one concrete function: its traced graph, then what the runtime made of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from tfgraphdbg.graph_model import GraphModel, op_id
from tfgraphdbg.recorders import tensorflow_internals
from tfgraphdbg.recorders.cost_model import record_estimates
from tfgraphdbg.recorders.graph_defs import OpFacts, graph_part_of
from tfgraphdbg.recorders.grappler_dumps import GrapplerDumps
from tfgraphdbg.recorders.grappler_passes import miss_passes, record_lowered, record_passes
from tfgraphdbg.recorders.missed_chances import record_chances
from tfgraphdbg.recorders.mixed_graphs import own_graphs
from tfgraphdbg.recorders.op_origins import InheritedFacts, TracedFacts
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recorders.replayed_passes import Replays
from tfgraphdbg.recorders.tensorflow_internals import FunctionGraphs
from tfgraphdbg.recording import GraphPart


class Run(NamedTuple):
    """What was seen of the first run of a concrete function."""

    atomic: Any
    """The AtomicFunction that ran."""
    concrete: Any | None
    """A weak reference to its ConcreteFunction; None when it was traced before we watched."""
    tensors: tuple[Any, ...]
    graphs: list[FunctionGraphs]


def record_traced(writer: RecordingWriter, index: int, func_graph: Any) -> GraphModel:
    """Write the traced graph with its library functions, output shapes and Python stacks."""
    libraries = tensorflow_internals.library_graphs(func_graph)
    tracing = writer.tracing(index)
    definition = (tracing.file, tracing.line, tracing.function) if tracing.file else None
    tracebacks = (
        (op_id(function, op.name), op.traceback)
        for function, graph in (("", func_graph), *libraries.items())
        for op in graph.get_operations()
    )
    stacks = writer.stacks.indices_of(tracebacks, definition)
    raw = func_graph.as_graph_def().SerializeToString()
    with_shapes = func_graph.as_graph_def(add_shapes=True)
    bodies = {name: graph.as_graph_def(add_shapes=True) for name, graph in libraries.items()}
    part = graph_part_of(with_shapes, tracing.concrete_function, "traced", TracedFacts(stacks), bodies)
    writer.add_graph(index, part, raw)
    return GraphModel(part.name, part.stage, part.ops, part.attr_sets, part.functions)


PassSource = GrapplerDumps | Replays | None
"""Where what Grappler did is known from: the dumps of the run itself, or a replay of it at the end; None: nowhere."""


def record_run(writer: RecordingWriter, index: int, traced: GraphModel, run: Run, passes: PassSource) -> None:
    """Write every later stage of a first run: the runtime's graphs, or XLA's HLO for a `jit_compile` function."""
    func_graph = run.atomic.graph
    libraries = tensorflow_internals.library_graphs(func_graph)
    arguments = {
        name: [tensor.op.name for tensor in graph.inputs] for name, graph in (("", func_graph), *libraries.items())
    }
    compiled = tensorflow_internals.must_compile(run.atomic.cached_definition)
    if compiled:
        writer.change_tracing(index, jit_compile=True)
        _record_hlo(writer, index, run)
    chosen = _graphs_of(traced, run.graphs)
    if chosen is not None:
        dumps = passes if isinstance(passes, GrapplerDumps) else None
        _record_stages(writer, index, chosen, InheritedFacts(traced, arguments), dumps)
        if isinstance(passes, Replays):
            passes.add(index, run.atomic, run.tensors, arguments)
        elif passes is None:
            miss_passes(writer, index, _NOT_ASKED)
    elif not compiled:
        mixed = any(entry.partitions for entry in run.graphs)
        writer.miss("stage-optimized", (_MIXED if mixed else _NOT_SEEN).format(writer.tracing(index).function))


_NOT_SEEN = "the first run of {} gave no graphs: it ran before recording began, or failed"

_MIXED = (
    "the graphs of {} came out mixed with those of other functions or ops that began while it first ran, in another "
    "thread or in a tf.py_function of its own"
)


_NOT_ASKED = (
    "TensorFlow was imported before recording began, so that its dumps could not be switched on, and a replay in "
    "another process was not asked for"
)


def _graphs_of(traced: GraphModel, graphs: list[FunctionGraphs]) -> FunctionGraphs | None:
    """The entry of this function: a run may instantiate others too, whose nodes have other names."""

    def shared_names(entry: FunctionGraphs) -> int:
        return sum(node.name in traced.by_id for node in entry.pre_optimization.node)

    # What ran beside this one, or inside it in a `tf.py_function`, leaves its nodes in the same entry.
    complete = [own for entry in graphs if (own := own_graphs(entry)) is not None]
    return max(complete, key=shared_names, default=None)


def _record_stages(
    writer: RecordingWriter, index: int, graphs: FunctionGraphs, facts: OpFacts, dumps: GrapplerDumps | None
) -> None:
    _add(writer, index, graphs.pre_optimization, "pre-optimization", facts)
    edits = dumps.edits_of(writer.tracing(index).concrete_function) if dumps else None
    lowered = None if edits is None else record_lowered(writer, index, edits, facts)
    optimized = _add(writer, index, graphs.optimized, "optimized", facts)
    if lowered is not None and dumps is not None:
        record_passes(writer, index, lowered, optimized, dumps)
    graph = _graph_of(optimized)
    record_estimates(writer, index, graph, graphs.optimized)
    record_chances(writer, index, graph, None if lowered is None else _graph_of(lowered.part), graphs.optimized)
    for number, partition in enumerate(graphs.partitions):
        device = next((node.device for node in partition.node if node.device), "")
        _add(writer, index, partition, f"partition:{number}", facts, device)


def _graph_of(part: GraphPart) -> GraphModel:
    return GraphModel(part.name, part.stage, part.ops, part.attr_sets, part.functions)


def _add(
    writer: RecordingWriter, index: int, graph_def: Any, stage: str, facts: OpFacts, device: str = ""
) -> GraphPart:
    part: GraphPart = graph_part_of(graph_def, writer.tracing(index).concrete_function, stage, facts)
    writer.add_graph(index, part, graph_def.SerializeToString(), device)
    return part


def _record_hlo(writer: RecordingWriter, index: int, run: Run) -> None:
    alive = run.concrete() if run.concrete is not None else None
    if alive is None:
        writer.miss("stage-hlo", "the concrete function was traced before recording began")
        return
    for stage, name in (("hlo", "hlo"), ("optimized-hlo", "optimized_hlo")):
        try:
            writer.add_text(index, stage, tensorflow_internals.hlo_of(alive, run.tensors, name))
        except Exception as error:
            # XLA refuses what it cannot compile with errors of many kinds; the run itself was fine.
            writer.miss(f"stage-{stage}", f"XLA gave no text: {type(error).__name__}: {error}"[:500])
