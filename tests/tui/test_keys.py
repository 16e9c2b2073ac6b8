"""Every key: it has an id, a word of explanation, a place in the help and in the palette."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from textual.widgets import Input

from tests.hand_built import (
    hostile_graph,
    packed_recording,
    recording_of,
    small_optimized,
    small_recording,
    small_traced,
)
from tests.pass_recordings import recording_with_passes
from tests.tui.driving import DrivenApp
from tests.tui.recordings import with_hlo, with_two_tracings
from tfgraphdbg.op_query import FIELD_HELP
from tfgraphdbg.tui.app import binding_owners
from tfgraphdbg.tui.modals.choice_screen import ChoiceList, ChoiceScreen
from tfgraphdbg.tui.modals.help_screen import HelpScreen, key_names, own_bindings
from tfgraphdbg.tui.modals.message_screen import MessageScreen
from tfgraphdbg.tui.widgets.key_line import KeyLine

MODALS = (HelpScreen, MessageScreen, ChoiceScreen, ChoiceList)

ALL_BINDINGS = [binding for owner in (*binding_owners(), *MODALS) for binding in own_bindings(owner)]


def test_every_binding_has_an_id_of_its_own_and_a_description() -> None:
    assert all(binding.id and binding.description for binding in ALL_BINDINGS)
    assert [id_ for id_, count in Counter(binding.id for binding in ALL_BINDINGS).items() if count > 1] == []


def test_every_class_with_keys_is_in_the_help() -> None:
    def subclasses(cls: type) -> set[type]:
        return {cls}.union(*(subclasses(child) for child in cls.__subclasses__()))

    from textual.dom import DOMNode

    ours = {cls for cls in subclasses(DOMNode) if cls.__module__.startswith("tfgraphdbg.tui")}
    own = {cls for cls in ours if list(own_bindings(cls))}
    assert own == {*binding_owners(), *MODALS}


def test_the_help_shows_every_key_and_the_search_language() -> None:
    with DrivenApp(small_recording(), (160, 180)) as ui:
        ui.press("?")
        seen = "\n".join(ui.lines())
        for owner in binding_owners():
            assert owner.BINDING_GROUP_TITLE in seen
            for binding in own_bindings(owner):
                assert f"{key_names(binding.key)}" in seen
                assert (binding.tooltip or binding.description) in seen
        for example, meaning in FIELD_HELP.items():
            assert example in seen
            assert meaning in seen
        ui.press("?")
        assert ui.focus == "ops"


def test_the_help_scrolls_and_closes() -> None:
    with DrivenApp(small_recording(), (80, 24)) as ui:
        ui.press("?")
        assert not ui.shows("two words")
        ui.press(*["pagedown"] * 12)
        assert ui.shows("two words")
        ui.press("k", "k", "pageup", "j", "q")
        assert ui.app.is_running
        assert ui.focus == "ops"


@pytest.mark.parametrize("focus", ["ops", "scopes", "detail"])
def test_every_key_that_works_here_is_in_the_palette(focus: str) -> None:
    with DrivenApp(small_recording()) as ui:
        ui.app.screen.action_show_panel(focus)  # type: ignore[attr-defined]
        ui.settle()
        offered = [command.title for command in ui.app.get_system_commands(ui.app.screen)]
        expected = [
            active.binding.tooltip or active.binding.description
            for active in ui.app.screen.active_bindings.values()
            if active.binding.id and active.enabled
        ]
        assert set(expected) <= set(offered)
        assert len(offered) == len(set(offered))
        assert {"Search", "Show all keys and the search language", "Quit", "Next row"} <= set(offered)


def test_the_palette_runs_what_it_offers() -> None:
    with DrivenApp(small_recording()) as ui:
        ui.press("ctrl+p")
        ui.type("next stage")
        ui.wait_until(lambda: ui.shows("key ]"))
        ui.press("enter")
        ui.press("enter")
        ui.wait_until(lambda: ui.shows("12 ops"))


def test_the_theme_is_switched() -> None:
    with DrivenApp(small_recording()) as ui:
        assert ui.app.current_theme.dark
        ui.press("T")
        assert not ui.app.current_theme.dark
        assert ui.listed()
        ui.press("T")
        assert ui.app.current_theme.dark


def test_the_last_line_follows_the_focus() -> None:
    with DrivenApp(small_recording()) as ui:
        assert "⏎ Op " in ui.lines()[-1]
        ui.press("enter")
        assert "⏎ Follow" in ui.lines()[-1]
        ui.press("/")
        assert ui.lines()[-1].split() == ["⏎", "To", "the", "list", "esc", "Clear"]
        ui.press("escape", "h")
        assert "⏎ Show ops" in ui.lines()[-1]


@pytest.mark.parametrize("focus", ["scopes", "ops", "detail"])
@pytest.mark.parametrize("width", [24, 50, 80, 100, 120])
def test_help_and_quit_are_always_in_the_last_line(width: int, focus: str) -> None:
    with DrivenApp(with_two_tracings(), (width, 24)) as ui:
        ui.app.screen.action_show_panel(focus)  # type: ignore[attr-defined]
        ui.settle()
        last = ui.lines()[-1]
        assert last.rstrip().endswith("? Help   q Quit")
        ui.press("2")
        assert ui.lines()[-1].rstrip().endswith("? Help   q Quit")


def test_a_key_is_clicked_where_it_is_shown() -> None:
    with DrivenApp(small_recording(), (24, 24)) as ui:
        keys = ui.screen.query_one(KeyLine)
        ui.click(keys, ui.lines()[-1].index("Help"), 0)
        assert ui.shows("Esc close")


def recordings() -> list[object]:
    return [
        pytest.param(small_recording(), id="small"),
        pytest.param(with_hlo(), id="hlo"),
        pytest.param(with_two_tracings(), id="tracings"),
        pytest.param(recording_with_passes(), id="passes"),
        pytest.param(recording_of(packed_recording([hostile_graph()])), id="hostile"),
        pytest.param(recording_of(packed_recording([small_optimized(), small_traced()])), id="backwards"),
    ]


@pytest.mark.parametrize("recording", recordings())
def test_random_keys_never_end_it(recording: object) -> None:
    chooser = random.Random(20)
    ends_it = {"q", "ctrl+q", "ctrl+c"}
    keys = [key.strip() for binding in ALL_BINDINGS for key in binding.key.split(",") if key.strip() not in ends_it]
    keys += [*'ab:"-=\\', "backspace", "delete", "left", "right"]
    with DrivenApp(recording, (80, 24)) as ui:  # type: ignore[arg-type]
        for number in range(150):
            # A letter q in the search box is safe, and quits elsewhere.
            ui.press("q" if isinstance(ui.app.focused, Input) and number % 7 == 0 else chooser.choice(keys))
        assert ui.app.is_running
