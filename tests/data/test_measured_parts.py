"""Times, eager runs and estimates: read back as they were written, and refused by name when damaged."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import packed_recording, small_traced
from tests.timed_recordings import SMALL_EAGER, SMALL_RUN, packed_with_times, recording_with_times
from tfgraphdbg.eager_run import EagerPart, eager_part
from tfgraphdbg.errors import UnreadableFileError
from tfgraphdbg.measured_times import Timeline, TimesPart, times_part
from tfgraphdbg.recording import META_PART, Recording, RecordingMeta
from tfgraphdbg.recording_file import MemoryParts, decode_part, encode_part


def opened(packed: dict[str, bytes]) -> Recording:
    return Recording(decode_part(packed[META_PART], RecordingMeta, "meta"), MemoryParts(packed))


def test_what_was_measured_is_read_back() -> None:
    recording = recording_with_times()
    times = recording.times()
    assert times is not None
    assert [times.ops[place].op for place in times.timeline.op] == [run.op for run in SMALL_RUN]
    assert sum(op.self_us for op in times.ops) == times.steps[0].op_us
    eager, costs, estimates = recording.eager(), recording.call_costs(), recording.estimates()
    assert eager is not None
    assert eager.ops == SMALL_EAGER
    assert costs is not None
    assert costs.calls_a_sample == 10
    assert estimates is not None
    assert estimates.ops[0].compute_us == pytest.approx(0.8)


def test_a_recording_without_them_says_none() -> None:
    recording = opened(packed_recording([small_traced()]))
    assert recording.times() is recording.eager() is recording.call_costs() is recording.estimates() is None
    assert recording.profiler_trace() is recording.tracing_times() is None


@pytest.mark.parametrize(
    "timeline",
    [
        Timeline((0,), (0,), (1,), (2,), ()),
        Timeline((99,), (0,), (1,), (2,), (1,)),
        Timeline((0,), (7,), (1,), (2,), (1,)),
        Timeline((-1,), (0,), (1,), (2,), (1,)),
    ],
)
def test_a_timeline_that_points_nowhere_is_refused(timeline: Timeline) -> None:
    packed = packed_with_times()
    part = decode_part(packed[times_part(0)], TimesPart, "times")
    packed[times_part(0)] = encode_part(msgspec.structs.replace(part, timeline=timeline))
    with pytest.raises(UnreadableFileError, match="times"):
        opened(packed).times()


@pytest.mark.parametrize("wrong", [{"stack": 99}, {"attrs": 5}, {"thread": 3}])
def test_an_eager_run_that_points_nowhere_is_refused(wrong: dict[str, int]) -> None:
    packed = packed_with_times()
    ops = (msgspec.structs.replace(SMALL_EAGER[0], **wrong),)
    packed[eager_part(0)] = encode_part(EagerPart(ops, threads=("MainThread",)))
    with pytest.raises(UnreadableFileError, match="eager"):
        opened(packed).eager()
