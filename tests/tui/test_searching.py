"""Searching the ops of a stage, by words and by the scope tree."""

from __future__ import annotations

import msgspec

from tests.hand_built import packed_recording, recording_of, small_recording, small_traced
from tests.tui.driving import DrivenApp, row_texts
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.op_query import OpQuery
from tfgraphdbg.tui.messages import OpsFound
from tfgraphdbg.tui.widgets.op_browser import OpBrowser

TRACED = [op.id for op in small_traced().ops]


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
        assert browser.stage is not None
        browser.post_message(OpsFound(browser.stage, "rel", OpQuery(), range(17)))
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
        ui.press("backspace")
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
        ui.press("backspace")
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
        ui.press("backspace")
        ui.search("type:partitionedcall")
        ui.press("enter")
        calls = next(row for row, text in enumerate(row_texts(ui.detail)) if "ƒ __inference_scale_9" in text)
        ui.press(*["j"] * (calls - ui.detail.cursor), "enter")
        assert (ui.listed(), ui.focus) == (inside, "ops")
