"""Profiles of eager runs, built by hand: whose each moment is, and which timed op is which op of the log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tfgraphdbg.eager_run import EagerOp
from tfgraphdbg.recorders.eager_joining import joined
from tfgraphdbg.recorders.eager_op_log import ToldOps
from tfgraphdbg.recorders.eager_times import MARKER, TimedOp, TimedRun, TimedThread, timed_run

Spec = tuple[int, int, str]
"""Start and end in microseconds, and the event's name."""


def space(*threads: list[Spec], sizes: dict[int, int] | None = None) -> Any:
    """What `timed_run` reads of an XSpace; `sizes` gives allocations of the first thread by their time."""
    names = sorted({name for thread in threads for _, _, name in thread} | {"MemoryAllocation"})
    numbers = {name: number for number, name in enumerate(names, 1)}
    lines = []
    for at, thread in enumerate(threads):
        events = [
            SimpleNamespace(
                offset_ps=start * 10**6, duration_ps=(end - start) * 10**6, metadata_id=numbers[name], stats=[]
            )
            for start, end, name in thread
        ]
        for moment, size in (sizes or {}).items() if at == 0 else ():
            stat = SimpleNamespace(metadata_id=7, int64_value=size, uint64_value=0)
            events.append(
                SimpleNamespace(
                    offset_ps=moment * 10**6, duration_ps=0, metadata_id=numbers["MemoryAllocation"], stats=[stat]
                )
            )
        lines.append(SimpleNamespace(timestamp_ns=0, events=events))
    metadata = {number: SimpleNamespace(name=name) for name, number in numbers.items()}
    plane = SimpleNamespace(event_metadata=metadata, stat_metadata={7: SimpleNamespace(name="requested_bytes")})
    plane.lines = lines
    return SimpleNamespace(planes=[plane])


def op(start: int, op_type: str, kernel: tuple[int, int], end: int) -> list[Spec]:
    """An op through TensorFlow's fast path."""
    return [
        (start, end, "TFE_Py_FastPathExecute_C"),
        (start + 1, end - 1, "EagerExecute"),
        (start + 2, end - 1, f"EagerLocalExecute: {op_type}"),
        (*kernel, "KernelAndDeviceFunc::Run"),
    ]


def told(*op_types: str, threads: tuple[int, ...] = ()) -> ToldOps:
    ops = [
        EagerOp(at, op_type, () if at == 0 else (f"{at - 1}:0",), thread=threads[at] if threads else 0)
        for at, op_type in enumerate(op_types)
    ]
    return ToldOps(ops, (), ("MainThread", "helper")[: 1 + max((op.thread for op in ops), default=0)])


def run_of(*op_types: str, wall: float = 100.0, python: float = 1.0) -> TimedRun:
    """An op type in brackets ran for an argument of the op after it."""
    ops = tuple(
        TimedOp(op_type.strip("()"), python, 2.0, 3.0, None, float(at), op_type[0] == "(" or op_type == "_EagerConst")
        for at, op_type in enumerate(op_types)
    )
    return TimedRun(wall, (TimedThread(ops, 4.0),))


def no_place(stack: int) -> str:
    return ""


def test_each_moment_belongs_to_python_to_dispatch_or_to_a_kernel() -> None:
    run = timed_run(
        space(
            [(100, 200, MARKER), *op(110, "MatMul", (115, 130), 140), *op(150, "Relu", (155, 158), 160)],
            sizes={120: 64, 125: 36, 190: 5},
        )
    )
    assert run is not None
    assert run.wall_us == 100
    (thread,) = run.threads
    assert thread.ops == (TimedOp("MatMul", 10, 15, 15, 100, 140), TimedOp("Relu", 10, 7, 3, 0, 160))
    assert thread.after_us == 40


def test_a_constant_made_inside_another_op_takes_its_own_part() -> None:
    constant: list[Spec] = [
        (115, 121, "EagerExecute"),
        (116, 121, "EagerLocalExecute: _EagerConst"),
        (118, 120, "KernelAndDeviceFunc::Run"),
    ]
    outer: list[Spec] = [
        (110, 150, "TFE_Py_FastPathExecute_C"),
        (125, 149, "EagerExecute"),
        (126, 149, "EagerLocalExecute: Mul"),
        (130, 140, "KernelAndDeviceFunc::Run"),
    ]
    run = timed_run(space([(100, 160, MARKER), *constant, *outer]))
    assert run is not None
    made, product = run.threads[0].ops
    assert made == TimedOp("_EagerConst", 0, 4, 2, None, 121, of_argument=True)
    assert product == TimedOp("Mul", 10, 24, 10, None, 150)
    assert sum(one.python_us + one.dispatch_us + one.kernel_us for one in run.threads[0].ops) + 10 == run.wall_us


