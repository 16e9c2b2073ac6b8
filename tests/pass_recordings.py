"""Recordings with Grappler's passes, built by hand: the graph after each pass as text."""

from __future__ import annotations

import msgspec

from tests.graph_text import graph_of
from tests.hand_built import packed_recording
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.recording import META_PART, Recording, RecordingMeta, rewrites_part
from tfgraphdbg.recording_file import MemoryParts, decode_part, encode_part
from tfgraphdbg.rewrites import RewriteHistory, RewritePart, RewriteStep

TRACED = """
    x = Placeholder -> float32[8,4]
    w/resource = Placeholder
    bias = Const stack 1
    dense/MatMul = MatMul(x, w/resource) stack 1
    dense/BiasAdd = BiasAdd(dense/MatMul, bias) stack 1
    dense/Relu = Relu(dense/BiasAdd) stack 1
    two = Const stack 2
    two_1 = Const stack 2
    four = Add(two, two_1) stack 2
    mul = Mul(dense/Relu, four) stack 2
    PartitionedCall = PartitionedCall(mul) stack 2
    NoOp = NoOp(^dense/MatMul)
    Identity = Identity(PartitionedCall, ^NoOp) stack 2
    [scale]
    a = Placeholder
    half = Const stack 2
    sq = Mul(a, half) stack 2
    [stays]
    s = Placeholder
    one = Const stack 2
    one_1 = Const stack 2
    sum = Add(one, one_1) stack 2
    out = Add(s, sum) stack 2
"""

LOWERED = """
    x = _Arg from x
    w_resource = _Arg from w/resource
    bias = Const stack 1 from bias
    dense/MatMul = MatMul(x, w_resource) stack 1 from dense/MatMul
    dense/BiasAdd = BiasAdd(dense/MatMul, bias) stack 1 from dense/BiasAdd
    dense/Relu = Relu(dense/BiasAdd) stack 1 from dense/Relu
    two = Const stack 2 from two
    two_1 = Const stack 2 from two_1
    four = Add(two, two_1) stack 2 from four
    mul = Mul(dense/Relu, four) stack 2 from mul
    PartitionedCall/half = Const stack 2 from scale::half
    PartitionedCall/sq = Mul(mul, PartitionedCall/half) stack 2 from scale::sq
    NoOp = NoOp(^dense/MatMul) from NoOp
    Identity = Identity(PartitionedCall/sq, ^NoOp) stack 2 from Identity
    Identity_RetVal = _Retval(Identity)
    [stays]
    s = Placeholder
    one = Const stack 2
    one_1 = Const stack 2
    sum = Add(one, one_1) stack 2
    out = Add(s, sum) stack 2
"""


def _edited(text: str, *edits: tuple[str, str]) -> str:
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after)
    return text


MERGED = _edited(
    LOWERED,
    ("    two_1 = Const stack 2 from two_1\n", ""),
    ("Add(two, two_1) stack 2 from", "Add(two, two) stack 2 from"),
)
FOLDED = _edited(
    MERGED,
    ("    two = Const stack 2 from two\n", ""),
    ("four = Add(two, two)", "four = Const"),
)
FUSED = _edited(
    FOLDED,
    ("    dense/MatMul = MatMul(x, w_resource) stack 1 from dense/MatMul\n", ""),
    ("    dense/BiasAdd = BiasAdd(dense/MatMul, bias) stack 1 from dense/BiasAdd\n", ""),
    ("dense/Relu = Relu(dense/BiasAdd)", "dense/Relu = _FusedMatMul(x, w_resource, bias)"),
    ("NoOp = NoOp(^dense/MatMul)", "NoOp = NoOp(^dense/Relu)"),
)
CLEANED = _edited(
    FUSED,
    ("    NoOp = NoOp(^dense/Relu) from NoOp\n", ""),
    ("    Identity = Identity(PartitionedCall/sq, ^NoOp) stack 2 from Identity\n", ""),
    ("_Retval(Identity)", "_Retval(PartitionedCall/sq)"),
)
SQUARED = _edited(
    CLEANED,
    ("    PartitionedCall/half = Const stack 2 from scale::half\n", ""),
    (
        "PartitionedCall/sq = Mul(mul, PartitionedCall/half) stack 2 from scale::sq",
        "ArithmeticOptimizer/Halve_sq = Square(mul)",
    ),
    ("_Retval(PartitionedCall/sq)", "_Retval(ArithmeticOptimizer/Halve_sq)"),
)

STEPS = (
    ("model_pruner", 1, 0.2, LOWERED),
    ("common_subgraph_elimination", 1, 0.5, MERGED),
    ("constant_folding", 1, 1.5, FOLDED),
    ("layout", 1, None, FOLDED),
    ("remapper", 1, 0.25, FUSED),
    ("dependency_optimizer", 1, 0.125, CLEANED),
    ("arithmetic_optimizer", 2, 0.75, SQUARED),
)

STAYS_GIVEN = """
    s = _Arg
    one = Const stack 2
    one_1 = Const stack 2
    sum = Add(one, one_1) stack 2
    out = Add(s, sum) stack 2
"""
STAYS_MERGED = _edited(STAYS_GIVEN, ("    one_1 = Const stack 2\n", ""), ("Add(one, one_1)", "Add(one, one)"))


def own_ops(text: str) -> dict[str, OpNode]:
    """The ops of a graph itself, by name."""
    return {op.name: op for op in graph_of(text).top_level_ops}


def step_between(name: str, iteration: int, ms: float | None, before: str, after: str) -> RewriteStep:
    """The edit that makes one graph of another."""
    was, now = own_ops(before), own_ops(after)
    return RewriteStep(
        name,
        iteration,
        tuple(name for name in was if name not in now),
        tuple(op for name, op in now.items() if name not in was),
        tuple(op for name, op in now.items() if name in was and was[name] != op),
        len(now),
        ms,
        "log" if ms is not None else "",
    )


def own_history() -> RewriteHistory:
    """What Grappler did to the graph itself."""
    texts = [LOWERED, *(text for *_, text in STEPS)]
    steps = (step_between(*step[:3], before, step[3]) for step, before in zip(STEPS, texts[:-1], strict=True))
    return RewriteHistory("__inference_train_step_12", "", tuple(steps), difference="")


def called_history() -> RewriteHistory:
    """What it did to a library function that stayed a call."""
    steps = (
        step_between("common_subgraph_elimination", 1, 0.1, STAYS_GIVEN, STAYS_MERGED),
        step_between("remapper", 1, 0.1, STAYS_MERGED, STAYS_MERGED),
    )
    first = tuple(msgspec.structs.replace(op, function="stays") for op in own_ops(STAYS_GIVEN).values())
    return RewriteHistory("stays", "stays", steps, first_ops=first)


def optimized() -> GraphModel:
    """The graph that ran."""
    graph = graph_of(SQUARED, "optimized")
    return msgspec.structs.replace(graph, functions=("stays",))


def packed_with_passes(histories: tuple[RewriteHistory, ...] | None = None) -> dict[str, bytes]:
    """The parts of a recording of a train step with its passes."""
    graphs = [graph_of(TRACED, "traced"), graph_of(LOWERED, "lowered"), optimized()]
    packed = packed_recording(graphs)
    packed[rewrites_part(0)] = encode_part(RewritePart(histories or (own_history(), called_history())))
    return packed


def recording_with_passes(histories: tuple[RewriteHistory, ...] | None = None) -> Recording:
    """A train step of which it was recorded what each Grappler pass did."""
    packed = packed_with_passes(histories)
    return Recording(decode_part(packed[META_PART], RecordingMeta, "meta"), MemoryParts(packed))
