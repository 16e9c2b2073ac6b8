"""A recording: what it hands out, that it loads lazily, and that indices which point nowhere are damage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import zstandard

from tests.hand_built import STACKS, packed_recording, recording_of, small_optimized, small_recording, small_traced
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.overview import summarize_recording
from tfgraphdbg.errors import ExitCode, UnreadableFileError, UsageError
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.recording import (
    CALLS_PART,
    META_PART,
    STACKS_PART,
    CallRecord,
    Frame,
    MissingEvidence,
    Recording,
    RecordingMeta,
    StackTable,
    Stage,
    graph_part,
    raw_part,
)
from tfgraphdbg.recording_file import encode_part

TRACED_PART = graph_part(0, "traced")


def packed_small() -> dict[str, bytes]:
    return packed_recording([small_traced(), small_optimized()])


def with_meta(recording: Recording, **changes: object) -> Recording:
    return Recording(msgspec.structs.replace(recording.meta, **changes), recording.parts)


def test_graphs_come_by_stage_and_are_kept() -> None:
    recording = small_recording()
    traced = recording.graph("traced")
    assert traced.ops == small_traced().ops
    assert traced.attr_sets == small_traced().attr_sets
    assert recording.graph("traced") is traced
    assert recording.graph().stage == "optimized"
    assert recording.graph_def("traced") == b"not a real GraphDef"
    assert recording.log.startswith("I0000")
    assert recording.console == "loss 0.5\n"
    assert "@tf.function" in recording.sources["/home/user/model.py"]


def test_parts_load_when_first_asked_for() -> None:
    packed = packed_small()
    packed[TRACED_PART] = packed[STACKS_PART] = b"damaged"
    recording = recording_of(packed)
    assert len(recording.graph("optimized")) == 12
    for read in (lambda: recording.graph("traced"), lambda: recording.stacks):
        with pytest.raises(UnreadableFileError, match="is damaged"):
            read()


def test_absent_optional_parts_are_empty() -> None:
    packed = packed_small()
    recording = recording_of({META_PART: packed[META_PART]})
    assert recording.stacks == StackTable()
    assert recording.calls == ()
    assert recording.sources == {}
    assert recording.log == recording.console == ""
    with pytest.raises(UnreadableFileError, match="has no part 'tracings/0/traced"):
        recording.graph("traced")


def test_a_stage_that_was_not_recorded_is_a_usage_error_with_the_reason() -> None:
    gap = MissingEvidence("stage-partition:0", "TensorFlow gave none")
    recording = with_meta(small_recording(), missing=(gap,))
    with pytest.raises(UsageError) as raised:
        recording.graph("partition:0")
    assert raised.value.message == "train_step has no graph stage 'partition:0' (TensorFlow gave none)"
    assert raised.value.hint == "recorded graph stages: traced, optimized"
    with pytest.raises(UsageError, match="no text stage 'traced'"):
        recording.text("traced")


def test_a_text_stage_is_text_and_no_graph() -> None:
    packed = packed_small()
    packed[raw_part(0, "hlo", "text")] = b"HloModule \xff"
    recording = recording_of(packed)
    (tracing,) = recording.tracings
    recording = with_meta(recording, tracings=(msgspec.structs.replace(tracing, stages=(Stage("hlo", "text"),)),))
    assert recording.text("hlo") == "HloModule \ufffd"
    with pytest.raises(UsageError, match="no graph stage 'hlo'"):
        recording.graph("hlo")


def test_tracings_are_found_by_every_name_and_the_longest_is_meant() -> None:
    recording = small_recording()
    (made,) = recording.tracings
    slow = msgspec.structs.replace(made, index=1, function="Trainer.train_step", concrete_function="__f_2", run_ms=99.0)
    recording = with_meta(recording, tracings=(made, slow))
    assert recording.tracing_of("train_step") is slow
    assert recording.tracing_of("Trainer.train_step") is slow
    assert recording.tracing_of("__f_2") is slow
    assert recording.tracing_of("0") is made
    with pytest.raises(UsageError) as raised:
        recording.tracing_of("test_step")
    assert raised.value.hint == "recorded functions: train_step, Trainer.train_step"


def test_nothing_traced_is_a_usage_error_that_says_what_to_do() -> None:
    recording = with_meta(small_recording(), tracings=(), main_tracing=None, outcome="the program exited")
    with pytest.raises(UsageError, match="the program exited") as raised:
        _ = recording.main_tracing
    assert raised.value.hint.startswith("name a function")


def test_the_user_frame_is_the_innermost_of_the_users_own() -> None:
    assert STACKS.frames_of(0) == (STACKS.frames[0], STACKS.frames[1], STACKS.frames[3])
    frame = STACKS.user_frame(0)
    assert frame is not None
    assert frame.line == 6
    assert STACKS.frames_of(-1) == ()
    assert STACKS.user_frame(-1) is None
    library = StackTable((Frame("/lib/keras.py", 1, "call", library=True),), ((0,),))
    assert library.user_frame(0) is None


def damaged(part: str, change: Callable[[Any], Any]) -> Recording:
    """A recording one part of which was changed where it lies, as plain msgpack."""
    packed = packed_small()
    packed[CALLS_PART] = encode_part((CallRecord(0, 1.0, 2.0),))
    value = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(packed[part]))
    changed = change(value)
    packed[part] = encode_part(value if changed is None else changed)
    return recording_of(packed)


def set_op_field(index: int, value: object) -> Callable[[Any], None]:
    def change(part: Any) -> None:
        part[2][3][index] = value

    return change


DAMAGE = {
    "attr index too large": damaged(TRACED_PART, set_op_field(4, 99)),
    "attr index too small": damaged(TRACED_PART, set_op_field(4, -2)),
    "stack index too large": damaged(TRACED_PART, set_op_field(6, 3)),
    "frame index too large": damaged(STACKS_PART, lambda value: {**value, "stacks": [[0, 9]]}),
    "frame index too small": damaged(STACKS_PART, lambda value: {**value, "stacks": [[0], [1], [-1]]}),
    "frames gone": damaged(STACKS_PART, lambda value: {**value, "frames": []}),
    "stacks gone": damaged(STACKS_PART, lambda value: {**value, "stacks": []}),
    "an op that is no op": damaged(TRACED_PART, lambda value: [*value[:2], [None], *value[3:]]),
    "an attr that is a map": damaged(TRACED_PART, lambda value: [*value[:3], [{"a": {"b": 1}}], value[4]]),
    "an attr that nests": damaged(TRACED_PART, lambda value: [*value[:3], [{"a": [[[1]]]}], value[4]]),
    "a name that is a number": damaged(TRACED_PART, set_op_field(0, 7)),
    "a part that is a number": damaged(TRACED_PART, lambda value: 7),
}


@pytest.mark.parametrize("recording", DAMAGE.values(), ids=DAMAGE.keys())
def test_indices_and_kinds_that_cannot_be_are_damage(recording: Recording) -> None:
    with pytest.raises(UnreadableFileError) as raised:
        summarize_recording(recording, AnalysisOptions())
    assert raised.value.exit_code == ExitCode.UNREADABLE_INPUT
    assert "damaged" in raised.value.message
    assert "\n" not in raised.value.message


@pytest.mark.parametrize("index", [1, -1])
def test_a_call_of_no_tracing_is_damage(index: int) -> None:
    recording = damaged(CALLS_PART, lambda value: [[index, 1.0, 2.0]])
    with pytest.raises(UnreadableFileError, match="part 'calls' is damaged"):
        _ = recording.calls


def test_no_index_is_minus_one() -> None:
    graph = GraphModel("f", "traced", (OpNode("a", "Const"),))
    recording = recording_of(packed_recording([graph], stacks=StackTable()))
    assert recording.graph("traced").attrs_of(graph.ops[0]) == {}
    assert summarize_recording(recording, AnalysisOptions()).table("origins").rows == (("traced", 1, 0, 0, None, None),)


def test_a_graph_is_of_the_stage_that_was_asked_for() -> None:
    recording = damaged(TRACED_PART, lambda value: [value[0], "optimized", *value[2:]])
    assert recording.graph("traced").stage == "traced"


def test_fields_of_a_later_minor_version_are_passed_over() -> None:
    packed = packed_small()
    meta = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(packed[META_PART]))
    raw = msgspec.msgpack.encode({**meta, "weather": "fine"})
    assert msgspec.msgpack.decode(raw, type=RecordingMeta).target.name == "model.py:train_step"
