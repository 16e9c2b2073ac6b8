"""Eager ops found in the traced graph, case by case: `graph` is the traced graph, `ran` lists eager ops in order."""

from __future__ import annotations

import msgspec
import pytest

from tests.graph_text import graph_of
from tests.hand_built import small_recording
from tfgraphdbg.analyses.eager.match_keys import Places
from tfgraphdbg.analyses.eager.op_matches import match_ops
from tfgraphdbg.eager_run import EagerOp
from tfgraphdbg.recording import Frame, StackTable

USER, LIBRARY = "/home/user/model.py", "/lib/site-packages/tensorflow/python"

STACKS = StackTable(
    frames=(
        Frame(USER, 20, "<module>"),
        Frame(USER, 6, "train_step"),
        Frame(USER, 7, "train_step"),
        Frame(f"{LIBRARY}/ops/math_ops.py", 99, "matmul", library=True),
        Frame(f"{LIBRARY}/ops/math_ops.py", 120, "matmul", library=True),
        Frame(f"{LIBRARY}/autograph/operators/control_flow.py", 5, "for_stmt", library=True),
        Frame(f"{LIBRARY}/ops/math_grad.py", 50, "_MatMulGrad", library=True),
        Frame(USER, 30, "helper"),
        Frame("/home/user/other.py", 1, "main"),
    ),
    stacks=(
        (0, 1),
        (0, 2),
        (0, 1, 3),  # traced: one line of TensorFlow
        (8, 1, 4),  # eager: another line of it, and another caller
        (0, 1, 5, 2),  # traced: line 7 in a loop of line 6
        (0, 1, 6),
        (0, 1, 7),
        (0, 2, 7),
    ),
)


def ran(*words: str) -> list[EagerOp]:
    """`MatMul float32[2,4] 3`: op type, output (`-`: none) and stack."""
    ops = []
    for index, word in enumerate(words):
        op_type, output, stack = word.split()
        node = graph_of(f"op = {op_type}" + (f" -> {output}" if output != "-" else ""))
        ops.append(EagerOp(index, op_type, outputs=node.ops[0].outputs, stack=int(stack)))
    return ops


def matched(graph: str, eager: list[EagerOp], unused: frozenset[str] = frozenset()) -> list[str]:
    tracing = msgspec.structs.replace(small_recording().main_tracing, file=USER, function="train_step")
    found = match_ops(eager, graph_of(graph).ops, Places(STACKS, tracing), unused)
    return [found[op.index].traced if op.index in found else "-" for op in eager]


