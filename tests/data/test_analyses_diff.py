"""What `diff` compares when not told, what it does without graphs, and the statuses that pictures colour by."""

from __future__ import annotations

import msgspec
import pytest

from tests.graph_text import graph_of
from tests.hand_built import (
    HOSTILE_NAMES,
    hostile_graph,
    packed_recording,
    recording_of,
    small_optimized,
    small_recording,
    small_traced,
)
from tfgraphdbg.analyses import analysis_named
from tfgraphdbg.analyses.change_findings import MAX_GROUPS
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.devices import devices_differ
from tfgraphdbg.analyses.diff import compare_graphs, recording_changes, stage_changes
from tfgraphdbg.analyses.scope_rollup import MAX_SCOPES
from tfgraphdbg.errors import ExitCode, UsageError
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import META_PART, MissingEvidence, Recording, RecordingMeta, Tracing
from tfgraphdbg.recording_file import decode_part, encode_part


def with_meta(recording: Recording, **changes: object) -> Recording:
    return Recording(msgspec.structs.replace(recording.meta, **changes), recording.parts)


def nothing_traced() -> Recording:
    return with_meta(small_recording(), tracings=(), main_tracing=None, outcome="the program raised ValueError")


def diff_title(recording: Recording, **options: object) -> str:
    return compare_graphs(recording, AnalysisOptions(**options)).title  # type: ignore[arg-type]


def test_traced_to_optimized_is_the_default() -> None:
    report = compare_graphs(small_recording(), AnalysisOptions())
    assert report.title == (
        "model.py:train_step: 17 traced ops (3 of them in functions) -> 12 optimized: 6 gone, 1 new, 2 changed"
    )
    assert report.stage == "optimized"
    assert [table.name for table in report.tables] == ["changes", "scopes", "ops"]
    assert report.findings[1].sources[0].line == 6


def test_the_evidence_of_the_op_count_adds_up() -> None:
    (finding,) = [
        finding
        for finding in compare_graphs(small_recording(), AnalysisOptions()).findings
        if finding.rule == "op-count-changed"
    ]
    assert finding.message == "17 ops (3 of them in functions) became 12, -29.4%"
    assert finding.evidence == {
        **{"before": 17, "before_in_functions": 3, "after": 12, "after_in_functions": 0, "changed": 2},
        **{"removed": 4, "merged": 0, "replaced": 0, "dissolved": 2, "gone": 6, "added": 1, "copied": 0, "new": 1},
    }
    assert 17 - 6 + 1 == 12


def test_the_statuses_of_both_graphs_cover_every_op() -> None:
    before, after = small_traced(), small_optimized()
    changes = stage_changes(before, after)
    assert changes.of_before.keys() == before.by_id.keys()
    assert changes.of_after.keys() == after.by_id.keys()
    assert changes.of_after["dense/Relu"] == "changed"
    assert changes.of_after["identity_RetVal"] == "added"
    assert changes.of_after["PartitionedCall/mul"] == "kept"
    assert changes.of_before["dense/MatMul"] == "removed"
    assert changes.of_before["PartitionedCall"] == "changed"
    assert changes.of_before["__inference_scale_9::mul"] == "kept"


@pytest.mark.parametrize("graph", [small_traced(), small_optimized(), hostile_graph()], ids=lambda graph: graph.name)
def test_a_graph_does_not_differ_from_itself(graph: GraphModel) -> None:
    for changes in (stage_changes(graph, graph), recording_changes(graph, graph)):
        assert changes.ops == ()
        assert set(changes.of_before.values()) == set(changes.of_after.values()) == {"kept"}


def test_an_op_that_changed_in_one_copy_is_changed() -> None:
    before = graph_of("x = Placeholder\nc = PartitionedCall(x) {f=g_1}\nd = PartitionedCall(x) {f=g_1}\n[g_1]\nm = Mul")
    copies = ["d/m = Mul from g_1::m", "c/m = Square from g_1::m"]
    for order in (copies, copies[::-1]):
        after = graph_of("\n".join(order), "optimized")
        assert stage_changes(before, after).of_before["g_1::m"] == "changed"


