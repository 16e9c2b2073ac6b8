"""Events of threads -> what each call of a concrete function did: its ops, and the executor's own work.

A call of a function from Python is an `EagerExecute` event. The `FunctionRun` inside it has a context number, and so
has each stretch of `ExecutorState::Process` on any thread that works for it; op events lie in those. A function that
stays a call of its own has a `FunctionRun` inside the event of the op that calls it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from tfgraphdbg.recorders.profiler_session import MARKER
from tfgraphdbg.recorders.trace_events import Event, EventLine
from tfgraphdbg.recorders.worker_regions import WorkerRegions

WorkKind = Literal["op", "executor", "xla"]


class Work:
    """A stretch of time in which a thread worked for a function: an op, the executor, or all of a compiled function."""

    __slots__ = (
        "caller",
        "context",
        "end",
        "kind",
        "line",
        "name",
        "op_type",
        "parent",
        "self_ps",
        "start",
        "worker_ps",
    )

    def __init__(self, kind: WorkKind, event: Event, line: int, context: int, parent: Work | None) -> None:
        self.kind = kind
        self.start = event.start
        self.end = event.end
        self.line = line
        self.context = context
        self.parent = parent
        self.name = ""
        self.op_type = ""
        self.self_ps = event.end - event.start
        self.worker_ps = 0
        self.caller: Work | None = None
        """The op that called the function which this belongs to; None: the graph's own."""


class FunctionCall:
    """One call of a concrete function from Python, with all that was done for it on any thread."""

    def __init__(self, function: str, event: Event, line: int, marker: Event | None, inside: bool) -> None:
        self.function = function
        self.start = event.start
        self.end = event.end
        self.line = line
        self.marker = marker
        self.inside = inside
        """Whether an op of another function, such as a `tf.py_function`, made this call."""
        self.work: list[Work] = []
        self.hlo_ps: Counter[str] = Counter()


class _Frame(NamedTuple):
    """What holds inside an event that is open."""

    end: int
    work: Work | None
    """The innermost work."""
    op: Work | None
    """The innermost op."""
    call: FunctionCall | None
    """The call that Python is making, unless an op began since."""
    marker: Event | None
    hlo: str


UNKNOWN = 0
"""The context of a stretch of work whose first `Process` has not come yet."""

_OWN_CONTEXTS = -(1 << 62)
"""Contexts of our own count down from here; those of the runtime are other numbers."""

_OUTSIDE = _Frame(1 << 63, None, None, None, None, "")


