"""Exports: a trace that keeps to the format's rules and tells each op's line, shapes and iteration."""

from __future__ import annotations

import gzip
import json
import struct

import pytest

from tests.hand_built import HOSTILE_NAMES, hostile_graph, packed_recording, recording_of, small_optimized, small_traced
from tests.timed_recordings import SMALL_EAGER, Ran, packed_with_times, times_of
from tests.trace_checks import checked, threads_of
from tfgraphdbg.eager_run import EagerOp, EagerPart, eager_part
from tfgraphdbg.errors import UnreadableFileError, UsageError
from tfgraphdbg.exports import EXPORTS, check_file_name, export_named, exported
from tfgraphdbg.exports.trace_events import Slice, TraceEvents
from tfgraphdbg.exports.xspace import planes_of
from tfgraphdbg.measured_times import times_part, trace_part
from tfgraphdbg.recording_file import encode_part, pack_bytes

PERFETTO = export_named("perfetto")

STEP = "one step, op by op (step 1 of 3)"

EAGER = "eager run: measured lengths, laid end to end"


def _trace(packed: dict[str, bytes]):
    recording = recording_of(packed)
    return checked(exported(PERFETTO, recording, recording.main_tracing, None))


def _varint(number: int) -> bytes:
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, value: int | float | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | 1) + struct.pack("<d", value)
    raw = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _profile(*ops: tuple[str, int, int], stats: bytes = b"") -> bytes:
    """A plane of one thread on which these events ran (name, start and length in nanoseconds)."""
    names = b"".join(
        _field(4, _field(1, place + 1) + _field(2, _field(1, place + 1) + _field(2, name)))
        for place, (name, _, _) in enumerate(ops)
    )
    stat_names = b"".join(
        _field(5, _field(1, place) + _field(2, _field(1, place) + _field(2, name)))
        for place, name in ((1, "id"), (2, "ratio"), (3, "kind"), (4, "word"))
    )
    events = b"".join(
        _field(4, _field(1, place + 1) + _field(2, start * 1000) + _field(3, length * 1000) + stats)
        for place, (_, start, length) in enumerate(ops)
    )
    line = _field(1, -5) + _field(2, "tf_Compute/1") + _field(3, 1_000_000) + events
    return _field(1, _field(2, "/host:CPU") + _field(3, line) + names + stat_names) + _field(4, "a host")


def test_the_step_has_a_thread_for_each_of_its_own():
    threads = threads_of(_trace(packed_with_times()))
    assert [e["name"] for e in threads[STEP, "tf_Compute/1"]] == ["pow"]
    assert [e["dur"] for e in threads[STEP, "the call"]] == [240]
    relu = next(e for e in threads[STEP, "tf_Compute/0"] if e["name"] == "dense/Relu")
    assert (relu["ts"], relu["dur"]) == (12, 100)
    assert relu["args"]["op_type"] == "_FusedMatMul"
    assert relu["args"]["python_line"] == "/home/user/model.py:6"
    assert relu["args"]["code"] == "prediction = tf.nn.relu(x @ weights)"
    assert relu["args"]["outputs"] == "float32[32,10]"
    assert relu["args"]["origins"] == "dense/Relu"
    assert relu["args"]["self_us"] == 100
    assert "iteration" not in relu["args"]


def test_an_arrow_comes_from_the_input_that_was_ready_last():
    events = _trace(packed_with_times())
    starts = {(e["tid"], e["ts"]): e["name"] for e in events if e["ph"] == "X" and "op" in e["args"]}
    sources = {e["id"]: starts[e["tid"], e["ts"]] for e in events if e["ph"] == "s"}
    targets = {e["id"]: starts[e["tid"], e["ts"]] for e in events if e["ph"] == "f"}
    assert {(sources[number], targets[number]) for number in sources} == {
        ("dense/MatMul/ReadVariableOp", "dense/Relu"),
        ("dense/Relu", "sub"),
        ("sub", "pow"),
        ("pow", "Mean"),
        ("Mean", "PartitionedCall/mul"),
    }


def test_of_two_inputs_the_later_one_has_the_arrow():
    for y, source in (
        (Ran("PartitionedCall/mul/y", 1, 3), "Mean"),
        (Ran("PartitionedCall/mul/y", 40, 50), "PartitionedCall/mul/y"),
    ):
        runs = [y, Ran("Mean", 20, 30), Ran("PartitionedCall/mul", 60, 70)]
        events = _trace(packed_with_times(runs))
        (arrow,) = [event for event in events if event["ph"] == "s"]
        (begun,) = [event for event in events if event["ph"] == "X" and event["args"].get("op") == source]
        assert (arrow["tid"], arrow["ts"]) == (begun["tid"], begun["ts"])


def test_iterations_of_a_loop_are_counted():
    runs = [Ran("sub", 0, 5), Ran("sub", 5, 9), Ran("sub", 9, 20), Ran("pow", 20, 30)]
    ops = threads_of(_trace(packed_with_times(runs)))[STEP, "tf_Compute/0"]
    assert [e["args"].get("iteration") for e in ops] == [0, 1, 2, None]


def test_ops_that_ran_inside_others_stay_inside_and_overlapping_ones_go_beside():
    runs = [Ran("sub", 0, 50), Ran("pow", 10, 20), Ran("Mean", 40, 70), Ran("dense/Relu", 45, 48), Ran("Const", 50, 90)]
    threads = threads_of(_trace(packed_with_times(runs)))
    assert [e["name"] for e in threads[STEP, "tf_Compute/0"]] == ["sub", "pow", "dense/Relu", "Const"]
    assert [e["name"] for e in threads[STEP, "tf_Compute/0 (overlapping 1)"]] == ["Mean"]


