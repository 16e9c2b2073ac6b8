"""Going from stage to stage and from tracing to tracing."""

from __future__ import annotations

import msgspec

from tests.hand_built import (
    packed_recording,
    recording_of,
    small_recording,
    small_traced,
)
from tests.tui.driving import DrivenApp
from tests.tui.recordings import meta_of, with_hlo, with_meta, with_two_tracings
from tfgraphdbg.recording import (
    Tracing,
)


def test_the_next_stage_keeps_the_op_and_the_search() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.search("relu")
        ui.press("]")
        assert (ui.op.op_type, ui.query) == ("_FusedMatMul", "relu")
        assert ui.shows("12 ops", "1 of 12 ops")
        ui.press("]")
        assert ui.op.op_type == "Relu"
        ui.press("[")
        assert ui.op.op_type == "_FusedMatMul"
        ui.press("backspace", "backspace", "backspace")
        assert (ui.op.op_type, ui.query) == ("Relu", "relu")


def test_another_stage_is_entered_at_the_op_that_came_from_this_one() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.search("__inference_scale_9::mul/y")
        ui.press("escape", "]")
        assert ui.op.id == "PartitionedCall/mul/y"
        ui.press("[")
        assert ui.op.id == "__inference_scale_9::mul/y"


def test_an_op_without_counterpart_leads_to_the_start() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.search("type:=partitionedcall")
        ui.press("escape", "]")
        assert ui.op.id == "x"


def test_a_stage_is_chosen_from_a_list() -> None:
    with DrivenApp(with_hlo()) as ui:
        ui.press("s")
        assert ui.shows("Stages", "traced", "hlo", "bytes of text")
        ui.press("j", "enter")
        assert ui.shows("HloModule jit_train_step")
        ui.press("s", "escape")
        assert ui.shows("HloModule jit_train_step")


def test_the_main_tracing_is_shown_first_and_others_are_chosen() -> None:
    with DrivenApp(with_two_tracings()) as ui:
        assert ui.shows("train_step 2 of 3 (t)", "17 ops")
        ui.press("t")
        lines = [line for line in ui.lines() if "(x" in line or "(y)" in line]
        assert "train_step  (x: TensorSpec" in lines[0]
        assert "main  3 calls" in lines[0]
        assert "preprocess  (x)" in lines[1]
        assert "nested  1 call  no stages" in lines[2]
        ui.press("j", "enter")
        assert ui.shows("preprocess 1 of 3 (t)", "12 ops")
        ui.press("backspace")
        assert ui.shows("train_step 2 of 3 (t)", "17 ops")
        assert "t Tracings" in ui.lines()[-1]
        ui.press("t", "q")
        assert ui.shows("train_step 2 of 3 (t)")


def test_tracings_without_stages_come_last() -> None:
    packed = packed_recording([small_traced()])
    main = meta_of(packed).tracings[0]
    helper = Tracing(0, "helper", "__inference_helper_4", "(y)")
    other = msgspec.structs.replace(main, index=1, function="other")
    main = msgspec.structs.replace(main, index=2)
    with DrivenApp(with_meta(packed, tracings=(helper, other, main), main_tracing=2)) as ui:
        ui.press("escape", "t")
        order = [word for line in ui.lines() for word in ("train_step  (", "other  (", "helper  (") if word in line]
        assert order == ["train_step  (", "other  (", "helper  ("]


def test_a_tracing_without_stages_says_where_its_graph_is() -> None:
    with DrivenApp(with_two_tracings()) as ui:
        ui.press("t", "G", "enter")
        assert ui.shows("helper was traced inside another tracing, which holds its graph.", "t chooses it.")
        ui.press("j", "/", "escape", "]", "s", "enter", "m", "escape", "t", "k", "k", "enter")
        assert ui.listed() == [op.id for op in small_traced().ops]


def test_keys_that_choose_are_offered_only_where_there_is_a_choice() -> None:
    with DrivenApp(recording_of(packed_recording([small_traced()]))) as ui:
        assert "Next stage" not in ui.lines()[-1]
        assert "Tracings" not in ui.lines()[-1]
        ui.press("t", "s", "]")
        assert len(ui.app.screen_stack) == 1
    with DrivenApp(small_recording()) as ui:
        assert "] Next stage" in ui.lines()[-1]
