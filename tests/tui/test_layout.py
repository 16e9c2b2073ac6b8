"""Terminals of every size and kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hand_built import packed_recording, small_optimized, small_recording, small_traced
from tests.tui.driving import DrivenApp
from tfgraphdbg.recording_file import save

ROOT = Path(__file__).parent.parent.parent


def test_a_narrow_terminal_stacks_the_panels() -> None:
    with DrivenApp(small_recording(), (80, 24)) as ui:
        assert ui.scopes.region.bottom <= ui.ops.region.y
        assert ui.ops.region.bottom <= ui.detail.region.y
        assert {panel.region.width for panel in (ui.scopes, ui.ops, ui.detail)} == {80}
        assert ui.ops.size.height >= 4
        ui.press("enter")
        assert ui.detail.size.height >= 9
        ui.press("h", "h")
        assert ui.scopes.size.height >= 6


def test_a_medium_terminal_has_two_columns() -> None:
    with DrivenApp(small_recording(), (120, 36)) as ui:
        assert ui.scopes.region.x == ui.ops.region.x < ui.detail.region.x
        assert ui.detail.region.height > ui.ops.region.height


def test_a_wide_terminal_has_three_columns_and_more_in_the_list() -> None:
    with DrivenApp(small_recording(), (200, 60)) as ui:
        assert ui.scopes.region.x < ui.ops.region.x < ui.detail.region.x
        assert ui.scopes.region.y == ui.ops.region.y == ui.detail.region.y
        assert ui.shows("float32[32,10]", on=ui.ops)
    with DrivenApp(small_recording(), (240, 60)) as ui:
        assert ui.shows("model.py:6", on=ui.ops)


def test_resizing_keeps_the_op_in_sight() -> None:
    with DrivenApp(small_recording(), (200, 60)) as ui:
        ui.press("G")
        for size in ((80, 24), (40, 12), (120, 36), (20, 6), (200, 60), (80, 24)):
            ui.resize(*size)
            assert ui.op.name == "mul"
        assert ui.shows("__inference_scale_9::mul", on=ui.ops)


@pytest.mark.parametrize("size", [(1, 1), (10, 4), (20, 8), (40, 12)])
def test_a_tiny_terminal_does_not_end_it(size: tuple[int, int]) -> None:
    with DrivenApp(small_recording(), size) as ui:
        ui.press("j", "enter", "/", "a", "escape", "tab", "]", "s", "escape", "?", "escape", "2", "1")
        assert ui.app.is_running


def test_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with DrivenApp(small_recording()) as ui:
        assert ui.app.no_color
        styles = [part.style for strip in ui.app.screen._compositor.render_strips() for part in strip]
        assert styles
        ui.press("j")
        assert ui.op.name == "weights"


@pytest.mark.parametrize("theme", ["tfgraphdbg-light", "nord", "solarized-light", "ansi-dark", "ansi-light"])
def test_every_theme_can_be_chosen(theme: str) -> None:
    with DrivenApp(small_recording()) as ui:
        ui.app.theme = theme
        ui.press("j", "enter")
        assert ui.shows("weights", on=ui.detail)


STARTED = """
import asyncio, sys
from tfgraphdbg.recording_file import load
from tfgraphdbg.tui.app import DebuggerApp
async def main():
    async with DebuggerApp(load(sys.argv[1])).run_test() as pilot:
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        print(*(name for name in ("tensorflow", "keras", "networkx", "numpy") if name in sys.modules))
asyncio.run(main())
"""


def test_opening_imports_nothing_heavy(tmp_path: Path) -> None:
    path = tmp_path / "run.tfgdbg"
    save(packed_recording([small_traced(), small_optimized()]), path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", STARTED, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
    assert done.stdout.split() == []
