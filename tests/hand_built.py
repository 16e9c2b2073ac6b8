"""Recordings built by hand, without TensorFlow: what tests of everything right of the recorder start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfgraphdbg.graph_model import GraphModel, OpNode, OutputInfo
from tfgraphdbg.recording import (
    META_PART,
    SOURCES_PART,
    STACKS_PART,
    DeviceInfo,
    Frame,
    GraphPart,
    MissingEvidence,
    Recording,
    RecordingMeta,
    StackTable,
    Stage,
    TargetInfo,
    Tracing,
    graph_part,
    raw_part,
)
from tfgraphdbg.recording_file import MemoryParts, encode_part, pack_bytes

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"

HOSTILE_NAMES = ("<&>\"'", "[red]bold[/red]", "two\nlines", "emoji🦊and\u202ertl", "n" * 600, "=1+1", "a/\x1b[31m/b")

SOURCE = """import tensorflow as tf


@tf.function
def train_step(x, y):
    prediction = tf.nn.relu(x @ weights)
    loss = tf.reduce_mean((prediction - y) ** 2)
    return loss
"""

STACKS = StackTable(
    frames=(
        Frame("/home/user/model.py", 20, "<module>", "train_step(x, y)"),
        Frame("/home/user/model.py", 6, "train_step", "prediction = tf.nn.relu(x @ weights)"),
        Frame("/home/user/model.py", 7, "train_step", "loss = tf.reduce_mean((prediction - y) ** 2)"),
        Frame(
            "/lib/tensorflow/python/ops/math_ops.py", 99, "matmul", "return gen_math_ops.mat_mul(a, b)", library=True
        ),
    ),
    stacks=((0, 1, 3), (0, 1), (0, 2)),
)

MATRIX = OutputInfo("float32", (32, 10))
SCALAR = OutputInfo("float32", ())


def small_traced() -> GraphModel:
    """One dense layer and its loss, with a nested library function and a control edge."""
    ops = (
        OpNode("x", "Placeholder", outputs=(OutputInfo("float32", (32, 784)),), attrs=0),
        OpNode("weights", "Placeholder", outputs=(OutputInfo("resource", ()),)),
        OpNode(
            "dense/MatMul/ReadVariableOp", "ReadVariableOp", ("weights",), outputs=(OutputInfo("float32", (784, 10)),)
        ),
        OpNode("dense/MatMul", "MatMul", ("x", "dense/MatMul/ReadVariableOp"), "", 1, (MATRIX,), 0),
        OpNode("dense/Relu", "Relu", ("dense/MatMul",), outputs=(MATRIX,), stack=1),
        OpNode("y", "Placeholder", outputs=(MATRIX,), attrs=0),
        OpNode("sub", "Sub", ("dense/Relu", "y"), outputs=(MATRIX,), stack=2),
        OpNode("pow/y", "Const", outputs=(SCALAR,), attrs=2, stack=2),
        OpNode("pow", "Pow", ("sub", "pow/y"), outputs=(MATRIX,), stack=2),
        OpNode("Const", "Const", outputs=(OutputInfo("int32", (2,)),), stack=2),
        OpNode("Mean", "Mean", ("pow", "Const"), outputs=(SCALAR,), stack=2),
        OpNode("PartitionedCall", "PartitionedCall", ("Mean",), outputs=(SCALAR,), attrs=3, stack=2),
        OpNode("NoOp", "NoOp", ("^dense/MatMul/ReadVariableOp",)),
        OpNode("Identity", "Identity", ("PartitionedCall", "^NoOp"), outputs=(SCALAR,), stack=2),
        OpNode("a", "Placeholder", outputs=(SCALAR,), function="__inference_scale_9"),
        OpNode("mul/y", "Const", outputs=(SCALAR,), function="__inference_scale_9", stack=2),
        OpNode("mul", "Mul", ("a", "mul/y"), outputs=(SCALAR,), function="__inference_scale_9", stack=2),
    )
    attr_sets = (
        {"dtype": "float32", "_user_specified_name": "x"},
        {"T": "float32", "transpose_a": False, "transpose_b": False},
        {"dtype": "float32", "value": "2.0"},
        {"f": "__inference_scale_9"},
    )
    return GraphModel("__inference_train_step_12", "traced", ops, attr_sets, ("__inference_scale_9",))


def small_optimized() -> GraphModel:
    """`small_traced` after Grappler: matmul and relu fused, the call inlined, pow rewritten to square."""
    scale = "__inference_scale_9::"
    ops = (
        OpNode("x", "_Arg", device=CPU, outputs=(OutputInfo("float32", (32, 784)),), origins=("x",)),
        OpNode("weights", "_Arg", device=CPU, outputs=(OutputInfo("resource", ()),), origins=("weights",)),
        OpNode("y", "_Arg", device=CPU, outputs=(MATRIX,), origins=("y",)),
        OpNode(
            "dense/MatMul/ReadVariableOp",
            "ReadVariableOp",
            ("weights",),
            CPU,
            outputs=(OutputInfo("float32", (784, 10)),),
            origins=("dense/MatMul/ReadVariableOp",),
        ),
        OpNode(
            "dense/Relu",
            "_FusedMatMul",
            ("x", "dense/MatMul/ReadVariableOp"),
            CPU,
            0,
            (MATRIX,),
            1,
            origins=("dense/Relu",),
        ),
        OpNode("sub", "Sub", ("dense/Relu", "y"), CPU, outputs=(MATRIX,), stack=2, origins=("sub",)),
        OpNode("pow", "Square", ("sub",), CPU, outputs=(MATRIX,), stack=2, origins=("pow",)),
        OpNode("Const", "Const", (), CPU, outputs=(OutputInfo("int32", (2,)),), stack=2, origins=("Const",)),
        OpNode("Mean", "Mean", ("pow", "Const"), CPU, outputs=(SCALAR,), stack=2, origins=("Mean",)),
        OpNode("PartitionedCall/mul/y", "Const", (), CPU, outputs=(SCALAR,), stack=2, origins=(scale + "mul/y",)),
        OpNode(
            "PartitionedCall/mul",
            "Mul",
            ("Mean", "PartitionedCall/mul/y"),
            CPU,
            outputs=(SCALAR,),
            stack=2,
            origins=(scale + "mul",),
        ),
        OpNode("identity_RetVal", "_Retval", ("PartitionedCall/mul", "^dense/MatMul/ReadVariableOp"), CPU),
    )
    return GraphModel("__inference_train_step_12", "optimized", ops, ({"fused_ops": ["Relu"], "T": "float32"},))


def hostile_graph() -> GraphModel:
    """A chain of ops whose names try to break every output format."""
    ops = tuple(
        OpNode(name, "Relu", (HOSTILE_NAMES[place - 1],) if place else (), outputs=(MATRIX,), stack=place % 3)
        for place, name in enumerate(HOSTILE_NAMES)
    )
    return GraphModel("hostile", "traced", ops, ({"value": "<script>alert(1)</script>"},))


def stage_of(graph: GraphModel, raw_bytes: int = 0) -> Stage:
    """The counts of a graph, as a recorder writes them."""
    top = graph.top_level_ops
    return Stage(
        graph.stage,
        ops=len(top),
        edges=sum(len(op.inputs) for op in top),
        functions=len(graph.functions),
        function_ops=len(graph.ops) - len(top),
        bytes=raw_bytes,
    )


def packed_recording(
    graphs: Sequence[GraphModel],
    name: str = "model.py:train_step",
    stacks: StackTable = STACKS,
    sources: Mapping[str, str] | None = None,
    missing: tuple[MissingEvidence, ...] = (),
) -> dict[str, bytes]:
    """The parts of a recording of one tracing with these graphs as stages, ready for `recording_file.save`."""
    raw = b"not a real GraphDef"
    tracing = Tracing(
        index=0,
        function="train_step",
        concrete_function="__inference_train_step_12",
        signature="(x: TensorSpec(shape=(32, 784), dtype=tf.float32), y: TensorSpec(shape=(32, 10), dtype=tf.float32))",
        file="/home/user/model.py",
        line=5,
        stages=tuple(stage_of(graph, len(raw)) for graph in graphs),
        trace_ms=12.5,
        first_run_ms=8.25,
        calls=3,
        run_ms=9.0,
    )
    meta = RecordingMeta(
        target=TargetInfo(name, "function", ("train_step_inputs()",)),
        tfgraphdbg="0.1.0",
        created="2026-01-02T03:04:05Z",
        versions={"tensorflow": "2.21.0", "python": "3.11.7", "keras": "3.15.1"},
        devices=(DeviceInfo("CPU:0", "CPU"),),
        options={"grappler": {"constant_folding": "default"}, "execution": {"jit_compile": "False"}},
        tracings=(tracing,),
        main_tracing=0,
        phases_ms={"trace": 12.5, "first run": 8.25},
        missing=missing,
    )
    packed = {
        META_PART: encode_part(meta),
        STACKS_PART: encode_part(stacks),
        SOURCES_PART: encode_part({"/home/user/model.py": SOURCE} if sources is None else dict(sources)),
        "log.txt": b"I0000 meta_optimizer.cc:973] constant_folding\n",
        "console.txt": b"loss 0.5\n",
    }
    for graph in graphs:
        part = GraphPart(graph.name, graph.stage, graph.ops, graph.attr_sets, graph.functions)
        packed[graph_part(0, graph.stage)] = encode_part(part)
        packed[raw_part(0, graph.stage)] = pack_bytes(raw)
    return packed


def recording_of(packed: dict[str, bytes]) -> Recording:
    """A recording in memory from its parts."""
    import msgspec
    import zstandard

    raw_meta = zstandard.ZstdDecompressor().decompress(packed[META_PART])
    return Recording(msgspec.msgpack.decode(raw_meta, type=RecordingMeta), MemoryParts(packed))


def small_recording() -> Recording:
    """A train step with its traced and its optimized graph."""
    return recording_of(packed_recording([small_traced(), small_optimized()]))
