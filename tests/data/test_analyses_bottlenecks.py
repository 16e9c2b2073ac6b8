"""Bottlenecks on graphs and executions written by hand, whose paths, lengths, loops and shares are known."""

from __future__ import annotations

import msgspec
import pytest

from tests.graph_text import graph_of
from tests.hand_built import HOSTILE_NAMES, STACKS, hostile_graph, packed_recording, small_recording
from tests.timed_recordings import Ran, recording_with_times, times_of, with_times
from tfgraphdbg.analyses.bottlenecks import find_bottlenecks
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.overview import summarize_recording
from tfgraphdbg.cost_estimates import EstimatesPart, OpEstimate, estimates_part
from tfgraphdbg.errors import UsageError
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.measured_times import KernelTime, StepTime, TimesPart, UnjoinedTime, times_part
from tfgraphdbg.recording import META_PART, Recording, RecordingMeta
from tfgraphdbg.recording_file import MemoryParts, decode_part, encode_part
from tfgraphdbg.report import Cell, Finding, Report

NO_OPTIONS = AnalysisOptions()

TWO_CHAINS = """
    x = Placeholder -> float32[2]
    a1 = EagerPyFunc(x) -> float32[2] stack 1
    a2 = EagerPyFunc(a1) -> float32[2] stack 1
    b1 = EagerPyFunc(x) -> float32[2] stack 2
    b2 = EagerPyFunc(b1) -> float32[2] stack 2
    b3 = Identity(b2) -> float32[2]
    sum = AddV2(a2, b3) -> float32[2]
"""

WHILE = """
    x = _Arg -> float32[2]
    n = Const -> int32[]
    while/Enter = Enter(x) {frame_name=while}
    while/limit = Enter(n) {frame_name=while, is_constant=True}
    while/Merge = Merge(while/Enter, while/NextIteration)
    while/Less = Less(while/Merge, while/limit)
    while/LoopCond = LoopCond(while/Less)
    while/Switch = Switch(while/Merge, while/LoopCond)
    while/Identity = Identity(while/Switch:1)
    while/MatMul = MatMul(while/Identity) -> float32[2] stack 1
    while/Relu = Relu(while/MatMul) -> float32[2] stack 2
    while/NextIteration = NextIteration(while/Relu)
    while/Exit = Exit(while/Switch)
    after = Neg(while/Exit) -> float32[2] stack 2
"""

NESTED = """
    x = _Arg
    o/Enter = Enter(x) {frame_name=outer}
    o/Merge = Merge(o/Enter, o/Next)
    o/Less = Less(o/Merge)
    o/Cond = LoopCond(o/Less)
    o/Switch = Switch(o/Merge, o/Cond)
    i/Enter = Enter(o/Switch:1) {frame_name=inner}
    i/Merge = Merge(i/Enter, i/Next)
    i/Less = Less(i/Merge)
    i/Cond = LoopCond(i/Less)
    i/Switch = Switch(i/Merge, i/Cond)
    i/Work = Square(i/Switch:1)
    i/Next = NextIteration(i/Work)
    i/Exit = Exit(i/Switch)
    o/Work = Neg(i/Exit)
    o/Next = NextIteration(o/Work)
    o/Exit = Exit(o/Switch)
"""


def report_of(graph: GraphModel, runs: list[Ran], wall: float, **changes: object) -> Report:
    times = msgspec.structs.replace(times_of(runs, wall), **changes)
    return find_bottlenecks(with_times(times, graph), NO_OPTIONS)


def optimized(text: str) -> GraphModel:
    return graph_of(text, "optimized")


def column(report: Report, table: str, name: str) -> list[Cell]:
    found = report.table(table)
    place = [column.name for column in found.columns].index(name)
    return [row[place] for row in found.rows]


def row(report: Report, table: str, key: str) -> dict[str, Cell]:
    found = report.table(table)
    return next(dict(zip([c.name for c in found.columns], row, strict=True)) for row in found.rows if row[0] == key)


def finding(report: Report, rule: str) -> Finding:
    return next(found for found in report.findings if found.rule == rule)


