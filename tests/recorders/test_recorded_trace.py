"""A trace of a program that really ran: it keeps to the format, and every op of the step is in it."""

from __future__ import annotations

import pytest

from tests.trace_checks import checked, threads_of
from tfgraphdbg.exports import export_named, exported
from tfgraphdbg.exports.xspace import planes_of
from tfgraphdbg.recording_file import load

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def recording(recorded):
    return load(recorded("control_flow.py:while_loop", "--steps", "3"))


def test_a_recorded_step_and_its_profile(recording):
    times = recording.times()
    events = checked(exported(export_named("perfetto"), recording, recording.main_tracing, None))
    threads = threads_of(events)
    step = [e for (process, _), own in threads.items() if process.startswith("one step") for e in own]
    assert sum("op" in e["args"] or "self_us" in e["args"] for e in step) == len(times.timeline.op)
    profiled = {process for process, _ in threads if process.startswith("profiler: ")}
    assert "profiler: /host:CPU, all events of the profiled steps" in profiled
    named = {
        e["args"]["op"]
        for (process, _), own in threads.items()
        if process in profiled
        for e in own
        if "op" in e["args"]
    }
    assert {op.op for op in times.ops if "::" not in op.op} <= named


def test_the_trace_is_read_as_tensorflows_own_reader_does(recording):
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    raw = recording.profiler_trace()
    ours, theirs = planes_of(raw), xplane_pb2.XSpace.FromString(raw).planes
    assert [plane.name for plane in ours] == [plane.name for plane in theirs]
    for plane, known in zip(ours, theirs, strict=True):
        names = {key: stat.name for key, stat in known.stat_metadata.items()}
        for line, known_line in zip(plane.lines, known.lines, strict=True):
            assert (line.name, line.timestamp_ns) == (
                known_line.display_name or known_line.name,
                known_line.timestamp_ns,
            )
            for event, known_event in zip(line.events, known_line.events, strict=True):
                metadata = known.event_metadata[known_event.metadata_id]
                assert event.name == (metadata.name or metadata.display_name)
                assert (event.offset_ps, event.duration_ps) == (known_event.offset_ps, known_event.duration_ps)
                assert event.stats == {names[stat.metadata_id]: _value(stat, names) for stat in known_event.stats}


def _value(stat, names):
    kind = stat.WhichOneof("value")
    return names[stat.ref_value] if kind == "ref_value" else getattr(stat, kind)
