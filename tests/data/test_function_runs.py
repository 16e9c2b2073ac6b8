"""Events of hand-made traces: to which call and op each stretch of time belongs."""

from __future__ import annotations

from typing import Any

from tfgraphdbg.measured_times import ThreadKind
from tfgraphdbg.recorders.busy_time import busy_ps
from tfgraphdbg.recorders.function_runs import FunctionCall, FunctionRuns
from tfgraphdbg.recorders.profiler_session import MARKER
from tfgraphdbg.recorders.trace_events import Event, EventLine


def event(start: int, end: int, name: str, /, **stats: Any) -> Event:
    return Event(start, end, name, stats)


def call(start: int, end: int, function: str, context: int) -> list[Event]:
    """A call of a function from Python."""
    return [
        event(start, end, "EagerExecute", eager_op=function, is_func=1),
        event(start + 1, end - 1, "EagerLocalExecute: f"),
        event(start + 2, end - 2, "FunctionRun", _p=context),
    ]


def process(start: int, end: int, context: int) -> Event:
    return event(start, end, "ExecutorState::Process", _c=context)


def runs(**lines: list[Event]) -> list[FunctionCall]:
    """The calls that these threads tell; a name begins with the kind of its thread."""
    kinds: dict[str, ThreadKind] = {"python": "python", "executor": "executor", "worker": "worker"}
    return FunctionRuns(
        [EventLine(name, kinds[name.partition("_")[0]], events) for name, events in lines.items()]
    ).calls


def own(of: FunctionCall) -> dict[str, int]:
    """Self time by op; the executor's own under an empty name."""
    spent: dict[str, int] = {}
    for work in of.work:
        name = "" if work.kind == "executor" else work.name
        spent[name] = spent.get(name, 0) + work.self_ps
    return spent


def busy(of: FunctionCall) -> int:
    return busy_ps((work.line, work.start, work.end) for work in of.work)


def test_ops_of_all_threads_belong_to_the_call_whose_context_they_ran_in() -> None:
    (found,) = runs(
        python=call(0, 100, "f", 7),
        executor_1=[process(10, 50, 7), event(12, 30, "a:MatMul"), event(31, 40, "b:Relu")],
        executor_2=[process(30, 60, 7), event(35, 55, "a:MatMul")],
    )
    assert own(found) == {"a": 38, "b": 9, "": 40 - 27 + 30 - 20}
    assert sum(own(found).values()) == busy(found) == 70


def test_what_nests_in_an_op_is_its_own_time_unless_it_is_an_op_of_the_graph() -> None:
    (found,) = runs(
        python=call(0, 100, "f", 7),
        executor_1=[
            process(10, 90, 7),
            event(10, 80, "sum:EagerPyFunc"),
            event(20, 70, "EagerExecute", eager_op="Mul", is_func=0),
            event(30, 60, "KernelAndDeviceFunc::Run"),
            event(82, 88, "end: matmul.2"),
        ],
    )
    assert own(found) == {"sum": 70, "": 10}
    assert busy(found) == 80


def test_a_function_called_from_inside_an_op_has_times_of_its_own_and_stays_time_of_the_op() -> None:
    outer, inner = runs(
        python=call(0, 100, "outer", 7),
        executor_1=[
            process(10, 90, 7),
            event(10, 80, "py:EagerPyFunc"),
            *call(20, 60, "inner", 8),
            process(25, 50, 8),
            event(30, 40, "a:Mul"),
        ],
    )
    assert (outer.function, inner.function) == ("outer", "inner")
    assert own(outer) == {"py": 70, "": 10}
    assert own(inner) == {"a": 10, "": 15}
    assert (busy(outer), busy(inner)) == (80, 25)


def test_a_function_that_stays_a_call_belongs_to_the_call_around_it_and_tells_its_caller() -> None:
    (found,) = runs(
        python=call(0, 100, "f", 7),
        executor_1=[
            process(10, 30, 7),
            event(12, 28, "ExecutorState::ProcessAsync::Start", name="call", kernel_type="PartitionedCall", step_id=1),
            event(20, 24, "FunctionRun", _p=9),
        ],
        executor_2=[process(30, 60, 9), event(35, 55, "a:MatMul")],
    )
    assert own(found) == {"call": 16, "a": 20, "": 4 + 10}
    (inside,) = [work for work in found.work if work.name == "a"]
    assert inside.caller is not None
    assert inside.caller.name == "call"


