"""Folding: every op is in exactly one node, counts add up, and like stands beside like."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.hand_built import hostile_graph, small_optimized, small_traced
from tests.view_samples import layered_graph, odd_names_graph
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.views.family_roles import item_at_position, split_by_role
from tfgraphdbg.views.folding import DrawnItem, opened
from tfgraphdbg.views.op_group import OpGroup, all_ops
from tfgraphdbg.views.rolled_edges import rolled_edges
from tfgraphdbg.views.scope_tree import scope_tree

SIBLINGS = 48

GRAPHS = {
    "traced": small_traced,
    "optimized": small_optimized,
    "hostile": hostile_graph,
    "odd-names": odd_names_graph,
    "layered": layered_graph,
}


def graph_of(*names: str, op_type: str = "Mul") -> GraphModel:
    return GraphModel("g", "traced", tuple(OpNode(name, op_type) for name in names))


def labels(items: list[DrawnItem]) -> list[str]:
    """What each node is: an op's name, or a group's path and how many ops it holds."""
    return [
        item.item.name if isinstance(item.item, OpNode) else f"{item.item.path} {item.item.total}" for item in items
    ]


def folded(graph: GraphModel, limit: int, depth: int | None = None, keep: frozenset[str] = frozenset()) -> list[str]:
    return sorted(labels(opened(scope_tree(graph.ops, SIBLINGS, keep), limit, depth, keep)))


@pytest.mark.parametrize("siblings", [None, SIBLINGS, 7], ids=["scopes", "families", "few"])
@pytest.mark.parametrize("limit", [1, 5, 20, 1000])
@pytest.mark.parametrize("name", GRAPHS)
def test_every_op_is_in_exactly_one_node(name: str, limit: int, siblings: int | None) -> None:
    graph = GRAPHS[name]()
    items = opened(scope_tree(graph.ops, siblings), limit, None)
    for drawn in (items, split_by_role(items, graph, limit * 2)):
        assert Counter(id(op) for item in drawn for op in item.ops) == Counter(map(id, graph.ops))
        assert all(item.item.total == len(item.ops) > 1 for item in drawn if isinstance(item.item, OpGroup))


@pytest.mark.parametrize("name", GRAPHS)
def test_totals_count_all_nested_ops(name: str) -> None:
    waiting = [scope_tree(GRAPHS[name]().ops, SIBLINGS)]
    while waiting:
        group = waiting.pop()
        assert group.total == len(list(all_ops(group)))
        waiting.extend(group.groups)


@pytest.mark.parametrize("limit", [3, 10, 40, 1000])
@pytest.mark.parametrize("name", GRAPHS)
def test_edges_roll_up_with_their_counts(name: str, limit: int) -> None:
    graph = GRAPHS[name]()
    items = opened(scope_tree(graph.ops, SIBLINGS), limit, None)
    item_at = item_at_position(items, graph)
    edges, outside = rolled_edges(graph, item_at, [str(place) for place in range(len(items))])
    inside = sum(
        item_at[target] == item_at[source] for target, sources in enumerate(graph.input_positions) for source in sources
    )
    assert outside == 0
    assert sum(edge.tensors + edge.controls for edge in edges) + inside == graph.edge_count
    assert all(edge.source != edge.target for edge in edges)
    ends = [(edge.source, edge.target) for edge in edges if edge.kind != "call"]
    assert len(set(ends)) == len(ends)


class TestScopes:
    def test_a_scope_of_one_scope_is_skipped(self) -> None:
        assert folded(graph_of("a/b/c/x", "a/b/c/y", "z"), 2) == ["a/b/c 2", "z"]

    def test_an_op_and_its_helpers_are_one_node(self) -> None:
        graph = graph_of("dense/MatMul", "dense/MatMul/Read", "dense/MatMul/Read/resource", "dense/Relu")
        assert folded(graph, 3) == ["dense/MatMul 3", "dense/Relu"]

    def test_a_scope_that_shares_its_name_with_an_op_is_a_scope_when_it_is_large(self) -> None:
        graph = graph_of("while", *(f"while/op{letter}" for letter in "abcdefghijkl"))
        kinds = {group.path: group.kind for group in scope_tree(graph.ops).groups}
        assert kinds == {"while": "scope"}

    def test_library_functions_are_groups_of_their_own(self) -> None:
        root = scope_tree(small_traced().ops)
        assert [(group.kind, group.function, group.total) for group in root.groups if group.function] == [
            ("function", "__inference_scale_9", 3)
        ]

    def test_thousands_of_nested_scopes_are_no_recursion(self) -> None:
        names = ["/".join(["s"] * depth) + "/x" for depth in range(1, 2000)]
        assert len(opened(scope_tree(graph_of(*names).ops, SIBLINGS), 5000, None)) == len(names)


class TestFamilies:
    def test_numbered_siblings_are_one_node(self) -> None:
        names = [f"adam/{kind}{number}" for kind in ("Mul", "sub") for number in ["", *(f"_{n}" for n in range(1, 50))]]
        assert folded(graph_of(*names, "x"), 10) == ["adam/Mul* 50", "adam/sub* 50", "x"]

    def test_few_siblings_stay_as_they_are(self) -> None:
        names = ["a/x_1", "a/x_2", "a/x_3", "a/y"]
        assert folded(graph_of(*names), 10) == sorted(names)

    def test_stages_of_a_network_are_told_apart(self) -> None:
        blocks = [f"net/conv{stage}_block{block}" for stage in "12345" for block in "1234"]
        names = [f"{block}/op{letter}" for block in blocks for letter in "abcdefghi"]
        (net,) = scope_tree(graph_of(*names).ops, SIBLINGS).groups
        assert [group.path for group in net.groups] == [f"net/conv{stage}_block*" for stage in "12345"]

    def test_a_scope_is_no_relative_of_an_op_of_like_name(self) -> None:
        names = [f"adam_{letter}_resource" for letter in "abcdefgh"] + [f"adam/op{letter}" for letter in "abcdefghij"]
        assert folded(graph_of(*names), 3) == ["adam 10", "adam_* 8"]

    def test_names_without_anything_in_common_fold_by_op_type(self) -> None:
        letters = "abcdefghijklmnopqrstuvwxyz"
        ops = [
            OpNode(first + second, "Mul" if first < "n" else "Sub")
            for first in letters
            for second in "xyz"
            for _ in [0]
        ]
        assert folded(GraphModel("g", "traced", tuple(ops)), 3) == ["* (Mul) 39", "* (Sub) 39"]

    def test_a_thousand_scopes_without_anything_in_common_still_fold(self) -> None:
        letters = "abcdefghijklmnopqrstuvwxyz"
        graph = graph_of(*(f"{one}{two}/{step}" for one in letters for two in letters for step in "xy"))
        items = opened(scope_tree(graph.ops, SIBLINGS), 60, None)
        assert len(items) <= 60

    @pytest.mark.parametrize("most", [3, 10, 48])
    def test_no_scope_has_too_many_members(self, most: int) -> None:
        names = [f"{one}{two}/{step}" for one in "abcdefgh" for two in "qrstuvwx" for step in "xy"]
        assert scope_tree(graph_of(*names).ops, most).children <= most

    def test_hundreds_of_library_functions_fold(self) -> None:
        ops = tuple(OpNode("x", "Mul", function=f"__inference_f_{number}") for number in range(300))
        assert folded(GraphModel("g", "traced", ops), 10) == ["__inference_f_* 300"]


class TestOpening:
    @pytest.mark.parametrize("limit", [10, 30, 60, 100])
    def test_the_limit_holds(self, limit: int) -> None:
        graph = layered_graph()
        items = opened(scope_tree(graph.ops, SIBLINGS), limit, None)
        assert min(limit, 30) / 3 <= len(items) <= limit
        assert len(split_by_role(items, graph, limit + 5)) <= limit + 5

    def test_the_largest_open_first(self) -> None:
        names = [*(f"large/x{x}" for x in "abcd"), *(f"small/x{x}" for x in "abc")]
        assert folded(graph_of(*names), 5) == ["large/xa", "large/xb", "large/xc", "large/xd", "small 3"]

    def test_a_level_that_does_not_fit_is_the_last(self) -> None:
        names = [f"big{b}/s{s}/x{x}" for b in "12" for s in "123456" for x in "abc"]
        assert folded(graph_of(*names), 13) == sorted(f"big{b}/s{s} 3" for b in "12" for s in "123456")

    def test_below_such_a_level_nothing_opens(self) -> None:
        names = [*(f"wide/{letter}" for letter in "abcdefghijklmnopqrst"), "deep/x", "deep/in/y", "deep/in/z"]
        assert folded(graph_of(*names), 8) == ["deep/in 2", "deep/x", "wide 20"]

    @pytest.mark.parametrize(
        ("depth", "expected"),
        [
            (0, ["a 3", "x"]),
            (1, ["a/b 2", "a/w", "x"]),
            (2, ["a/b/y", "a/b/z", "a/w", "x"]),
            (9, ["a/b/y", "a/b/z", "a/w", "x"]),
        ],
    )
    def test_depth_counts_levels_of_scopes(self, depth: int, expected: list[str]) -> None:
        assert folded(graph_of("a/b/y", "a/b/z", "a/w", "x"), 100, depth) == expected

    def test_depth_counts_a_function_as_a_level(self) -> None:
        graph = small_traced()
        drawn = {depth: labels(opened(scope_tree(graph.ops), 100, depth)) for depth in (0, 1)}
        assert " 3" in drawn[0]
        assert {"a", "mul 2"} <= set(drawn[1])

    def test_an_op_that_the_user_named_is_never_folded_away(self) -> None:
        graph = layered_graph()
        for wanted in ("adam/Mul_7", "net/stage1_layer2/step3", "net/conv_3/ReadVariableOp"):
            assert wanted in folded(graph, 20, keep=frozenset({wanted}))


class TestRoles:
    def test_a_flat_family_is_split_by_the_layers_that_it_feeds(self) -> None:
        graph = layered_graph()
        items = opened(scope_tree(graph.ops, SIBLINGS), 11, None)
        before, after = (Counter(labels(drawn)) for drawn in (items, split_by_role(items, graph, 60)))
        assert before["net/conv_* 48"] == 1
        assert after["net/conv_* 12"] == 4

    def test_without_room_nothing_is_split(self) -> None:
        graph = layered_graph()
        items = opened(scope_tree(graph.ops, SIBLINGS), 11, None)
        assert labels(split_by_role(items, graph, len(items))) == labels(items)

    def test_a_chain_of_siblings_is_not_peeled(self) -> None:
        ops = [OpNode(f"step_{n}", "Mul", (f"step_{n - 1}",) if n else ()) for n in range(20)]
        graph = GraphModel("g", "traced", (*ops, OpNode("end", "Add", ("step_19",))))
        items = opened(scope_tree(graph.ops, SIBLINGS), 5, None)
        assert sorted(labels(split_by_role(items, graph, 20))) == ["end", "step_* 20"]

    def test_members_with_one_role_stay_together(self) -> None:
        graph = layered_graph()
        items = opened(scope_tree(graph.ops, SIBLINGS), 11, None)
        assert "adam/Mul* 50" in labels(split_by_role(items, graph, 60))