def rules(report: Report) -> set[str]:
    return {found.rule for found in report.findings}


def path_sum(report: Report) -> float:
    return sum(map(float, column(report, "critical-path", "self_us"))) + sum(
        map(float, column(report, "critical-path", "wait_us"))
    )


def test_the_longer_of_two_chains_is_the_path_and_its_length_is_right() -> None:
    runs = [
        Ran("a1", 10, 210, 0),
        Ran("b1", 10, 310, 1),
        Ran("a2", 211, 411, 0),
        Ran("b2", 311, 711, 1),
        Ran("sum", 714, 716, 1),
    ]
    report = report_of(optimized(TWO_CHAINS), runs, 730.0)
    assert column(report, "critical-path", "op") == ["b1", "b2", "sum"]
    assert column(report, "critical-path", "self_us") == [300.0, 400.0, 2.0]
    assert column(report, "critical-path", "wait_us") == [10.0, 1.0, 3.0]
    assert column(report, "critical-path", "waited_for") == ["the call from Python", "", "the executor"]
    assert path_sum(report) == 716.0


def test_slack_is_what_an_op_may_be_longer_without_delaying_the_step() -> None:
    runs = [Ran("a1", 0, 200, 0), Ran("b1", 0, 300, 1), Ran("a2", 200, 400, 0), Ran("b2", 300, 700, 1)]
    report = report_of(optimized(TWO_CHAINS), [*runs, Ran("sum", 700, 710, 1)], 730.0)
    slack = dict(zip(column(report, "ops", "op"), column(report, "ops", "slack_us"), strict=True))
    assert slack == {"a1": 300.0, "a2": 300.0, "b1": 0.0, "b2": 0.0, "sum": 0.0}


THREAD = "its thread, which ran the op above"


def test_an_op_that_could_have_run_waited_for_its_thread() -> None:
    graph = optimized("a = Square -> float32[2]\nb = Square -> float32[2]\nc = Neg(a) -> float32[2]")
    report = report_of(graph, [Ran("a", 0, 10, 0), Ran("b", 10, 110, 0), Ran("c", 112, 130, 0)], 140.0)
    assert column(report, "critical-path", "op") == ["a", "b", "c"]
    assert column(report, "critical-path", "waited_for") == ["", THREAD, THREAD]
    assert column(report, "critical-path", "wait_us") == [0.0, 0.0, 2.0]
    assert path_sum(report) == 130.0


def loop_runs(iterations: int, matmul: float = 50.0) -> list[Ran]:
    """Each iteration asks its condition for 2 us, and then computes; one more asks and ends."""
    runs, now = [], 5.0
    for _ in range(iterations):
        runs += [
            Ran("while/Less", now, now + 2),
            Ran("while/MatMul", now + 3, now + 3 + matmul),
            Ran("while/Relu", now + 3 + matmul, now + 8 + matmul),
        ]
        now += 10 + matmul
    return [*runs, Ran("while/Less", now, now + 2), Ran("after", now + 4, now + 14)]


def test_the_path_goes_through_every_iteration_of_a_loop() -> None:
    report = report_of(optimized(WHILE), loop_runs(4), 270.0)
    body = ["while/Less", "while/MatMul", "while/Relu"]
    assert column(report, "critical-path", "op") == body * 4 + ["while/Less", "after"]
    assert path_sum(report) == 5 + 4 * 60 + 14
    assert {row(report, "ops", op)["slack_us"] for op in (*body, "after")} == {0.0}


def test_iterations_of_a_loop_are_counted_and_timed() -> None:
    report = report_of(optimized(WHILE), loop_runs(4), 270.0)
    found = row(report, "iterations", "while")
    assert (found["iterations"], found["median_us"], found["low_us"], found["whole_us"]) == (4, 58.0, 58.0, 232.0)
    assert found["self_us"] == 5 * 2 + 4 * 55
    assert next(series for series in report.series if series.name == "iteration-time").points == (
        (0.0, 58.0),
        (1.0, 58.0),
        (2.0, 58.0),
        (3.0, 58.0),
    )


