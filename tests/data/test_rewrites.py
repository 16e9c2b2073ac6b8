"""Edits, pass by pass: graphs after a pass, their names, and histories that contradict themselves."""

from __future__ import annotations

import msgspec
import pytest

from tests.graph_text import graph_of
from tests.hand_built import packed_recording, recording_of, small_optimized
from tfgraphdbg.errors import UnreadableFileError, UsageError
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.recording import MissingEvidence, Recording, rewrites_part
from tfgraphdbg.recording_file import encode_part
from tfgraphdbg.rewrites import (
    RewriteHistory,
    RewritePart,
    RewriteStep,
    check_edits,
    damage_of,
    short_pass_name,
)

LOWERED = graph_of(
    """
    x = _Arg {index=0}
    twin = Add(x, x)
    same = Add(x, x)
    bias = Const {value=1}
    out = Relu(twin, same)
    [called]
    a = Placeholder
    """,
    "lowered",
)

PIPELINE = "tfg_optimizer{any(a,b),c}"

STEPS = (
    RewriteStep(PIPELINE, 1, ops=5),
    RewriteStep("common_subgraph_elimination", 1, ("same",), (), (OpNode("out", "Relu", ("twin", "twin")),), 4),
    RewriteStep(
        "remapper", 1, ("twin",), (OpNode("new", "Const", attrs=2),), (OpNode("out", "_Fused", ("x", "new")),), 4
    ),
    RewriteStep(PIPELINE, 2, ("bias",), ops=3),
    RewriteStep("remapper", 2, ops=3),
)

HISTORY = RewriteHistory("__inference_f_1", "", STEPS, ({"value": "2"},), difference="")


def recording_with(*histories: RewriteHistory, stages: tuple[GraphModel, ...] = (LOWERED,)) -> Recording:
    packed = packed_recording([*stages, small_optimized()])
    return recording_of({**packed, rewrites_part(0): encode_part(RewritePart(histories))})


def changed(step: int, **fields: object) -> RewriteHistory:
    """The good history with one step that differs."""
    steps = list(STEPS)
    steps[step] = msgspec.structs.replace(steps[step], **fields)
    return msgspec.structs.replace(HISTORY, steps=tuple(steps))


def test_the_good_history_is_good():
    assert not list(check_edits({op.name: op for op in LOWERED.top_level_ops}, STEPS))
    assert recording_with(HISTORY).own_rewrites() == HISTORY


def test_the_graph_after_a_pass_is_the_first_with_edits_applied():
    recording = recording_with(HISTORY)
    graph = recording.graph("after:remapper")
    assert graph.stage == "after:remapper"
    assert [op.name for op in graph.top_level_ops] == ["x", "bias", "out", "new"]
    assert graph.by_id["out"].inputs == ("x", "new")
    assert graph.attrs_of(graph.by_id["new"]) == {"value": "2"}
    assert graph.attrs_of(graph.by_id["bias"]) == {"value": "1"}
    assert graph.by_id["called::a"].op_type == "Placeholder"
    graph.check()


def test_the_graph_after_a_pass_with_iteration_pipeline_or_full_name():
    recording = recording_with(HISTORY)
    assert "bias" in recording.graph("after:tfg_optimizer").by_id
    assert "bias" not in recording.graph("after:tfg_optimizer:2").by_id
    assert recording.graph(f"after:{PIPELINE}").ops == recording.graph("after:tfg_optimizer").ops
    assert recording.graph("after:remapper:1").ops == recording.graph("after:remapper").ops


def test_only_the_latest_graph_after_a_pass_is_kept():
    recording = recording_with(HISTORY)
    first = recording.graph("after:remapper")
    assert recording.graph("after:remapper") is first
    recording.graph("after:tfg_optimizer:2")
    assert recording.graph("after:remapper") is not first


