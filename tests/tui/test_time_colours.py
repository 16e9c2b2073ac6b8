"""Colours by time in the graph, and what an op's details say of its times."""

from __future__ import annotations

from tests.hand_built import hostile_graph, packed_recording, recording_of, small_recording
from tests.timed_recordings import Ran, packed_with_times, recording_with_times, times_of
from tests.tui.driving import DrivenApp, row_texts
from tests.tui.recordings import with_meta
from tfgraphdbg.measured_times import times_part
from tfgraphdbg.recording import MissingEvidence
from tfgraphdbg.recording_file import encode_part


def colours(ui: DrivenApp, name: str) -> set[str]:
    """The styles that rows of the op list have which name an op, as component classes."""
    base = ui.ops.rich_style
    found = set()
    for row in range(ui.ops.row_count):
        for part in ui.ops.draw_row(row, 100, base):
            if part.text.strip() == name:
                found |= {
                    style
                    for style in ("heat-1", "heat-2", "heat-3", "heat-4", "heat-5", "heat-none")
                    if part.style == ui.ops.style_of(base, style)
                }
    return found


def test_ops_get_the_colours_of_their_times_and_their_own_back() -> None:
    with DrivenApp(recording_with_times(), (160, 40)) as ui:
        ui.press("]")
        assert colours(ui, "dense/Relu") == set()
        ui.press("c")
        assert colours(ui, "dense/Relu") == {"heat-1"}
        assert colours(ui, "sub") == {"heat-2"}
        assert colours(ui, "PartitionedCall/mul") == {"heat-3"}
        assert colours(ui, "x") == {"heat-none"}
        assert ui.shows("■ from 10 %", "■ no event")
        ui.press("c")
        assert colours(ui, "dense/Relu") == set()
        assert not ui.shows("■ from 10 %")


def test_shares_are_said_beside_the_colour_and_summed_by_scope() -> None:
    with DrivenApp(recording_with_times(), (160, 40)) as ui:
        ui.press("]", "c")
        # 100 of the 194 microseconds in which a thread was busy.
        assert next(text for text in row_texts(ui.ops) if text.startswith(" dense/Relu")).split() == [
            "dense/Relu",
            "_FusedMatMul",
            "51.5%",
            "100",
            "us",
        ]
        scopes = [text.split() for text in row_texts(ui.scopes)]
        assert scopes[0] == ["all", "ops", "89.7%"]
        assert ["▸", "dense", "52.6%"] in scopes


def test_the_neighbours_of_an_op_have_the_colours_too() -> None:
    with DrivenApp(recording_with_times(), (160, 40)) as ui:
        ui.press("]", *"jjjj")
        assert not ui.shows("5.2%", on=ui.detail)
        ui.press("c")
        assert ui.shows("sub  Sub  input 0  5.2%", "ReadVariableOp  1.0%", on=ui.detail)


def test_the_details_of_an_op_say_how_long_it_took() -> None:
    with DrivenApp(recording_with_times(), (160, 40)) as ui:
        ui.press("]", *"jjjj")
        assert ui.shows(
            "Times  measured, 3 steps",
            "self      100 us  90.0 us to 120 us",
            "share     51.5%  of the busy time",
            "calls     1  a step, 100 us each",
            "estimate  compute 40.0 us, memory 10.0 us",
            on=ui.detail,
        )
        assert not ui.shows("workers", on=ui.detail)
        ui.press("g")
        assert ui.shows("no event: the executor does not time it", on=ui.detail)
        ui.press("[")
        assert not ui.shows("no event", on=ui.detail)


def test_the_time_of_worker_threads_is_said_where_it_is_known() -> None:
    packed = packed_with_times()
    part = times_of([Ran("dense/Relu", 0, 100), Ran("sub", 100, 110)], 120, worker={"dense/Relu": 55.0})
    packed[times_part(0)] = encode_part(part)
    with DrivenApp(with_meta(packed), (160, 40)) as ui:
        ui.press("]", *"jjjj")
        assert ui.shows("workers   55.0 us", on=ui.detail)


def test_where_no_times_were_measured_it_says_what_to_type() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("c")
        assert ui.shows("No times of train_step were measured", "tfgraphdbg inspect")
        assert not ui.shows("■ from 10 %")
    gaps = (MissingEvidence("op-times", "it was recorded with --steps 0"),)
    with DrivenApp(with_meta(packed_recording([hostile_graph()], missing=gaps))) as ui:
        ui.press("c")
        assert ui.shows("--steps 0")


def test_a_stage_that_did_not_run_has_no_times() -> None:
    with DrivenApp(recording_with_times(), (160, 40)) as ui:
        ui.press("c")
        assert ui.shows("Times are of the ops that ran")
        assert not ui.shows("■ from 10 %")
        ui.press("]")
        assert ui.shows("■ from 10 %")


def test_unreadable_times_do_not_end_it() -> None:
    packed = packed_with_times()
    packed[times_part(0)] = b"damaged"
    with DrivenApp(recording_of(packed)) as ui:
        assert ui.shows("damaged")
        ui.press("escape", "]", "c", "escape")
        assert ui.listed()
