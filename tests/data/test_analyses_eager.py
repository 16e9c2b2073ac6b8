"""The `eager` analysis on hand-built runs: costs and their spread, a gap that adds up, and ops found in the graph."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec
import pytest

from tests.hand_built import packed_recording, recording_of, small_recording, small_traced
from tests.timed_recordings import SMALL_EAGER, packed_with_times, recording_with_times
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.eager import explain_eager
from tfgraphdbg.analyses.eager.spreads import spread_of
from tfgraphdbg.eager_run import CallCosts, EagerPart, call_costs_part, eager_part
from tfgraphdbg.measured_times import times_part
from tfgraphdbg.recording import META_PART, MissingEvidence, RecordingMeta
from tfgraphdbg.recording_file import decode_part, encode_part
from tfgraphdbg.report import Cell, Report, Table

EAGER = (300.0, 305.0, 310.0, 320.0)
PART = EagerPart(SMALL_EAGER, threads=("MainThread",), wall_us=(300.0, 310.0, 320.0))


def dicts(table: Table) -> list[dict[str, Cell]]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def explained(packed: Mapping[str, bytes]) -> Report:
    return explain_eager(recording_of(dict(packed)), AnalysisOptions())


def with_costs(costs: CallCosts, part: EagerPart = PART) -> Report:
    packed = packed_with_times()
    packed[call_costs_part(0)] = encode_part(costs)
    packed[eager_part(0)] = encode_part(part)
    return explained(packed)


def rules(report: Report) -> dict[str, str]:
    return {finding.rule: finding.severity for finding in report.findings}


def gap_of(report: Report) -> dict[Cell, float]:
    return {row["part"]: float(row["us"] or 0.0) for row in dicts(report.table("gap"))}


class TestSpread:
    def test_many_samples_give_quartiles_that_one_slow_call_does_not_move(self) -> None:
        assert spread_of((1.0, 2.0, 3.0, 4.0, 5.0)) == (3.0, 2.0, 4.0)
        assert spread_of((1.0, 2.0, 3.0, 4.0, 500.0)) == (3.0, 2.0, 4.0)

    def test_few_samples_give_the_smallest_and_the_largest(self) -> None:
        assert spread_of((3.0, 1.0, 2.0)) == (2.0, 1.0, 3.0)


class TestCost:
    def test_the_row_tells_both_modes_and_when_tracing_pays_back(self) -> None:
        row = dicts(explain_eager(recording_with_times(), AnalysisOptions()).table("cost"))[0]
        assert row["eager_us"] == 307.5
        assert row["graph_us"] == 240.5
        assert row["ratio"] == pytest.approx(307.5 / 240.5)
        assert row["break_even_calls"] == 1792
        assert (row["eager_low_us"], row["eager_high_us"]) == (300.0, 320.0)

    def test_shares_keep_kernels_as_measured_and_scale_the_rest_to_a_plain_call(self) -> None:
        row = dicts(explain_eager(recording_with_times(), AnalysisOptions()).table("cost"))[0]
        kernels = sum(op.kernel_us or 0.0 for op in SMALL_EAGER)
        factor = (307.5 - kernels) / (310.0 - kernels)
        assert row["kernel_share"] == pytest.approx(kernels / 307.5)
        assert row["python_share"] == pytest.approx(factor * 82.0 / 307.5)
        assert row["dispatch_share"] == pytest.approx(factor * 47.0 / 307.5)

    def test_a_difference_within_the_spread_is_no_win(self) -> None:
        report = with_costs(CallCosts((100.0, 120.0), (90.0, 110.0), trace_ms=50.0))
        assert "no difference beyond the spread" in report.title
        assert rules(report)["graph-slower"] == "info"
        assert "eager-overhead" not in rules(report)
        assert dicts(report.table("cost"))[0]["break_even_calls"] is None
        assert {row["share"] for row in dicts(report.table("gap"))} == {None}

    def test_a_slower_graph_is_a_warning_and_never_pays_back(self) -> None:
        report = with_costs(CallCosts((100.0, 101.0), (180.0, 190.0), trace_ms=50.0))
        assert rules(report)["graph-slower"] == "warning"
        assert "1.84x slower, and never pays back" in report.title

    def test_a_graph_that_is_slower_by_a_little_is_told_without_a_warning(self) -> None:
        assert rules(with_costs(CallCosts((100.0, 101.0), (104.0, 105.0))))["graph-slower"] == "info"

    def test_a_graph_that_pays_back_late_is_told_with_the_calls_that_were_made(self) -> None:
        report = with_costs(CallCosts((300.0,), (290.0,), trace_ms=500.0))
        found = next(finding for finding in report.findings if finding.rule == "graph-slower")
        assert "pays back only after 50,000 calls" in found.message
        assert "this run made 3" in found.message

    def test_overhead_is_told_with_the_cost_row_as_evidence(self) -> None:
        report = explain_eager(recording_with_times(), AnalysisOptions())
        found = next(finding for finding in report.findings if finding.rule == "eager-overhead")
        assert found.severity == "info"
        assert found.evidence["ratio"] == pytest.approx(1.278, abs=0.001)
        assert "1.3x slower" in found.message
        assert "Python" in found.message


class TestGap:
    def test_the_parts_add_up_to_the_difference(self) -> None:
        gap = gap_of(explain_eager(recording_with_times(), AnalysisOptions()))
        whole = gap.pop("eager less graph")
        assert whole == 67.0
        assert sum(gap.values()) == pytest.approx(whole)

    def test_each_part_is_what_it_says(self) -> None:
        gap = gap_of(explain_eager(recording_with_times(), AnalysisOptions()))
        # No passes were recorded: of MatMul nothing is known but that no op of the graph came from it.
        assert gap["fewer ops and fusion"] == pytest.approx(95.0 + 3.0 - 100.0)
        assert gap["same ops, other time"] == pytest.approx((1.5 - 2) + (2.5 - 10) + (30 - 40) + (18 - 20) + (1 - 2))
        assert gap["ops only in the graph"] == 0.0
        assert gap["parallelism"] == 0.0
        assert gap["the graph call itself"] == pytest.approx(-(240.5 - 174.0))

    def test_ops_that_ran_side_by_side_are_parallelism(self) -> None:
        packed = packed_with_times()
        recording = recording_of(packed)
        times = recording.times()
        assert times is not None
        starts = list(times.timeline.start_ns)
        ends = list(times.timeline.end_ns)
        starts[3], ends[3] = 12_000, 52_000
        line = msgspec.structs.replace(times.timeline, start_ns=tuple(starts), end_ns=tuple(ends))
        packed[times_part(0)] = encode_part(msgspec.structs.replace(times, timeline=line))
        gap = gap_of(explained(packed))
        assert gap["parallelism"] == pytest.approx(40.0)
        assert sum(gap.values()) == pytest.approx(2 * 67.0)

    def test_kernels_that_took_longer_under_the_profiler_than_the_whole_call_are_scaled(self) -> None:
        report = with_costs(CallCosts((100.0, 101.0), (50.0, 51.0), trace_ms=1.0))
        row = dicts(report.table("cost"))[0]
        assert sum(float(row[name] or 0.0) for name in ("python_share", "dispatch_share", "kernel_share")) <= 1.0
        gap = gap_of(report)
        assert gap["fewer ops and fusion"] == pytest.approx(98.0 * 100.5 / 310.0 - 100.0)
        assert sum(gap.values()) == pytest.approx(2 * 50.0)
        assert "profiled eager runs took 3.1x as long as plain ones: shares are rough" in {
            gap.reason for gap in report.missing
        }

    def test_without_the_times_of_graph_ops_kernels_stand_against_the_whole_call(self) -> None:
        packed = packed_with_times()
        del packed[times_part(0)]
        report = explained(packed)
        gap = gap_of(report)
        assert gap["kernels"] == pytest.approx(151.0 - 240.5)
        assert sum(gap.values()) == pytest.approx(2 * 67.0)
        assert "op-times" in {found.evidence for found in report.missing}


class TestTables:
    def test_the_trace_has_every_op_in_order(self) -> None:
        rows = dicts(explain_eager(recording_with_times(), AnalysisOptions()).table("trace"))
        assert [row["op_type"] for row in rows] == [op.op_type for op in SMALL_EAGER]
        assert (rows[1]["inputs"], rows[1]["output"], rows[1]["line"]) == (
            "argument:x, 0:0",
            "float32[32,10]",
            None,
        ) or (rows[1]["line"] == 6)

    def test_lines_come_with_their_share_the_most_costly_first(self) -> None:
        rows = dicts(explain_eager(recording_with_times(), AnalysisOptions()).table("lines"))
        assert sum(float(row["share"] or 0.0) for row in rows) == pytest.approx(1.0)
        assert [row["self_us"] for row in rows] == sorted((row["self_us"] for row in rows), reverse=True)
        assert sum(int(row["ops"] or 0) for row in rows) == len(SMALL_EAGER)

    def test_the_curves_have_a_point_an_op(self) -> None:
        report = explain_eager(recording_with_times(), AnalysisOptions())
        assert [series.name for series in report.series] == ["eager-python", "eager-dispatch", "eager-kernel"]
        assert all(len(series.points) == len(SMALL_EAGER) for series in report.series)
        assert report.series[0].points[1] == (29.5, 15.0)

    def test_each_eager_op_stands_beside_its_graph_ops(self) -> None:
        rows = dicts(explain_eager(recording_with_times(), AnalysisOptions()).table("matches"))
        ran = {row["index"]: row for row in rows if row["index"] is not None}
        assert (ran[2]["traced op"], ran[2]["optimized op"]) == ("dense/Relu", "dense/Relu")
        assert ran[2]["status"] == "fused into _FusedMatMul"
        assert ran[4]["status"] == "changed to Square"
        assert ran[6]["traced op"] == "__inference_scale_9::mul"
        assert ran[6]["graph_us"] == 2.0
        only = {row["traced op"]: row["status"] for row in rows if row["index"] is None}
        assert only["x"] == "only in the graph (argument)"
        assert only["pow/y"] == "only traced, gone in the graph"


class TestMissing:
    def test_without_evidence_it_says_why_and_what_to_type(self) -> None:
        report = explain_eager(small_recording(), AnalysisOptions())
        assert report.tables == ()
        assert report.missing[-1].evidence == "eager-ops"
        assert "tfgraphdbg eager model.py:train_step" in report.missing[-1].reason

    def test_in_place_it_names_the_call_of_python(self) -> None:
        gap = MissingEvidence("log", "recorded in place: TensorFlow's log went elsewhere")
        reason = explained(packed_recording([small_traced()], missing=(gap,))).missing[-1].reason
        assert "tfgraphdbg.record(model.py:train_step, ..., eager=True)" in reason
        assert "tfgraphdbg eager" not in reason

    def test_a_reason_that_the_recorder_gave_is_the_one_that_is_told(self) -> None:
        gap = MissingEvidence("eager-ops", "it has no eager form")
        report = explained(packed_recording([small_traced()], missing=(gap,)))
        assert report.missing == (gap,)
        assert "it has no eager form" in report.title

    def test_costs_alone_give_the_cost_row_alone(self) -> None:
        packed = packed_recording([small_traced()])
        packed[call_costs_part(0)] = encode_part(CallCosts(EAGER, (10.0, 11.0)))
        report = explained(packed)
        row = dicts(report.table("cost"))[0]
        assert row["python_share"] is None
        assert [table.name for table in report.tables] == ["cost"]

    def test_a_run_without_costs_still_has_its_trace(self) -> None:
        packed = packed_with_times()
        del packed[call_costs_part(0)]
        report = explained(packed)
        assert "cost" not in {table.name for table in report.tables}
        assert len(report.table("trace").rows) == len(SMALL_EAGER)
        assert "call-costs" in {gap.evidence for gap in report.missing}

    def test_ops_without_times_are_counted(self) -> None:
        untimed = (*SMALL_EAGER[:-1], msgspec.structs.replace(SMALL_EAGER[-1], kernel_us=None))
        report = with_costs(CallCosts(EAGER, EAGER), msgspec.structs.replace(PART, ops=untimed))
        assert "1 of 7 eager ops have no times" in {gap.reason for gap in report.missing}

    def test_runs_that_differ_and_notes_are_shown(self) -> None:
        part = msgspec.structs.replace(PART, unrepeatable="it reads a file", note="stopped after 2 runs")
        report = with_costs(CallCosts(EAGER, EAGER, note="one call a sample"), part)
        found = next(finding for finding in report.findings if finding.rule == "unrepeatable-run")
        assert "it reads a file" in found.message
        assert {"stopped after 2 runs", "one call a sample"} <= {gap.reason for gap in report.missing}


class TestFindings:
    def test_a_line_whose_python_dominates_is_named(self) -> None:
        slow = (*SMALL_EAGER[:2], msgspec.structs.replace(SMALL_EAGER[2], python_us=900.0), *SMALL_EAGER[3:])
        report = with_costs(CallCosts(EAGER, EAGER), msgspec.structs.replace(PART, ops=slow, wall_us=(1200.0,)))
        found = next(finding for finding in report.findings if finding.rule == "python-line-overhead")
        assert found.sources[0].line == 6
        assert found.severity == "info"

    def test_python_that_a_graph_skips_is_told_in_the_verdict(self) -> None:
        slow = (*SMALL_EAGER[:2], msgspec.structs.replace(SMALL_EAGER[2], python_us=50_000.0), *SMALL_EAGER[3:])
        costs = CallCosts((51_000.0, 51_200.0, 51_100.0), (200.0, 210.0, 205.0))
        report = with_costs(costs, msgspec.structs.replace(PART, ops=slow, wall_us=(51_000.0,)))
        assert "Python at line 6" in report.title
        assert "which a graph call skips" in report.title
        assert "pays back" not in report.title
        found = next(finding for finding in report.findings if finding.rule == "python-line-overhead")
        assert (found.severity, "not do the same work" in found.message) == ("warning", True)

    @pytest.mark.parametrize(
        ("options", "jit_compile", "begin"),
        [
            ({"function": {"autograph": "True", "jit_compile": "None"}}, False, "it is a tf.function already"),
            ({"function": {"autograph": "True"}}, True, "it is a tf.function with jit_compile already"),
            ({"function": {}}, False, "call it through tf.function"),
            ({}, False, "keep it a tf.function if it is one"),
        ],
    )
    def test_advice_knows_what_the_target_is(self, options: dict, jit_compile: bool, begin: str) -> None:
        packed = packed_with_times()
        meta = decode_part(packed[META_PART], RecordingMeta, "meta")
        tracing = msgspec.structs.replace(meta.tracings[0], jit_compile=jit_compile)
        meta = msgspec.structs.replace(meta, tracings=(tracing, *meta.tracings[1:]), options=options)
        packed[META_PART] = encode_part(meta)
        found = next(finding for finding in explained(packed).findings if finding.rule == "eager-overhead")
        assert found.suggestion.startswith(begin)
        assert ("try tf.function(jit_compile=True)" in found.suggestion) is not jit_compile

    def test_tensors_that_go_to_another_device_are_copies(self) -> None:
        place = "/job:localhost/replica:0/task:0/device:{}:0"
        ops = tuple(
            msgspec.structs.replace(op, device=place.format("GPU" if op.index < 5 else "CPU")) for op in SMALL_EAGER
        )
        report = with_costs(CallCosts(EAGER, EAGER), msgspec.structs.replace(PART, ops=ops))
        found = next(finding for finding in report.findings if finding.rule == "host-copy")
        assert found.evidence == {"copies": 1, "bytes": 1280, "from": "GPU", "to": "CPU"}


def test_thirty_thousand_ops_take_about_a_second() -> None:
    ops = tuple(msgspec.structs.replace(SMALL_EAGER[place % 7], index=place) for place in range(30_000))
    packed = packed_with_times()
    packed[eager_part(0)] = encode_part(msgspec.structs.replace(PART, ops=ops))
    recording = recording_of(packed)
    recording.eager()
    start = time.thread_time()
    explain_eager(recording, AnalysisOptions())
    # Far above what it takes: this guards against quadratic work, not against a slow machine.
    assert time.thread_time() - start < 5.0