def test_a_loop_whose_condition_is_not_timed_keeps_its_last_iteration() -> None:
    runs = [run for run in loop_runs(3) if run.op != "while/Less"]
    report = report_of(optimized(WHILE), runs, 270.0)
    assert column(report, "critical-path", "op") == ["while/MatMul", "while/Relu"] * 3 + ["after"]
    assert row(report, "iterations", "while")["iterations"] == 3


def test_iterations_that_run_at_once_are_told_apart_by_their_order() -> None:
    # MatMul depends on nothing of the iteration before: the second one starts before the first Relu ends.
    text = WHILE.replace("MatMul(while/Identity)", "MatMul(while/limit)").replace(
        "Relu(while/MatMul)", "Add(while/MatMul, while/Identity)"
    )
    runs = [
        Ran("while/Less", 0, 1),
        Ran("while/MatMul", 1, 11, 0),
        Ran("while/MatMul", 12, 22, 1),
        Ran("while/Relu", 12, 52, 0),
        Ran("while/Less", 52, 53, 0),
        Ran("while/Relu", 53, 93, 0),
        Ran("while/Less", 93, 94, 0),
        Ran("after", 94, 95, 0),
    ]
    report = report_of(optimized(text), runs, 100.0)
    assert column(report, "critical-path", "op") == [
        "while/MatMul",
        "while/Relu",
        "while/Less",
        "while/Relu",
        "while/Less",
        "after",
    ]
    assert row(report, "ops", "while/MatMul")["slack_us"] == 0.0


def test_an_inner_loop_runs_anew_in_each_iteration_of_the_outer_one() -> None:
    order = ["o/Less", "i/Less", "i/Work", "i/Less", "i/Work", "i/Less", "o/Work"]
    order += ["o/Less", "i/Less", "i/Work", "i/Less", "o/Work", "o/Less"]
    runs = [Ran(op, 10 * place, 10 * place + 9) for place, op in enumerate(order)]
    report = report_of(optimized(NESTED), runs, 140.0)
    assert column(report, "critical-path", "op") == order
    assert dict(zip(column(report, "iterations", "loop"), column(report, "iterations", "iterations"), strict=True)) == {
        "outer": 2,
        "inner": 3,
    }
    assert set(column(report, "ops", "slack_us")) == {0.0}


def test_a_branch_that_not_every_iteration_takes_is_matched_by_time() -> None:
    text = WHILE.replace(
        "while/Relu = Relu(while/MatMul) -> float32[2] stack 2",
        "while/Rare = Exp(while/MatMul)\n while/Relu = Relu(while/MatMul, ^while/Rare)",
    )
    runs, now = [], 0.0
    for place in range(3):
        runs += [Ran("while/Less", now, now + 1), Ran("while/MatMul", now + 1, now + 11)]
        if place == 1:
            runs.append(Ran("while/Rare", now + 11, now + 31))
        runs.append(Ran("while/Relu", now + 31, now + 41))
        now += 50
    report = report_of(optimized(text), [*runs, Ran("while/Less", now, now + 1)], 160.0)
    middle = ["while/Less", "while/MatMul", "while/Rare", "while/Relu"]
    assert column(report, "critical-path", "op")[3:7] == middle


def test_the_path_goes_through_the_body_of_a_called_function() -> None:
    graph = optimized("""
        x = Square -> float32[2]
        call = StatefulPartitionedCall(x) {f=body}
        y = Neg(call)
        [body]
        a = _Arg
        one = Exp(a)
        two = Log(one)
        ret = _Retval(two)
    """)
    runs = [
        Ran("x", 0, 10),
        Ran("call", 10, 112),
        Ran("body::one", 11, 61, 1),
        Ran("body::two", 61, 111, 1),
        Ran("y", 113, 120),
    ]
    report = report_of(graph, runs, 125.0)
    assert column(report, "critical-path", "op") == ["x", "body::one", "body::two", "y"]
    assert path_sum(report) == 120.0


def test_an_op_fused_from_several_lines_counts_to_its_own_and_is_marked() -> None:
    report = find_bottlenecks(recording_with_times(), NO_OPTIONS)
    lines = {line: (us, shared) for _, line, _, us, _, shared, _ in report.table("lines").rows}
    assert lines[6] == (100.0, 1)
    assert lines[7][1] == 0
    assert report.table("lines").rows[0][-1] == "prediction = tf.nn.relu(x @ weights)"