@pytest.mark.parametrize(
    ("title", "graph", "eager", "expected"),
    [
        (
            "the line decides between ops of one type",
            "b = Mul -> float32[2] stack 1\na = Mul -> float32[2] stack 0",
            ("Mul float32[2] 0", "Mul float32[2] 1"),
            ["a", "b"],
        ),
        (
            "ops of one line are in order, whatever other ops are between",
            "a = Mul -> float32[2] stack 1\nc = Const -> float32[] stack 1\nb = Mul -> float32[2] stack 1",
            ("Mul float32[2] 1", "Mul float32[2] 1"),
            ["a", "b"],
        ),
        (
            "an output that was not asked for is empty in the graph, and may be anything eagerly",
            "a = Svd -> float32[0] stack 1\nb = Svd -> float32[3] stack 2",
            ("Svd float32[] 1", "Svd float32[] 2"),
            ["a", "-"],
        ),
        (
            "the shape decides where the order differs",
            "a = MatMul -> float32[2,3] stack 5\nb = MatMul -> float32[3,2] stack 5",
            ("MatMul float32[3,2] 5", "MatMul float32[2,3] 5"),
            ["b", "a"],
        ),
        (
            "a size that the graph does not know may be any, and a wrong one is no match",
            "a = Relu -> float32[?,3] stack 1\nb = Relu -> float32[?,4] stack 1",
            ("Relu float32[2,4] 1", "Relu float32[2,3] 1", "Relu float32[2,5] 1"),
            ["b", "a", "-"],
        ),
        (
            "TensorFlow's own lines and the caller of the function do not matter",
            "a = MatMul -> float32[2,3] stack 2",
            ("MatMul float32[2,3] 3",),
            ["a"],
        ),
        (
            "a line in a loop is the line, whatever AutoGraph made of the loop",
            "other = Mul -> float32[2] stack 0\n[body]\na = Mul -> float32[2] stack 4",
            ("Mul float32[2] 1",) * 3,
            ["body::a"] * 3,
        ),
        (
            "each iteration runs the body's ops in turn",
            "[body]\na = Mul -> float32[2] stack 4\nb = Mul -> float32[2] stack 4",
            ("Mul float32[2] 1",) * 6,
            ["body::a", "body::b"] * 3,
        ),
        (
            "two bodies of one line run one after the other",
            "[first]\na = Mul -> float32[2] stack 4\n[second]\na = Mul -> float32[2] stack 4",
            ("Mul float32[2] 1",) * 4,
            ["first::a", "first::a", "second::a", "second::a"],
        ),
        (
            "calls of one helper from two lines go to the op of their own line",
            "b = Mul -> float32[2] stack 7\na = Mul -> float32[2] stack 6",
            ("Mul float32[2] 6", "Mul float32[2] 7"),
            ["a", "b"],
        ),
        (
            "a conversion of a Python number is a constant in the graph",
            "c = Const -> float32[] stack 1",
            ("_EagerConst - 1",),
            ["c"],
        ),
        (
            "a shape that tracing knows is a constant in the graph, after all real shapes",
            "c = Const -> int32[2] stack 1\ns = Shape -> int32[2] stack 1",
            ("Shape int32[2] 1", "Shape int32[2] 1"),
            ["s", "c"],
        ),
        (
            "without any place the same type and shape is a match, but not for a constant",
            "a = Relu -> float32[2] stack 0\nc = Const -> float32[2] stack 0",
            ("Relu float32[2] -1", "Const float32[2] -1"),
            ["a", "-"],
        ),
        (
            "an op of a type that the graph lacks is in no graph, and nor is one too many",
            "a = Relu -> float32[2] stack 0",
            ("Sum float32[2] 0", "Relu float32[2] 0", "Relu float32[2] 0"),
            ["-", "a", "-"],
        ),
        (
            "arguments are never what an op became",
            "x = Placeholder -> float32[2] stack 0",
            ("Placeholder float32[2] 0",),
            ["-"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "\n" not in value and "=" not in value else "",
)
def test_each_eager_op_is_found(title: str, graph: str, eager: tuple[str, ...], expected: list[str]) -> None:
    assert matched(graph, ran(*eager)) == expected, title


def test_a_copy_of_a_body_that_nothing_ran_of_is_left_alone() -> None:
    graph = "[copy]\na = Mul -> float32[2] stack 4\n[body]\na = Mul -> float32[2] stack 4"
    assert matched(graph, ran(*("Mul float32[2] 1",) * 4), frozenset({"copy"})) == ["body::a"] * 4


def test_what_has_no_other_partner_goes_to_a_copy() -> None:
    graph = "[copy]\na = Mul -> float32[2] stack 4"
    assert matched(graph, ran("Mul float32[2] 1"), frozenset({"copy"})) == ["copy::a"]


def test_the_place_is_exact_although_loops_and_callers_differ() -> None:
    tracing = msgspec.structs.replace(small_recording().main_tracing, file=USER, function="train_step")
    graph = graph_of("a = MatMul -> float32[2,3] stack 2\n[body]\nb = Mul -> float32[2] stack 4")
    found = match_ops(ran("MatMul float32[2,3] 3", "Mul float32[2] 1"), graph.ops, Places(STACKS, tracing))
    assert [match.found_by for match in found.values()] == ["stack", "stack"]
