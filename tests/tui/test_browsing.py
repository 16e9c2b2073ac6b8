"""Moving through one stage: lists, details, edges, history, mouse."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import packed_recording, recording_of, small_optimized, small_recording, small_traced
from tests.tui.driving import DrivenApp, row_texts
from tfgraphdbg.graph_model import OpNode

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
        ui.press("backspace")
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
        ui.press("j", "j", "j", "enter", "enter", "backspace", "j", "enter")
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


def test_long_lists_scroll_with_the_cursor_the_wheel_and_the_bar() -> None:
    with DrivenApp(small_recording(), (80, 24)) as ui:
        last_top = len(TRACED) - ui.ops.size.height
        assert last_top > 6
        ui.press("G")
        assert ui.ops.top == last_top
        assert ui.shows("__inference_scale_9::mul", on=ui.ops)
        ui.press("g")
        assert ui.ops.top == 0
        ui.wheel(ui.ops, down=True)
        assert (ui.ops.top, ui.op.name) == (3, "x")
        ui.press("k")
        assert ui.ops.top == 0
        ui.wheel(ui.ops, down=True)
        ui.wheel(ui.ops, down=False)
        ui.wheel(ui.ops, down=False)
        assert ui.ops.top == 0
        bar = ui.ops.size.width - 1
        ui.drag(ui.ops, bar, 1, ui.ops.size.height)
        assert (ui.ops.top, ui.op.name) == (last_top, "x")
        ui.drag(ui.ops, bar, ui.ops.size.height, 1)
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
        ui.press("backspace")
        assert (ui.op.id, ui.query) == ("PartitionedCall/mul", "type:=mul")


def test_a_new_op_says_that_it_has_no_origin() -> None:
    with DrivenApp(recording_of(packed_recording([small_optimized()]))) as ui:
        ui.search("retval")
        assert "Comes from  no traced op: the runtime made it" in "\n".join(row_texts(ui.detail))