def test_lines_scopes_and_ops_add_up_to_the_time_of_all_ops() -> None:
    report = find_bottlenecks(recording_with_times(), NO_OPTIONS)
    for table in ("lines", "scopes", "ops"):
        assert sum(map(float, column(report, table, "self_us"))) == 174.0
    assert report.metric is not None
    assert sum(report.metric.values.values()) == 174.0
    assert sum(map(float, column(report, "parallelism", "us"))) == 177.0


def test_busy_threads_are_counted_over_time() -> None:
    runs = [Ran("a1", 0, 100, 0), Ran("b1", 50, 100, 1), Ran("b2", 150, 200, 1)]
    report = report_of(optimized(TWO_CHAINS), runs, 210.0)
    assert report.table("parallelism").rows == ((0, 50.0, 0.25), (1, 100.0, 0.5), (2, 50.0, 0.25))
    points = next(series for series in report.series if series.name == "busy-threads").points
    assert sum(count for _, count in points) / len(points) == pytest.approx(1.0, abs=0.01)
    assert max(count for _, count in points) == 2.0
    assert "ops on 1.0 threads at once" in report.title


def test_efficiency_is_the_estimate_over_the_measured_time() -> None:
    report = find_bottlenecks(recording_with_times(), NO_OPTIONS)
    relu = row(report, "ops", "dense/Relu")
    assert (relu["estimated_us"], relu["efficiency"]) == (50.0, 0.5)
    assert {c.name: c.basis for c in report.table("ops").columns}["efficiency"] == "estimated"


def test_another_device_is_a_column_of_its_own_and_marked_estimated() -> None:
    report = find_bottlenecks(recording_with_times(), AnalysisOptions(device_model="gpu:a100"))
    relu = row(report, "ops", "dense/Relu")
    assert relu["efficiency"] == 0.5
    assert 0 < float(relu["what_if_us"] or 0) < 1
    assert {c.name: c.basis for c in report.table("ops").columns}["what_if_us"] == "estimated"
    with pytest.raises(UsageError):
        find_bottlenecks(recording_with_times(), AnalysisOptions(device_model="gpu:a1OO"))


def test_python_in_the_graph_is_a_warning_where_it_takes_a_large_part() -> None:
    runs = [Ran("a1", 0, 3_000, 0), Ran("sum", 3_000, 10_000, 0)]
    found = finding(report_of(optimized(TWO_CHAINS), runs, 10_010.0), "python-callback-time")
    assert found.severity == "warning"
    assert found.evidence["share"] == pytest.approx(0.2997)
    assert found.ops == ("a1",)
    assert found.sources[0].line == STACKS.frames[1].line
    small = [Ran("a1", 0, 600, 0), Ran("sum", 600, 10_000, 0)]
    assert finding(report_of(optimized(TWO_CHAINS), small, 10_010.0), "python-callback-time").severity == "info"


def test_a_loop_of_tiny_ops_is_told_with_its_loop() -> None:
    runs = loop_runs(200, matmul=4.0)
    wall = runs[-1].end + 10
    busy = sum(run.end - run.start for run in runs)
    steps = (StepTime(wall, busy * 1.5, busy, busy * 0.5, 0.0),) * 3
    found = finding(report_of(optimized(WHILE), runs, wall, steps=steps), "tiny-ops")
    assert (found.evidence["loop"], found.evidence["iterations"]) == ("while", 200)
    assert found.evidence["share"] == pytest.approx(1.0, abs=0.02)
    assert found.severity == "info"
    longer = tuple(msgspec.structs.replace(step, wall_us=25_000.0) for step in steps)
    assert finding(report_of(optimized(WHILE), runs, 25_000.0, steps=longer), "tiny-ops").severity == "warning"


