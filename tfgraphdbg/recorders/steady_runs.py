"""Runs a function again and again with nothing watched: first plainly, then under the profiler."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from tfgraphdbg.recorders.measured_calls import CHEAP_LEFT_OUT, EVIDENCE, GraphOf, MeasuredCalls
from tfgraphdbg.recorders.profiler_session import ProfilerSession, ProfilerUnavailableError, marked_call, wait_for
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recorders.restored_state import RestoredState
from tfgraphdbg.recorders.user_errors import headline

WARM_UP_RUNS = 1
PLAIN_RUNS = 3
LEAST_STEPS = 3
"""Measured however long they take."""

BUDGET_S = 30.0
"""No further step begins when warm-up, plain and profiled runs have taken so long."""

SESSION_EVENTS = 300_000
"""Events of as many steps as one session of the profiler may hold; a longer step has a session to itself."""


class SteadyTarget(NamedTuple):
    """What to run: a call of a `tf.function` with its arguments, and whose state a run changes."""

    run: Callable[[], Any]
    function: Any
    model: Any = None


def record_steady_runs(writer: RecordingWriter, graph_of: GraphOf, target: SteadyTarget, steps: int) -> None:
    """Measure `steps` runs and write the times of each function that ran. What the user's code raises ends it early.

    Variables and random generators are afterwards as they were before.
    """
    state = RestoredState(target.function, target.model)
    runs = _SteadyRuns(target.run, MeasuredCalls(writer, graph_of), time.perf_counter() + BUDGET_S)
    problem = ""
    try:
        runs.plain()
        runs.profiled(steps)
    except ProfilerUnavailableError as error:
        problem = str(error)
    except Exception as error:
        problem = f"the function could not be run again: {headline(error)}"
    finally:
        state.restore()
    if problem:
        writer.miss(EVIDENCE, problem)
    if runs.calls.steps or not problem:
        main = writer.meta.main_tracing
        runs.calls.write(
            lambda index: runs.plain_us if index == main else (), (runs.note(steps), state.gaps(), problem)
        )


class _SteadyRuns:
    def __init__(self, run: Callable[[], Any], calls: MeasuredCalls, deadline: float) -> None:
        self._run = run
        self._deadline = deadline
        self.calls = calls
        self.plain_us: tuple[float, ...] = ()
        self.tells_cheap_ops = True
        self._done = 0

    def _late(self) -> bool:
        return time.perf_counter() > self._deadline

    def plain(self) -> None:
        """Warm up, then time some runs without the profiler."""
        for _ in range(WARM_UP_RUNS):
            wait_for(self._run())
        for _ in range(PLAIN_RUNS):
            started = time.perf_counter()
            wait_for(self._run())
            self.plain_us += (round((time.perf_counter() - started) * 1e6, 1),)
            if self._late():
                return

    def profiled(self, steps: int) -> None:
        """Run under the profiler, as many steps a session as their events allow."""
        batch = 1
        while self._done < steps and not (self._late() and self._done >= LEAST_STEPS):
            count = min(batch, steps - self._done)
            events = self.calls.add(self._session(count))
            self._done += count
            batch = max(1, SESSION_EVENTS // max(1, events // count))
            if self._late():
                batch = 1

    def _session(self, count: int) -> bytes:
        session = ProfilerSession()
        self.tells_cheap_ops = session.tells_cheap_ops
        try:
            for number in range(self._done, self._done + count):
                with marked_call(number):
                    wait_for(self._run())
        except BaseException:
            session.abandon()
            raise
        return session.finish()

    def note(self, steps: int) -> str:
        """What these steps do not tell, and why there are fewer than were asked for."""
        cheap = "" if self.tells_cheap_ops else CHEAP_LEFT_OUT
        if self._done >= steps:
            return cheap
        return f"{cheap}{'; ' * bool(cheap)}{self._done} steps instead of {steps}: they took more than {BUDGET_S:.0f} s"
