"""One graph: edges, order, scopes, networkx and the invariant checker."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable

import networkx
import pytest

from tests.graph_text import graph_of
from tests.hand_built import HOSTILE_NAMES, hostile_graph, small_optimized, small_traced
from tfgraphdbg.errors import UnreadableFileError
from tfgraphdbg.graph_model import (
    CONTROL,
    Edge,
    GraphModel,
    InputRef,
    OpNode,
    OutputInfo,
    garbage_collection_paused,
    op_id,
    parse_input,
)

LOOP = """
x = Placeholder
enter = Enter(x)
merge = Merge(enter, next)
less = Less(merge)
cond = LoopCond(less)
switch = Switch(merge, cond)
body = AddV2(switch:1, switch:1)
next = NextIteration(body, ^body)
exit = Exit(switch)
"""


@pytest.mark.parametrize(
    ("text", "name", "output"),
    [
        ("a", "a", 0),
        ("a:1", "a", 1),
        ("a/b:12", "a/b", 12),
        ("^a", "a", CONTROL),
        ("^a/b", "a/b", CONTROL),
        ("a:", "a:", 0),
        ("a:b", "a:b", 0),
        ("", "", 0),
        ("a:" + "9" * 5000, "a:" + "9" * 5000, 0),
    ],
)
def test_inputs_are_read_as_graphdef_writes_them(text: str, name: str, output: int) -> None:
    assert parse_input(text) == (name, output)


def test_an_op_knows_its_id_scope_and_inputs() -> None:
    op = OpNode("dense/MatMul", "MatMul", ("x", "w:1", "^init"), function="body_3")
    assert op.id == "body_3::dense/MatMul" == op_id("body_3", "dense/MatMul")
    assert OpNode("MatMul", "MatMul").id == "MatMul"
    assert op.scope == "dense"
    assert OpNode("MatMul", "MatMul").scope == ""
    assert list(op.input_refs()) == [InputRef("x", 0), InputRef("w", 1), InputRef("init", CONTROL)]


def test_outputs_are_shown_with_their_shape() -> None:
    assert str(OutputInfo("float32", (2, None))) == "float32[2,?]"
    assert str(OutputInfo("int32", ())) == "int32[]"
    assert str(OutputInfo("resource")) == "resource[...]"


def test_edges_go_consumer_by_consumer_in_input_order() -> None:
    graph = graph_of("a = Const\nb = Const\nsum = AddN(b:1, a, b:1, ^a)\n[f]\na = Placeholder\nneg = Neg(a)")
    assert list(graph.edges()) == [
        Edge("b", "sum", 1, 0),
        Edge("a", "sum", 0, 1),
        Edge("b", "sum", 1, 2),
        Edge("a", "sum", CONTROL, 3),
        Edge("f::a", "f::neg", 0, 0),
    ]
    assert graph.edge_count == 5
    assert graph.consumers["b"] == (Edge("b", "sum", 1, 0), Edge("b", "sum", 1, 2))
    assert graph.consumers["f::a"] == (Edge("f::a", "f::neg", 0, 0),)
    assert "sum" not in graph.consumers


def test_input_positions_are_edges_as_integers() -> None:
    graph = graph_of("sum = AddN(b:1, gone, ^a)\na = Const\nb = Const\n[f]\na = Placeholder\nneg = Neg(a, b)")
    assert graph.input_positions == ((2, -1, 1), (), (), (), (3, -1))


def test_ops_are_found_by_id_in_the_graph_and_in_functions() -> None:
    graph = small_traced()
    assert graph.by_id["__inference_scale_9::mul"].op_type == "Mul"
    assert len(graph) == 17
    assert len(graph.top_level_ops) == 14
    assert graph.attrs_of(graph.by_id["x"])["dtype"] == "float32"
    assert graph.attrs_of(graph.by_id["sub"]) == {}
    assert graph.op_type_counts()["Const"] == 3


def test_networkx_holds_every_op_and_merges_parallel_edges() -> None:
    graph = graph_of("a = Const\nb = Const\nsum = AddN(b:1, a, b, ^b, ^gone)")
    built = graph.nx
    assert set(built) == {"a", "b", "sum"}
    assert built.nodes["sum"]["op"] is graph.by_id["sum"]
    assert built.edges["b", "sum"]["outputs"] == (1, 0, CONTROL)
    assert built.edges["a", "sum"]["outputs"] == (0,)
    assert built.number_of_edges() == 2
    assert (built.graph["name"], built.graph["stage"]) == ("graph", "traced")


def test_networkx_is_built_once_and_frozen() -> None:
    graph = small_traced()
    assert graph.nx is graph.nx
    changes: tuple[Callable[[], object], ...] = (
        lambda: graph.nx.add_node("new"),
        lambda: graph.nx.remove_node("x"),
        lambda: graph.nx.add_edge("x", "y"),
        lambda: graph.nx.remove_edge("x", "dense/MatMul"),
    )
    for change in changes:
        with pytest.raises(networkx.NetworkXError, match=r"[Ff]rozen"):
            change()


def test_library_functions_are_components_of_their_own() -> None:
    built = small_traced().nx
    assert networkx.descendants(built, "__inference_scale_9::a") == {"__inference_scale_9::mul"}
    assert networkx.has_path(built, "x", "Identity")
    assert not networkx.has_path(built, "x", "__inference_scale_9::mul")


@pytest.mark.parametrize("graph", [small_traced(), small_optimized(), hostile_graph(), graph_of(LOOP)], ids=len)
def test_networkx_has_exactly_the_edges_of_the_graph(graph: GraphModel) -> None:
    merged = {(edge.source, edge.target) for edge in graph.edges()}
    assert set(graph.nx.edges) == merged
    assert sum(len(data["outputs"]) for _, _, data in graph.nx.edges(data=True)) == graph.edge_count


def assert_producers_first(graph: GraphModel) -> None:
    place = {id_: index for index, id_ in enumerate(graph.topological_order)}
    assert place.keys() == graph.by_id.keys()
    for edge in graph.edges():
        if edge.source in place and graph.by_id[edge.source].op_type != "NextIteration":
            assert place[edge.source] < place[edge.target], edge


@pytest.mark.parametrize("graph", [small_traced(), small_optimized(), hostile_graph(), graph_of(LOOP)], ids=len)
def test_producers_come_first_however_the_ops_are_listed(graph: GraphModel) -> None:
    for ops in (graph.ops, graph.ops[::-1], graph.ops[1::2] + graph.ops[::2]):
        assert_producers_first(GraphModel(graph.name, graph.stage, ops, graph.attr_sets, graph.functions))


def test_an_order_that_holds_is_kept() -> None:
    assert graph_of("b = Const\na = Const\nc = AddV2(a, b)").topological_order == ("b", "a", "c")
    assert graph_of(LOOP).topological_order == tuple(op.name for op in graph_of(LOOP).ops)
    assert graph_of("c = AddV2(a, b)\nb = Const\na = Const").topological_order == ("a", "b", "c")


def test_control_edges_order_ops_too() -> None:
    assert graph_of("b = Const(^a)\na = NoOp").topological_order == ("a", "b")


def test_unknown_inputs_hold_nobody_back() -> None:
    assert graph_of("c = AddV2(gone, a, ^gone)\na = Const").topological_order == ("a", "c")


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("a = Neg(b)\nb = Neg(a)", ("a", "b")),
        ("a = Neg(a)", ("a",)),
        ("start = Const\nafter = Neg(c)\na = AddV2(start, c)\nb = Neg(a)\nc = Neg(b)", ("a", "b", "c")),
        ("a = Neg(^b)\nb = Neg(a)", ("a", "b")),
        ("[f]\na = Neg(b)\nb = Neg(a)", ("f::a", "f::b")),
        (LOOP.replace("NextIteration", "Identity"), ("merge", "less", "cond", "switch", "body", "next")),
    ],
)
def test_a_cycle_is_an_error_that_names_one_of_its_ops(text: str, members: tuple[str, ...]) -> None:
    graph = graph_of(text)
    graph.check()
    with pytest.raises(UnreadableFileError) as raised:
        _ = graph.topological_order
    assert raised.value.message in {f"graph 'graph' has a cycle through op {name!r}" for name in members}


def test_a_cycle_beside_a_loop_is_still_found() -> None:
    with pytest.raises(UnreadableFileError, match=r"cycle through op '[ab]'"):
        _ = graph_of(LOOP + "a = AddV2(b, exit)\nb = Neg(a)").topological_order


def test_a_chain_of_many_thousand_ops_needs_no_recursion() -> None:
    ops = tuple(OpNode(f"op{place}", "Neg", (f"op{place + 1}",)) for place in range(20_000))
    graph = GraphModel("deep", "traced", (*ops, OpNode("op20000", "Const")))
    assert graph.topological_order[0] == "op20000"
    assert_producers_first(graph)


def test_scopes_nest_and_count_what_lies_inside() -> None:
    graph = graph_of("a = Const\nnet/b = Neg(a)\nnet/x/y/c = Neg(a)\nnet/x/d = Neg(a)\n[f]\nnet/x/e = Const")
    scopes = graph.scopes
    assert set(scopes) == {"", "net", "net/x", "net/x/y"}
    assert [scopes[path].total for path in ("", "net", "net/x", "net/x/y")] == [4, 3, 2, 1]
    assert scopes[""].children == ("net",)
    assert scopes["net"].children == ("net/x",)
    assert [op.name for op in scopes["net/x"].ops] == ["net/x/d"]
    assert scopes["net/x/y"].path == "net/x/y"


def test_an_empty_graph_has_a_root_scope() -> None:
    graph = GraphModel("empty", "traced", ())
    assert graph.scopes[""].total == 0
    assert graph.topological_order == ()
    assert len(graph.nx) == 0
    graph.check()


def test_a_name_of_thousands_of_scopes_is_no_problem() -> None:
    graph = GraphModel("deep", "traced", (OpNode("s/" * 3000 + "op", "Const"),))
    assert len(graph.scopes) == 3001
    assert graph.scopes[""].total == 1


def test_odd_slashes_make_scopes_that_still_add_up() -> None:
    graph = graph_of("/a = Const\nb// = Const\nc//d = Const")
    assert graph.scopes[""].total == 3


@pytest.mark.parametrize("graph", [small_traced(), small_optimized(), hostile_graph(), graph_of(LOOP)], ids=len)
def test_sound_graphs_pass(graph: GraphModel) -> None:
    graph.check()
    assert set(HOSTILE_NAMES) <= hostile_graph().by_id.keys()


@pytest.mark.parametrize(
    ("graph", "problem"),
    [
        (graph_of("a = Const\na = Const"), "op 'a' exists more than once"),
        (graph_of("[f]\na = Const\na = Const"), "op 'f::a' exists more than once"),
        (graph_of("a = Neg(b)"), "op 'a' has the unknown input 'b'"),
        (graph_of("a = Const\n[f]\nb = Neg(a)"), "op 'f::b' has the unknown input 'a'"),
        (graph_of("a = NoOp\nb = Neg(^a, a)"), "op 'b' has a data input after a control input"),
        (GraphModel("graph", "traced", (OpNode("a", "Const", function="f"),)), "lives in the unknown function 'f'"),
        (GraphModel("graph", "traced", (OpNode("a", "Const", attrs=3),)), "op 'a' names attr set 3 of 0"),
        (GraphModel("graph", "traced", (OpNode("a", "Const", attrs=-2),)), "op 'a' names attr set -2 of 0"),
    ],
)
def test_an_unsound_graph_is_named_with_its_problem(graph: GraphModel, problem: str) -> None:
    with pytest.raises(UnreadableFileError) as raised:
        graph.check()
    assert raised.value.message.startswith("graph 'graph' is inconsistent: ")
    assert problem in raised.value.message


def test_many_problems_are_told_in_one_line() -> None:
    with pytest.raises(UnreadableFileError) as raised:
        graph_of("\n".join(f"op{place} = Neg(gone)" for place in range(100))).check()
    assert raised.value.message.endswith("(and 97 more)")
    assert "\n" not in raised.value.message


def test_the_collector_is_as_it_was_after_a_pause() -> None:
    assert gc.isenabled()
    with contextlib.suppress(KeyError), garbage_collection_paused():
        with garbage_collection_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()