def test_a_variable_read_for_another_op_is_of_its_argument() -> None:
    read: list[Spec] = [(115, 121, "EagerExecute"), (116, 121, "EagerLocalExecute: ReadVariableOp")]
    outer: list[Spec] = [
        (110, 150, "TFE_Py_FastPathExecute_C"),
        (125, 149, "EagerExecute"),
        (126, 149, "EagerLocalExecute: BiasAdd"),
    ]
    run = timed_run(space([(100, 160, MARKER), *read, *outer]))
    assert run is not None
    assert [(one.op_type, one.of_argument) for one in run.threads[0].ops] == [
        ("ReadVariableOp", True),
        ("BiasAdd", False),
    ]
    log = ToldOps([EagerOp(0, "BiasAdd", ("argument:x", "constant"))], (), ("MainThread",))
    part = joined(log, [run_of("(ReadVariableOp)", "BiasAdd")], no_place)
    assert [(one.op_type, one.inputs) for one in part.ops] == [
        ("ReadVariableOp", ()),
        ("BiasAdd", ("argument:x", "0:0")),
    ]
    assert (part.unmatched, part.unrepeatable) == (0, "")


def test_ops_inside_the_kernel_of_another_come_before_it_and_count_once() -> None:
    run = timed_run(space([(0, 100, MARKER), *op(10, "EagerPyFunc", (20, 80), 90), *op(30, "Sin", (35, 45), 50)]))
    assert run is not None
    inner, outer = run.threads[0].ops
    assert (inner.op_type, inner.python_us, inner.dispatch_us, inner.kernel_us) == ("Sin", 0, 10, 10)
    assert (outer.op_type, outer.python_us, outer.dispatch_us, outer.kernel_us) == ("EagerPyFunc", 10, 20, 40)


def test_other_threads_come_after_the_one_that_called() -> None:
    run = timed_run(space(op(40, "Cos", (45, 48), 50), [(0, 100, MARKER), *op(10, "Sin", (15, 20), 30)]))
    assert run is not None
    assert [[one.op_type for one in thread.ops] for thread in run.threads] == [["Sin"], ["Cos"]]


def test_a_profile_without_the_call_is_none() -> None:
    assert timed_run(space(op(10, "Sin", (15, 20), 30))) is None


def test_constants_are_put_where_they_ran_and_inputs_follow() -> None:
    part = joined(told("Sin", "Mean", "Exp"), [run_of("Sin", "_EagerConst", "Mean", "Exp", "_EagerConst")], no_place)
    assert [(one.index, one.op_type) for one in part.ops] == [
        (0, "Sin"),
        (1, "_EagerConst"),
        (2, "Mean"),
        (3, "Exp"),
        (4, "_EagerConst"),
    ]
    assert [one.inputs for one in part.ops] == [(), (), ("0:0",), ("2:0",), ()]
    assert part.unmatched == 0
    assert part.unrepeatable == ""


def test_times_are_means_of_the_runs_of_middle_length() -> None:
    runs = [run_of("Sin", wall=wall, python=python) for wall, python in ((9, 900), (1, 100), (3, 5), (2, 3))]
    part = joined(told("Sin"), runs, no_place)
    assert part.ops[0].python_us == 4
    assert part.wall_us == (9, 1, 3, 2)
    assert part.after_us == 4


def test_runs_with_other_ops_are_counted_and_aligned() -> None:
    other = run_of("Sin", "Cos", "Exp")
    part = joined(told("Sin", "Mean", "Exp"), [other], lambda stack: "model.py:3")
    assert [(one.op_type, one.kernel_us) for one in part.ops] == [("Sin", 3.0), ("Mean", None), ("Exp", 3.0)]
    assert part.unmatched == 1
    assert part.unrepeatable.startswith("1 of 1 further runs made other ops, the first of them near Mean in model.py:3")


def test_helping_threads_that_the_profile_takes_for_one_are_joined_in_order() -> None:
    log = told("Sin", "Cos", "Tan", threads=(0, 1, 1))
    apart = TimedRun(
        9.0,
        (
            TimedThread((TimedOp("Sin", 1, 1, 1, None, 1.0),), 0.0),
            TimedThread((TimedOp("Tan", 1, 1, 1, None, 3.0),), 0.0),
            TimedThread((TimedOp("Cos", 1, 1, 1, None, 2.0),), 0.0),
        ),
    )
    part = joined(log, [apart], no_place)
    assert part.unmatched == 0
    assert all(one.kernel_us == 1 for one in part.ops)


def test_without_a_profile_the_ops_have_no_times() -> None:
    part = joined(told("Sin"), [], no_place)
    assert part.ops[0].python_us is None
    assert part.wall_us == ()