def test_a_chain_of_ops_is_a_serial_graph_unless_threads_help_inside() -> None:
    runs = [Ran("a1", 0, 2_000), Ran("a2", 2_000, 4_000), Ran("sum", 4_000, 4_100)]
    times = times_of(runs, 4_110.0)
    found = finding(find_bottlenecks(with_times(times, optimized(TWO_CHAINS)), NO_OPTIONS), "serial-graph")
    assert (found.severity, found.evidence["critical_share"], found.evidence["parallelism"]) == ("info", 1.0, 1.0)
    helped = times_of(runs, 4_110.0, worker={"a1": 1_500.0, "a2": 1_500.0})
    assert "serial-graph" not in rules(find_bottlenecks(with_times(helped, optimized(TWO_CHAINS)), NO_OPTIONS))


def test_time_without_any_op_is_host_bound() -> None:
    runs = [Ran("a1", 8_000, 9_000), Ran("a2", 9_100, 10_000)]
    found = finding(report_of(optimized(TWO_CHAINS), runs, 10_100.0), "host-bound")
    assert (found.severity, found.evidence["python_us"], found.evidence["idle_us"]) == ("warning", 8_100.0, 100.0)
    assert "host-bound" not in rules(report_of(optimized(TWO_CHAINS), [Ran("a1", 100, 9_900)], 10_000.0))


def test_copies_between_devices_are_counted_wherever_they_show() -> None:
    graph = optimized("a = Square -> float32[2]\nb = _Send(a)\nc = _Recv")
    kernels = (KernelTime("MEMCPYHtoD", "c", "stream 1", 1, 1_000.0), KernelTime("gemm", "a", "stream 1", 1, 50.0))
    unjoined = (UnjoinedTime("edge_1:_HostRecv", 1, 500.0, "no op of this name"),)
    runs = [Ran("a", 0, 4_000), Ran("b", 4_000, 4_500), Ran("c", 4_500, 5_000)]
    report = report_of(graph, runs, 5_000.0, kernels=kernels, unjoined=unjoined)
    found = finding(report, "host-copy")
    assert (found.severity, found.evidence["copy_us"], found.evidence["share"]) == ("warning", 2_500.0, 0.5)
    assert column(report, "kernels", "kernel") == ["MEMCPYHtoD", "gemm"]
    assert column(report, "unjoined", "share") == [0.1]


def test_a_profile_that_distorts_says_so() -> None:
    runs = [Ran("a1", 0, 100)]
    report = report_of(optimized(TWO_CHAINS), runs, 100.0, plain_us=(50.0, 50.0, 50.0))
    assert finding(report, "profiler-overhead").evidence["ratio"] == 2.0
    assert "50.0 us without the profiler" in report.title


def test_a_healthy_step_has_no_warning() -> None:
    assert {found.severity for found in find_bottlenecks(recording_with_times(), NO_OPTIONS).findings} == {"info"}


def test_without_times_it_says_why_and_what_to_type() -> None:
    report = find_bottlenecks(small_recording(), NO_OPTIONS)
    assert [table.name for table in report.tables if table.name in ("ops", "lines")] == []
    assert "--steps 10" in next(gap.reason for gap in report.missing if gap.evidence == "op-times")


def test_what_xla_tells_of_its_instructions_is_a_table() -> None:
    report = report_of(optimized(TWO_CHAINS), [Ran("a1", 0, 100)], 110.0, hlo_us={"m/fusion.1": 30.0, "m/dot": 60.0})
    assert report.table("hlo").rows[0] == ("m/dot", 60.0, 0.6667)


def test_names_that_try_to_break_outputs_pass_through_unchanged() -> None:
    graph = msgspec.structs.replace(hostile_graph(), stage="optimized")
    runs = [Ran(name, 10 * place, 10 * place + 9) for place, name in enumerate(HOSTILE_NAMES)]
    report = report_of(graph, runs, 100.0)
    assert column(report, "critical-path", "op") == list(HOSTILE_NAMES)
    assert set(column(report, "ops", "op")) == set(HOSTILE_NAMES)


def test_times_of_ops_that_the_graph_does_not_have_are_listed_too() -> None:
    report = report_of(optimized(TWO_CHAINS), [Ran("a1", 0, 100), Ran("stranger", 100, 150)], 160.0)
    assert set(column(report, "ops", "op")) == {"a1", "stranger"}
    assert row(report, "ops", "stranger")["slack_us"] is None