class FunctionRuns:
    """Reads all lines of one session; `calls` are complete afterwards."""

    def __init__(self, lines: list[EventLine]) -> None:
        self.calls: list[FunctionCall] = []
        self._work: list[Work] = []
        self._starts: dict[int, tuple[FunctionCall | None, Work | None]] = {}
        """By context: the call, or else the op, that a function run began in."""
        self._hlo: list[tuple[Work | None, str, int, int]] = []
        self._regions = WorkerRegions()
        self._latest: dict[int, int] = {}
        """By line: the context of its latest stretch of `Process`."""
        self._by_time: dict[int, tuple[int, int]] = {}
        """By a context of our own: the latest one of the line of an op that ran in none, and when the op began."""
        self._executor_lines = {number for number, line in enumerate(lines) if line.kind == "executor"}
        for number, line in enumerate(lines):
            self._read(number, line)
        self._give_to_calls()
        self._one_wall_a_marker()

    def _read(self, number: int, line: EventLine) -> None:
        stack = [_OUTSIDE]
        for event in line.events:
            while stack[-1].end <= event.start and len(stack) > 1:
                stack.pop()
            outer = stack[-1]
            if event.name.startswith("ThreadpoolListener::"):
                self._regions.take(number, line.kind, event, outer.op)
            elif event.end > event.start:
                # Clocks are read one after the other: an inner event may seem to end a little later.
                inner = event if event.end <= outer.end else event._replace(end=outer.end)
                stack.append(self._frame(number, inner, outer))

    def _frame(self, number: int, event: Event, outer: _Frame) -> _Frame:
        name = event.name
        if name == MARKER:
            return outer._replace(end=event.end, marker=event)
        if name == "EagerExecute" and event.stats.get("is_func"):
            call = FunctionCall(
                str(event.stats.get("eager_op", "")), event, number, outer.marker, outer.work is not None
            )
            self.calls.append(call)
            return outer._replace(end=event.end, call=call)
        if "hlo_op" in event.stats:
            return self._hlo_frame(event, outer)
        work = self._work_of(number, event, outer)
        if work is None:
            return outer._replace(end=event.end)
        self._work.append(work)
        op = outer.op if work.kind == "executor" else work
        # Inside the process of an executor, what an op calls is no longer what Python calls.
        return _Frame(event.end, work, op, None, outer.marker, "")

    def _work_of(self, number: int, event: Event, outer: _Frame) -> Work | None:
        name, stats, parent = event.name, event.stats, outer.work
        if name == "FunctionRun":
            context = int(stats.get("_p", stats.get("id", 0)))
            # No work by itself: it may do no more than wait for other threads.
            self._starts[context] = (outer.call, outer.op)
            return None
        if name in ("ExecutorState::Process", "ExecutorDoneCallback"):
            context = self._latest[number] = int(stats.get("_c", stats.get("id", 0)))
            if parent is not None and parent.context == UNKNOWN:
                parent.context = context
            return Work("executor", event, number, context, parent)
        if name == "ExecutorState::Process Scheduled":
            return Work("executor", event, number, UNKNOWN, parent)
        if parent is None or parent.context == UNKNOWN:
            return self._compiled(number, event, outer) or self._op_after_process(number, event, parent)
        if name == "ExecutorState::ProcessAsync::Start":
            if parent.kind == "op" and parent.name == stats.get("name"):
                return None
            return _op_work(Work("op", event, number, parent.context, parent), stats)
        if name.startswith("Executor"):
            return Work("executor", event, number, parent.context, parent)
        if parent.kind == "executor" and (split := _op_name(name)):
            return _op_work(Work("op", event, number, parent.context, parent), split)
        return None

    def _op_after_process(self, number: int, event: Event, parent: Work | None) -> Work | None:
        """An op that a thread of the executor runs outside of any stretch of `Process`: mostly it goes on with its
        latest one, but that may be of an earlier step."""
        split = _op_name(event.name) if number in self._executor_lines else None
        if split is None:
            return None
        context = _OWN_CONTEXTS - len(self._by_time)
        self._by_time[context] = (self._latest.get(number, UNKNOWN), event.start)
        return _op_work(Work("op", event, number, context, parent), split)

    def _root_by_time(self, context: int) -> tuple[FunctionCall | None, Work | None]:
        """Where an op belongs that ran outside of `Process`: to the call of its thread's latest one if that is under
        way, else to the only call that is."""
        latest, start = self._by_time[context]
        call, caller = self._root(latest)
        if call is not None and call.start <= start < call.end:
            return call, caller
        return self._call_at(start), None

    def _compiled(self, number: int, event: Event, outer: _Frame) -> Work | None:
        """XLA's run of a whole function; its event has the function's name twice."""
        call = outer.call
        if call is None or event.name != f"{call.function}:{call.function}":
            return None
        context = -len(self._starts) - 1
        while context in self._starts:
            context -= 1
        self._starts[context] = (call, None)
        return Work("xla", event, number, context, None)

    def _hlo_frame(self, event: Event, outer: _Frame) -> _Frame:
        name = f"{event.stats.get('hlo_module', '')}/{event.stats['hlo_op']}"
        spent = event.end - event.start
        self._hlo.append((outer.work, name, spent, event.start))
        if outer.hlo:
            self._hlo.append((outer.work, outer.hlo, -spent, event.start))
        return outer._replace(end=event.end, hlo=name)

    def _root(self, context: int) -> tuple[FunctionCall | None, Work | None]:
        """The call that a context belongs to, and the op whose function it runs."""
        seen = set()
        caller: Work | None = None
        while context in self._starts and context not in seen:
            seen.add(context)
            call, op = self._starts[context]
            if call is not None or op is None:
                return call, caller
            caller = caller or op
            context = op.context
        if context in self._by_time and context not in seen:
            call, outer = self._root_by_time(context)
            return call, caller or outer
        return None, None

    def _give_to_calls(self) -> None:
        self._regions.add_to_ops()
        roots = {context: self._root(context) for context in {work.context for work in self._work}}
        for work in self._work:
            call, work.caller = roots[work.context]
            if call is None:
                continue
            call.work.append(work)
            parent = work.parent
            # What another function did in between is time of this function's op.
            while parent is not None and roots[parent.context][0] is not call:
                parent = parent.parent
            if parent is not None:
                parent.self_ps -= work.end - work.start
        for inside, name, spent, start in self._hlo:
            owner = self._call_at(start) if inside is None else roots[inside.context][0]
            if owner is not None:
                owner.hlo_ps[name] += spent

    def _call_at(self, time: int) -> FunctionCall | None:
        """The only call that was under way at a time, for instructions on threads of XLA's own."""
        found = [call for call in self.calls if call.start <= time < call.end and not call.inside]
        return found[0] if len(found) == 1 else None

    def _one_wall_a_marker(self) -> None:
        """A marked call is timed as a whole where it made one call of a function; else each is timed by itself."""
        made = Counter(call.marker.start for call in self.calls if call.marker and not call.inside)
        for call in self.calls:
            if call.marker and not call.inside and made[call.marker.start] == 1:
                call.start, call.end = call.marker.start, call.marker.end

    def orphans(self) -> Iterator[Work]:
        """Work for functions whose call is not in the trace."""
        return (work for work in self._work if self._root(work.context)[0] is None)


def _op_name(name: str) -> dict[str, str] | None:
    """`name:type` of an op event; neither part of it can hold a colon or a space."""
    op, _, op_type = name.partition(":")
    if not op or not op_type or ":" in op_type or " " in name:
        return None
    return {"name": op, "kernel_type": op_type}


def _op_work(work: Work, stats: Mapping[str, Any]) -> Work:
    work.name = str(stats.get("name", ""))
    work.op_type = str(stats.get("kernel_type", ""))
    return work