def test_workers_help_the_op_that_handed_them_work_also_through_other_workers() -> None:
    (found,) = runs(
        python=call(0, 100, "f", 7),
        executor_1=[process(10, 90, 7), event(20, 80, "a:Conv2D"), event(30, 30, "ThreadpoolListener::Record", _p=1)],
        worker_1=[
            event(32, 32, "ThreadpoolListener::StartRegion", _c=1),
            event(34, 34, "ThreadpoolListener::Record", _p=2),
            event(50, 50, "ThreadpoolListener::StopRegion"),
        ],
        worker_2=[
            event(40, 40, "ThreadpoolListener::StartRegion", _c=2),
            event(45, 45, "ThreadpoolListener::StopRegion"),
            event(60, 60, "ThreadpoolListener::StartRegion", _c=99),
            event(70, 70, "ThreadpoolListener::StopRegion"),
        ],
    )
    assert {work.name: work.worker_ps for work in found.work if work.kind == "op"} == {"a": 18 + 5}
    assert busy(found) == 80


def test_a_marker_times_the_one_call_in_it_and_leaves_several_their_own_times() -> None:
    def marked(*calls: list[Event]) -> list[Event]:
        return [event(0, 200, MARKER), *(each for one in calls for each in one)]

    (one,) = runs(python=marked(call(10, 90, "f", 7)))
    assert (one.start, one.end) == (0, 200)
    forward, backward = runs(python=marked(call(10, 90, "forward", 7), call(100, 150, "backward", 8)))
    assert (forward.start, forward.end, backward.start, backward.end) == (10, 90, 100, 150)


def test_a_function_that_xla_compiled_whole_is_one_run_with_its_instructions() -> None:
    (found,) = runs(
        python=[
            event(0, 100, "EagerExecute", eager_op="f", is_func=1),
            event(10, 90, "f:f"),
            event(20, 60, "while.1", hlo_op="while.1", hlo_module="m"),
            event(30, 50, "dot.2", hlo_op="dot.2", hlo_module="m"),
        ]
    )
    assert [(work.kind, work.self_ps) for work in found.work] == [("xla", 80)]
    assert found.hlo_ps == {"m/while.1": 20, "m/dot.2": 20}


def test_what_belongs_to_no_call_of_the_trace_is_given_to_none() -> None:
    (found,) = runs(python=call(0, 100, "f", 7), executor_1=[process(10, 20, 6), event(12, 18, "a:Mul")])
    assert found.work == []


def test_an_inner_event_that_seems_to_end_later_takes_no_time_twice() -> None:
    (found,) = runs(python=call(0, 100, "f", 7), executor_1=[process(10, 20, 7), event(12, 21, "a:Mul")])
    assert own(found) == {"a": 8, "": 2}
    assert busy(found) == 10


def test_busy_time_counts_what_overlaps_once_for_each_thread() -> None:
    assert busy_ps([(1, 0, 10), (1, 5, 8), (1, 9, 12), (1, 20, 21), (2, 0, 4)]) == 12 + 1 + 4
    assert busy_ps([]) == 0


def test_an_op_that_runs_after_its_stretch_of_process_goes_on_with_the_same_call() -> None:
    (found,) = runs(
        python=call(0, 100, "f", 7),
        executor_1=[
            event(10, 60, "ExecutorState::Process Scheduled"),
            process(11, 20, 7),
            event(12, 18, "a:Mul"),
            event(30, 40, "b:Sum"),
            event(70, 75, "c:Sum"),
        ],
    )
    assert own(found) == {"a": 6, "b": 10, "c": 5, "": 50 - 6 - 10}
    assert busy(found) == sum(own(found).values()) == 55


def test_the_second_event_of_an_op_that_runs_asynchronously_is_no_second_execution() -> None:
    (found,) = runs(
        python=call(0, 100, "f", 7),
        executor_1=[
            process(10, 60, 7),
            event(20, 40, "call:PartitionedCall"),
            event(21, 39, "ExecutorState::ProcessAsync::Start", name="call", kernel_type="PartitionedCall"),
        ],
    )
    assert [work.self_ps for work in found.work if work.kind == "op"] == [20]


def test_an_op_outside_of_process_belongs_to_the_call_under_way_and_not_to_an_earlier_step() -> None:
    first, second = runs(
        python=[*call(0, 100, "f", 7), *call(200, 300, "f", 8)],
        executor_1=[process(10, 50, 7), event(12, 30, "a:MatMul"), event(210, 280, "a:MatMul")],
        executor_2=[event(220, 240, "b:Relu"), event(150, 160, "b:Relu")],
    )
    assert own(first) == {"a": 18, "": 22}
    assert own(second) == {"a": 70, "b": 20}