@pytest.mark.parametrize(
    "times",
    [
        TimesPart(steps=(StepTime(0.0, 0.0, 0.0, 0.0, 0.0),), ops=()),
        TimesPart(steps=(StepTime(10.0, 5.0, 5.0, 0.0, 0.0),), ops=(), timeline_step=7),
    ],
)
def test_a_step_in_which_nothing_was_timed_gives_a_report(times: TimesPart) -> None:
    report = find_bottlenecks(with_times(times), NO_OPTIONS)
    assert report.table("ops").rows == ()
    assert report.table("critical-path").rows == ()


def test_an_op_that_is_timed_in_some_iterations_only_does_not_break_the_path() -> None:
    runs = [run for run in loop_runs(4) if run.op != "while/Less" or run.start in (5.0, 125.0)]
    report = report_of(optimized(WHILE), runs, 270.0)
    body = ["while/MatMul", "while/Relu"]
    assert column(report, "critical-path", "op") == ["while/Less", *body * 2, "while/Less", *body * 2, "after"]
    assert row(report, "iterations", "while")["iterations"] == 4
    assert row(report, "ops", "while/Less")["slack_us"] == 0.0


def test_an_inner_loop_is_told_from_the_next_when_the_outer_one_computes_after_it() -> None:
    order = [
        "i/Less",
        "i/Work",
        "i/Work",
        "o/Work",
        "i/Less",
        "i/Work",
        "o/Work",
        "i/Less",
        "i/Work",
        "i/Work",
        "o/Work",
    ]
    runs = [Ran(op, 10 * place, 10 * place + 9) for place, op in enumerate(order)]
    report = report_of(optimized(NESTED), runs, 140.0)
    assert column(report, "critical-path", "op") == order
    assert dict(zip(column(report, "iterations", "loop"), column(report, "iterations", "iterations"), strict=True)) == {
        "outer": 3,
        "inner": 5,
    }


def test_iterations_of_an_outer_loop_that_run_at_once_keep_the_path_through_the_data() -> None:
    # The second outer iteration asks its inner condition while the inner loop of the first one still computes.
    runs = [
        Ran("o/Less", 0, 1),
        Ran("i/Less", 2, 3),
        Ran("i/Work", 4, 104),
        Ran("o/Less", 10, 11, 1),
        Ran("i/Less", 12, 13, 1),
        Ran("o/Work", 106, 116),
        Ran("i/Work", 118, 218),
        Ran("o/Work", 220, 230),
    ]
    report = report_of(optimized(NESTED), runs, 240.0)
    assert column(report, "critical-path", "op") == ["o/Less", "i/Less", *["i/Work", "o/Work"] * 2]
    assert path_sum(report) == 230.0


def test_the_overview_has_the_hot_lines_too() -> None:
    found = summarize_recording(recording_with_times(), NO_OPTIONS)
    own = find_bottlenecks(recording_with_times(), NO_OPTIONS)
    assert [finding.message for finding in found.findings if finding.rule == "hot-line"] == [
        finding.message for finding in own.findings if finding.rule == "hot-line"
    ]


def test_what_a_thread_runs_next_bounds_the_room_of_an_op_and_the_path_has_none() -> None:
    # By the graph alone `a` could end when the step does; but `c`, which is on the path, waits for its thread.
    graph = optimized("a = Square -> float32[2]\nb = Square -> float32[2]\nc = Neg(b) -> float32[2]\nd = Exp(a)")
    runs = [Ran("b", 0, 100, 1), Ran("a", 20, 90, 0), Ran("c", 103, 300, 0), Ran("d", 150, 160, 1)]
    report = report_of(graph, runs, 310.0)
    assert column(report, "critical-path", "op") == ["b", "c"]
    slack = dict(zip(column(report, "ops", "op"), column(report, "ops", "slack_us"), strict=True))
    assert slack == {"a": 13.0, "b": 0.0, "c": 0.0, "d": 140.0}


