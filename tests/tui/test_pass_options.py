"""Which passes were on and who decided, in the passes mode."""

from __future__ import annotations

from tests.hand_built import packed_recording, small_traced
from tests.tui.driving import DrivenApp, row_texts
from tests.tui.recordings import OPTIONS, with_meta, with_switches
from tfgraphdbg.recording import MissingEvidence
from tfgraphdbg.tui.widgets.note_list import NoteList
from tfgraphdbg.tui.widgets.pass_list import PassList


def notes(ui: DrivenApp) -> NoteList:
    return ui.app.screen_stack[0].query_one(NoteList)


def rows(ui: DrivenApp) -> list[str]:
    return [" ".join(text.split()) for text in row_texts(notes(ui))]


def colours_of(ui: DrivenApp, text: str) -> set[str]:
    """Every colour in which a text is drawn at the right."""
    base = notes(ui).rich_style
    segments = [part for row in range(notes(ui).row_count) for part in notes(ui).draw_row(row, 100, base)]
    return {str(part.style and part.style.color) for part in segments if text in part.text}


def test_what_is_switched_off_stands_out() -> None:
    with DrivenApp(with_switches(), (200, 60)) as ui:
        ui.press("p")
        line = row_texts(ui.screen.query_one(PassList))[1]
        assert line.split() == ["options", "off:", "remapper"]
        ui.press("g", "j")
        shown = rows(ui)
        assert shown[0] == "switched off 1 pass"
        assert shown[1].startswith("remapper by --without fuses ops, such as Conv2D + BiasAdd + Relu; TF_ENABLE_ONEDNN")
        assert shown[3:5] == [
            "switched on 1 pass",
            "layout by tf.config.optimizer chooses NHWC or NCHW, and adds transposes",
        ]
        on = shown.index("on by default 1 pass")
        assert shown[on + 1] == "shape_optimizer simplifies computations of shapes"
        assert "debug_stripper drops asserts, prints and checks of numbers" in shown
        assert shown.index("not known 19 passes") < on
        warning = colours_of(ui, "remapper")
        assert warning.isdisjoint(colours_of(ui, "layout") | colours_of(ui, "shape_optimizer"))


def test_how_to_switch_is_said() -> None:
    with DrivenApp(with_switches(), (200, 60)) as ui:
        ui.press("p", "g", "j", "enter", "G")
        assert ui.focus == "notes"
        assert ui.shows("tfgraphdbg inspect model.py:train_step --without PASS", "--only PASS switches off all others")
        assert "Go to the op" not in ui.lines()[-1]


def test_keys_go_from_group_to_group_and_options_are_searched() -> None:
    with DrivenApp(with_switches(), (80, 24)) as ui:
        ui.press("p", "g", "j", "enter", "n")
        assert rows(ui)[notes(ui).cursor] == "switched on 1 pass"
        ui.press("/", *"without fuses")
        assert ui.shows("1 of 23 passes")
        assert rows(ui)[0] == "switched off 1 pass"
        assert rows(ui)[1].startswith("remapper by --without")
        ui.press("enter", "escape", "h", "k")
        assert ui.shows("1 finding")


def test_nothing_switched_off() -> None:
    for origin, words in (("environment", "set by environment"), ("default", "all as by default")):
        options = {"grappler": {"remapping": "True"}, "grappler-from": {"remapping": origin}}
        recording = with_switches()
        with DrivenApp(with_meta(dict(recording.parts._packed), options=options)) as ui:  # type: ignore[attr-defined]
            ui.press("p")
            assert ui.shows(f"options {words}".split()[0], words)


def test_options_are_shown_where_passes_are_missing() -> None:
    gaps = (MissingEvidence("grappler-passes", "the dumps could not be read: [red]no space left"),)
    packed = packed_recording([small_traced()])
    with DrivenApp(with_meta(packed, missing=gaps, options=OPTIONS)) as ui:
        ui.press("p")
        assert ui.shows("findings (1)", "off: remapper", "passes", "not recorded")
        assert rows(ui)[1] == "What Grappler did to train_step was not recorded."
        assert "The dumps could not be read: [red]no space left" in rows(ui)
        ui.press("k")
        assert rows(ui)[0] == "switched off 1 pass"
        ui.press("k", "enter")
        assert rows(ui)[0] == "● info passes-switched-off"
        ui.press("s", "z", "/", "a", "escape", "escape", "1")
        assert ui.op.name == "x"