def test_an_inlined_op_may_keep_its_name() -> None:
    before, after = (
        graph_of("c = PartitionedCall {f=g_1}\n[g_1]\nm = Mul"),
        graph_of("m = Mul from g_1::m", "optimized"),
    )
    assert [(change.op, change.kind) for change in stage_changes(before, after).ops] == [
        ("m", "inlined"),
        ("c", "dissolved"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "differ"),
    [
        ("/gpu:0", "/job:localhost/replica:0/task:0/device:GPU:0", False),
        ("/gpu:1", "/job:localhost/replica:0/task:0/device:GPU:0", True),
        ("/device:GPU:0", "/device:GPU:1", True),
        ("/job:worker/task:1", "/job:worker/replica:0/task:1/device:CPU:0", False),
        ("/job:worker/task:1", "/job:worker/replica:0/task:0/device:CPU:0", True),
        ("", "/device:CPU:0", False),
        ("not a device", "/device:CPU:0", False),
    ],
)
def test_devices_differ_where_both_say_something_else(before: str, after: str, differ: bool) -> None:
    assert devices_differ(before, after) == devices_differ(after, before) == differ


def test_stages_are_chosen_by_name() -> None:
    third = GraphModel("f", "partition:0", small_optimized().ops, small_optimized().attr_sets)
    recording = recording_of(packed_recording([small_traced(), small_optimized(), third]))
    assert "12 optimized ops -> 12 partition:0" in diff_title(recording, stage="optimized", against_stage="partition:0")
    assert "17 traced ops (3 of them in functions) -> 12 partition:0" in diff_title(
        recording, against_stage="partition:0"
    )
    assert "12 partition:0 ops -> 12 optimized" in diff_title(recording, stage="partition:0")
    assert "12 optimized ops -> 12 partition:0" in diff_title(recording, stage="optimized")
    assert "17 traced ops (3 of them in functions) -> 12 optimized" in diff_title(recording)


def test_an_unknown_stage_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as raised:
        compare_graphs(small_recording(), AnalysisOptions(against_stage="optimised"))
    assert "'optimised'" in raised.value.message
    assert "traced, optimized" in raised.value.hint


def test_a_lone_graph_is_missing_evidence_and_no_error() -> None:
    report = compare_graphs(recording_of(packed_recording([small_traced()])), AnalysisOptions())
    assert not report.tables
    assert not report.findings
    assert [gap.evidence for gap in report.missing] == ["stage-optimized"]
    assert "only one graph of train_step was recorded" in report.title


def test_without_a_tracing_there_is_nothing_to_compare() -> None:
    for recording, against in ((nothing_traced(), None), (nothing_traced(), small_recording())):
        report = compare_graphs(recording, AnalysisOptions(against=against))
        assert "nothing to compare" in report.title
        assert "ValueError" in report.missing[-1].reason
    report = compare_graphs(small_recording(), AnalysisOptions(against=nothing_traced()))
    assert "nothing to compare" in report.title


def test_missing_evidence_of_both_recordings_is_told_once() -> None:
    gap, other = MissingEvidence("pass-dumps", "TensorFlow was loaded before"), MissingEvidence("hlo", "not compiled")
    first = with_meta(small_recording(), missing=(gap,))
    report = compare_graphs(first, AnalysisOptions(against=with_meta(small_recording(), missing=(gap, other))))
    assert report.missing == (gap, other)


def test_two_recordings_are_compared_where_both_ran() -> None:
    packed = packed_recording([small_traced(), small_optimized()], "new.py:train_step")
    title = diff_title(small_recording(), against=recording_of(packed))
    assert title == "model.py:train_step against new.py:train_step, optimized: 12 ops -> 12: 0 gone, 0 new, 0 changed"
    traced_only = recording_of(packed_recording([small_traced()]))
    assert ", traced: 17 ops (3 of them in functions) -> 17 (3 of them" in diff_title(
        small_recording(), against=traced_only
    )
    assert ", traced against optimized: 17 ops (3 of them in functions) -> 12" in diff_title(
        small_recording(), against=small_recording(), stage="traced", against_stage="optimized"
    )


def test_a_second_recording_without_a_common_stage_has_nothing_to_compare() -> None:
    lowered = GraphModel("f", "lowered", small_traced().ops, small_traced().attr_sets, small_traced().functions)
    report = compare_graphs(small_recording(), AnalysisOptions(against=recording_of(packed_recording([lowered]))))
    assert "no stage in common" in report.title


