"""The life of an op in words, and the edit of a pass grouped by fate."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import small_recording
from tests.pass_recordings import called_history, own_history, recording_with_passes
from tfgraphdbg.analyses.edited_ops import FateGroup, PassRef, edited_ops
from tfgraphdbg.analyses.life_events import LifeEvent, life_line
from tfgraphdbg.analyses.op_life import OpLives, lives_of
from tfgraphdbg.recording import Recording


def lives(recording: Recording | None = None) -> OpLives:
    recording = recording or recording_with_passes()
    found = lives_of(recording, recording.main_tracing)
    assert found is not None
    return found


def told(stage: str, op: str) -> str:
    recording = recording_with_passes()
    node = recording.graph(stage).by_id[op]
    return life_line(node.op_type, lives(recording).life(node))


LINES = {
    ("traced", "bias"): "Const: traced model.py:6, ran",
    ("traced", "x"): "Placeholder: traced, ran as _Arg",
    ("traced", "w/resource"): "Placeholder: traced, renamed by the runtime, as w_resource (_Arg), ran",
    ("traced", "dense/MatMul"): "MatMul: traced model.py:6, fused by remapper, iteration 1, into dense/Relu "
    "(_FusedMatMul), ran",
    ("traced", "dense/Relu"): "Relu: traced model.py:6, fused by remapper, iteration 1, now _FusedMatMul, ran",
    ("traced", "two_1"): "Const: traced model.py:7, merged by common_subgraph_elimination, iteration 1, into two "
    "(Const), then folded by constant_folding, iteration 1, into four (Const), ran",
    ("traced", "NoOp"): "NoOp: traced, removed by dependency_optimizer, iteration 1, needed by nothing, did not run",
    ("traced", "Identity"): "Identity: traced model.py:7, removed by dependency_optimizer, iteration 1, "
    "read instead: PartitionedCall/sq (Mul), did not run",
    (
        "traced",
        "scale::sq",
    ): "Mul: traced model.py:7, inlined by the runtime, as PartitionedCall/sq (Mul), then changed "
    "by arithmetic_optimizer, iteration 2, into ArithmeticOptimizer/Halve_sq (Square), ran",
    ("traced", "stays::one_1"): "Const: traced model.py:7, merged by common_subgraph_elimination, iteration 1, into "
    "stays::one (Const), ran",
    ("lowered", "w_resource"): "_Arg: traced as w/resource (Placeholder), ran",
    ("lowered", "PartitionedCall/half"): "Const: traced model.py:7 as scale::half (Const), removed by "
    "arithmetic_optimizer, iteration 2, needed by nothing, did not run",
    ("after:remapper", "dense/Relu"): "_FusedMatMul: traced model.py:6, fused by remapper, iteration 1, now "
    "_FusedMatMul, ran",
    ("optimized", "ArithmeticOptimizer/Halve_sq"): "Square: made by arithmetic_optimizer, iteration 2, ran",
    ("optimized", "Identity_RetVal"): "_Retval: made by the runtime, inputs changed by dependency_optimizer, "
    "iteration 1, inputs changed by arithmetic_optimizer, iteration 2, ran",
}


@pytest.mark.parametrize("stage_and_op", LINES)
def test_a_life_is_told_in_a_line(stage_and_op: tuple[str, str]) -> None:
    assert told(*stage_and_op) == LINES[stage_and_op]


def test_an_event_leads_to_a_stage_that_holds_its_op() -> None:
    recording = recording_with_passes()
    known = lives(recording)
    seen = 0
    for stage in ("traced", "lowered", "after:constant_folding", "optimized"):
        for op in recording.graph(stage).ops:
            for event in known.life(op):
                if event.op and event.stage:
                    seen += 1
                    assert event.op in recording.graph(event.stage).by_id, (op.id, event)
    assert seen > 20


def test_an_op_that_ran_was_made_of_others_in_order_of_computation() -> None:
    recording = recording_with_passes()
    known = lives(recording)
    origins = known.origins(recording.graph("optimized").by_id["dense/Relu"])
    made_of = [known.ancestor(origin) for origin in origins]
    assert [(each.op_type, each.op, each.stage) for each in made_of] == [
        ("MatMul", "dense/MatMul", "traced"),
        ("BiasAdd", "dense/BiasAdd", "traced"),
        ("Relu", "dense/Relu", "traced"),
    ]
    halve = known.origins(recording.graph("optimized").by_id["ArithmeticOptimizer/Halve_sq"])
    assert known.ancestor(halve[0]).stage == "lowered"


@pytest.mark.parametrize(
    ("op", "stage", "found"),
    [
        ("two_1", "after:common_subgraph_elimination", "two"),
        ("two_1", "optimized", "four"),
        ("dense/MatMul", "optimized", "dense/Relu"),
        ("Identity", "after:dependency_optimizer", "PartitionedCall/sq"),
        ("scale::sq", "lowered", "PartitionedCall/sq"),
        ("scale::sq", "optimized", "ArithmeticOptimizer/Halve_sq"),
        ("NoOp", "optimized", None),
    ],
)
def test_what_an_op_went_into_in_a_later_stage(op: str, stage: str, found: str | None) -> None:
    recording = recording_with_passes()
    went = lives(recording).went_into(op, recording.graph(stage))
    assert (went.op if went else None) == found


def test_without_recorded_passes_there_are_no_lives() -> None:
    recording = small_recording()
    assert lives_of(recording, recording.main_tracing) is None


def test_an_event_says_only_what_it_knows() -> None:
    assert str(LifeEvent("traced")) == "traced"
    assert str(LifeEvent("ran", "", "as", "", "_Arg")) == "ran as _Arg"
    assert str(LifeEvent("fused", "remapper", "into", "r", "_Fused")) == "fused by remapper, into r (_Fused)"


def edit(step: int, history: int = 0) -> dict[str, list[tuple[str, list[str]]]]:
    return {group.fate: targets(group) for group in edited_ops(lives(), PassRef(history, step))}


def targets(group: FateGroup) -> list[tuple[str, list[str]]]:
    return [(target.into, [op.name for op in target.ops]) for target in group.targets]


def test_ops_that_are_fused_stand_together_in_order_of_computation() -> None:
    groups = edited_ops(lives(), PassRef(0, 4))
    assert groups[0].fate == "fused"
    assert targets(groups[0]) == [("dense/Relu", ["dense/MatMul", "dense/BiasAdd", "dense/Relu"])]
    assert groups[0].targets[0].into_type == "_FusedMatMul"
    assert [op.op_type for op in groups[0].targets[0].ops] == ["MatMul", "BiasAdd", "Relu"]
    assert groups[0].targets[0].ops[0].place == "model.py:6"


def test_order_of_computation_does_not_depend_on_the_order_of_the_graph() -> None:
    own = own_history()
    recording = recording_with_passes()
    graph = recording.graph("lowered")
    backwards = msgspec.structs.replace(graph, ops=graph.ops[::-1])
    recording._graphs[0, "lowered"] = backwards
    groups = edited_ops(lives(recording), PassRef(0, 4))
    assert [op.name for op in groups[0].targets[0].ops] == ["dense/MatMul", "dense/BiasAdd", "dense/Relu"]
    assert own.steps[4].pass_name == "remapper"


def test_each_fate_is_a_group() -> None:
    assert edit(1) == {"merged": [("two", ["two_1"])], "inputs changed": [("four", ["four"])]}
    assert edit(2) == {"folded": [("four", ["two", "four"])]}
    assert edit(5) == {
        "removed": [("", ["NoOp"]), ("PartitionedCall/sq", ["Identity"])],
        "inputs changed": [("Identity_RetVal", ["Identity_RetVal"])],
    }
    assert edit(6)["new"] == [("ArithmeticOptimizer/Halve_sq", ["ArithmeticOptimizer/Halve_sq"])]
    assert edit(6)["changed"] == [("ArithmeticOptimizer/Halve_sq", ["PartitionedCall/sq"])]
    assert edit(4)["control inputs changed"] == [("NoOp", ["NoOp"])]


def test_a_pass_that_changed_nothing_has_no_groups() -> None:
    assert edit(0) == edit(3) == {}


def test_what_the_runtime_did_before_grappler() -> None:
    groups = edit(-1)
    assert groups["inlined"] == [("PartitionedCall/sq", ["PartitionedCall"])]
    assert groups["kept"] == [("w_resource", ["w/resource"])]
    assert [into for into, _ in groups["new"]] == ["PartitionedCall/half", "PartitionedCall/sq", "Identity_RetVal"]


def test_a_function_that_stayed_a_call_has_edits_of_its_own() -> None:
    assert edit(0, history=1) == {"merged": [("one", ["one_1"])], "inputs changed": [("sum", ["sum"])]}
    assert edit(1, history=1) == {}


def test_what_an_earlier_pass_left_without_readers_says_so() -> None:
    """A pass may leave an op that nobody reads; the fate is its doing, a later one takes the op away."""
    own = own_history()
    pruned = own.steps[2]
    late = msgspec.structs.replace(own.steps[3], removed=("two",), ops=own.steps[3].ops)
    steps = list(own.steps)
    steps[2] = msgspec.structs.replace(pruned, removed=(), ops=pruned.ops + 1)
    steps[3] = late
    recording = recording_with_passes((msgspec.structs.replace(own, steps=tuple(steps)), called_history()))
    known = lives(recording)
    folded = edited_ops(known, PassRef(0, 2))[0]
    assert [(op.name, op.note) for target in folded.targets for op in target.ops] == [
        ("two", "nothing reads it any more"),
        ("four", ""),
    ]
    removed = edited_ops(known, PassRef(0, 3))[0]
    assert [(op.name, op.note) for target in removed.targets for op in target.ops] == [
        ("two", "folded by constant_folding, iteration 1")
    ]


def test_every_op_of_an_edit_is_listed_once() -> None:
    known = lives()
    for place, history in enumerate(known.histories):
        for number, step in enumerate(history.steps):
            groups = edited_ops(known, PassRef(place, number))
            names = [op.name for group in groups for target in group.targets for op in target.ops]
            wanted = [*step.removed, *(op.name for op in (*step.changed, *step.added))]
            assert sorted(names) == sorted(wanted)
