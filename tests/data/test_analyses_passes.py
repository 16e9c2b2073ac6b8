"""The report of `passes`: its tables, its findings on the passes themselves, and what it says when evidence lacks."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

import tfgraphdbg
from tests.graph_text import graph_of
from tests.hand_built import packed_recording, small_recording
from tests.pass_recordings import LOWERED, called_history, own_history, packed_with_passes, recording_with_passes
from tfgraphdbg.analyses import analysis_named
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.chances import Chance, ChancesPart, TriedChance
from tfgraphdbg.errors import UsageError
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import (
    META_PART,
    MissingEvidence,
    Recording,
    RecordingMeta,
    Stage,
    chances_part,
    raw_part,
)
from tfgraphdbg.recording_file import MemoryParts, decode_part, encode_part
from tfgraphdbg.report import Finding, Report
from tfgraphdbg.rewrites import RewriteHistory, RewriteStep


def report_on(recording: Recording) -> Report:
    return analysis_named("passes").run(recording, AnalysisOptions())


def with_steps(change: Callable[[RewriteStep], RewriteStep], first_run_ms: float = 40_000.0) -> Report:
    """The report of a first call that took this long, each of its passes changed."""
    own = own_history()
    own = msgspec.structs.replace(own, steps=tuple(map(change, own.steps)))
    return report_on(changed((own, called_history()), first_run_ms))


def changed(histories: tuple[RewriteHistory, ...], first_run_ms: float = 40_000.0) -> Recording:
    packed = packed_with_passes(histories)
    meta = decode_part(packed[META_PART], RecordingMeta, "meta")
    tracing = msgspec.structs.replace(meta.tracings[0], first_run_ms=first_run_ms)
    return recording_of(packed, msgspec.structs.replace(meta, tracings=(tracing,)))


def recording_of(packed: dict[str, bytes], meta: RecordingMeta | None = None) -> Recording:
    meta = meta or decode_part(packed[META_PART], RecordingMeta, "meta")
    return Recording(meta, MemoryParts({**packed, META_PART: encode_part(meta)}))


def findings_of(report: Report, rule: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule == rule]


def test_each_pass_is_a_row_with_its_edit_and_its_time() -> None:
    table = report_on(recording_with_passes()).table("passes")
    assert [column.name for column in table.columns[:6]] == ["pass", "iteration", "removed", "added", "changed", "ms"]
    assert table.columns[5].basis == "measured"
    assert [row[:6] for row in table.rows] == [
        ("model_pruner", 1, 0, 0, 0, 0.2),
        ("common_subgraph_elimination", 1, 1, 0, 1, 0.5),
        ("constant_folding", 1, 1, 0, 1, 1.5),
        ("layout", 1, 0, 0, 0, None),
        ("remapper", 1, 2, 0, 2, 0.25),
        ("dependency_optimizer", 1, 2, 0, 1, 0.125),
        ("arithmetic_optimizer", 2, 2, 1, 1, 0.75),
    ]


def test_each_op_is_a_row_with_its_fate() -> None:
    table = report_on(recording_with_passes()).table("fates")
    assert [column.name for column in table.columns] == ["op", "op_type", "fate", "pass", "iteration", "into"]
    rows = {row[0]: row[1:] for row in table.rows}
    assert len(rows) == len(table.rows)
    assert rows["dense/MatMul"] == ("MatMul", "fused", "remapper", 1, "dense/Relu")
    assert rows["two_1"] == ("Const", "merged", "common_subgraph_elimination", 1, "four")
    assert rows["four"] == ("Add", "folded", "constant_folding", 1, "four")
    assert rows["bias"] == ("Const", "kept", None, None, "bias")
    assert rows["PartitionedCall"][1:3] == ("inlined", "runtime")
    assert rows["scale::half"][1:3] == ("inlined", "runtime")
    assert rows["stays::one_1"] == ("Const", "merged", "common_subgraph_elimination", 1, "stays::one")


def test_counts_add_up_to_the_rows_and_the_title_tells_what_grappler_did() -> None:
    report = report_on(recording_with_passes())
    counts = report.table("fate-counts")
    assert sum(int(str(row[1])) for row in counts.rows) == len(report.table("fates").rows)
    ops = len(graph_of(LOWERED).top_level_ops)
    assert f"Grappler made 8 ops of the {ops} that it was given, and just these ran, in 3.3 ms" in report.title
    assert "1 folded" not in report.title.partition(": ")[0]
    assert "inlined" not in report.title


def test_functions_that_stay_calls_have_a_row_and_the_timeline_follows_the_graph() -> None:
    report = report_on(recording_with_passes())
    assert report.table("functions").rows == (("stays", "stays", 5, 4, 1, 0.2),)
    (series,) = report.series
    assert (series.unit, series.x_unit) == ("ops", "ms")
    assert [y for _, y in series.points] == [float(step.ops) for step in own_history().steps]
    assert series.points[-1][0] == pytest.approx(3.325)


def test_a_healthy_recording_has_no_finding() -> None:
    assert report_on(recording_with_passes()).findings == ()


def test_a_pass_that_takes_long_is_told_and_one_that_takes_very_long_is_a_warning() -> None:
    def slower(times: float) -> Report:
        return with_steps(lambda step: msgspec.structs.replace(step, ms=None if step.ms is None else step.ms * times))

    assert findings_of(slower(1.0), "slow-pass") == []
    (info,) = findings_of(slower(3_000.0), "slow-pass")
    assert (info.severity, info.evidence["pass"], info.evidence["ms"]) == ("info", "constant_folding", 4500.0)
    assert info.evidence["share"] == pytest.approx(0.1125, abs=1e-3)
    assert "--without constant_folding" in info.suggestion
    worst = findings_of(slower(8_000.0), "slow-pass")[0]
    assert (worst.severity, worst.evidence["pass"]) == ("warning", "constant_folding")


def test_both_runs_of_a_pass_count() -> None:
    def renamed(step: RewriteStep) -> RewriteStep:
        return msgspec.structs.replace(step, pass_name="remapper{x}", ms=800.0)

    (found,) = findings_of(with_steps(renamed), "slow-pass")
    assert found.evidence == {
        "pass": "remapper",
        "ms": 5600.0,
        "runs": 7,
        "first_call_ms": 40_000.0,
        "share": 0.14,
    }


def test_a_pass_that_failed_is_a_warning() -> None:
    def failing(step: RewriteStep) -> RewriteStep:
        return msgspec.structs.replace(step, note="failed: no kernel" if step.pass_name == "layout" else "")

    (found,) = findings_of(with_steps(failing), "failed-pass")
    assert (found.severity, found.evidence["pass"]) == ("warning", "layout")
    assert "no kernel" in found.message


def test_that_grappler_gave_up_is_a_warning() -> None:
    note = "Grappler failed, and the graph that it was given ran: DEADLINE_EXCEEDED"
    own = own_history()
    last = RewriteStep("meta_optimizer", 2, ops=8, note=note)
    report = report_on(changed((msgspec.structs.replace(own, steps=(*own.steps, last)),)))
    (found,) = findings_of(report, "optimization-failed")
    assert (found.severity, found.message) == ("warning", note)
    assert findings_of(report, "failed-pass") == []


@pytest.mark.parametrize("source", ["run", "replayed"])
def test_passes_that_end_elsewhere_are_a_warning(source: str) -> None:
    own = msgspec.structs.replace(own_history(), source=source, difference="2 ops differ, such as 'mul'")
    report = report_on(changed((own, called_history())))
    (found,) = findings_of(report, "replay-mismatch")
    assert found.severity == "warning"
    assert "2 ops differ, such as 'mul'" in found.message
    assert ("replayed" in found.message) == (source == "replayed")
    assert ("replayed" in report.title) == (source == "replayed")


def test_a_replay_with_nothing_to_compare_is_no_mismatch() -> None:
    own = msgspec.structs.replace(own_history(), source="replayed", difference=None)
    assert findings_of(report_on(changed((own,))), "replay-mismatch") == []


def test_missed_chances_come_from_the_recording_where_they_were_tried() -> None:
    chance = Chance(
        "missed-fusion", "MatMul + BiasAdd", "extra-consumer", ("dense/Relu",), reason="because", advice="do"
    )
    packed = packed_with_passes()
    packed[chances_part(0)] = encode_part(ChancesPart((TriedChance(chance, "confirmed", "tried", 25.0),), "CPU"))
    (found,) = findings_of(report_on(recording_of(packed)), "missed-fusion")
    assert found.evidence["pattern"] == "MatMul + BiasAdd"
    assert found.evidence["proof"] == "confirmed"
    overview = analysis_named("overview").run(recording_of(packed), AnalysisOptions())
    assert [finding.rule for finding in overview.findings] == ["missed-fusion"]


def test_without_passes_the_reason_is_told() -> None:
    report = report_on(small_recording())
    assert "train_step was recorded without its passes" in report.title
    assert [gap.evidence for gap in report.missing] == ["grappler-passes"]
    why = MissingEvidence("grappler-passes", "train_step: the disk was full")
    graphs = [graph_of("a = Const", "traced"), graph_of("a = Const", "optimized")]
    report = report_on(recording_of(packed_recording(graphs, missing=(why,))))
    assert report.title.endswith("what Grappler did is not known: train_step: the disk was full")
    assert report.missing == (why,)


def test_what_xla_compiles_inside_is_said_to_be_unknown() -> None:
    compiled = "call = PartitionedCall {f=kern, _XlaMustCompile=True}"
    assert compiled_inside(graph_of(compiled)) == ["xla-passes"]
    assert compiled_inside(graph_of("call = PartitionedCall {f=kern}")) == []


def compiled_inside(graph: GraphModel) -> list[str]:
    from tfgraphdbg.analyses.passes import _compiled_inside

    return [gap.evidence for gap in _compiled_inside(graph)]


def test_a_stage_named_like_a_pass_is_guessed_and_a_pass_has_no_graphdef() -> None:
    recording = recording_with_passes()
    with pytest.raises(UsageError) as raised:
        recording.graph("remapper")
    assert raised.value.hint.startswith("did you mean after:remapper? ")
    with pytest.raises(UsageError) as raised:
        recording.graph_def("after:remapper")
    assert "each pass as an edit" in raised.value.message
    with pytest.raises(UsageError) as raised:
        tfgraphdbg.analyze("run.tfgdbg", "passes")  # type: ignore[arg-type]
    assert "tfgraphdbg.load" in raised.value.hint


def test_a_compiled_function_is_told_by_its_hlo() -> None:
    packed = packed_recording([graph_of("x = Placeholder\n y = Tanh(x)\n z = Exp(y)", "traced")])
    meta = decode_part(packed[META_PART], RecordingMeta, "meta")
    stages = (*meta.tracings[0].stages, Stage("optimized-hlo", "text"))
    tracing = msgspec.structs.replace(meta.tracings[0], stages=stages, jit_compile=True)
    packed[raw_part(0, "optimized-hlo", "text")] = _HLO.encode()
    report = report_on(recording_of(packed, msgspec.structs.replace(meta, tracings=(tracing,))))
    rows = {row[0]: row[2] for row in report.table("fates").rows}
    assert (rows["y"], rows["z"]) == ("fused", "fused")
    assert "XLA made" in report.title


_HLO = """HloModule m

%fused (p: f32[4]) -> f32[4] {
  %p = f32[4]{0} parameter(0)
  %t = f32[4]{0} tanh(%p), metadata={op_type="Tanh" op_name="y"}
  ROOT %e = f32[4]{0} exponential(%t), metadata={op_type="Exp" op_name="z"}
}

ENTRY %main (a: f32[4]) -> f32[4] {
  %a = f32[4]{0} parameter(0)
  ROOT %f = f32[4]{0} fusion(%a), kind=kLoop, calls=%fused, metadata={op_type="Exp" op_name="z"}
}
"""
