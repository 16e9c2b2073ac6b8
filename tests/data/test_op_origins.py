"""Names that the runtime gives to inlined and lowered ops lead back to the traced ops."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tfgraphdbg.graph_model import GraphModel, OpNode, OutputInfo
from tfgraphdbg.recorders.op_origins import InheritedFacts

SCALAR = (OutputInfo("float32", ()),)

TRACED = GraphModel(
    "f",
    "traced",
    (
        OpNode("x", "Placeholder", outputs=SCALAR),
        OpNode("while", "While", ("x",), attrs=0),
        OpNode("call", "PartitionedCall", ("x",), attrs=1),
        OpNode("call/mul", "Mul", ("x", "x"), outputs=SCALAR),
        OpNode("while/a", "Placeholder", function="body_1"),
        OpNode("while/cond", "If", ("while/a",), attrs=2, function="body_1"),
        OpNode("while/inner", "PartitionedCall", ("while/a",), attrs=1, function="body_1"),
        OpNode("while/less", "Less", function="cond_2"),
        OpNode("a", "Placeholder", function="scale_3"),
        OpNode("add", "AddV2", ("a", "a"), function="scale_3", outputs=SCALAR),
        OpNode("while/cond/neg", "Neg", function="then_4"),
        OpNode("while/cond/same", "Identity", function="else_5"),
    ),
    (
        {"body": "body_1", "cond": "cond_2"},
        {"f": "scale_3"},
        {"then_branch": "then_4", "else_branch": "else_5"},
    ),
    ("body_1", "cond_2", "scale_3", "then_4", "else_5"),
)


def node(name: str, op: str = "NoOp", functions: tuple[str, ...] = (), names: tuple[str, ...] = (), **attrs: object):
    """What the code reads of a NodeDef."""
    debug = SimpleNamespace(original_func_names=functions, original_node_names=names)
    return SimpleNamespace(name=name, op=op, experimental_debug_info=debug, attr=attrs)


@pytest.fixture
def facts() -> InheritedFacts:
    return InheritedFacts(TRACED, {"": ["x"], "scale_3": ["a"]})


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("while", "while"),
        ("while/enter/_5", "while"),
        ("while/LoopCond/_9", "while"),
        ("while/body/_4/while/next_iteration/_7", "while"),
        ("while/cond/_3/while/less", "cond_2::while/less"),
        ("while/body/_4/while/cond/pivot_t/_8", "body_1::while/cond"),
        ("while/body/_4/while/cond/then/_6/while/cond/neg", "then_4::while/cond/neg"),
        ("Func/while/body/_4/while/cond/else/_7/input/_11", "body_1::while/cond"),
        ("while/body/_4/while/inner/add", "scale_3::add"),
        ("call/add", "scale_3::add"),
        ("call/mul", "call/mul"),
    ],
)
def test_a_name_leads_through_calls_loops_and_branches(facts, name, origin):
    assert facts.origins(node(name), "") == (origin,)


@pytest.mark.parametrize(
    "name", ["identity_RetVal", "ConstantFolding/while/less", "call/unknown", "other/enter/_5", "/"]
)
def test_what_no_traced_op_explains_is_new(facts, name):
    assert facts.origins(node(name), "") == ()


def test_debug_info_comes_before_the_name_and_lists_every_origin(facts):
    fused = node("call/mul", functions=("scale_3", "then_4", "gone_9"), names=("add", "while/cond/neg", "lost"))
    assert facts.origins(fused, "") == ("scale_3::add", "then_4::while/cond/neg")


def test_arguments_are_known_by_their_place(facts):
    argument = node("renamed", "_Arg", index=SimpleNamespace(i=0))
    assert facts.origins(argument, "") == ("x",)
    assert facts.origins(node("beyond", "_Arg", index=SimpleNamespace(i=7)), "") == ()
    facts.enter_function("scale_3", ["renamed_a"])
    assert facts.origins(node("renamed_a", "Placeholder"), "scale_3") == ("scale_3::a",)


def test_shapes_hold_only_while_the_op_and_its_layout_are_the_same(facts):
    assert facts.shapes(node("call/add", "AddV2"), ("scale_3::add",)) == SCALAR
    assert facts.shapes(node("call/add", "Const"), ("scale_3::add",)) == ()
    assert facts.shapes(node("call/mul", "_FusedMul"), ("call/mul",)) == SCALAR
