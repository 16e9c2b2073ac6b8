"""Moving through one stage: lists, details, edges, search, history."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import packed_recording, recording_of, small_optimized, small_recording, small_traced
from tests.tui.driving import DrivenApp, row_texts
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.op_query import OpQuery
from tfgraphdbg.tui.messages import OpsFound
from tfgraphdbg.tui.widgets.op_browser import OpBrowser

TRACED = [op.id for op in small_traced().ops]


def test_opening_shows_the_ops_of_the_first_stage() -> None:
    with DrivenApp(small_recording()) as ui:
        assert ui.focus == "ops"
        assert ui.listed() == TRACED
        assert ui.op.name == "x"
        assert ui.shows("model.py:train_step", "TensorFlow 2.21.0", "train_step", "traced", "optimized")
        assert ui.shows("14 ops", "14 edges", "1 function with 3 ops", "17 ops")


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["j"], "weights"),
        (["down", "down"], "dense/MatMul/ReadVariableOp"),
        (["j", "j", "k"], "weights"),
        (["down", "up"], "x"),
        (["up"], "x"),
        (["G"], "mul"),
        (["end"], "mul"),
        (["end", "down"], "mul"),
        (["G", "g"], "x"),
        (["end", "home"], "x"),
        (["pagedown"], "mul"),
        (["space"], "mul"),
        (["pagedown", "pageup"], "x"),
        (["ctrl+f", "ctrl+b"], "x"),
        (["ctrl+d"], "Mean"),
        (["ctrl+d", "ctrl+u"], "x"),
    ],
)
def test_keys_that_move_the_cursor(keys: list[str], name: str) -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press(*keys)
        assert ui.op.name == name
        assert ui.shows(name, on=ui.detail)


def test_the_detail_says_what_the_graph_says() -> None:
    with DrivenApp(small_recording(), (160, 50)) as ui:
        ui.press("j", "j", "j")
        rows = "\n".join(row_texts(ui.detail))
        for text in (
            " dense/MatMul\n MatMul  no device yet",
            "Inputs\n   0 float32[32,784] x  Placeholder\n   1 float32[784,10] dense/MatMul/ReadVariableOp  ReadVar",
            "Outputs\n   0 float32[32,10]\n     → dense/Relu  Relu  input 0",
            "Source  model.py:6 in train_step",
            "    5 │ def train_step(x, y):\n     6 ▸     prediction = tf.nn.relu(x @ weights)",
            "Your stack  innermost first\n   ▸ model.py:6 in train_step",
            "     model.py:20 in <module>  train_step(x, y)",
            "Library frames  innermost first\n     math_ops.py:99 in matmul",
            "Attributes\n   T            float32\n   transpose_a  False",
        ):
            assert text in rows
        assert "Comes from" not in rows


def test_control_edges_and_unused_outputs_are_told() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.search("noop")
        rows = "\n".join(row_texts(ui.detail))
        assert "   ^ control dense/MatMul/ReadVariableOp  ReadVariableOp" in rows
        assert "Outputs  none" in rows
        assert "   ^ runs before\n     → Identity  Identity\n" in rows
        ui.press("escape")
        ui.search("type:=Identity")
        assert "   0 float32[]  unused" in row_texts(ui.detail)[8]


def test_walking_along_edges_and_back() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("j", "j", "j", "enter")
        assert (ui.op.name, ui.focus) == ("dense/MatMul", "detail")
        ui.press("j", "enter")
        assert (ui.op.name, ui.focus) == ("dense/MatMul/ReadVariableOp", "detail")
        ui.press("enter")
        assert ui.op.name == "weights"
        ui.press("b")
        assert ui.op.name == "dense/MatMul/ReadVariableOp"
        ui.press("backspace")
        assert ui.op.name == "dense/MatMul"
        ui.press("alt+left")
        assert ui.op.name == "dense/MatMul"
        ui.press("f")
        assert ui.op.name == "dense/MatMul/ReadVariableOp"
        ui.press("alt+right")
        assert ui.op.name == "weights"
        ui.press("f")
        assert ui.op.name == "weights"


def test_a_new_jump_forgets_what_lay_forward() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("j", "j", "j", "enter", "enter", "b", "j", "enter")
        assert ui.op.name == "dense/MatMul/ReadVariableOp"
        ui.press("f")
        assert ui.op.name == "dense/MatMul/ReadVariableOp"


def test_a_consumer_is_a_link_too() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("enter")
        assert "→ dense/MatMul" in row_texts(ui.detail)[ui.detail.cursor]
        ui.press("l")
        assert ui.op.name == "dense/MatMul"


def test_n_goes_from_link_to_link() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("j", "j", "j", "enter")
        rows = row_texts(ui.detail)
        seen = []
        for _ in range(5):
            seen.append(rows[ui.detail.cursor].strip())
            ui.press("n")
        assert [text.split("  ")[0] for text in seen] == [
            "0 float32[32,784] x",
            "1 float32[784,10] dense/MatMul/ReadVariableOp",
            "→ dense/Relu",
            "▸ model.py:6 in train_step",
            "model.py:20 in <module>",
        ]
        ui.press("n", "N", "N")
        assert "dense/Relu" in rows[ui.detail.cursor]


def test_another_frame_of_the_stack_shows_its_code() -> None:
    sources = {"/home/user/model.py": "\n".join(f"line_{number} = {number}" for number in range(1, 40))}
    with DrivenApp(recording_of(packed_recording([small_traced()], sources=sources))) as ui:
        ui.search("type:=matmul")
        assert "line_6 = 6" in "\n".join(row_texts(ui.detail))
        ui.press("enter", "n", "n", "n", "n", "enter")
        rows = "\n".join(row_texts(ui.detail))
        assert "Source  model.py:20 in <module>" in rows
        assert "   20 ▸ line_20 = 20" in rows
        assert "   ▸ model.py:20" in rows


@pytest.mark.parametrize("sources", [{}, {"/home/user/model.py": "short = 1\n"}])
def test_source_that_was_not_recorded(sources: dict[str, str]) -> None:
    with DrivenApp(recording_of(packed_recording([small_traced()], sources=sources))) as ui:
        ui.search("type:=relu")
        rows = "\n".join(row_texts(ui.detail))
        assert "    6 ▸ prediction = tf.nn.relu(x @ weights)\n         source not recorded" in rows


def test_an_op_without_a_line() -> None:
    with DrivenApp(small_recording()) as ui:
        assert ui.shows("Source  no line of your program made it", on=ui.detail)


def test_searching_while_typing() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("/")
        assert ui.shows("type:MatMul", "-not")
        ui.type("re")
        assert "dense/MatMul/ReadVariableOp" in ui.listed()
        ui.type("lu")
        assert ui.listed() == ["dense/Relu"]
        assert ui.shows("1 of 17 ops")
        assert ui.op.name == "dense/Relu"
        assert ui.shows("Relu", on=ui.detail)
        ui.press("enter")
        assert ui.focus == "ops"
        ui.press("escape")
        assert ui.listed() == TRACED
        assert ui.query == ""


def test_clearing_a_search_comes_back_to_the_op_before_it() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("j", "j", "j")
        ui.press("/")
        ui.type("noop")
        assert ui.op.name == "NoOp"
        ui.press("escape")
        assert (ui.op.name, ui.focus) == ("dense/MatMul", "ops")


def test_an_op_chosen_in_a_search_stays_chosen() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.search("scope:dense")
        ui.press("j")
        ui.press("escape")
        assert ui.op.name == "dense/MatMul"


def test_no_hits_says_what_to_do() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.search("nothing_like_this")
        assert ui.listed() == []
        assert ui.shows("No op of this stage matches.", "Esc clears the search", "0 of 17 ops")
        assert ui.shows("No op is chosen.", on=ui.detail)
        ui.press("j", "enter", "G")
        ui.press("escape")
        assert ui.listed() == TRACED


def test_a_bad_search_is_told_in_one_line_and_keeps_the_list() -> None:
    with DrivenApp(small_recording(), (80, 24)) as ui:
        ui.press("/")
        ui.type("relu")
        ui.type(" foo:1")
        assert ui.shows("no field 'foo': use type line file scope device dtype in, or quotes")
        assert ui.listed() == []
        ui.press(*["backspace"] * 6)
        assert not ui.shows("no field")
        assert ui.shows("1 of 17 ops")


def test_an_answer_that_comes_too_late_is_dropped() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.search("relu")
        browser = ui.screen.query_one(OpBrowser)
        assert browser._stage is not None
        browser.post_message(OpsFound(browser._stage, "rel", OpQuery(), range(17)))
        ui.settle()
        assert ui.listed() == ["dense/Relu"]


def test_keys_typed_into_the_search_are_letters() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("/")
        ui.type("qb?st12")
        assert ui.query == "qb?st12"
        assert ui.app.is_running


def test_a_jump_out_of_a_search_comes_back_to_it() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.search("type:=relu")
        ui.press("enter", "enter")
        assert (ui.op.name, ui.query) == ("dense/MatMul", "")
        assert ui.listed() == TRACED
        ui.press("b")
        assert (ui.op.name, ui.query) == ("dense/Relu", "type:=relu")
        assert ui.listed() == ["dense/Relu"]


def test_a_jump_inside_a_search_keeps_it() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.search("scope:dense")
        ui.press("j", "enter", "j", "enter")
        assert (ui.op.name, ui.query) == ("dense/MatMul/ReadVariableOp", "scope:dense")


def test_the_scope_tree() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("h")
        assert ui.focus == "scopes"
        assert [row.split() for row in row_texts(ui.scopes)] == [
            ["all", "ops", "17"],
            ["▸", "dense", "3"],
            ["pow", "1"],
            ["▸", "library", "functions", "3"],
        ]
        ui.press("j", "l")
        assert row_texts(ui.scopes)[2].split() == ["MatMul", "1"]
        ui.press("l", "h")
        assert ui.scopes.cursor == 1
        ui.press("h")
        assert len(row_texts(ui.scopes)) == 4
        ui.press("space")
        assert len(row_texts(ui.scopes)) == 5
        ui.press("space")
        assert len(row_texts(ui.scopes)) == 4


def test_scopes_that_can_be_opened_come_first() -> None:
    ops = tuple(OpNode(name, "Relu") for name in ("leaf/x", "deep/inner/y", "leaf_2/z"))
    with DrivenApp(recording_of(packed_recording([GraphModel("g", "traced", ops)]))) as ui:
        assert [row.split()[-2] for row in row_texts(ui.scopes)] == ["ops", "deep", "leaf", "leaf_2"]


def test_the_ops_of_a_scope_and_back() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("h", "j", "enter")
        assert ui.focus == "ops"
        assert ui.listed() == ["dense/MatMul/ReadVariableOp", "dense/MatMul", "dense/Relu"]
        ui.press("b")
        assert ui.listed() == TRACED


def test_a_scope_does_not_list_ops_of_functions_with_the_same_scope() -> None:
    graph = small_traced()
    inside = msgspec.structs.replace(graph.ops[-1], name="dense/mul", inputs=())
    graph = msgspec.structs.replace(graph, ops=(*graph.ops, inside))
    with DrivenApp(recording_of(packed_recording([graph]))) as ui:
        ui.press("h", "j", "enter")
        assert ui.listed() == ["dense/MatMul/ReadVariableOp", "dense/MatMul", "dense/Relu"]


def test_the_ops_of_a_library_function_from_the_tree_and_from_its_call() -> None:
    inside = [op.id for op in small_traced().ops if op.function]
    with DrivenApp(small_recording()) as ui:
        ui.press("h", "G", "l", "j", "l")
        assert ui.listed() == inside
        assert ui.shows("in function __inference_scale_9", on=ui.detail)
        ui.press("b")
        ui.search("type:partitionedcall")
        ui.press("enter")
        calls = next(row for row, text in enumerate(row_texts(ui.detail)) if "ƒ __inference_scale_9" in text)
        ui.press(*["j"] * (calls - ui.detail.cursor), "enter")
        assert (ui.listed(), ui.focus) == (inside, "ops")


def test_tab_goes_through_the_panels() -> None:
    with DrivenApp(small_recording()) as ui:
        seen = []
        for _ in range(4):
            seen.append(ui.focus)
            ui.press("tab")
        assert seen == ["ops", "detail", "search-field", "scopes"]
        ui.press("shift+tab")
        assert ui.focus == "scopes"
        ui.press("tab", "tab", "h")
        assert ui.focus == "ops"


def test_the_mouse() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.click(ui.ops, 5, 3)
        assert ui.op.name == "dense/MatMul/ReadVariableOp"
        ui.click(ui.ops, 5, 4, times=2)
        assert (ui.op.name, ui.focus) == ("dense/MatMul", "detail")
        ui.click(ui.ops, 5, 19)
        assert ui.op.name == "dense/MatMul"
        ui.click(ui.app.screen.query_one("#stages"), 23, 0)
        assert ui.shows("12 ops", "12 edges")
        ui.click(ui.app.screen.query_one("#keys"), 8, 0)
        assert ui.focus == "search-field"


def test_long_lists_scroll_with_the_cursor_and_the_wheel() -> None:
    with DrivenApp(small_recording(), (80, 24)) as ui:
        height = ui.ops.size.height
        assert height < len(TRACED)
        ui.press("G")
        assert ui.ops.top == len(TRACED) - height
        assert ui.shows("__inference_scale_9::mul", on=ui.ops)
        ui.press("g")
        assert ui.ops.top == 0
        ui.ops.scroll_rows(3, 0)
        ui.press("k")
        assert ui.ops.top == 0


def test_many_consumers_are_shown_at_once() -> None:
    source = OpNode("source", "Const")
    users = tuple(OpNode(f"user_{number}", "Relu", ("source",)) for number in range(5000))
    graph = msgspec.structs.replace(small_traced(), ops=(source, *users), functions=())
    with DrivenApp(recording_of(packed_recording([graph]))) as ui:
        assert ui.shows("5,000 consumers", "→ user_0", on=ui.detail) or ui.shows("not declared  5,000 consumers")
        ui.press("enter", *["pagedown"] * 3)
        assert ui.detail.row_count > 5000
        ui.press("G")
        assert ui.shows("Attributes", on=ui.detail)


def test_quit() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("q")
        assert not ui.app.is_running or ui.app._exit


def test_an_optimized_stage_shows_origins_and_jumps_to_them() -> None:
    with DrivenApp(recording_of(packed_recording([small_optimized(), small_traced()]))) as ui:
        ui.search("type:=mul")
        assert "   traced  __inference_scale_9::mul" in "\n".join(row_texts(ui.detail))
        ui.press("enter")
        origin = next(row for row, text in enumerate(row_texts(ui.detail)) if text.startswith("   traced  "))
        ui.press(*["j"] * (origin - ui.detail.cursor), "enter")
        assert ui.op.id == "__inference_scale_9::mul"
        assert ui.listed() == TRACED
        ui.press("b")
        assert (ui.op.id, ui.query) == ("PartitionedCall/mul", "type:=mul")


def test_a_new_op_says_that_it_has_no_origin() -> None:
    with DrivenApp(recording_of(packed_recording([small_optimized()]))) as ui:
        ui.search("retval")
        assert "Comes from  no traced op: the runtime made it" in "\n".join(row_texts(ui.detail))
