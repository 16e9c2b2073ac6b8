"""The bottlenecks mode: topics at the left, tables with bars at the right, and the way to the graph and back."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import HOSTILE_NAMES, SOURCE, hostile_graph, packed_recording, small_recording, stage_of
from tests.timed_recordings import Ran, packed_with_times, recording_with_times, times_of
from tests.tui.driving import DrivenApp
from tests.tui.recordings import meta_of, with_meta
from tfgraphdbg.measured_times import times_part
from tfgraphdbg.recording import MissingEvidence, Recording
from tfgraphdbg.recording_file import encode_part
from tfgraphdbg.tui.bottlenecks_screen import BottlenecksScreen
from tfgraphdbg.tui.widgets.sheet_list import SheetList
from tfgraphdbg.tui.widgets.topic_list import TopicList


def topics(ui: DrivenApp) -> TopicList:
    return ui.app.screen_stack[0].query_one(TopicList)


def sheet(ui: DrivenApp) -> SheetList:
    return ui.app.screen_stack[0].query_one(SheetList)


def rows(ui: DrivenApp) -> list[str]:
    found = sheet(ui)
    return [
        "".join(part.text for part in found.draw_row(row, found.row_width, found.rich_style)).rstrip()
        for row in range(found.row_count)
    ]


def go_to(ui: DrivenApp, name: str) -> None:
    """Put the cursor on the topic of a table or a plot."""
    topics(ui).focus()
    topics(ui).cursor = [topic.name for topic in topics(ui)._topics].index(name)
    ui.settle()


def test_topics_say_the_most_of_what_is_behind_them() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("b")
        assert isinstance(ui.screen, BottlenecksScreen)
        assert ui.focus == "topics"
        assert ui.shows("240 us a step", "hot-line", "51.5% model.py:6", "6 ops, 174 us", "busy threads over time")
        assert ui.shows("model.py:6 takes 52% of the busy time")


def test_lines_have_bars_and_open_to_their_ops() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("4")
        go_to(ui, "lines")
        assert [row.split()[:5] for row in rows(ui)[:2]] == [
            ["▸", "51.5%", "█████▏", "100", "us"],
            ["▸", "37.1%", "███▊", "72.0", "us"],
        ]
        assert ui.shows("3 lines", "model.py:6", "prediction = tf.nn")
        ui.press("enter", "j", "enter")
        assert [row.split()[-2:] for row in rows(ui)][2:6] == [
            ["Square", "pow"],
            ["Mean", "Mean"],
            ["Sub", "sub"],
            ["Mul", "PartitionedCall/mul"],
        ]
        ui.press("j", "h")
        assert len(rows(ui)) == 3
        assert sheet(ui).cursor == 1
        ui.press("h")
        assert ui.focus == "topics"


def test_an_op_of_a_line_is_found_in_the_graph_and_the_way_back() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("b")
        go_to(ui, "lines")
        ui.press("enter", "j", "l", "j", "enter")
        assert (ui.app.current_mode, ui.op.id) == ("graph", "pow")
        ui.press("b")
        assert (ui.app.current_mode, ui.focus, sheet(ui).cursor) == ("bottlenecks", "sheet", 2)


def test_the_ops_of_a_line_and_of_a_scope_are_shown_together() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("b")
        go_to(ui, "lines")
        ui.press("enter", "j", "s")
        assert ui.query == "line:model.py:7" or ui.query == 'line:"model.py:7"'
        assert {"pow", "sub", "Mean"} <= set(ui.listed())
        ui.press("b")
        go_to(ui, "scopes")
        ui.press("enter", "enter")
        assert ui.query == "scope:dense"
        assert "dense/Relu" in ui.listed()


def test_the_critical_path_is_a_list_on_an_axis_of_time() -> None:
    with DrivenApp(recording_with_times(), (200, 60)) as ui:
        ui.press("b")
        go_to(ui, "critical-path")
        words = [row.split() for row in rows(ui)]
        assert [row[-1] if row[-1] in ("sub", "pow") else "" for row in words][2:4] == ["sub", "pow"]
        assert ui.shows("the call from Python", "the executor")
        starts = [min(row.index(sign) for sign in "█▏" if sign in row) for row in rows(ui)]
        assert starts == sorted(starts)
        assert starts[0] < starts[2] < starts[4]
        ui.press("enter", "j", "enter")
        assert ui.op.id == "dense/Relu"


def test_slack_is_told_in_the_graph_once_it_is_known() -> None:
    with DrivenApp(recording_with_times(), (160, 50)) as ui:
        ui.press("]", *"jjjj")
        assert not ui.shows("slack", on=ui.detail)
        ui.press("b", "1")
        assert ui.shows("slack     none  it is on the critical path", on=ui.detail)


def test_a_search_filters_the_rows() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("b")
        go_to(ui, "ops")
        ui.press("/")
        ui.type("fusedmatmul")
        assert ui.shows("1 of 6 ops")
        ui.press("enter")
        assert ui.focus == "sheet"
        assert len(rows(ui)) == 1
        ui.press("escape")
        assert len(rows(ui)) == 6
        ui.press("/")
        ui.type("nothing has this")
        assert ui.shows("Nothing here matches.")


def test_busy_threads_are_plotted() -> None:
    runs = [Ran("dense/Relu", 0, 100), Ran("sub", 50, 100, 1), Ran("pow", 100, 150)]
    with DrivenApp(recording_with_times(runs)) as ui:
        ui.press("b")
        go_to(ui, "busy threads over time")
        assert ui.shows("threads")
        assert any(sign in "".join(ui.lines()) for sign in "▀▄▌▐▗▖▘▝")
        ui.press("T", "tab", "/", "a", "escape", "b")
        assert ui.app.is_running


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60), (30, 10)])
def test_every_topic_can_be_looked_at_in_every_size(size: tuple[int, int]) -> None:
    with DrivenApp(recording_with_times(), size) as ui:
        ui.press("b")
        for _ in topics(ui)._topics:
            ui.press("j")
            assert max(map(len, ui.lines())) <= size[0]
            ui.press("enter", "l", "G", "h", "h")
            if ui.app.current_mode != "bottlenecks":
                ui.press("b")
            topics(ui).focus()
            ui.settle()


@pytest.mark.parametrize("reason", ["", "it was recorded with --steps 0"])
def test_where_no_times_were_measured_it_says_what_to_type(reason: str) -> None:
    gaps = (MissingEvidence("op-times", reason),) if reason else ()
    recording = with_meta(packed_recording([hostile_graph()], missing=gaps)) if reason else small_recording()
    with DrivenApp(recording) as ui:
        ui.press("b")
        assert ui.shows("were measured.", reason[3:])
        assert reason or ui.shows("--steps 10")
        ui.press("/", "t", "tab", "enter", "escape", "s", "4", "1")
        assert ui.app.current_mode == "graph"


def hostile() -> Recording:
    """Ops with names that try to break a screen, all timed."""
    graph = msgspec.structs.replace(hostile_graph(), stage="optimized")
    packed = packed_recording([graph])
    runs = [Ran(name, 10.0 * place, 10.0 * place + 9) for place, name in enumerate(HOSTILE_NAMES)]
    packed[times_part(0)] = encode_part(times_of(runs, 100.0))
    tracing = msgspec.structs.replace(meta_of(packed).tracings[0], stages=(stage_of(graph),))
    return with_meta(packed, tracings=(tracing,))


def test_hostile_names_do_not_break_the_layout() -> None:
    assert SOURCE
    with DrivenApp(hostile()) as ui:
        ui.press("b")
        for name in ("ops", "lines", "scopes", "critical-path"):
            go_to(ui, name)
            assert len(rows(ui)) >= 1
            assert {len(line) for line in ui.lines()} <= {119, 120}
            assert "\x1b" not in "".join(ui.lines())
        go_to(ui, "ops")
        ui.press("enter", "G", "enter")
        assert ui.app.current_mode == "graph"
        ui.press("c")
        assert ui.stale_lines() == []


def test_unreadable_times_are_said() -> None:
    packed = packed_with_times()
    packed[times_part(0)] = b"damaged"
    with DrivenApp(with_meta(packed)) as ui:
        ui.press("escape", "b")
        assert ui.shows("damaged")
        ui.press("escape")
        assert ui.shows("cannot be read")
        ui.press("1")
        assert ui.listed()


def test_nothing_stays_on_screen_that_should_not() -> None:
    with DrivenApp(recording_with_times()) as ui:
        ui.press("b")
        for keys in ("j", "enter", "l", "j", "/", "d", "enter", "escape", "h", "h", "j", "j", "j", "enter", "T"):
            ui.press(keys)
            assert ui.stale_lines() == []
