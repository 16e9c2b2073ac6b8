"""What calls of one concrete function did, call by call -> the times of its ops, as a TimesPart."""

from __future__ import annotations

from array import array
from collections import defaultdict
from statistics import median
from typing import NamedTuple

from tfgraphdbg.measured_times import (
    KernelTime,
    OpTime,
    StepTime,
    ThreadInfo,
    Timeline,
    TimesPart,
    UnjoinedTime,
)
from tfgraphdbg.recorders.busy_time import busy_ps
from tfgraphdbg.recorders.function_runs import FunctionCall, Work
from tfgraphdbg.recorders.optimized_ops import PASSING_ON, OptimizedOps, reason_not_found
from tfgraphdbg.recorders.trace_events import EventLine, KernelEvent

PS_PER_US = 1e6


class _Spent(NamedTuple):
    """Of one op in one step: executions, and picoseconds."""

    calls: int
    self_ps: int
    worker_ps: int


class _Step(NamedTuple):
    """One call, boiled down."""

    time: StepTime
    session: int
    ops: dict[str, _Spent]
    unjoined: dict[tuple[str, str], tuple[int, int]]
    hlo_ps: dict[str, int]
    kernels: dict[tuple[str, str, str], tuple[int, int]]
    runs: tuple[list[str], list[str], list[array[int]]]
    """Op and thread of each execution, and the columns start, end and self time."""


