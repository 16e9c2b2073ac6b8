"""The life of an op in its detail, and the same op followed from stage to stage."""

from __future__ import annotations

from tests.hand_built import small_recording
from tests.pass_recordings import recording_with_passes
from tests.tui.driving import DrivenApp, row_texts
from tfgraphdbg.tui.modals.choice_screen import ChoiceList


def section(ui: DrivenApp, heading: str) -> list[str]:
    """The rows of a section of the op detail, without its heading."""
    rows = [row.strip() for row in row_texts(ui.detail)]
    start = next((place for place, row in enumerate(rows) if row.startswith(heading)), len(rows)) + 1
    return rows[start : next((place for place in range(start, len(rows)) if not rows[place]), len(rows))]


def said(ui: DrivenApp) -> str:
    """What the notices say that lie over the screen."""
    parts = (line.rpartition("▌")[2].strip(" ─╯│") for line in ui.lines() if "▌" in line)
    return " ".join(filter(None, parts))


def look_at(ui: DrivenApp, op: str) -> None:
    ui.ops.cursor = ui.listed().index(op)
    ui.settle()


def test_the_detail_tells_the_life_of_an_op() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        look_at(ui, "dense/MatMul")
        assert section(ui, "Life") == [
            "traced model.py:6",
            "fused by remapper, iteration 1, into",
            "→ dense/Relu  _FusedMatMul",
            "ran",
        ]
        assert section(ui, "Made of") == []
        look_at(ui, "NoOp")
        assert section(ui, "Life") == [
            "traced",
            "removed by dependency_optimizer, iteration 1,",
            "needed by nothing",
            "did not run",
        ]


def test_each_event_leads_to_its_op() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        look_at(ui, "dense/MatMul")
        ui.press("enter")
        ui.detail.cursor = next(row for row, text in enumerate(row_texts(ui.detail)) if "→ dense/Relu  _Fused" in text)
        ui.press("enter")
        assert (ui.op.id, ui.op.op_type) == ("dense/Relu", "_FusedMatMul")
        assert ui.shows("after:remapper ▾")
        assert section(ui, "Life")[1] == "fused by remapper, iteration 1, now _FusedMatMul"
        ui.press("backspace")
        assert ui.op.id == "dense/MatMul"


def test_an_op_that_ran_tells_what_it_was_made_of() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("]", "]")
        look_at(ui, "dense/Relu")
        assert ui.shows("Made of  3 ops, in this order", on=ui.detail)
        assert [row.split() for row in section(ui, "Made of")] == [
            ["MatMul", "dense/MatMul", "traced"],
            ["BiasAdd", "dense/BiasAdd", "traced"],
            ["Relu", "dense/Relu", "traced"],
        ]
        ui.press("enter")
        ui.detail.cursor = next(row for row, text in enumerate(row_texts(ui.detail)) if "dense/BiasAdd" in text)
        ui.press("enter")
        assert (ui.op.id, ui.op.op_type) == ("dense/BiasAdd", "BiasAdd")
        look_at(ui, "x")
        ui.press("]", "]")
        assert section(ui, "Made of") == []


def test_a_recording_without_passes_tells_no_life() -> None:
    with DrivenApp(small_recording()) as ui:
        assert not ui.shows("Life", on=ui.detail)
        ui.press("]")
        assert ui.shows("Comes from", on=ui.detail)
        assert not ui.shows("passes", on=ui.app.screen.query_one("#stages"))


def test_passes_are_one_entry_of_the_stage_bar() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        assert ui.shows(" traced   lowered   passes ▾   optimized ")
        ui.click(ui.app.screen.query_one("#stages"), ui.lines()[1].index("passes ▾"), 0)
        choices = ui.screen.query_one(ChoiceList)._choices
        assert [choice.label.strip() for choice in choices] == [
            "traced",
            "lowered",
            "after:model_pruner",
            "after:common_subgraph_elimination",
            "after:constant_folding",
            "after:layout",
            "after:remapper",
            "after:dependency_optimizer",
            "after:arithmetic_optimizer",
            "optimized",
        ]
        assert [choice.dim for choice in choices][2:6] == [True, False, False, True]
        assert choices[6].note == "-2 ~2  11 ops"
        ui.press(*["j"] * 6, "enter")
        assert ui.shows("after:remapper ▾", "-2 ~2  11 ops")
        ui.press("s")
        assert ui.screen.query_one(ChoiceList).cursor == 6


def test_stages_are_stepped_without_the_passes_and_passes_with_keys_of_their_own() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("]", "]")
        assert ui.shows("passes ▾", "8 ops")
        ui.press("{")
        assert ui.shows("after:arithmetic_optimizer ▾")
        ui.press("{", "{")
        assert ui.shows("after:remapper ▾")
        ui.press("{")
        assert ui.shows("after:constant_folding ▾")
        ui.press("[")
        assert ui.shows("passes ▾", "15 ops")
        ui.press("}", "]")
        assert ui.shows("passes ▾", "8 ops")
        ui.press("}")
        assert ui.shows("passes ▾", "8 ops")


def test_an_op_that_is_gone_is_followed_to_what_it_went_into() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        look_at(ui, "two_1")
        ui.press("]")
        assert ui.op.id == "two_1"
        ui.press("}")
        assert ui.op.id == "two"
        assert said(ui) == "two_1 is gone here: merged by common_subgraph_elimination, iteration 1, into two (Const)"
        ui.press("}")
        assert ui.op.id == "four"
        assert said(ui).endswith("two is gone here: folded by constant_folding, iteration 1, into four (Const)")


def test_going_back_in_time_leads_to_what_an_op_was_made_of() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("]", "]")
        look_at(ui, "ArithmeticOptimizer/Halve_sq")
        ui.press("{", "{")
        assert ui.op.id == "PartitionedCall/sq"
        assert said(ui) == "ArithmeticOptimizer/Halve_sq is not in this stage: here it is PartitionedCall/sq"
        ui.press("[", "[")
        assert ui.op.id == "scale::sq"


def test_an_op_that_nothing_stands_for_says_what_became_of_it() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        look_at(ui, "NoOp")
        ui.press("]", "]")
        assert said(ui) == (
            "NoOp is not in this stage: removed by dependency_optimizer, iteration 1, needed by nothing"
        )
        assert ui.op.id == "x"


def test_only_a_few_graphs_after_passes_are_kept() -> None:
    with DrivenApp(recording_with_passes()) as ui:
        ui.press("]", "}", "}", "}", "}", "}")
        kept = [stage for _, stage in ui.app.screen._indexes if stage.startswith("after:")]  # type: ignore[attr-defined]
        assert kept == ["after:remapper", "after:dependency_optimizer", "after:arithmetic_optimizer"]