def several_tracings() -> Recording:
    """The main one is of `other`; of three of `train_step` the second ran longest, and the third is a lone graph."""
    packed = packed_recording([small_traced(), small_optimized()])
    meta = decode_part(packed[META_PART], RecordingMeta, "meta")
    (made,) = meta.tracings
    other = msgspec.structs.replace(made, index=1, function="other", run_ms=99.0, stages=())
    again = msgspec.structs.replace(made, index=2, signature="(x: int32)", run_ms=50.0)
    lone = msgspec.structs.replace(made, index=3, signature="(x: int64)", run_ms=99.0, stages=made.stages[:1])
    meta = msgspec.structs.replace(meta, tracings=(made, other, again, lone), main_tracing=1)
    packed[META_PART] = encode_part(meta)
    packed["tracings/2/optimized.ops"] = packed["tracings/0/traced.ops"]
    packed["tracings/3/traced.ops"] = packed["tracings/0/traced.ops"]
    return recording_of(packed)


def test_the_other_tracing_is_of_the_same_function_and_signature() -> None:
    against = several_tracings()
    assert ", optimized: 12 ops -> 12" in diff_title(small_recording(), against=against)
    lone: Tracing = against.tracings[3]
    assert "only one graph" in diff_title(against, tracing=lone)
    assert ", traced: 17 ops (3 of them in functions) -> 17" in diff_title(
        against, tracing=lone, against=small_recording()
    )
    (made,) = small_recording().tracings
    unlike = with_meta(small_recording(), tracings=(msgspec.structs.replace(made, signature="(x: float64)"),))
    assert ", optimized: 12 ops -> 17 (3 of them in functions)" in diff_title(unlike, against=against)


def test_many_ways_of_one_change_become_few_findings() -> None:
    count = MAX_GROUPS + 5
    before = graph_of("\n".join(f"op{place} = Old{place}" for place in range(count)))
    after = graph_of("\n".join(f"op{place} = New{place} from op{place}" for place in range(count)), "optimized")
    found = compare_graphs(recording_of(packed_recording([before, after])), AnalysisOptions()).findings
    assert len(found) == MAX_GROUPS + 1
    assert found[-1].message == "5 ops more changed op type, in 5 other ways"
    assert found[-1].evidence == {"count": 5, "ways": 5}


def test_many_scopes_are_summed_in_the_last_row() -> None:
    count = MAX_SCOPES + 7
    before = graph_of("\n".join(f"layer{place}/op{copy} = Old" for place in range(count) for copy in range(3)))
    report = compare_graphs(recording_of(packed_recording([before, graph_of("", "optimized")])), AnalysisOptions())
    rows = report.table("scopes").rows
    assert rows[0] == ("layer0", 3, 0, 0)
    assert rows[-1] == ("(7 more scopes)", 21, 0, 0)
    assert len(rows) == MAX_SCOPES + 1


def test_an_op_with_thousands_of_inputs_does_not_fill_a_cell() -> None:
    feeds = ", ".join(f"^op{place}" for place in range(3000))
    ops = "\n".join(f"op{place} = NoOp" for place in range(3000))
    before, after = graph_of(f"{ops}\nall = NoOp({feeds})"), graph_of("all = NoOp from all", "optimized")
    change = next(change for change in stage_changes(before, after).ops if change.op == "all")
    assert change.kind == "control-inputs-changed"
    assert change.before == ", ".join(f"^op{place}" for place in range(8)) + ", ... 2,992 more"


def test_hostile_names_pass_unchanged() -> None:
    report = compare_graphs(
        recording_of(packed_recording([hostile_graph(), graph_of("", "optimized")])), AnalysisOptions()
    )
    assert {str(row[0]) for row in report.table("ops").rows} == set(HOSTILE_NAMES)


def test_an_unknown_analysis_is_an_error_that_guesses() -> None:
    assert analysis_named("diff").takes_second_target
    with pytest.raises(UsageError) as raised:
        analysis_named("overveiw")
    assert raised.value.exit_code == ExitCode.WRONG_USAGE
    assert "did you mean 'overview'?" in raised.value.hint
    with pytest.raises(UsageError) as raised:
        analysis_named("zzz")
    assert raised.value.hint == "analyses: overview, diff, passes, bottlenecks, eager"