def test_room_goes_through_ops_that_were_not_timed() -> None:
    graph = optimized("a = Square -> float32[2]\nb = Identity(a)\nc = Neg(b)\nd = Exp -> float32[2]")
    runs = [Ran("a", 0, 10, 1), Ran("d", 0, 300, 0), Ran("c", 50, 60, 2)]
    report = report_of(graph, runs, 310.0)
    assert (row(report, "ops", "a")["slack_us"], row(report, "ops", "c")["slack_us"]) == (280.0, 240.0)


def test_what_also_runs_in_the_last_pass_of_a_loop_makes_it_no_iteration() -> None:
    # The condition, its Merge and its Switch run once more than the body; the first Merge long before all else.
    runs = loop_runs(3)
    asked = [run for run in runs if run.op == "while/Less"]
    runs += [Ran("while/Merge", run.start - 1.5 if place else 0.5, run.start - 1) for place, run in enumerate(asked)]
    runs += [Ran("while/Switch", run.end, run.end + 0.5) for run in asked]
    later = [run if run.op == "while/Merge" else run._replace(start=run.start + 90, end=run.end + 90) for run in runs]
    found = row(report_of(optimized(WHILE), later, 350.0), "iterations", "while")
    assert (found["iterations"], found["low_us"], found["high_us"], found["whole_us"]) == (3, 58.0, 58.0, 174.0)


def test_a_loop_whose_body_never_ran_is_no_loop_of_the_step() -> None:
    runs = [
        Ran("while/Merge", 0, 1),
        Ran("while/Less", 200, 201),
        Ran("while/Switch", 202, 203),
        Ran("after", 204, 210),
    ]
    report = report_of(optimized(WHILE), runs, 215.0)
    assert "iterations" not in {table.name for table in report.tables}
    assert column(report, "critical-path", "op_type") == ["Merge", "Less", "Switch", "Neg"]


def test_findings_of_a_distorted_profile_tell_of_one_busy_time() -> None:
    runs = [Ran("a1", place * 10, place * 10 + 5) for place in range(200)]
    steps = (StepTime(2_000.0, 2_000.0, 1_000.0, 1_000.0, 0.0),) * 3
    report = report_of(optimized(TWO_CHAINS), runs, 2_000.0, steps=steps, plain_us=(1_500.0,) * 3)
    tiny, line = finding(report, "tiny-ops"), finding(report, "hot-line")
    assert (tiny.evidence["share"], tiny.evidence["executor_us"]) == (1.0, 1_000.0)
    assert float(str(line.evidence["self_us"])) / float(str(line.evidence["share"])) == 2_000.0
    assert "the profiler's own work" in tiny.message
    idle = finding(report, "host-bound")
    assert (idle.evidence["share"], "of a step's 2.00 ms" in idle.message) == (0.5, True)


def test_tiny_ops_that_only_the_profiler_makes_costly_are_not_told() -> None:
    runs = [Ran("a1", place * 10, place * 10 + 1) for place in range(200)]
    runs.append(Ran("b1", 2_000, 5_000))
    steps = (StepTime(5_000.0, 5_200.0, 3_200.0, 2_000.0, 0.0),) * 3
    plain = report_of(optimized(TWO_CHAINS), runs, 5_000.0, steps=steps, plain_us=(5_000.0,) * 3)
    distorted = report_of(optimized(TWO_CHAINS), runs, 5_000.0, steps=steps, plain_us=(3_100.0,) * 3)
    assert "tiny-ops" in rules(plain)
    assert "tiny-ops" not in rules(distorted)


@pytest.mark.parametrize("estimate", [OpEstimate("a1", 0.0, 50.0), OpEstimate("a1", 40.0, 10.0, shapes_known=False)])
def test_there_is_no_efficiency_where_the_cost_model_has_no_rule(estimate: OpEstimate) -> None:
    known = OpEstimate("a2", 190.0, 10.0)
    report = find_bottlenecks(with_estimates(estimate, known), NO_OPTIONS)
    assert (row(report, "ops", "a1")["estimated_us"], row(report, "ops", "a1")["efficiency"]) == (None, None)
    assert row(report, "ops", "a2")["efficiency"] == 2.0
    assert "above 100%: the cost model counts one operation a core and cycle" in report.table("ops").title
    assert not any("efficiency" in found.evidence or "estimated_us" in found.evidence for found in report.findings)


