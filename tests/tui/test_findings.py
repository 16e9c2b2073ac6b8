"""What Grappler left undone, in the passes mode and in the op detail."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import HOSTILE_NAMES
from tests.pass_recordings import own_history, packed_with_passes
from tests.tui.driving import DrivenApp, row_texts
from tests.tui.recordings import (
    CHANCES,
    meta_of,
    packed_with_findings,
    with_findings,
    with_meta,
    with_switches,
)
from tfgraphdbg.chances.contract import Chance, TriedChance
from tfgraphdbg.recording import Recording, chances_part, rewrites_part
from tfgraphdbg.recording_file import MemoryParts, encode_part
from tfgraphdbg.rewrites import RewritePart
from tfgraphdbg.tui.messages import NotesRead
from tfgraphdbg.tui.passes_screen import PassesScreen
from tfgraphdbg.tui.tracing_screen import TracingScreen
from tfgraphdbg.tui.widgets.note_list import NoteList
from tfgraphdbg.tui.widgets.pass_list import PassList


def notes(ui: DrivenApp) -> NoteList:
    return ui.app.screen_stack[0].query_one(NoteList)


def told(ui: DrivenApp) -> str:
    """All that is told at the right, in one line."""
    return " ".join(" ".join(row_texts(notes(ui))).split())


def at_cursor(ui: DrivenApp) -> str:
    return " ".join(row_texts(notes(ui))[notes(ui).cursor].split())


def test_findings_are_counted_above_the_passes() -> None:
    with DrivenApp(with_findings()) as ui:
        ui.press("p")
        assert [text.split() for text in row_texts(ui.screen.query_one(PassList))][:2] == [
            ["findings", "(2)", "1", "warning"],
            ["options", "all", "as", "by", "default"],
        ]
        assert ui.focus == "passes"
        assert not notes(ui).display


def test_a_finding_says_what_how_it_is_known_and_what_to_write() -> None:
    with DrivenApp(with_findings(), (120, 60)) as ui:
        ui.press("p", "g")
        assert ui.shows("2 findings", "Findings, the most severe and costly first")
        text = told(ui)
        assert text.startswith("▲ warning missed-fusion MatMul + BiasAdd + Relu was not fused into one op: Mul 'mul'")
        assert "to do move the tf.control_dependencies so that it waits for the end of the chain" in text
        assert "proof confirmed by a trial: without its control edges, remapper makes it one _FusedMatMul" in text
        assert "gain about 12.5 us a run, estimated by Grappler's cost model" in text
        assert "evidence pattern: MatMul + BiasAdd + Relu, blocker: control-dependency, device: CPU, count: 1" in text
        assert "ops _FusedMatMul dense/Relu Mul mul in the way Const four at model.py:6" in text
        second = text.partition("● info duplicate-computation")[2]
        assert "proof rule: known from the rules alone" in second
        assert "gain" not in second
        assert {len(line) for line in ui.lines()} == {120}


def test_the_code_of_its_lines_is_shown() -> None:
    packed = packed_with_findings()
    sources = {"/home/user/model.py": "\n".join(f"line_{number} = [bold]{number}" for number in range(1, 20))}
    packed["sources"] = encode_part(sources)
    with DrivenApp(Recording(meta_of(packed), MemoryParts(packed)), (120, 60)) as ui:
        ui.press("p", "g")
        assert "line_6 = [bold]6" in told(ui)


def test_a_trial_of_some_says_of_how_many() -> None:
    first = CHANCES[0]
    other = msgspec.structs.replace(first, proof="rule", trial="", gain_us=None)
    with DrivenApp(with_findings((first, other))) as ui:
        ui.press("p", "g")
        assert "proof confirmed by a trial for 1 of 2: without" in told(ui)


def test_enter_goes_to_the_first_op_or_the_one_under_the_cursor() -> None:
    with DrivenApp(with_findings()) as ui:
        ui.press("p", "g", "enter")
        assert ui.focus == "notes"
        ui.press("enter")
        assert (ui.op.id, ui.app.current_mode) == ("dense/Relu", "graph")
        assert ui.screen.place.stage == "optimized"  # type: ignore[attr-defined]
        ui.press("p")
        assert ui.focus == "notes"
        rows = [" ".join(text.split()) for text in row_texts(notes(ui))]
        ui.press(*"j" * rows.index("in the way Const four"), "enter")
        assert ui.op.id == "four"
        ui.press("p", "h")
        assert ui.focus == "passes"


def test_keys_go_from_finding_to_finding() -> None:
    with DrivenApp(with_findings(), (80, 24)) as ui:
        ui.press("p", "g", "enter", "n")
        assert at_cursor(ui) == "● info duplicate-computation"
        assert ui.shows("ArithmeticOptimizer/Halve_sq", on=notes(ui))
        ui.press("n", "j", "j", "N")
        assert at_cursor(ui) == "● info duplicate-computation"
        ui.press("N")
        assert at_cursor(ui) == "▲ warning missed-fusion"
        ui.press("N")
        assert notes(ui).cursor == 0


def test_findings_are_searched() -> None:
    with DrivenApp(with_findings()) as ui:
        ui.press("p", "g", "/", *"square stat")
        assert ui.shows("1 of 2 findings")
        assert told(ui).startswith("● info duplicate-computation")
        ui.press("enter")
        assert ui.focus == "notes"
        ui.press("enter")
        assert ui.op.id == "ArithmeticOptimizer/Halve_sq"
        ui.press("p", "/", *"xyz", "enter")
        assert ui.shows("Nothing here matches.")
        ui.press("escape", "enter")
        assert ui.op.id == "dense/Relu"


def test_a_search_holds_for_what_is_shown_next() -> None:
    with DrivenApp(with_findings()) as ui:
        ui.press("p", "/", *"mul", "enter", "h", "g")
        assert ui.shows("1 of 2 findings")
        ui.press("j", "j", "j", "j")
        assert not notes(ui).display
        assert ui.shows("0 of 2 ops")


def test_no_finding_is_said_and_what_was_looked_at() -> None:
    with DrivenApp(with_findings(())) as ui:
        ui.press("p", "g")
        assert ui.shows("findings (0)", "0 findings")
        assert "no pass was slow or failed, and the rules for missed chances find none" in told(ui)
        ui.press("enter", "enter", "n", "N", "l")
        assert ui.focus == "notes"
    packed = packed_with_passes()
    (tracing,) = meta_of(packed).tracings
    ran = tuple(stage for stage in tracing.stages if stage.name != "optimized")
    with DrivenApp(with_meta(packed, tracings=(msgspec.structs.replace(tracing, stages=ran),))) as ui:
        ui.press("p", "g")
        assert ui.shows("findings (0)")
        assert "Missed chances were not looked for: the graph that ran was not recorded." in told(ui)


def test_a_finding_without_ops_leads_nowhere() -> None:
    with DrivenApp(with_switches()) as ui:
        ui.press("p", "g", "enter")
        assert told(ui).startswith("● info passes-switched-off recorded with Grappler's passes switched off: remapper")
        ui.press("enter")
        assert isinstance(ui.screen, PassesScreen)
        assert "Go to the op" not in ui.lines()[-1]


def test_what_takes_long_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TracingScreen, "find_notes", lambda *_: None)
    with DrivenApp(with_findings()) as ui:
        ui.press("p", "g")
        assert ui.shows("looking ...", "looking at the passes ...")
        ui.press("j")
        screen = ui.screen
        assert isinstance(screen, PassesScreen)
        assert screen.shown_tracing is not None
        screen.show_finding(1)
        ui.settle()
        assert ui.focus == "passes"
        screen.post_message(NotesRead(0, screen.view.notes(screen.shown_tracing)))
        ui.settle()
        assert (ui.focus, at_cursor(ui)) == ("notes", "● info duplicate-computation")
        assert ui.shows("findings (2)")


def test_damaged_chances_are_said_and_the_passes_work() -> None:
    packed = packed_with_findings()
    packed[chances_part(0)] = packed[chances_part(0)][:-5]
    with DrivenApp(Recording(meta_of(packed), MemoryParts(packed))) as ui:
        ui.press("p")
        assert ui.shows("findings: not known", "runtime: inlining, lowering")
        ui.press("g")
        assert "Findings are not known: part 'tracings/0/chances' is damaged" in told(ui)
        ui.press("j")
        assert told(ui).startswith("not known")


def test_foreign_text_breaks_nothing() -> None:
    chances = tuple(
        TriedChance(
            Chance("missed-fusion", f"[red]{name}", f"b{place}", (name,), (name,), f"{name} [/] stands", name * 3),
            "rule",
            name,
        )
        for place, name in enumerate(HOSTILE_NAMES)
    )
    with DrivenApp(with_findings(chances), (160, 48)) as ui:
        ui.press("p", "g", "enter", *"nnnnnn")
        assert not any("\x1b" in line or "\u202e" in line for line in ui.lines())
        assert {len(line) for line in ui.lines() if "🦊" not in line} == {160}
        assert "[red][red]bold[/red]" in told(ui)
        ui.press("enter", "p", "/", "[", "enter")
        assert ui.app.is_running


@pytest.mark.parametrize("size", [(1, 1), (20, 6), (40, 12), (80, 24), (240, 60)])
def test_any_size(size: tuple[int, int]) -> None:
    with DrivenApp(with_findings(), size) as ui:
        ui.press("p", "g", "enter", "n", "j", "N", "/", "a", "escape", "tab", "j", "enter", "n", "G", "1", "]", "p")
        ui.resize(100, 30)
        ui.press("k", "k")
        assert ui.app.is_running


def test_another_width_wraps_anew_and_keeps_the_finding() -> None:
    with DrivenApp(with_findings(), (80, 24)) as ui:
        ui.press("p", "g", "enter", "n")
        ui.resize(200, 50)
        assert at_cursor(ui) == "● info duplicate-computation"
        assert "model.py" in told(ui)
        assert ui.stale_lines() == []


# In the op detail


def test_an_op_says_in_which_finding_it_takes_part() -> None:
    with DrivenApp(with_findings()) as ui:
        ui.press("[")
        assert "dense/Relu" in ui.listed()
        ui.press("g", *"j" * ui.listed().index("dense/Relu"))
        assert ui.shows("▲ missed-fusion  MatMul + BiasAdd + Relu was not fused", on=ui.detail)
        ui.press("enter", "enter")
        assert isinstance(ui.screen, PassesScreen)
        assert (ui.focus, at_cursor(ui)) == ("notes", "▲ warning missed-fusion")
        assert ui.shows("findings (2)")


def test_an_op_in_the_way_says_so_and_the_second_finding_is_found() -> None:
    with DrivenApp(with_findings()) as ui:
        ui.press("p", "/", *"nothing", "enter", "1", "[")
        ui.press("g", *"j" * ui.listed().index("four"))
        assert ui.shows("▲ in the way: missed-fusion", on=ui.detail)
        ui.press("g", *"j" * ui.listed().index("ArithmeticOptimizer/Halve_sq"), "enter", "enter")
        assert at_cursor(ui) == "● info duplicate-computation"
        assert ui.screen.search.text == ""  # type: ignore[attr-defined]


def test_only_ops_that_ran_take_part() -> None:
    with DrivenApp(with_findings()) as ui:
        ui.press("g", *"j" * ui.listed().index("dense/Relu"))
        assert not ui.shows("missed-fusion")


def test_findings_of_the_history_are_shown_too() -> None:
    own = msgspec.structs.replace(own_history(), difference="2 ops differ")
    packed = packed_with_passes()
    packed[rewrites_part(0)] = encode_part(RewritePart((own,)))
    with DrivenApp(Recording(meta_of(packed), MemoryParts(packed))) as ui:
        ui.press("p", "g")
        assert told(ui).startswith("▲ warning replay-mismatch the dumps of the passes end before the one")
        assert "measured source: run, difference: 2 ops differ" in told(ui)