class OpTimes:
    """Takes the calls of one concrete function as they are measured; keeps each as numbers, not as events."""

    def __init__(self, ops: OptimizedOps | None) -> None:
        self._ops = ops
        self._steps: list[_Step] = []
        self._kinds: dict[str, ThreadInfo] = {}

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, call: FunctionCall, lines: list[EventLine], kernels: list[KernelEvent], session: int) -> None:
        """Take one call; `session` is the number of the profiler's session that saw it."""
        spent: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        unjoined: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        rows: list[tuple[int, int, int, str, int]] = []
        executor = compiled = unknown = 0
        for work in call.work:
            if work.kind == "executor":
                executor += work.self_ps
            elif work.kind == "xla":
                compiled += work.self_ps
            elif op := self._id_of(work):
                _add(spent[op], 1, work.self_ps, work.worker_ps)
                rows.append((work.start, work.end, work.self_ps, op, work.line))
            else:
                passes_on = work.op_type in PASSING_ON
                executor += work.self_ps if passes_on else 0
                unknown += 0 if passes_on else work.self_ps
                reason = reason_not_found(work.op_type, work.caller is not None)
                _add(unjoined[f"{work.name}:{work.op_type}", reason], 1, work.self_ps)
        op_ps = sum(each[1] for each in spent.values()) + compiled
        time = StepTime(
            wall_us=_us(call.end - call.start),
            busy_us=_us(busy_ps((work.line, work.start, work.end) for work in call.work)),
            op_us=_us(op_ps),
            executor_us=_us(executor),
            unjoined_us=_us(unknown),
        )
        self._steps.append(
            _Step(
                time,
                session,
                {op: _Spent(*each) for op, each in spent.items()},
                {key: (each[0], each[1]) for key, each in unjoined.items()},
                dict(call.hlo_ps),
                _kernels_of(call, kernels),
                self._columns(sorted(rows), call.start, lines),
            )
        )

    def _id_of(self, work: Work) -> str:
        if self._ops is None:
            return ""
        return self._ops.find(self._id_of(work.caller) if work.caller is not None else "", work.name)

    def _columns(
        self, rows: list[tuple[int, int, int, str, int]], base: int, lines: list[EventLine]
    ) -> tuple[list[str], list[str], list[array[int]]]:
        ops, threads = [], []
        columns = [array("q"), array("q"), array("q")]
        for start, end, self_ps, op, line in rows:
            name = lines[line].name or "python"
            self._kinds.setdefault(name, ThreadInfo(name, lines[line].kind))
            ops.append(op)
            threads.append(name)
            for column, value in zip(columns, (start - base, end - base, self_ps), strict=True):
                column.append(value // 1000)
        return ops, threads, columns

    @property
    def lacks_instructions(self) -> bool:
        """Whether XLA ran the whole function and the trace tells nothing of its instructions."""
        return not any(step.hlo_ps or step.ops for step in self._steps)

    @property
    def median_wall_us(self) -> float:
        """Of all steps so far."""
        return median(step.time.wall_us for step in self._steps)

    def middle(self) -> int:
        """The step whose wall time is the median, or the next longer one."""
        order = sorted(range(len(self._steps)), key=lambda number: self._steps[number].time.wall_us)
        return order[len(order) // 2]

    def session_of(self, step: int) -> int:
        """The profiler's session that saw a step."""
        return self._steps[step].session

    def part(self, plain_us: tuple[float, ...], note: str) -> TimesPart:
        """All steps together."""
        shown = self.middle()
        times = self._op_times()
        position = {time.op: number for number, time in enumerate(times)}
        ops, threads, (start, end, own) = self._steps[shown].runs
        names = list(dict.fromkeys(threads))
        line = {name: number for number, name in enumerate(names)}
        return TimesPart(
            steps=tuple(step.time for step in self._steps),
            ops=times,
            threads=tuple(self._kinds[name] for name in names),
            timeline=Timeline(
                tuple(position[op] for op in ops),
                tuple(line[name] for name in threads),
                tuple(start),
                tuple(end),
                tuple(own),
            ),
            timeline_step=shown,
            plain_us=plain_us,
            unjoined=self._unjoined(),
            kernels=self._kernels(),
            hlo_us=self._hlo(),
            note=note,
        )

    def _op_times(self) -> tuple[OpTime, ...]:
        none = _Spent(0, 0, 0)
        names = dict.fromkeys(op for step in self._steps for op in step.ops)
        times = []
        for op in names:
            each = [step.ops.get(op, none) for step in self._steps]
            own = [_us(spent.self_ps) for spent in each]
            helped = _us(median(spent.worker_ps for spent in each))
            calls = float(median(spent.calls for spent in each))
            times.append(OpTime(op, calls, round(median(own), 3), min(own), max(own), helped))
        return tuple(sorted(times, key=lambda time: -time.self_us))

    def _unjoined(self) -> tuple[UnjoinedTime, ...]:
        names = dict.fromkeys(key for step in self._steps for key in step.unjoined)
        rows = []
        for key in names:
            each = [step.unjoined.get(key, (0, 0)) for step in self._steps]
            calls = float(median(count for count, _ in each))
            rows.append(UnjoinedTime(key[0], calls, _us(median(spent for _, spent in each)), key[1]))
        return tuple(sorted(rows, key=lambda row: -row.self_us))

    def _kernels(self) -> tuple[KernelTime, ...]:
        names = dict.fromkeys(key for step in self._steps for key in step.kernels)
        rows = []
        for name, op, stream in names:
            each = [step.kernels.get((name, op, stream), (0, 0)) for step in self._steps]
            known = self._ops.find("", op) if self._ops is not None and op else ""
            calls = float(median(count for count, _ in each))
            rows.append(KernelTime(name, known, stream, calls, _us(median(spent for _, spent in each))))
        return tuple(sorted(rows, key=lambda row: -row.us))

    def _hlo(self) -> dict[str, float]:
        names = dict.fromkeys(name for step in self._steps for name in step.hlo_ps)
        return {name: _us(median(step.hlo_ps.get(name, 0) for step in self._steps)) for name in names}


def _add(to: list[int], *values: int) -> None:
    for place, value in enumerate(values):
        to[place] += value


def _us(picoseconds: float) -> float:
    return round(picoseconds / PS_PER_US, 3)


def _kernels_of(call: FunctionCall, kernels: list[KernelEvent]) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Those that began while the call ran; a device may still work when the call has returned."""
    found: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for kernel in kernels:
        if call.start <= kernel.start < call.end:
            _add(found[kernel.name, kernel.op, kernel.stream], 1, kernel.end - kernel.start)
    return {key: (each[0], each[1]) for key, each in found.items()}
