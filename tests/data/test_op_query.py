"""The search language: what is found, and what is said when a search cannot be meant."""

from __future__ import annotations

import pytest

from tests.hand_built import CPU, HOSTILE_NAMES, SCALAR, STACKS, hostile_graph, small_optimized, small_traced
from tfgraphdbg.errors import UsageError
from tfgraphdbg.graph_model import GraphModel, OpNode, OutputInfo
from tfgraphdbg.op_query import FIELD_HELP, OpIndex, OpQuery, Term, parse_query, quoted
from tfgraphdbg.recording import Frame, StackTable


def found(text: str, graph: GraphModel | None = None, stacks: StackTable = STACKS) -> list[str]:
    graph = graph or small_traced()
    graph.check()
    index = OpIndex(graph, stacks)
    return [graph.ops[position].id for position in index.search(parse_query(text))]


ALL = [op.id for op in small_traced().ops]
LINE_6 = ["dense/MatMul", "dense/Relu"]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ALL),
        ("   ", ALL),
        ("relu", ["dense/Relu"]),
        ("MATMUL", ["dense/MatMul/ReadVariableOp", "dense/MatMul"]),
        (
            "mul",
            ["dense/MatMul/ReadVariableOp", "dense/MatMul", *(f"__inference_scale_9::mul{end}" for end in ("/y", ""))],
        ),
        ("placeholder", ["x", "weights", "y", "__inference_scale_9::a"]),
        ("dense readvar", ["dense/MatMul/ReadVariableOp"]),
        ("type:MatMul", ["dense/MatMul"]),
        ("type:var", ["dense/MatMul/ReadVariableOp"]),
        ("type:=mul", ["__inference_scale_9::mul"]),
        ("line:6", LINE_6),
        ("line:20 -line:7", LINE_6),
        ("line:5-6", LINE_6),
        ("line:model.py:6", LINE_6),
        ("line:other.py:6", []),
        ("line:99", []),
        ("file:math_ops.py", []),
        ("file:model.py line:6", LINE_6),
        ("file:=/home/user/model.py line:6 relu", ["dense/Relu"]),
        ("scope:dense", ["dense/MatMul/ReadVariableOp", "dense/MatMul", "dense/Relu"]),
        ("scope:=dense", ["dense/MatMul/ReadVariableOp", "dense/MatMul", "dense/Relu"]),
        ("scope:=dense/MatMul", ["dense/MatMul/ReadVariableOp"]),
        ("scope:=dens", []),
        ("device:gpu", []),
        ("device:= type:=relu", ["dense/Relu"]),
        ("dtype:int32", ["Const"]),
        ("dtype:resource", ["weights"]),
        ("in:scale", ["__inference_scale_9::a", "__inference_scale_9::mul/y", "__inference_scale_9::mul"]),
        ("in:= mul", ["dense/MatMul/ReadVariableOp", "dense/MatMul"]),
        ("-in:= -const", ["__inference_scale_9::a", "__inference_scale_9::mul"]),
        ("-line:7 -type:placeholder -scope:dense in:=", ["NoOp"]),
        ("__inference_scale_9::mul/y", ["__inference_scale_9::mul/y"]),
        ('"dense/relu"', ["dense/Relu"]),
        ('type:"matmul"', ["dense/MatMul"]),
        ('"dense/relu', ["dense/Relu"]),
        ('-"dense" -line:7 in:=', ["x", "weights", "y", "NoOp"]),
        ("TYPE:Relu", ["dense/Relu"]),
    ],
)
def test_what_is_found(text: str, ids: list[str]) -> None:
    assert found(text) == ids


def test_devices_are_found_in_part() -> None:
    graph = small_optimized()
    assert found("device:cpu", graph) == [op.id for op in graph.ops]
    assert found(f"device:={quoted(CPU)} fused", graph) == ["dense/Relu"]
    assert found("device:cpu:1", graph) == []


def test_file_and_line_mean_one_frame() -> None:
    stacks = StackTable((Frame("a.py", 10, "f"), Frame("b.py", 20, "g")), ((0, 1),))
    graph = GraphModel("g", "traced", (OpNode("op", "Relu", stack=0),))
    assert found("file:a.py line:10", graph, stacks) == ["op"]
    assert found("file:a.py line:20", graph, stacks) == []
    assert found("file:a.py -line:20", graph, stacks) == []
    assert found("file:a.py -line:30", graph, stacks) == ["op"]


def test_every_output_counts_for_a_dtype() -> None:
    outputs = (SCALAR, OutputInfo("int8", (3,)))
    graph = GraphModel("g", "traced", (OpNode("op", "TopK", outputs=outputs), OpNode("none", "NoOp")))
    assert found("dtype:int8", graph) == ["op"]
    assert found("dtype:=float", graph) == []
    assert found("-dtype:float32", graph) == ["none"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lin:42", "no field 'lin': use type line file scope device dtype in, or quotes"),
        ("type:", "type: needs a value, as in type:MatMul"),
        ("relu in:", "in: needs a value, as in in:loop_body"),
        ("line:", "line: needs a number"),
        ("line:abc", "line: needs a number"),
        ("line:6-", "line: needs a number"),
        ("line:=x", "line: needs a number"),
        ("-", "nothing to search for: write a word after '-'"),
        ('""', "the quotes are empty"),
        ('relu "', "the quotes are empty"),
        (f"{'x' * 500}:1", "no field 'xxxxxxxxxxxx'"),
    ],
)
def test_a_bad_search_is_one_clear_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_query(text)
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 80


@pytest.mark.parametrize(
    "text",
    [
        "\\",
        '"\\',
        '"\\u12"',
        '"\\Uffffffff"',
        '"a"b"c"',
        "--",
        '-"-"',
        ":",
        "::",
        ":x",
        "a::b:c",
        "\x00",
        "\u202e",
        "type:=:=",
    ],
)
def test_any_other_text_is_read_somehow(text: str) -> None:
    assert isinstance(parse_query(text), OpQuery)
    assert found(text) in ([], ALL) or found(text)


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, 'quo"te', "back\\slash", "in:x", "-minus", "", "a  b", "\U000e0001"])
def test_quoted_means_exactly_that_text(name: str) -> None:
    assert parse_query(f"scope:={quoted(name)}").terms == (Term("scope", name.lower(), whole=True),)
    assert quoted(name).isprintable()


def test_escapes_are_read_as_names_are_shown() -> None:
    assert parse_query(r'"two\nlines" "\x1b" "\u202e"').words == ("two\nlines", "\x1b", "\u202e")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_found(name: str) -> None:
    assert found(quoted(name), hostile_graph()) == [name]


def test_words_to_mark_are_the_plain_ones() -> None:
    assert parse_query('Relu type:x -not "two words"').words == ("relu", "two words")


def test_help_explains_every_field() -> None:
    explained = {example.partition(":")[0] for example in FIELD_HELP if ":" in example}
    assert explained == {"type", "line", "file", "scope", "device", "dtype", "in"}
    for example in FIELD_HELP:
        parse_query(example)
