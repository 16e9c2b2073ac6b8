"""What `overview` says of recordings that are whole, partial, empty, of many tracings, or compiled."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import packed_recording, recording_of, small_optimized, small_recording, small_traced
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.overview import summarize_recording
from tfgraphdbg.analyses.tracing_table import NESTED, REPLACED
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import MissingEvidence, PartSource, Recording, Stage, T
from tfgraphdbg.report import Report

TABLES = ["stages", "op-types", "scopes", "functions", "library-functions", "devices", "origins"]


def overview_of(recording: Recording) -> Report:
    return summarize_recording(recording, AnalysisOptions())


def with_meta(recording: Recording, **changes: object) -> Recording:
    return Recording(msgspec.structs.replace(recording.meta, **changes), recording.parts)


def test_a_whole_recording_has_every_table_and_no_finding() -> None:
    report = overview_of(small_recording())
    assert report.title == "model.py:train_step: 14 traced (+2 in functions) -> 12 optimized ops, on CPU:0, 1 tracing"
    assert [table.name for table in report.tables] == TABLES
    assert report.findings == ()
    assert report.stage == "optimized"


def test_stage_counts_are_those_that_were_recorded() -> None:
    recording = small_recording()
    (tracing,) = recording.tracings
    text = Stage("optimized-hlo", "text", bytes=2048)
    counted = Stage("optimized", ops=999, edges=1999, functions=2, function_ops=7, bytes=4096)
    tracing = msgspec.structs.replace(tracing, stages=(tracing.stages[0], counted, text))
    rows = overview_of(with_meta(recording, tracings=(tracing,))).table("stages").rows
    assert rows[1:] == (("optimized", 999, 1999, 2, 4096), ("optimized-hlo", None, None, None, 2048))


def test_every_tracing_is_listed_with_its_sizes_and_times() -> None:
    recording = small_recording()
    (made,) = recording.tracings
    idle = msgspec.structs.replace(
        made,
        index=1,
        function="helper",
        role="nested",
        stages=(),
        calls=0,
        run_ms=0.0,
        trace_ms=None,
        first_run_ms=None,
    )
    report = overview_of(with_meta(recording, tracings=(made, idle)))
    table = report.table("functions")
    assert [column.name for column in table.columns] == [
        *("function", "concrete_function", "role", "signature", "traced", "optimized"),
        *("calls", "trace_ms", "first_run_ms", "run_ms", "note"),
    ]
    assert {column.basis for column in table.columns if column.unit == "ms"} == {"measured"}
    assert table.rows[0][4:] == (14, 12, 3, 12.5, 8.25, 9.0, "")
    assert table.rows[1][4:] == (None, None, 0, None, None, None, NESTED)
    assert (
        report.title
        == "model.py:train_step: 14 traced (+2 in functions) -> 12 optimized ops of train_step, on CPU:0, 2 tracings"
    )


def test_a_run_that_ended_early_is_a_warning_with_what_is_missing() -> None:
    gap = MissingEvidence("stage-optimized", "it never ran")
    recording = with_meta(small_recording(), outcome="interrupted after 12 s", missing=(gap,))
    report = overview_of(recording)
    (finding,) = report.findings
    assert (finding.rule, finding.severity) == ("recording-partial", "warning")
    assert "interrupted after 12 s" in finding.message
    assert report.missing == (gap,)


def test_a_recording_without_a_tracing_says_so() -> None:
    report = overview_of(with_meta(small_recording(), tracings=(), main_tracing=None))
    assert report.title == "model.py:train_step: no graph, on CPU:0, 0 tracings"
    assert [table.name for table in report.tables] == TABLES
    assert not any(table.rows for table in report.tables)


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("train.py", "tfgraphdbg overview train.py:FUNCTION"),
        ("my models/train.py", "tfgraphdbg overview my models/train.py:FUNCTION"),
        ("train.py -- --data x.py", "tfgraphdbg overview train.py:FUNCTION"),
        ("train.py:plain", "tfgraphdbg overview train.py:FUNCTION"),
        ("pkg.python.module:plain", "tfgraphdbg overview pkg.python.module:FUNCTION"),
        ("watched block", "tfgraphdbg.record(function, *inputs)"),
    ],
)
def test_a_whole_run_that_traced_nothing_is_a_warning_that_says_what_to_record(target: str, command: str) -> None:
    recording = small_recording()
    named = msgspec.structs.replace(recording.target, name=target)
    report = overview_of(with_meta(recording, target=named, tracings=(), main_tracing=None))
    (finding,) = report.findings
    assert (finding.rule, finding.severity) == ("nothing-traced", "warning")
    assert finding.message == f"no tf.function was traced or ran in {target}"
    assert finding.suggestion.endswith(command)


def test_a_tracing_that_was_replaced_before_it_ran_is_marked() -> None:
    recording = small_recording()
    (made,) = recording.tracings
    first = msgspec.structs.replace(made, index=1, stages=(), calls=0)
    for change, note in (
        ({}, REPLACED),
        ({"line": made.line + 1}, ""),
        ({"signature": "(x: int8)"}, ""),
        ({"calls": 1}, ""),
        ({"role": "forward"}, ""),
        ({"stages": made.stages}, ""),
    ):
        tracings = (msgspec.structs.replace(first, **change), made)
        rows = overview_of(with_meta(recording, tracings=tracings, main_tracing=1)).table("functions").rows
        assert [row[-1] for row in rows] == [note, ""], change
    tracings = (made, first)
    rows = overview_of(with_meta(recording, tracings=tracings, main_tracing=0)).table("functions").rows
    assert [row[-1] for row in rows] == ["", ""]


def test_the_chosen_tracing_is_shown() -> None:
    recording = small_recording()
    (made,) = recording.tracings
    other = msgspec.structs.replace(made, index=1, function="other", stages=())
    recording = with_meta(recording, tracings=(made, other))
    report = summarize_recording(recording, AnalysisOptions(tracing=other))
    assert report.title.startswith("model.py:train_step: no graph of other")
    assert report.table("stages").rows == ()


class CountingParts:
    """Parts that remember which of them were decoded."""

    def __init__(self, parts: PartSource) -> None:
        self._parts = parts
        self.decoded: list[str] = []

    def names(self) -> frozenset[str]:
        return self._parts.names()

    def read(self, name: str) -> bytes:
        return self._parts.read(name)

    def decode(self, name: str, kind: type[T]) -> T:
        self.decoded.append(name)
        return self._parts.decode(name, kind)


def test_only_the_traced_and_the_optimized_graph_are_read() -> None:
    optimized = small_optimized()
    others = [
        GraphModel(optimized.name, stage, optimized.ops, optimized.attr_sets)
        for stage in ("pre-optimization", "partition:0")
    ]
    recording = recording_of(packed_recording([small_traced(), optimized, *others]))
    parts = CountingParts(recording.parts)
    overview_of(Recording(recording.meta, parts))
    assert sorted(parts.decoded) == ["stacks", "tracings/0/optimized.ops", "tracings/0/traced.ops"]


def test_partitions_are_listed_by_device_without_reading_them() -> None:
    recording = small_recording()
    (tracing,) = recording.tracings
    places = tuple(
        Stage(f"partition:{place}", ops=5 + place, device=f"/job:worker/replica:0/task:{place}/device:GPU:0")
        for place in range(2)
    )
    recording = with_meta(recording, tracings=(msgspec.structs.replace(tracing, stages=(*tracing.stages, *places)),))
    assert overview_of(recording).table("devices").rows == (
        ("CPU:0", "optimized", 12),
        ("worker task 0 GPU:0", "partition:0", 5),
        ("worker task 1 GPU:0", "partition:1", 6),
    )


def test_tracings_that_libraries_made_for_themselves_are_counted_not_listed() -> None:
    recording = small_recording()
    (tracing,) = recording.tracings
    helpers = [
        msgspec.structs.replace(tracing, index=index, function="_next_func", library=True, calls=calls)
        for index, calls in ((1, 0), (2, 5))
    ]
    table = overview_of(with_meta(recording, tracings=(tracing, *helpers))).table("functions")
    assert [row[0] for row in table.rows] == ["train_step", "_next_func"]
    assert "1 that libraries made for themselves are left out" in table.title
