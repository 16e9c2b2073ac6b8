"""Compiler texts and the log."""

from __future__ import annotations

from tests.hand_built import (
    packed_recording,
    recording_of,
    small_recording,
    small_traced,
)
from tests.tui.driving import DrivenApp
from tests.tui.recordings import with_hlo
from tfgraphdbg.recording import (
    CONSOLE_PART,
    LOG_PART,
)
from tfgraphdbg.tui.widgets.text_pane import TextPane


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


def log_view(console: str, log: str) -> DrivenApp:
    packed = packed_recording([small_traced()])
    packed[CONSOLE_PART], packed[LOG_PART] = console.encode(), log.encode()
    return DrivenApp(recording_of(packed))


def test_files_that_recording_asked_for_do_not_bury_the_log() -> None:
    dumps = [f"I0000 dump_graph.cc:245] Dumped Graph to /tmp/dumps/after_{number}" for number in range(1100)]
    log = "\n".join(["first of the log", *dumps, "last of the log"])
    with log_view("Dumped Graph to my.png\nloss 0.5\n", log) as ui:
        ui.press("2")
        lines = "\n".join(ui.lines())
        order = ["program printed", "Dumped Graph to my.png", "loss 0.5", "TensorFlow logged", "1,100 lines with"]
        order += ["first of the log", "last of the log"]
        assert sorted(order, key=lines.index) == order
        assert "after_" not in lines
        ui.press("/", *"after_")
        assert ui.shows("0 of 11 lines")


def test_a_program_that_printed_nothing_says_so_above_the_log() -> None:
    with log_view("", "I0000 Dumped Graph to /tmp/a\n") as ui:
        ui.press("2")
        assert ui.shows("3 │ (nothing)", "(1 line with 'Dumped Graph to' left out: recording causes them)")
    with log_view("loss 0.5", "") as ui:
        ui.press("2")
        assert ui.shows("3 │ loss 0.5", "7 │ (nothing)")
        assert not ui.shows("left out")


def test_an_empty_log_says_so() -> None:
    packed = packed_recording([small_traced()])
    packed[LOG_PART] = packed[CONSOLE_PART] = b"\n"
    with DrivenApp(recording_of(packed)) as ui:
        ui.press("2")
        assert ui.shows("The program printed nothing, and TensorFlow logged nothing.", "Press 1 to go to the graph.")