@pytest.mark.parametrize("stage", ["after:remaper", "after:remapper:3", "after:", "after:remapper:x", "after::1"])
def test_an_unknown_pass_lists_those_that_exist(stage):
    with pytest.raises(UsageError) as caught:
        recording_with(HISTORY).graph(stage)
    assert "tfg_optimizer, common_subgraph_elimination, remapper" in caught.value.hint
    assert stage.removeprefix("after:") in caught.value.message


def test_a_misspelt_pass_names_the_close_ones():
    with pytest.raises(UsageError) as caught:
        recording_with(HISTORY).graph("after:remaper")
    assert "did you mean after:remapper?" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        recording_with(HISTORY).graph("after:remapper:7")
    assert "after:remapper:2" in caught.value.hint


def test_names_of_stages_are_as_short_as_they_can_be():
    assert HISTORY.stages == (
        "after:tfg_optimizer",
        "after:common_subgraph_elimination",
        "after:remapper",
        "after:tfg_optimizer:2",
        "after:remapper:2",
    )
    assert short_pass_name(PIPELINE) == "tfg_optimizer"
    recording = recording_with(HISTORY)
    for stage, step in zip(HISTORY.stages, STEPS, strict=True):
        assert len(recording.graph(stage).top_level_ops) == step.ops


def test_without_a_history_the_reason_is_the_one_of_this_function():
    missing = (
        MissingEvidence("grappler-passes", "another: its own reason"),
        MissingEvidence("grappler-passes", "helper, train_step: the disk was full"),
    )
    recording = recording_of(packed_recording([LOWERED], missing=missing))
    with pytest.raises(UsageError, match="the disk was full"):
        recording.graph("after:remapper")


def test_a_library_function_has_its_own_first_and_last_ops():
    first = (OpNode("a", "_Arg", attrs=0), OpNode("b", "Identity", ("a",)))
    steps = (RewriteStep("model_pruner", 1, ("b",), ops=1),)
    history = RewriteHistory("called_specialized_for_c", "called", steps, ({"index": 0},), first)
    found = recording_with(HISTORY, history).rewrites()
    assert [entry.function for entry in found] == ["", "called"]
    assert list(found[1].last_ops) == ["a"]


DAMAGED = {
    "an attr set that is not there": changed(2, added=(OpNode("new", "Const", attrs=3),)),
    "a negative attr set": changed(1, changed=(OpNode("out", "Relu", attrs=-2),)),
    "a removed op that is not there": changed(3, removed=("nothing",)),
    "an op removed twice": changed(3, removed=("bias", "bias")),
    "a changed op that is not there": changed(4, changed=(OpNode("nothing", "Relu"),)),
    "an added op that is there": changed(2, added=(OpNode("x", "Const"), OpNode("new", "Const"))),
    "a wrong count": changed(4, ops=99),
    "a library function without a graph": RewriteHistory("g", "g", STEPS),
}


@pytest.mark.parametrize("history", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_history_is_refused_by_the_name_of_its_part(history):
    recording = recording_with(history)
    for use in (recording.rewrites, recording.own_rewrites, lambda: recording.graph("after:remapper")):
        if history.function and use is not recording.rewrites:
            continue
        with pytest.raises(UnreadableFileError, match="tracings/0/rewrites"):
            use()


def test_a_history_without_the_graph_that_it_begins_with_is_refused():
    with pytest.raises(UnreadableFileError, match="tracings/0/rewrites"):
        recording_with(HISTORY, stages=()).rewrites()


def test_checking_takes_no_time_worth_mentioning():
    """70,000 ops and 25 steps with 30,000 edits: seconds would show, a busy machine does not."""
    import time

    first = tuple(OpNode(f"op{number}", "Add") for number in range(70_000))
    steps = tuple(
        RewriteStep(
            "remapper",
            place + 1,
            tuple(op.name for op in first[place * 1200 : place * 1200 + 1200]),
            ops=70_000 - 1200 * (place + 1),
        )
        for place in range(25)
    )
    history = RewriteHistory("f", "", steps)
    started = time.thread_time()
    assert damage_of(history, first, 0) == ""
    assert time.thread_time() - started < 1.0
