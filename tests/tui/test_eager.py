"""The eager mode: the op trace beside what each op became, and what both modes cost."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import HOSTILE_NAMES, small_recording
from tests.timed_recordings import SMALL_EAGER, packed_with_times, recording_with_times
from tests.tui.driving import DrivenApp
from tests.tui.recordings import with_meta
from tests.tui.test_bottlenecks import go_to, rows, sheet, topics
from tfgraphdbg.eager_run import EagerPart, call_costs_part, eager_part
from tfgraphdbg.recording import MissingEvidence
from tfgraphdbg.recording_file import encode_part
from tfgraphdbg.tui.eager_screen import EagerScreen
from tfgraphdbg.tui.graph_screen import GraphScreen


def test_the_trace_stands_beside_what_each_op_became() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("e")
        assert isinstance(ui.screen, EagerScreen)
        assert ui.shows("7 ops", "308 us a call eagerly, 240 us as a graph")
        seen = rows(ui)
        assert [row.split()[1] for row in seen] == list("0123456")
        assert "ReadVariableOp" in seen[0]
        assert "MatMul" in seen[1]
        assert "gone in the graph" in seen[1]
        assert "Relu" in seen[2]
        assert "fused into _FusedMatMul" in seen[2]
        assert "changed to Square" in seen[4]
        assert seen[3].split()[-2:] == ["Sub", "sub"]


def test_the_bar_has_a_run_for_each_part() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("e")
        found = sheet(ui)
        base = found.rich_style
        lengths = {
            name: sum(
                part.text.count("█")
                for part in found.draw_row(1, found.row_width, base)
                if part.style == found.style_of(base, name)
            )
            for name in ("python", "dispatch", "kernel")
        }
        # 15, 9 and 95 of the longest op's 119 microseconds, in 12 cells.
        assert lengths == {"python": 2, "dispatch": 0, "kernel": 10}


def test_the_verdict_is_above() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("5")
        assert ui.shows("eager 308 us", "graph 240 us", "■ python 26%", "■ dispatch 15%", "■ kernel 49%")


def test_an_op_leads_to_its_op_in_the_graph() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("e", "enter", *"jjjj", "enter")
        assert (ui.app.current_mode, ui.op.id) == ("graph", "pow")
        assert isinstance(ui.screen, GraphScreen)
        assert ui.screen.shown_stage == "optimized"
        ui.press("e", "k", "k", "k", "enter")
        assert ui.op.id == "dense/MatMul"


def test_a_row_opens_to_its_numbers() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("e", "enter", "j", "j", "l")
        facts = [row.split() for row in rows(ui)[3:]]
        assert facts[0][0] == "python"
        assert facts[0][-2:] == ["6.00", "us"]
        assert ["optimized", "op"] in [fact[:2] for fact in facts]
        ui.press("h")
        assert len(rows(ui)) == 7


def test_a_search_finds_by_type_line_and_what_an_op_became() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("e")
        for text, count in (("relu", 1), ("model.py:7", 4), ("square", 1), ("mean model.py:7", 1)):
            ui.press("/", *["backspace"] * 20)
            ui.type(text)
            assert ui.shows(f"{count} of 7 ops"), text
        ui.press("escape")
        assert len(rows(ui)) == 7


def test_the_other_tables_are_there() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("e")
        assert [topic.name for topic in topics(ui)._topics][:2] == ["trace", ""]
        go_to(ui, "cost")
        assert ui.shows("break even calls", "1,792")
        go_to(ui, "gap")
        assert ui.shows("python", "dispatch", "estimated")
        go_to(ui, "lines")
        assert ui.shows("58.0%", "model.py:6")
        go_to(ui, "matches")
        assert ui.shows("only in the graph")


def test_where_nothing_ran_eagerly_it_says_what_to_type() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("e")
        assert ui.shows("was not run eagerly.", "tfgraphdbg eager")
    gaps = (MissingEvidence("eager-ops", "the function has side effects"),)
    recording = small_recording()
    recording.meta = msgspec.structs.replace(recording.meta, missing=gaps)
    with DrivenApp(recording) as ui:
        ui.press("e")
        assert ui.shows("The function has side effects")


def test_a_trace_without_times_and_costs_is_still_listed() -> None:
    packed = packed_with_times()
    ops = tuple(
        msgspec.structs.replace(op, python_us=None, dispatch_us=None, kernel_us=None, op_type=HOSTILE_NAMES[place])
        for place, op in enumerate(SMALL_EAGER)
    )
    packed[eager_part(0)] = encode_part(EagerPart(ops, threads=("MainThread",)))
    del packed[call_costs_part(0)]
    with DrivenApp(with_meta(packed)) as ui:
        ui.press("e")
        assert ui.shows("not timed")
        assert len(rows(ui)) == 7
        ui.press("enter", "j", "l", "j", "j", "enter", "5", "G", "l")
        assert {len(line) for line in ui.lines()} <= {119, 120}


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60), (30, 10)])
def test_every_topic_can_be_looked_at_in_every_size(size: tuple[int, int]) -> None:
    with DrivenApp(recording_with_times(), size) as ui:
        ui.press("e")
        for _ in topics(ui)._topics:
            ui.press("j", "enter", "l", "G", "h", "h")
            assert max(map(len, ui.lines())) <= size[0]
            if ui.app.current_mode != "eager":
                ui.press("e")
            topics(ui).focus()
            ui.settle()


def test_nothing_stays_on_screen_that_should_not() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("e")
        for keys in ("enter", "j", "l", "j", "/", "d", "enter", "escape", "h", "h", "j", "j", "j", "enter", "T"):
            ui.press(keys)
            assert ui.stale_lines() == []