def with_estimates(*estimates: OpEstimate) -> Recording:
    packed = packed_recording([optimized(TWO_CHAINS)])
    packed[times_part(0)] = encode_part(times_of([Ran("a1", 0, 100), Ran("a2", 100, 200)], 210.0))
    packed[estimates_part(0)] = encode_part(EstimatesPart("CPU: 2 cores at 2445 MHz", 4.89, 32.0, estimates))
    return Recording(decode_part(packed[META_PART], RecordingMeta, "meta"), MemoryParts(packed))


def test_what_xla_runs_as_one_has_its_wall_time_and_instructions() -> None:
    packed = packed_recording([graph_of(TWO_CHAINS, "traced")])
    steps = (StepTime(2_000.0, 1_500.0, 1_500.0, 0.0, 0.0),) * 3
    packed[times_part(0)] = encode_part(TimesPart(steps, (), hlo_us={"m/fusion": 900.0}))
    meta = decode_part(packed[META_PART], RecordingMeta, "meta")
    compiled = msgspec.structs.replace(meta.tracings[0], jit_compile=True)
    meta = msgspec.structs.replace(meta, tracings=(compiled, *meta.tracings[1:]))
    report = find_bottlenecks(Recording(meta, MemoryParts(packed)), NO_OPTIONS)
    assert "2.00 ms a step" in report.title
    assert report.table("hlo").rows == (("m/fusion", 900.0, 1.0),)
    assert "runs it as one" in next(gap.reason for gap in report.missing if gap.evidence == "op-times")
    del packed[times_part(0)]
    report = find_bottlenecks(Recording(meta, MemoryParts(packed)), NO_OPTIONS)
    assert "none of its runs were timed" in next(gap.reason for gap in report.missing if gap.evidence == "op-times")


def test_a_program_with_several_timed_functions_tells_which_one_it_shows() -> None:
    packed = packed_recording([optimized(TWO_CHAINS)])
    for number, us in enumerate((100.0, 50.0)):
        packed[times_part(number)] = encode_part(times_of([Ran("a1", 0, us)], us))
    meta = decode_part(packed[META_PART], RecordingMeta, "meta")
    other = msgspec.structs.replace(meta.tracings[0], index=1, function="evaluate")
    meta = msgspec.structs.replace(meta, tracings=(meta.tracings[0], other))
    report = find_bottlenecks(Recording(meta, MemoryParts(packed)), NO_OPTIONS)
    assert report.title.startswith(f"{meta.tracings[0].function} of ")
    assert report.table("functions").rows == ((meta.tracings[0].function, 0, 3, 100.0), ("evaluate", 1, 3, 50.0))
    assert "--function NAME" in report.table("functions").title


@pytest.mark.parametrize(
    ("traced", "ran", "words"),
    [
        (None, None, "Neither"),
        (5.0, None, "no first run"),
        (None, 5.0, "recorded run"),
        (5.0, 6.0, "11.0 ms of the first"),
    ],
)
def test_a_first_call_is_told_of_only_where_it_was_timed(traced: float | None, ran: float | None, words: str) -> None:
    recording = small_recording()
    changed = msgspec.structs.replace(recording.main_tracing, trace_ms=traced, first_run_ms=ran)
    report = find_bottlenecks(recording, AnalysisOptions(tracing=changed))
    assert words in report.table("first-call").title


def test_a_function_without_times_points_to_one_that_has_some() -> None:
    recording = recording_with_times()
    stages = tuple(stage for stage in recording.main_tracing.stages if stage.name == "optimized")
    other = msgspec.structs.replace(recording.main_tracing, index=1, function="evaluate", stages=stages)
    report = find_bottlenecks(recording, AnalysisOptions(tracing=other))
    reason = next(gap.reason for gap in report.missing if gap.evidence == "op-times")
    assert f"--function {recording.main_tracing.function}" in reason
