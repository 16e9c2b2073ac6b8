"""Going from stage to stage, from tracing to tracing, and what is said where there is nothing to show."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import (
    packed_recording,
    recording_of,
    small_optimized,
    small_recording,
    small_traced,
    stage_of,
)
from tests.tui.driving import DrivenApp, row_texts
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import (
    CONSOLE_PART,
    LOG_PART,
    META_PART,
    GraphPart,
    MissingEvidence,
    Recording,
    RecordingMeta,
    Stage,
    TargetInfo,
    Tracing,
    graph_part,
    raw_part,
)
from tfgraphdbg.recording_file import MemoryParts, decode_part, encode_part
from tfgraphdbg.tui.widgets.text_pane import TextPane

HLO = "\n".join(["HloModule jit_train_step", "", *(f"  %add.{n} = f32[] add(%p0, %p1)" for n in range(200)), "ROOT %r"])


def meta_of(packed: dict[str, bytes]) -> RecordingMeta:
    return decode_part(packed[META_PART], RecordingMeta, "meta")


def with_meta(packed: dict[str, bytes], **changes: object) -> Recording:
    return Recording(msgspec.structs.replace(meta_of(packed), **changes), MemoryParts(packed))


def with_hlo(text: str = HLO) -> Recording:
    packed = packed_recording([small_traced()])
    tracing = meta_of(packed).tracings[0]
    packed[raw_part(0, "hlo", "text")] = text.encode()
    stages = (*tracing.stages, Stage("hlo", "text", bytes=len(text)))
    return with_meta(packed, tracings=(msgspec.structs.replace(tracing, stages=stages),))


def with_two_tracings() -> Recording:
    """The main tracing comes second in time; a nested one has no stage of its own."""
    packed = packed_recording([small_traced(), small_optimized()])
    main = meta_of(packed).tracings[0]
    other = small_optimized()
    packed[graph_part(1, "traced")] = packed[graph_part(0, "traced")]
    packed[graph_part(1, "optimized")] = packed[graph_part(0, "optimized")]
    packed[graph_part(0, "traced")] = encode_part(GraphPart("p", "traced", other.ops, other.attr_sets, ()))
    tracings = (
        Tracing(0, "preprocess", "__inference_preprocess_3", "(x)", stages=(stage_of(small_optimized_as("traced")),)),
        msgspec.structs.replace(main, index=1),
        Tracing(2, "helper", "__inference_helper_4", "(y)", role="nested", calls=1),
    )
    return with_meta(packed, tracings=tracings, main_tracing=1)


def small_optimized_as(stage: str) -> GraphModel:
    return msgspec.structs.replace(small_optimized(), stage=stage)


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
        ui.press("b", "b", "b")
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


def test_a_text_stage_and_finding_in_it() -> None:
    with DrivenApp(with_hlo(), (80, 24)) as ui:
        ui.press("]")
        assert ui.app.focused is ui.text
        assert ui.shows("1 │ HloModule jit_train_step", "203 lines")
        ui.press("/")
        ui.type("ADD.19 f32")
        assert ui.shows("11 of 203 lines")
        ui.press("enter")
        assert ui.text.cursor == 21
        ui.press("n")
        assert ui.text.cursor == 192
        ui.press("N", "N")
        assert ui.text.cursor == 201
        ui.press("n")
        assert ui.text.cursor == 21
        ui.press("escape")
        assert ui.shows("203 lines")
        ui.press("G")
        assert ui.shows("203 │ ROOT %r")
        ui.press("[")
        assert ui.op.name == "x"


def test_an_answer_that_comes_too_late_is_dropped() -> None:
    with DrivenApp(with_hlo()) as ui:
        ui.press("]", "/")
        ui.type("root")
        pane = ui.screen.query_one("#text", TextPane)
        pane.post_message(TextPane.LinesFound("roo", ("roo",), (0, 1)))
        ui.settle()
        assert ui.shows("1 of 203 lines")


def test_long_lines_are_reached_sideways() -> None:
    with DrivenApp(with_hlo("start" + " " * 200 + "end\nshort"), (80, 24)) as ui:
        ui.press("]")
        assert not ui.shows("end")
        ui.press(*["l"] * 30)
        assert ui.shows("end")
        ui.press(*["left"] * 30)
        assert ui.shows("start")


def test_an_empty_text_stage() -> None:
    with DrivenApp(with_hlo("")) as ui:
        ui.press("]")
        assert ui.shows("This text is empty.", "] goes to the next stage.")


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
        ui.press("b")
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


def test_a_recording_without_a_tracing_says_what_to_do() -> None:
    packed = packed_recording([])
    gaps = (MissingEvidence("stages", "nothing was traced"),)
    recording = with_meta(
        packed, tracings=(), main_tracing=None, missing=gaps, outcome="the program called sys.exit(3)"
    )
    with DrivenApp(recording, (80, 24)) as ui:
        assert ui.shows("No tf.function was traced in model.py:train_step", "tfgraphdbg inspect model.py:train_step")
        assert ui.shows("What is missing:", "stages: nothing was traced")
        assert ui.shows("▲ partial: ", "sys.exit(3)")
        ui.press("j", "enter", "/", "a", "escape", "]", "[", "s", "t", "b", "f", "tab", "l", "h")
        ui.press("2")
        assert ui.shows("loss 0.5")


def test_a_tracing_without_any_stage() -> None:
    packed = packed_recording([])
    recording = with_meta(packed, missing=(MissingEvidence("stage-traced", "the function never returned"),))
    with DrivenApp(recording) as ui:
        assert ui.shows("No stage of train_step was recorded.", "stage-traced: the function never returned")


def test_a_stage_without_ops() -> None:
    empty = GraphModel("g", "optimized", ())
    with DrivenApp(recording_of(packed_recording([small_traced(), empty]))) as ui:
        ui.press("]")
        assert ui.shows("The stage optimized has no ops.", "] goes to the next stage.")
        ui.press("]")
        assert ui.listed()


def test_missing_evidence_is_announced_and_explained() -> None:
    gaps = (MissingEvidence("op-times", "no steady runs: --steps 0"), MissingEvidence("stage-partition", "never ran"))
    with DrivenApp(recording_of(packed_recording([small_traced()], missing=gaps))) as ui:
        assert ui.shows("▲ 2 missing (m)")
        ui.press("m")
        assert ui.shows("Missing evidence", "op-times", "no steady runs: --steps 0", "never ran")
        ui.press("m")
        assert not ui.shows("never ran")
        assert ui.focus == "ops"


def test_a_partial_recording_says_how_it_ended() -> None:
    recording = with_meta(packed_recording([small_traced()]), outcome="the program received SIGSEGV")
    with DrivenApp(recording, (80, 24)) as ui:
        assert ui.shows("model.py:train_step", "▲ partial: ", "SIGSEGV (m)")
        ui.press("m")
        assert ui.shows("The run ended early. The program received SIGSEGV", "recorded before that is kept")


def test_a_complete_recording_has_nothing_missing() -> None:
    with DrivenApp(small_recording()) as ui:
        assert not ui.shows("▲")
        ui.press("m")
        assert ui.shows("Everything that was asked for was recorded.")


@pytest.mark.parametrize("part", ["tracings/0/optimized.ops", "stacks", "sources"])
def test_a_damaged_part_is_a_message_and_the_rest_works(part: str) -> None:
    packed = packed_recording([small_traced(), small_optimized()])
    packed[part] = packed[part][:-5]
    recording = Recording(meta_of(packed), MemoryParts(packed))
    with DrivenApp(recording) as ui:
        if part == "tracings/0/optimized.ops":
            assert ui.listed()
            ui.press("]")
        assert ui.shows("Cannot show this", f"Part '{part}' is damaged", "Record it again")
        ui.press("escape")
        assert ui.shows("cannot be read", "] goes to the next stage")
        ui.press("j", "/", "escape", "enter", "2")
        assert ui.shows("loss 0.5")
        ui.press("1", "[")
        if part == "tracings/0/optimized.ops":
            assert ui.op.name == "x"


def test_a_graph_that_does_not_fit_the_stacks_is_a_message() -> None:
    graph = small_traced()
    ops = (msgspec.structs.replace(graph.ops[0], stack=99), *graph.ops[1:])
    with DrivenApp(recording_of(packed_recording([msgspec.structs.replace(graph, ops=ops)]))) as ui:
        assert ui.shows("Cannot show this", "The stage 'traced' and the Python stacks do not fit")


def test_a_damaged_text_and_a_damaged_log() -> None:
    recording = with_hlo()
    parts = recording.parts
    assert isinstance(parts, MemoryParts)
    packed = {name: b"" for name in parts.names() if name.endswith(".txt")}

    class Broken(MemoryParts):
        def read(self, name: str) -> bytes:
            return self.decode(f"no {name}", bytes) if name in packed else parts.read(name)

        def names(self) -> frozenset[str]:
            return parts.names()

        def decode(self, name: str, kind: type) -> object:  # type: ignore[override]
            return parts.decode(name, kind)

    with DrivenApp(Recording(recording.meta, Broken())) as ui:
        ui.press("]")
        assert ui.shows("Cannot show this", "has no part")
        ui.press("enter")
        assert ui.shows("The stage hlo cannot be read.")
        ui.press("2")
        assert ui.shows("Cannot show this")
        ui.press("escape", "1", "[")
        assert ui.op.name == "x"


def test_a_defect_in_a_worker_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(stage: object) -> None:
        raise ZeroDivisionError("[red]oops[/red]")

    monkeypatch.setattr("tfgraphdbg.tui.widgets.op_browser.map_stage", broken)
    with DrivenApp(small_recording()) as ui:
        assert ui.shows("This is a defect of tfgraphdbg: ZeroDivisionError: [red]oops[/red]", "Please report it")
        ui.press("escape", "j")
        assert ui.op.name == "weights"


def test_the_log_mode() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("2")
        assert ui.shows("── What the program printed ──", "loss 0.5", "── What TensorFlow logged ──", "meta_optimizer")
        ui.press("/")
        ui.type("grappler")
        assert ui.shows("0 of 7 lines")
        ui.press("escape")
        assert ui.app.focused is ui.text
        assert "1 Graph" in ui.lines()[-1]
        assert "2 Log" not in ui.lines()[-1]
        ui.press("1")
        assert ui.focus == "ops"
        assert "2 Log" in ui.lines()[-1]


def test_an_empty_log_says_so() -> None:
    packed = packed_recording([small_traced()])
    packed[LOG_PART] = packed[CONSOLE_PART] = b"\n"
    with DrivenApp(recording_of(packed)) as ui:
        ui.press("2")
        assert ui.shows("The program printed nothing, and TensorFlow logged nothing.", "Press 1 to go to the graph.")


def test_an_origin_that_was_not_recorded() -> None:
    with DrivenApp(recording_of(packed_recording([small_optimized()]))) as ui:
        ui.search("type:=square")
        ui.press("enter", "n", "n", "enter")
        assert ui.shows("The stage traced was not recorded")


def test_an_origin_that_the_traced_graph_lacks() -> None:
    optimized = small_optimized()
    ops = tuple(msgspec.structs.replace(op, origins=("gone",)) for op in optimized.ops)
    recording = recording_of(packed_recording([small_traced(), msgspec.structs.replace(optimized, ops=ops)]))
    with DrivenApp(recording) as ui:
        ui.press("]")
        ui.search("type:=const const")
        ui.press("enter")
        ui.press(*["G", "g"], "n", *["n"] * 1)
        origin = next(row for row, text in enumerate(row_texts(ui.detail)) if "gone" in text)
        ui.detail.cursor = origin
        ui.press("enter")
        assert ui.shows("This stage has no op gone")


def test_the_title_of_a_recording_without_versions() -> None:
    recording = with_meta(packed_recording([small_traced()]), versions={}, target=TargetInfo("graph.pb", "graph"))
    with DrivenApp(recording) as ui:
        assert ui.lines()[0].strip() == "graph.pb"


def test_keys_that_choose_are_offered_only_where_there_is_a_choice() -> None:
    with DrivenApp(recording_of(packed_recording([small_traced()]))) as ui:
        assert "Next stage" not in ui.lines()[-1]
        assert "Tracings" not in ui.lines()[-1]
        ui.press("t", "s", "]")
        assert len(ui.app.screen_stack) == 1
    with DrivenApp(small_recording()) as ui:
        assert "] Next stage" in ui.lines()[-1]
