"""What a picture shows: the chosen ops, words, colours, boxes, edges and notes, before any layout."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.hand_built import CPU, HOSTILE_NAMES, STACKS, hostile_graph, small_optimized, small_traced
from tests.view_samples import layered_graph, odd_names_graph
from tfgraphdbg.errors import UsageError
from tfgraphdbg.foreign_text import visible
from tfgraphdbg.graph_model import GraphModel, OpNode, OutputInfo
from tfgraphdbg.recording import Basis, OpMetric
from tfgraphdbg.views.contract import PictureOptions
from tfgraphdbg.views.op_categories import category_of
from tfgraphdbg.views.paint import CATEGORY_PAINTS
from tfgraphdbg.views.picture import Detail, DrawnBox, DrawnNode, Picture, picture

MANY_OPS = Detail(ops=5000)


def drawn(graph: GraphModel, **options: object) -> Picture:
    return picture(graph, PictureOptions(stacks=STACKS, **options))  # type: ignore[arg-type]


def ids(shown: Picture) -> set[str]:
    """The first tooltip line of every node: its whole name."""
    return {node.words.tooltip[0] for node in shown.nodes}


def node(shown: Picture, name: str) -> DrawnNode:
    return next(node for node in shown.nodes if node.words.tooltip[0] == name)


def boxes(shown: Picture) -> dict[str, DrawnBox]:
    return {box.title: box for box in shown.root.every_box() if box.title}


class TestChoice:
    def test_everything_is_drawn_of_a_small_graph(self) -> None:
        shown = drawn(small_traced())
        assert ids(shown) == {op.id for op in small_traced().ops}
        assert shown.notes == ("17 ops",)
        assert shown.title == "__inference_train_step_12 · traced"

    @pytest.mark.parametrize("scope", ["dense", "dense/"])
    def test_a_scope(self, scope: str) -> None:
        shown = drawn(small_traced(), scope=scope)
        assert ids(shown) == {"dense/MatMul", "dense/MatMul/ReadVariableOp", "dense/Relu"}
        assert shown.notes == ("3 of 17 ops", "4 edges to ops outside are not drawn")
        assert shown.title.endswith(f"scope {scope}")

    def test_a_scope_holds_the_op_of_its_name(self) -> None:
        assert ids(drawn(small_traced(), scope="dense/MatMul")) == {"dense/MatMul", "dense/MatMul/ReadVariableOp"}

    def test_a_family_as_pictures_name_it(self) -> None:
        assert ids(drawn(small_traced(), scope="p*")) == {"pow/y", "pow"}

    @pytest.mark.parametrize("scope", ["__inference_scale_9", "__inference_scale_9::"])
    def test_a_library_function(self, scope: str) -> None:
        assert ids(drawn(small_traced(), scope=scope)) == {
            f"__inference_scale_9::{name}" for name in ("a", "mul/y", "mul")
        }

    @pytest.mark.parametrize(
        ("hops", "expected"),
        [
            (0, {"sub"}),
            (1, {"dense/Relu", "y", "sub", "pow"}),
            (2, {"dense/MatMul", "dense/Relu", "y", "sub", "pow", "pow/y", "Mean"}),
        ],
    )
    def test_a_neighbourhood(self, hops: int, expected: set[str]) -> None:
        shown = drawn(small_traced(), focus="sub", hops=hops)
        assert ids(shown) == expected
        assert [node.words.title for node in shown.nodes if node.is_chosen] == ["sub"]

    def test_a_tensor_name_means_its_op(self) -> None:
        assert "Mean" in ids(drawn(small_traced(), focus="Mean:0", hops=1))

    @pytest.mark.parametrize("path", [("x", "Mean"), ("Mean", "x")])
    def test_a_path_in_either_direction(self, path: tuple[str, str]) -> None:
        shown = drawn(small_traced(), path=path)
        assert ids(shown) == {"x", "dense/MatMul", "dense/Relu", "sub", "pow", "Mean"}
        assert shown.title.endswith("paths from x to Mean")

    def test_choices_narrow_one_another(self) -> None:
        assert ids(drawn(small_traced(), scope="dense", focus="dense/Relu", hops=1)) == {"dense/MatMul", "dense/Relu"}

    @pytest.mark.parametrize(
        ("options", "message", "hint"),
        [
            ({"scope": "dens"}, "no scope 'dens' in stage 'traced'", "dense"),
            ({"scope": "scale"}, "no scope 'scale'", "__inference_scale_9"),
            ({"focus": "relu"}, "no op 'relu' in stage 'traced'", "dense/Relu"),
            ({"focus": "matmull"}, "no op 'matmull'", ""),
            ({"focus": "qqqqqqqqqq"}, "no op 'qqqqqqqqqq'", "overview"),
            ({"path": ("x", "Meen")}, "no op 'Meen'", "Mean"),
            ({"path": ("x", "y")}, "no path between 'x' and 'y'", ""),
            ({"scope": "dense", "focus": "Mean"}, "no op 'Mean' in the chosen scope", "scope"),
            ({"focus": "\x1b[31m"}, r"no op '\\x1b[31m'", ""),
        ],
    )
    def test_a_name_that_is_not_there_is_an_error_with_close_matches(
        self, options: dict[str, object], message: str, hint: str
    ) -> None:
        with pytest.raises(UsageError) as failure:
            drawn(small_traced(), **options)
        assert message in failure.value.message
        assert hint in failure.value.hint
        assert failure.value.hint

    def test_an_empty_graph_is_an_error(self) -> None:
        with pytest.raises(UsageError, match="no ops to draw"):
            drawn(GraphModel("g", "traced", ()))


class TestWords:
    def test_a_node_says_its_name_and_its_type_unless_the_name_does(self) -> None:
        shown = drawn(small_traced())
        assert (node(shown, "x").words.title, node(shown, "x").words.details) == ("x", ("Placeholder",))
        assert node(shown, "Mean").words.details == ()
        assert node(shown, "sub").words.details == ()

    def test_a_constant_shows_a_short_value(self) -> None:
        assert node(drawn(small_traced()), "pow/y").words.details == ("Const", "2.0")
        op = OpNode("c", "Const", attrs=0)
        for text, expected in [("float32[]: 0.5", ("Const", "0.5")), ("float32[9]: " + "1, " * 99, ("Const",))]:
            shown = drawn(GraphModel("g", "traced", (op,), ({"value": text},)))
            assert shown.nodes[0].words.details == expected

    def test_the_tooltip_says_the_rest(self) -> None:
        tooltip = node(drawn(small_traced()), "dense/MatMul").words.tooltip
        assert tooltip == (
            "dense/MatMul",
            "type MatMul",
            "output 0: float32[32,10]",
            "T = float32",
            "transpose_a = False",
            "transpose_b = False",
            "/home/user/model.py:6 in train_step",
            "    prediction = tf.nn.relu(x @ weights)",
        )
        assert f"device {CPU}" in node(drawn(small_optimized()), "dense/Relu").words.tooltip

    def test_names_are_shown_without_what_their_box_says(self) -> None:
        shown = drawn(small_traced())
        assert node(shown, "dense/MatMul/ReadVariableOp").words.title == "MatMul/ReadVariableOp"
        assert node(shown, "__inference_scale_9::mul/y").words.title == "mul/y"

    def test_names_in_a_family_keep_their_last_word(self) -> None:
        ops = [OpNode(f"net/stage{s}_block{b}/op{n}", "Add") for s in range(12) for b in range(3) for n in range(9)]
        shown = drawn(GraphModel("g", "traced", (*ops, OpNode("x", "Add"))))
        assert set(boxes(shown)) == {"net · stage*  (324 ops)"}
        assert {found.words.title.partition("_")[0] for found in shown.nodes} == {
            "x",
            *(f"stage{n}" for n in range(12)),
        }

    @pytest.mark.parametrize("graph", [hostile_graph(), odd_names_graph()], ids=lambda graph: graph.name)
    def test_every_word_is_visible_and_labels_are_short(self, graph: GraphModel) -> None:
        shown = drawn(graph)
        for found in shown.nodes:
            words = (found.words.title, *found.words.details, *found.words.tooltip)
            assert all(visible(line) == line for line in words)
            assert len(found.words.title) <= 60
        assert visible(shown.title) == shown.title

    def test_a_folded_node_says_what_it_holds(self) -> None:
        shown = drawn(layered_graph(), depth=1)
        assert node(shown, "adam/Mul*").words.details == ("50 x Mul",)
        assert node(shown, "gradient_tape/net/layer*").words.details == ("24 x Mul",)
        assert node(shown, "gradient_tape/net/layer*").words.tooltip == (
            "gradient_tape/net/layer*",
            "24 ops",
            "24 x Mul",
        )
        assert any("folded into" in note and "double border" in note for note in shown.notes)

    def test_an_op_with_helpers_reads_like_an_op(self) -> None:
        shown = drawn(small_traced(), depth=1)
        matmul = node(shown, "dense/MatMul")
        assert matmul.words.details == ("+ 1 helper",)
        assert not matmul.is_folded
        assert matmul.paint == CATEGORY_PAINTS["compute"]


class TestBoxes:
    def test_scopes_and_functions_are_boxes(self) -> None:
        found = boxes(drawn(small_traced()))
        assert set(found) == {"dense  (3 ops)", "function __inference_scale_9  (3 ops)"}
        assert [box.title for box in found.values() if box.is_function] == ["function __inference_scale_9  (3 ops)"]

    def test_a_scope_with_one_node_is_no_box(self) -> None:
        ops = (OpNode("a/b", "Add"), OpNode("c/d", "Add"), OpNode("c/e", "Add"))
        assert set(boxes(drawn(GraphModel("g", "traced", ops)))) == {"c  (2 ops)"}

    def test_a_scope_that_is_all_of_its_box_shares_it(self) -> None:
        ops = tuple(OpNode(f"while/{name}", "Add", function="body") for name in "xy")
        found = boxes(drawn(GraphModel("g", "traced", ops, (), ("body",))))
        assert set(found) == {"function body · while  (2 ops)"}

    def test_boxes_are_two_levels_deep(self) -> None:
        ops = tuple(OpNode(f"a/b/c/d/{name}", "Add") for name in "xy") + tuple(
            OpNode(f"{scope}/{name}", "Add") for scope in ("a", "a/b", "a/b/c") for name in "xy"
        )
        shown = drawn(GraphModel("g", "traced", ops))
        assert set(boxes(shown)) == {"a  (8 ops)", "b  (6 ops)"}
        assert node(shown, "a/b/c/d/x").words.title == "c/d/x"

    def test_a_chosen_part_does_not_count_what_it_leaves_out(self) -> None:
        assert set(boxes(drawn(small_traced(), focus="dense/Relu", hops=1))) == {"dense"}


class TestEdges:
    def test_edges_carry_their_tensors(self) -> None:
        shown = drawn(small_traced())
        names = {found.name: found.words.tooltip[0] for found in shown.nodes}
        found = {(names[edge.source], names[edge.target]): edge for edge in shown.edges}
        assert found["x", "dense/MatMul"].label == "float32[32,784]"
        assert found["weights", "dense/MatMul/ReadVariableOp"].kind == "handle"
        assert found["NoOp", "Identity"].kind == "control"
        assert found["NoOp", "Identity"].label == ""
        assert found["PartitionedCall", "__inference_scale_9::a"].kind == "call"
        assert all(edge.show_label for edge in shown.edges)

    @pytest.mark.parametrize(
        ("inputs", "label"),
        [
            (("a", "a"), "2 x float32[1]"),
            (("a", "a:1"), "float32[1]\nint32[2]"),
            (("a", "a:1", "a:1"), "3 tensors"),
            (("a:7",), ""),
            (("a", "^a"), "float32[1]"),
        ],
    )
    def test_several_tensors_share_a_line(self, inputs: tuple[str, ...], label: str) -> None:
        outputs = (OutputInfo("float32", (1,)), OutputInfo("int32", (2,)))
        ops = (OpNode("a", "Split", outputs=outputs), OpNode("b", "Add", inputs))
        (edge,) = drawn(GraphModel("g", "traced", ops)).edges
        assert edge.label == label
        assert edge.tensors + edge.controls == len(inputs)

    def test_a_large_picture_has_no_labels(self) -> None:
        ops = [OpNode("x0", "Add")] + [OpNode(f"x{n}", "Add", (f"x{n - 1}",)) for n in range(1, 1100)]
        shown = picture(GraphModel("g", "traced", tuple(ops)), PictureOptions(), MANY_OPS)
        assert len(shown.nodes) == 1100
        assert not any(edge.show_label for edge in shown.edges)

    def test_a_folded_picture_leaves_out_what_ties_everything_and_says_so(self) -> None:
        scopes = [f"{one}{two}" for one in "abcde" for two in "qrstuvwxy"]
        ops = [OpNode(f"{scope}/{step}", "Add") for scope in scopes for step in "abcde"]
        ops += [OpNode(f"{scope}/in", "Add", (f"{last}/a",)) for last, scope in itertools.pairwise(scopes)]
        ops.append(OpNode("sink", "NoOp", tuple(f"^{op.name}" for op in ops)))
        shown = drawn(GraphModel("g", "traced", tuple(ops)))
        folded = {found.name for found in shown.nodes if found.is_folded}
        controls = [edge for edge in shown.edges if edge.kind == "control"]
        assert folded
        assert controls
        assert not folded & {edge.source for edge in controls}
        assert sum(edge.kind == "data" for edge in shown.edges) >= 44
        left_out = 269 - sum(edge.controls for edge in shown.edges)
        assert f"{left_out} control edges and variable handles of folded nodes are not drawn" in shown.notes

    def test_calls_in_a_list_of_branches_are_drawn(self) -> None:
        body = tuple(OpNode("x", "Add", function=name) for name in ("one", "two"))
        graph = GraphModel("g", "traced", (OpNode("case", "Case", attrs=0), *body), ({"branches": ["one", "two"]},))
        assert [(edge.kind, edge.target) for edge in drawn(graph).edges] == [("call", "n1"), ("call", "n2")]

    def test_several_calls_from_one_node_are_one_line(self) -> None:
        calls = tuple(OpNode(f"s/call{n}", "PartitionedCall", attrs=0) for n in range(2))
        graph = GraphModel("g", "traced", (*calls, OpNode("x", "Add", function="f")), ({"f": "f"},), ("f",))
        assert [edge.kind for edge in drawn(graph, depth=0).edges] == ["call"]


class TestSize:
    def test_a_large_graph_is_folded_and_a_chosen_part_of_it_is_not(self) -> None:
        graph = layered_graph()
        assert len(graph) > 400
        assert len(drawn(graph).nodes) <= 100
        assert len(drawn(graph, scope="net").nodes) == 264

    def test_depth_shows_all_where_the_user_asks_for_it(self) -> None:
        graph = layered_graph()
        assert len(drawn(graph, depth=9).nodes) == len(graph)
        assert len(drawn(graph, depth=0).nodes) == 5

    def test_a_focus_among_thousands_is_kept(self) -> None:
        ops = [OpNode("hub", "IdentityN", tuple(f"scope/x_{n}" for n in range(4000)))]
        ops += [OpNode(f"scope/x_{n}", "Add") for n in range(4000)]
        shown = drawn(GraphModel("g", "traced", tuple(ops)), focus="hub", hops=1)
        assert ids(shown) == {"hub", "scope/x_*"}

    def test_too_many_edges_fold_further(self) -> None:
        scopes = [f"{one}{two}" for one in "abcde" for two in "qrstuvw"]
        ops = [OpNode(f"{scope}/out{k}", "Add") for scope in scopes for k in range(6)]
        ops += [OpNode(f"{scope}/in", "AddN", tuple(f"{other}/out0" for other in scopes)) for scope in scopes]
        shown = drawn(GraphModel("g", "traced", tuple(ops)))
        assert 10 < len(shown.nodes) < len(scopes)

    def test_a_small_graph_of_very_many_edges_is_folded_too(self) -> None:
        names = [f"s{place // 20}/x{place}" for place in range(150)]
        ops = [OpNode(name, "AddN", tuple(names[:place])) for place, name in enumerate(names)]
        assert len(drawn(GraphModel("g", "traced", tuple(ops))).nodes) < 100

    def test_nodes_come_in_the_order_of_the_graph(self) -> None:
        ops = tuple(OpNode(name, "Add") for name in ("s/a", "x", "s/b", "a", "t/c", "b"))
        assert [found.words.tooltip[0] for found in drawn(GraphModel("g", "traced", ops)).nodes] == [
            op.name for op in ops
        ]

    def test_the_same_graph_gives_the_same_source_in_every_process(self) -> None:
        code = (
            "from tests.view_samples import layered_graph; from tfgraphdbg.views.contract import PictureOptions;"
            "from tfgraphdbg.views import graph_view_for;"
            "print(graph_view_for('dot', None).render(layered_graph(), PictureOptions()))"
        )
        root = Path(__file__).parent.parent.parent
        sources = {
            subprocess.run(
                [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, cwd=root, capture_output=True, check=True
            ).stdout
            for seed in ("1", "2")
        }
        assert len(sources) == 1


def metric(values: Mapping[str, float], unit: str = "us", basis: Basis = "measured") -> OpMetric:
    return OpMetric("self time", unit, "traced", dict(values), basis)


class TestColors:
    def test_by_kind_of_op(self) -> None:
        shown = drawn(small_traced())
        assert node(shown, "weights").paint.css_class == "cat-variable"
        assert node(shown, "x").paint.css_class == "cat-input"
        assert node(shown, "dense/MatMul").css_classes == ("op-MatMul", "cat-compute")
        words = [paint.words for paint in shown.legend]
        assert words[:2] == ["matrix, convolution", "math"]
        assert "gradient" not in words

    @pytest.mark.parametrize(
        ("op_type", "name", "category"),
        [
            ("Conv2D", "x", "compute"),
            ("_FusedMatMul", "x", "compute"),
            ("AddV2", "x", "math"),
            ("AddV2", "gradient_tape/x/AddV2", "gradient"),
            ("Const", "gradient_tape/x/Const", "constant"),
            ("ReluGrad", "x", "gradient"),
            ("ReadVariableOp", "x", "variable"),
            ("ResourceApplyAdam", "x", "variable"),
            ("Reshape", "x", "shape"),
            ("StatelessWhile", "x", "control"),
            ("StatefulPartitionedCall", "x", "call"),
            ("_Send", "x", "communication"),
            ("CollectiveReduceV2", "x", "communication"),
            ("_Retval", "x", "input"),
            ("MyOwnOp", "x", "other"),
        ],
    )
    def test_the_category_of_an_op(self, op_type: str, name: str, category: str) -> None:
        assert category_of(OpNode(name, op_type)) == category

    def test_a_folded_gradient_scope_is_gradient(self) -> None:
        ops = [OpNode(f"gradient_tape/a/{kind}_{n}", kind) for kind in ("Mul", "Reshape", "Const") for n in range(9)]
        shown = drawn(GraphModel("g", "traced", (*ops, OpNode("x", "Add"))), depth=0)
        assert node(shown, "gradient_tape/a").paint.css_class == "cat-gradient"

    def test_by_device(self) -> None:
        ops = (
            OpNode("a", "Add", device=CPU),
            OpNode("b", "Add", device="/job:worker/replica:0/task:1/device:GPU:0"),
            OpNode("s/c", "Add", device=CPU),
            OpNode("s/d", "Add", device=CPU.replace("CPU:0", "CPU:1")),
            OpNode("e", "Add"),
        )
        shown = drawn(GraphModel("g", "optimized", ops), color="device", depth=0)
        words = [paint.words for paint in shown.legend]
        assert words == ["CPU:0", "worker task 1 GPU:0", "no device", "several devices"]
        assert shown.legend_words == "device"

    def test_by_difference(self) -> None:
        changes = {"x": "kept", "dense/MatMul": "removed", "dense/Relu": "changed", "Mean": "added"}
        shown = drawn(small_traced(), color="diff", changes=changes)
        assert "diff-removed" in node(shown, "dense/MatMul").css_classes
        assert [paint.words for paint in shown.legend] == ["removed", "added", "changed", "kept"]
        folded = node(drawn(small_traced(), color="diff", changes=changes, depth=0), "dense")
        assert folded.paint.words == "changed"
        assert "1 removed, 1 changed, 1 kept" in folded.words.details

    def test_by_a_measurement(self) -> None:
        values = {"dense/MatMul": 900.0, "dense/Relu": 100.0, "Mean": 1.0, "pow": 300.0, "sub": 0.0, "x": float("nan")}
        shown = drawn(small_traced(), color="time", metric=metric(values))
        steps = {name: node(shown, name).paint.css_class for name in (*values, "y")}
        assert steps == {
            "dense/MatMul": "heat-5",
            "dense/Relu": "heat-1",
            "Mean": "heat-0",
            "pow": "heat-3",
            "sub": "heat-0",
            "x": "no-value",
            "y": "no-value",
        }
        assert "900 us" in node(shown, "dense/MatMul").words.details
        assert shown.legend_words == "self time"
        assert shown.legend[-2].words == "up to 900 us"

    def test_times_of_folded_ops_add_up_and_others_do_not(self) -> None:
        values = {"dense/MatMul": 900.0, "dense/Relu": 100.0}
        for unit, expected in (("us", "1.00 ms"), ("bytes", "1,000 bytes"), ("error", "900 error")):
            shown = drawn(small_traced(), color="time", metric=metric(values, unit), depth=0)
            assert expected in node(shown, "dense").words.details

    def test_what_is_not_measured_is_marked(self) -> None:
        shown = drawn(small_traced(), color="time", metric=metric({"sub": 1.0}, basis="estimated"))
        assert shown.legend_words == "self time, estimated"

    def test_infinite_values_are_the_hottest(self) -> None:
        shown = drawn(small_traced(), color="health", metric=metric({"sub": float("inf"), "x": 0.0}, "error"))
        assert node(shown, "sub").paint.css_class == "heat-5"

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"color": "device"}, "no op of this stage is placed on a device"),
            ({"color": "diff"}, "nothing to colour by diff"),
            ({"color": "time"}, "no op times"),
            ({"color": "memory", "metric": metric({})}, "no op memory"),
            ({"color": "health"}, "no op health"),
            ({"color": "mauve"}, "unknown colouring 'mauve'"),
        ],
    )
    def test_a_colouring_without_data_is_an_error(self, options: dict[str, object], message: str) -> None:
        with pytest.raises(UsageError, match=message) as failure:
            drawn(small_traced(), **options)
        assert failure.value.hint


def test_hostile_names_are_whole_in_tooltips() -> None:
    assert ids(drawn(hostile_graph())) == {visible(name) for name in HOSTILE_NAMES}
