"""The passes mode: the list of passes, and what the chosen one did to which op."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import HOSTILE_NAMES, packed_recording, small_traced
from tests.pass_recordings import called_history, own_history, packed_with_passes, recording_with_passes
from tests.tui.driving import DrivenApp, row_texts
from tests.tui.recordings import meta_of, with_hlo, with_meta
from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.recording import MissingEvidence, Recording, TargetInfo, rewrites_part
from tfgraphdbg.recording_file import MemoryParts
from tfgraphdbg.rewrites import RewriteStep
from tfgraphdbg.tui.pass_lines import PassLine
from tfgraphdbg.tui.passes_screen import PassesScreen
from tfgraphdbg.tui.widgets.edit_list import EditList
from tfgraphdbg.tui.widgets.note_list import NoteList
from tfgraphdbg.tui.widgets.pass_list import PassList


def passes(ui: DrivenApp) -> PassList:
    return ui.app.screen_stack[0].query_one(PassList)


def edit(ui: DrivenApp) -> EditList:
    return ui.app.screen_stack[0].query_one(EditList)


def edit_rows(ui: DrivenApp) -> list[list[str]]:
    return [text.split() for text in row_texts(edit(ui))]


def go_to(ui: DrivenApp, name: str, iteration: int | None = 1) -> None:
    """Put the cursor on the line of a pass."""
    lines = enumerate(passes(ui)._lines)
    wanted = (name, iteration)
    passes(ui).cursor = next(
        place for place, line in lines if isinstance(line, PassLine) and (line.name, line.iteration) == wanted
    )
    ui.settle()


def test_passes_are_listed_in_order_with_what_they_did() -> None:
    with DrivenApp(recording_with_passes(), (160, 40)) as ui:
        ui.press("p")
        assert isinstance(ui.screen, PassesScreen)
        assert ui.focus == "passes"
        rows = [text.split() for text in row_texts(passes(ui))]
        assert rows[:2] == [["findings", "(0)"], ["options", "all", "as", "by", "default"]]
        rows = rows[2:]
        assert rows[0][:3] == ["runtime:", "inlining,", "lowering"]
        assert rows[1][:7] == ["model_pruner", "1", "·", "·", "·", "0.20", "ms"]
        assert rows[2][:7] == ["common_subgraph_elimination", "1", "-1", "·", "~1", "0.50", "ms"]
        assert rows[4][:6] == ["layout", "1", "·", "·", "·", "13"]
        assert rows[7][:2] == ["arithmetic_optimizer", "2"]
        assert rows[8:] == [
            ["functions", "that", "stayed", "calls"],
            ["▸", "ƒ", "stays", "-1", "·", "~1", "0.20", "ms", "4"],
        ]
        assert ui.shows("train_step  7 passes in 3.3 ms, 5 of them changed something: 15 ops became 8")


def test_the_longest_pass_has_the_longest_bar() -> None:
    with DrivenApp(recording_with_passes(), (200, 40)) as ui:
        ui.press("p")
        bars = {
            line.name: ui_line.count("█")
            for line, ui_line in zip(passes(ui)._lines, row_texts(passes(ui)), strict=True)
        }
        assert bars["constant_folding"] == max(bars.values()) > bars["arithmetic_optimizer"] > bars["remapper"]


def test_the_edit_of_a_pass_is_grouped_by_fate() -> None:
    with DrivenApp(recording_with_passes(), (160, 40)) as ui:
        ui.press("3")
        go_to(ui, "remapper")
        assert ui.shows("remapper, iteration 1  -2 ~2  in 0.25 ms")
        assert edit_rows(ui) == [
            ["fused", "3", "ops", "into", "1"],
            ["_FusedMatMul", "dense/Relu", "3", "ops"],
            ["MatMul", "dense/MatMul", "model.py:6"],
            ["BiasAdd", "dense/BiasAdd", "model.py:6"],
            ["Relu", "dense/Relu", "model.py:6"],
            ["waits", "for", "other", "ops", "1", "op"],
            ["NoOp", "NoOp"],
        ]
        go_to(ui, "common_subgraph_elimination")
        assert edit_rows(ui) == [
            ["merged", "1", "op"],
            ["Const", "two_1", "→", "two", "Const", "model.py:7"],
            ["reads", "other", "ops", "1", "op"],
            ["Add", "four", "model.py:7"],
        ]
        go_to(ui, "dependency_optimizer")
        assert ["NoOp", "NoOp", "needed", "by", "nothing"] in edit_rows(ui)
        assert ["Identity", "Identity", "→", "PartitionedCall/sq", "Mul", "model.py:7"] in edit_rows(ui)
        go_to(ui, "constant_folding")
        assert ui.shows("3 ops") is False
        assert edit_rows(ui)[1] == ["Const", "four", "2", "ops"]


def test_what_the_runtime_did_comes_first() -> None:
    with DrivenApp(recording_with_passes(), (160, 40)) as ui:
        ui.press("p")
        assert passes(ui).cursor == 2
        rows = edit_rows(ui)
        assert rows[:2] == [
            ["inlined", "1", "op"],
            ["PartitionedCall", "PartitionedCall", "→", "PartitionedCall/sq", "Mul", "model.py:7"],
        ]
        assert ["Placeholder", "w/resource", "→", "w_resource", "_Arg"] in rows


def test_passes_that_changed_nothing_can_be_hidden() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("p")
        go_to(ui, "layout")
        assert ui.shows("This pass changed nothing.")
        ui.press("z")
        names = [line.name for line in passes(ui)._lines]
        assert not {"layout", "model_pruner"} & set(names)
        current = passes(ui).current
        assert current is not None
        assert current.name == "remapper"
        assert ui.shows("fused", on=edit(ui))
        ui.press("z")
        assert "layout" in [line.name for line in passes(ui)._lines]
        assert passes(ui).current == current


def test_a_function_that_stayed_a_call_is_opened() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("p", "G")
        assert ui.shows("stays stayed a call, and was optimized by itself.")
        ui.press("enter", "j")
        assert ui.shows("▾ ƒ stays", on=passes(ui))
        assert edit_rows(ui)[1][:5] == ["Const", "one_1", "→", "one", "Const"]
        ui.press("enter", "enter")
        assert ui.op.id == "stays::one_1"
        ui.press("p", "h", "h")
        assert ui.shows("▸ ƒ stays", on=passes(ui))
        ui.press("k")
        assert ui.shows("These library functions stayed calls")
        ui.press("s", "enter")
        assert isinstance(ui.screen, PassesScreen)


def test_enter_leads_to_the_op_in_the_stage_where_it_is() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("p")
        go_to(ui, "remapper")
        ui.press("enter")
        assert ui.focus == "edit"
        ui.press("j", "enter")
        assert ui.op.id == "dense/MatMul"
        assert ui.shows("after:layout ▾", "changed nothing  13 ops")
        ui.press("p")
        assert ui.focus == "edit"
        ui.press("k", "enter")
        assert (ui.op.id, ui.op.op_type) == ("dense/Relu", "_FusedMatMul")
        assert ui.shows("after:remapper ▾", "-2 ~2  11 ops")
        ui.press("backspace")
        assert ui.op.id == "dense/MatMul"


def test_the_graph_after_a_pass_is_shown() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("p")
        go_to(ui, "constant_folding")
        ui.press("s")
        assert ui.shows("after:constant_folding ▾")
        assert "two" not in ui.listed()
        ui.press("p")
        go_to(ui, "runtime: inlining, lowering", None)
        ui.settle()
        ui.press("s")
        assert "PartitionedCall/half" in ui.listed()
        assert ui.shows("15 ops")


def test_the_edit_is_searched() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("p")
        go_to(ui, "remapper")
        ui.press("/", *"Bias fused")
        assert edit_rows(ui) == [
            ["fused", "1", "of", "3", "ops"],
            ["BiasAdd", "dense/BiasAdd", "→", "dense/Relu", "_FusedMatMul", "model.py:6"],
        ]
        assert ui.shows("1 of 4 ops")
        ui.press("enter")
        assert ui.focus == "edit"
        ui.press("/", *"nothing", "enter")
        assert ui.shows("No op that this pass edited matches.")
        ui.press("escape")
        assert len(edit_rows(ui)) == 7


def test_the_search_stays_from_pass_to_pass() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("p", "/", *"two", "enter", "h", "g")
        go_to(ui, "constant_folding")
        assert [row[1] for row in edit_rows(ui)[1:]] == ["two"]


def test_keys_go_from_fate_to_fate() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("p")
        go_to(ui, "remapper")
        ui.press("l")
        assert edit(ui).cursor == 1
        ui.press("n")
        assert edit_rows(ui)[edit(ui).cursor][0] == "waits"
        ui.press("enter")
        assert edit_rows(ui)[edit(ui).cursor] == ["NoOp", "NoOp"]
        ui.press("N", "N")
        assert edit(ui).cursor == 0
        ui.press("h")
        assert ui.focus == "passes"


@pytest.mark.parametrize("size", [(1, 1), (20, 6), (40, 12), (80, 24), (120, 40), (240, 60)])
def test_any_size(size: tuple[int, int]) -> None:
    with DrivenApp(recording_with_passes(), size) as ui:
        ui.press("p", "j", "j", "j", "enter", "n", "n", "/", "a", "escape", "tab", "z", "s", "p", "?", "escape", "1")
        assert ui.app.is_running


def test_a_narrow_terminal_stacks_the_lists() -> None:
    with DrivenApp(recording_with_passes(), (80, 24)) as ui:
        ui.press("p", "j", "j")
        assert passes(ui).region.bottom <= edit(ui).region.y
        assert {passes(ui).region.width, edit(ui).region.width} == {80}
        assert ui.shows("common_subgraph_elimination", "0.50 ms", on=passes(ui))
        assert ui.stale_lines() == []


# What is missing


def test_a_recording_without_passes_says_why() -> None:
    gaps = (MissingEvidence("grappler-passes", "the dumps could not be read: no space left"),)
    with DrivenApp(with_meta(packed_recording([small_traced()]), missing=gaps)) as ui:
        ui.press("p")
        assert ui.shows(
            "What Grappler did to train_step was not recorded.", "The dumps could not be read: no space left"
        )
        ui.press("j", "enter", "/", "a", "s", "z", "n", "escape", "escape", "tab", "tab", "1")
        assert ui.op.name == "x"
    with DrivenApp(with_meta(packed_recording([small_traced()]), options={})) as ui:
        ui.press("p")
        assert ui.shows("What Grappler did to train_step was not recorded.", "tfgraphdbg inspect model.py:train_step")
        assert " ".join(ui.lines()[-1].split()) == "1 Graph b Bottlenecks e Eager 2 Log ? Help q Quit"


def test_a_graph_file_has_no_passes() -> None:
    file = TargetInfo("graph.pb", "graph_def")
    recording = with_meta(packed_recording([small_traced()]), target=file, options={})
    with DrivenApp(recording) as ui:
        ui.press("p")
        assert ui.shows("A GraphDef file holds one graph, and no run of Grappler.")


def test_a_function_that_xla_compiles_has_no_passes() -> None:
    recording = with_hlo()
    (tracing,) = recording.meta.tracings
    recording.meta = msgspec.structs.replace(
        recording.meta, tracings=(msgspec.structs.replace(tracing, jit_compile=True),)
    )
    with DrivenApp(recording) as ui:
        ui.press("p")
        assert ui.shows("XLA compiles train_step (jit_compile)", "Its stage hlo holds what XLA made")


def test_a_recording_without_a_tracing() -> None:
    with DrivenApp(with_meta(packed_recording([]), tracings=(), main_tracing=None)) as ui:
        ui.press("p")
        assert ui.shows("No tf.function ran in")
        ui.press("j", "/", "s", "z", "escape", "2", "p", "1")
        assert ui.app.is_running


def test_damaged_passes_are_said_and_the_rest_works() -> None:
    packed = packed_with_passes()
    packed[rewrites_part(0)] = packed[rewrites_part(0)][:-5]
    with DrivenApp(Recording(meta_of(packed), MemoryParts(packed))) as ui:
        assert ui.shows("Life  not known: part 'tracings/0/rewrites' is damaged")
        ui.press("p")
        assert ui.shows("passes", "not known", on=passes(ui))
        told = " ".join(" ".join(row_texts(ui.screen.query_one(NoteList))).split())
        assert told.startswith("What became of the ops of train_step is not known: part 'tracings/0/rewrites'")
        ui.press("k", "k")
        assert ui.shows("findings: not known", "Findings are not known: part 'tracings/0/rewrites'")
        ui.press("1", "j")
        assert ui.op.name == "w/resource"
        ui.press("s")
        assert ui.shows("Cannot show this")


def test_another_tracing_is_chosen_in_any_mode() -> None:
    packed = packed_with_passes()
    main = meta_of(packed).tracings[0]
    for name in [name for name in packed if "/0/" in name or name.startswith("graphs/0")]:
        packed[name.replace("/0/", "/1/")] = packed[name]
    del packed[rewrites_part(1)]
    tracings = (main, msgspec.structs.replace(main, index=1, function="other"))
    with DrivenApp(with_meta(packed, tracings=tracings)) as ui:
        ui.press("p")
        assert ui.shows("train_step 1 of 2 (t)")
        ui.press("t", "j", "enter")
        assert ui.shows(
            "What Grappler did to other was not recorded.", "t chooses another tracing: train_step has passes."
        )
        ui.press("1")
        assert ui.shows("other 2 of 2 (t)")
        ui.press("t", "k", "k", "enter", "p")
        assert ui.shows("train_step 1 of 2 (t)", "7 passes")


def test_a_pass_that_failed_says_what_the_runtime_said() -> None:
    own = own_history()
    failed = msgspec.structs.replace(own.steps[3], note="the pass failed: [red]out of time[/red]")
    steps = (*own.steps[:3], failed, *own.steps[4:])
    with DrivenApp(recording_with_passes((msgspec.structs.replace(own, steps=steps), called_history()))) as ui:
        ui.press("p")
        go_to(ui, "layout")
        assert ui.shows("This pass changed nothing.", "The pass failed: [red]out of time[/red]")


def test_a_replay_and_a_difference_are_said() -> None:
    own = msgspec.structs.replace(own_history(), source="replayed", difference="2 ops differ, such as 'x'")
    with DrivenApp(recording_with_passes((own, called_history())), (160, 36)) as ui:
        ui.press("p")
        assert ui.shows("▲ not quite what ran: 2 ops differ, such as 'x'", "replayed in another process")


def test_foreign_names_break_nothing() -> None:
    own = own_history()
    added = tuple(OpNode(name, "[red]Type[/red]\n") for name in HOSTILE_NAMES)
    step = RewriteStep("re[bold]mapper[/] [b \x1b[31m", 3, (), added, (), own.steps[-1].ops + len(added), 0.5, "log")
    own = msgspec.structs.replace(own, steps=(*own.steps, step), difference="[red]\x1b[0m")
    with DrivenApp(recording_with_passes((own, called_history())), (160, 36)) as ui:
        ui.press("p")
        go_to(ui, "re[bold]mapper[/] [b \x1b[31m", 3)
        assert ui.shows("re[bold]mapper[/] [b \\x1b[31m, iteration 3  +7", on=edit(ui))
        assert ui.shows("re[bold]mapper[/] [b \\x1b[31m", on=passes(ui))
        assert ui.shows("[red]bold[/red]", "two\\nlines", "\\u202ertl", "[red]Type[/red]", on=edit(ui))
        assert not any("\x1b" in line for line in ui.lines())
        assert {len(line) for line in ui.lines() if "🦊" not in line} == {160}


def test_thousands_of_ops_are_drawn_as_they_come_into_sight() -> None:
    own = own_history()
    added = tuple(OpNode(f"added/op_{number}", "Const") for number in range(30_000))
    step = RewriteStep("constant_folding", 3, (), added, (), own.steps[-1].ops + len(added), 0.5, "log")
    recording = recording_with_passes((msgspec.structs.replace(own, steps=(*own.steps, step)), called_history()))
    with DrivenApp(recording) as ui:
        ui.press("p")
        go_to(ui, "constant_folding", 3)
        assert ui.shows("new  30,000 ops")
        ui.press("enter", "G")
        assert ui.shows("added/op_29999")
        assert len(edit(ui)._drawn) < 200


def test_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("p", "j", "j")
        assert ui.shows("merged", on=edit(ui))
