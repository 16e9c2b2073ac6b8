"""What is on the screen is what is to be seen: nothing of before stays there."""

from __future__ import annotations

import pytest

from tests.hand_built import packed_recording, small_optimized, small_traced
from tests.pass_recordings import recording_with_passes
from tests.tui.driving import DrivenApp
from tests.tui.recordings import with_hlo, with_meta, with_two_tracings
from tfgraphdbg.recording import Recording


def two_stages() -> Recording:
    return with_meta(packed_recording([small_traced(), small_optimized()]))


def test_the_graph_is_painted_after_a_visit_to_the_log() -> None:
    with DrivenApp(two_stages(), (120, 40)) as ui:
        ui.press("2", "1", "]")
        assert ui.shows("_FusedMatMul", on=ui.ops)
        assert ui.shows("_Arg", on=ui.detail)
        assert ui.shows("all ops", " 12 ", on=ui.scopes)
        assert ui.stale_lines() == []
        ui.press("2", "1", "down")
        assert ui.shows("weights", on=ui.detail)
        assert ui.stale_lines() == []


def test_the_log_is_painted_after_a_visit_to_the_graph() -> None:
    with DrivenApp(two_stages(), (120, 40)) as ui:
        ui.press("2", "1", "2", "j", "j", "j")
        assert ui.stale_lines() == []
        ui.press("/", *"loss")
        assert ui.stale_lines() == []


WAYS = {
    "log": ["2", "1"],
    "help": ["?", "escape"],
    "stages": ["s", "j", "escape"],
    "stage chosen": ["s", "j", "enter"],
    "tracings": ["t", "j", "escape"],
    "missing": ["m", "escape"],
    "palette": ["ctrl+p", "escape"],
    "theme": ["T"],
    "theme seen from the log": ["2", "T", "1"],
    "help over the log": ["2", "?", "escape", "1"],
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_stays_of_before(way: str) -> None:
    with DrivenApp(with_two_tracings(), (120, 40)) as ui:
        ui.press(*WAYS[way], "]", "down")
        assert ui.stale_lines() == []
        ui.press(*WAYS[way], "tab", "down", "down")
        assert ui.stale_lines() == []


def test_nothing_stays_of_a_text_stage() -> None:
    with DrivenApp(with_hlo(), (120, 40)) as ui:
        ui.press("]", "2", "1", "down")
        assert ui.stale_lines() == []
        ui.press("2", "1", "G", "[", "down")
        assert ui.stale_lines() == []


def test_nothing_stays_of_another_pass() -> None:
    with DrivenApp(recording_with_passes(), (120, 40)) as ui:
        ui.press("p", "j", "j", "j", "1", "p", "j", "j")
        assert ui.stale_lines() == []
        ui.press("enter", "j", "/", "d", "enter", "escape", "z", "T", "2", "p")
        assert ui.stale_lines() == []
        for size in ((80, 24), (200, 60), (121, 41)):
            ui.resize(*size)
            assert ui.stale_lines() == []


@pytest.mark.parametrize("theme", ["tfgraphdbg-light", "nord", "ansi-light"])
def test_another_theme_colours_everything(theme: str) -> None:
    with DrivenApp(two_stages(), (120, 40)) as ui:
        ui.app.theme = theme
        ui.settle()
        assert ui.stale_lines() == []
        ui.press("2")
        assert ui.stale_lines() == []


def test_another_size_draws_everything() -> None:
    with DrivenApp(two_stages(), (120, 40)) as ui:
        for size in ((80, 24), (200, 60), (121, 60), (121, 61), (120, 40)):
            ui.resize(*size)
            assert ui.stale_lines() == []
            ui.press("2", "1", "]", "down")
            assert ui.stale_lines() == []