def test_an_outer_slice_comes_before_an_inner_one_of_the_same_start():
    trace = TraceEvents()
    trace.add_thread(trace.add_process("p"), "t", [Slice("inner", 0, 5), Slice("outer", 0, 9), Slice("none", 0, 0)])
    names = [e["name"] for e in checked(trace.as_json({})) if e["ph"] == "X"]
    assert names == ["outer", "inner", "none"]


def test_eager_ops_follow_one_another_split_into_their_parts():
    eager = threads_of(_trace(packed_with_times()))[EAGER, "eager ops"]
    assert [e["name"] for e in eager[:5]] == ["ReadVariableOp", "python", "dispatch", "kernel", "MatMul"]
    assert (eager[4]["ts"], eager[4]["dur"]) == (29.5, 119)
    assert eager[4]["args"]["python_line"] == "/home/user/model.py:6"
    assert eager[4]["args"]["bytes"] == 1280
    assert len([e for e in eager if "index" in e["args"]]) == len(SMALL_EAGER)


def test_a_recording_of_nothing_but_an_eager_run():
    packed = packed_recording([small_traced()])
    op = EagerOp(0, "MatMul", python_us=1.0, dispatch_us=None, kernel_us=2.0)
    packed[eager_part(0)] = encode_part(EagerPart((op,), threads=("MainThread",)))
    threads = threads_of(_trace(packed))
    assert list(threads) == [(EAGER, "eager ops")]
    assert threads[EAGER, "eager ops"][0]["args"]["not_measured"] == "dispatch"


def test_the_profilers_own_trace_is_there_with_the_lines_of_ops():
    packed = packed_with_times()
    stats = b"".join(
        _field(4, stat)
        for stat in (
            _field(1, 1) + _field(4, -7),
            _field(1, 2) + _field(2, 0.5),
            _field(1, 3) + _field(7, 4),
            _field(1, 4) + _field(3, (1 << 64) - 1),
        )
    )
    packed[trace_part(0)] = pack_bytes(
        _profile(("dense/Relu:_FusedMatMul", 700, 9000), ("Process", 500, 10000), ("mark", 600, 0), stats=stats)
    )
    threads = threads_of(_trace(packed))
    process, relu, mark = sorted(
        threads["profiler: /host:CPU, all events of the profiled steps", "tf_Compute/1"],
        key=lambda event: ["Process", "dense/Relu:_FusedMatMul", "mark"].index(event["name"]),
    )
    assert (process["ts"], process["dur"], relu["ts"]) == (0, 10, 0.2)
    assert relu["args"]["python_line"] == "/home/user/model.py:6"
    assert process["args"] == {"id": -7, "ratio": 0.5, "kind": "word", "word": str((1 << 64) - 1)}
    assert mark["ph"] == "i"


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_a_damaged_trace_is_told(cut):
    with pytest.raises(UnreadableFileError, match="damaged"):
        planes_of(_profile(("a", 0, 1))[:-cut])


@pytest.mark.parametrize("raw", [b"\xff" * 30, b"\x0b", b"\x0a\x05ab", b"\x80"])
def test_foreign_bytes_are_no_trace(raw):
    with pytest.raises(UnreadableFileError, match="damaged"):
        planes_of(raw)


def test_foreign_names_stay_whole():
    packed = packed_recording([hostile_graph()])
    packed[times_part(0)] = encode_part(times_of([Ran(name, at, at + 1) for at, name in enumerate(HOSTILE_NAMES)], 9.0))
    packed[trace_part(0)] = pack_bytes(_profile(*((f"{name}:Relu", 0, 1) for name in HOSTILE_NAMES)))
    threads = threads_of(_trace(packed))
    step = next(events for (process, thread), events in threads.items() if thread == "tf_Compute/0")
    assert [event["name"] for event in step] == list(HOSTILE_NAMES)
    assert all(event["args"]["op_type"] == "Relu" for event in step)


def test_a_recording_without_times_is_told_how_to_have_them():
    recording = recording_of(packed_recording([small_traced(), small_optimized()]))
    with pytest.raises(UsageError) as caught:
        exported(PERFETTO, recording, recording.main_tracing, None)
    assert caught.value.message == "there are no times of train_step to export"
    assert "--steps 10" in caught.value.hint


def test_the_files_name_chooses_packing():
    recording = recording_of(packed_with_times())
    plain = exported(PERFETTO, recording, recording.main_tracing, "trace.json")
    packed = exported(PERFETTO, recording, recording.main_tracing, "Trace.JSON.gz")
    assert gzip.decompress(packed) == plain
    assert packed == exported(PERFETTO, recording, recording.main_tracing, "other.json.gz")
    assert json.loads(plain)["otherData"]["function"] == "train_step"


@pytest.mark.parametrize("name", ["trace.pftrace", "trace", "trace.gz", "trace.json.zip"])
def test_a_name_that_perfetto_would_not_know_is_refused(name):
    with pytest.raises(UsageError, match="does not end as a file for perfetto does"):
        check_file_name(PERFETTO, name)


def test_names_of_exports():
    assert len({export.name for export in EXPORTS}) == len(EXPORTS)
    with pytest.raises(UsageError, match="no export to 'prefetto'"):
        export_named("prefetto")
