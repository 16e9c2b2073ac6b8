"""What is said where something is missing, damaged or empty; the rest works."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import (
    packed_recording,
    recording_of,
    small_optimized,
    small_recording,
    small_traced,
)
from tests.tui.driving import DrivenApp, row_texts
from tests.tui.recordings import meta_of, with_hlo, with_meta
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import (
    MissingEvidence,
    Recording,
    TargetInfo,
)
from tfgraphdbg.recording_file import MemoryParts


def test_a_recording_without_a_tracing_says_what_to_do() -> None:
    packed = packed_recording([])
    gaps = (MissingEvidence("stages", "nothing was traced"),)
    recording = with_meta(
        packed, tracings=(), main_tracing=None, missing=gaps, outcome="the program called sys.exit(3)"
    )
    with DrivenApp(recording, (80, 24)) as ui:
        assert ui.shows("No tf.function ran in model.py:train_step", "tfgraphdbg inspect model.py:FUNCTION")
        assert ui.shows("The run ended early. The program called sys.exit(3)")
        assert ui.shows("What is missing:", "stages: nothing was traced")
        assert ui.shows("▲ partial: ", "sys.exit(3)")
        ui.press("j", "enter", "/", "a", "escape", "]", "[", "s", "t", "backspace", "f", "tab", "l", "h")
        ui.press("2")
        assert ui.shows("loss 0.5")


def test_a_program_without_a_tracing_names_its_own_file() -> None:
    target = TargetInfo("scripts/plain.py", "program")
    recording = with_meta(packed_recording([]), tracings=(), main_tracing=None, target=target)
    with DrivenApp(recording, (80, 24)) as ui:
        assert ui.shows("No tf.function ran in scripts/plain.py, so there is no graph to show.")
        assert ui.shows("tfgraphdbg inspect scripts/plain.py:FUNCTION")
        assert not ui.shows("complete")
        assert not ui.shows("train_step")


def test_a_model_without_a_tracing_has_no_function_to_name() -> None:
    target = TargetInfo("model.keras", "keras_model")
    recording = with_meta(packed_recording([]), tracings=(), main_tracing=None, target=target)
    with DrivenApp(recording, (80, 24)) as ui:
        assert ui.shows("No tf.function ran in model.keras")
        assert not ui.shows("FUNCTION")


def test_tracings_without_a_main_one() -> None:
    with DrivenApp(with_meta(packed_recording([small_traced()]), main_tracing=None)) as ui:
        assert ui.shows("This recording has tracings, but none of them is the main one.")


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


def test_a_title_without_room_ends_with_an_ellipsis() -> None:
    from tests.timed_recordings import packed_with_times

    recording = with_meta(packed_with_times(), target=TargetInfo("model.py:" + "step_" * 40, "function"))
    with DrivenApp(recording, (80, 24)) as ui:
        ui.press("b")
        summary = next(widget for widget in ui.screen.query("#summary"))
        assert ui.lines(summary)[0].rstrip().endswith("…")


def test_the_legend_of_an_eager_run_fits_into_80_columns() -> None:
    from tests.timed_recordings import recording_with_times

    with DrivenApp(recording_with_times(), (80, 24)) as ui:
        ui.press("e")
        (line,) = ui.lines(ui.screen.query_one("#verdict"))
        assert "kernel 49%" in line
        assert "(est.)" in line


def test_the_recorders_reason_is_all_that_is_told_and_names_stay_as_they_are() -> None:
    reason = "train_step: XLA runs it as a whole"
    gaps = (MissingEvidence("op-times", reason), MissingEvidence("eager-ops", reason))
    with DrivenApp(with_meta(packed_recording([small_traced(), small_optimized()]), missing=gaps)) as ui:
        for key in "be":
            ui.press(key)
            assert ui.shows(reason)
            assert not ui.shows("Record it again")
            assert not ui.shows("Train_step")


def test_ops_of_a_function_that_xla_compiled_have_no_times_to_colour() -> None:
    from tests.timed_recordings import packed_with_times

    packed = packed_with_times()
    tracing = msgspec.structs.replace(meta_of(packed).tracings[0], jit_compile=True)
    with DrivenApp(with_meta(packed, tracings=(tracing,)), (120, 36)) as ui:
        ui.press("c")
        assert ui.shows("XLA compiled train_step as a whole")
        assert not ui.shows("those of the stage")
