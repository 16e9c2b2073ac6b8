"""What eager and graph calls of one function cost on the same inputs: timed in turns, with nothing observed."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import msgspec

from tfgraphdbg.eager_run import CallCosts, call_costs_part
from tfgraphdbg.graph_model import garbage_collection_paused
from tfgraphdbg.recorders import eager_internals
from tfgraphdbg.recorders.eager_ops import no_python_reason, told_failure, tracing_of
from tfgraphdbg.recorders.loaded_target import Call, LoadedTarget
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recorders.restored_state import RestoredState
from tfgraphdbg.recording import Tracing

EVIDENCE = "call-costs"

BUDGET_S = 10.0
MOST_SAMPLES = 30
LEAST_SAMPLES = 3
SAMPLE_S = 0.02
"""A sample of short calls is so long that the clock and the loop around them do not count."""
LONGEST_SAMPLE_S = 0.4
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""How many calls a sample may have, in timeit's steps."""

Run = Callable[[], Any]


MOST_CALLS = 1_000_000
"""Of each mode: no limit beside that of time."""
MOST_CALLS_IN_PLACE = 30
"""Where the user's program goes on, and what its Python code changes stays changed."""

TRIAL_CALLS = 3
"""Calls of each mode before the first sample."""


def record_call_costs(writer: RecordingWriter, loaded: LoadedTarget, call: Call, most_calls: int = MOST_CALLS) -> bool:
    """Write what calls of the target cost; False: it could not be measured, which `missing` then says.

    Neither mode is called more than `most_calls` times.
    """
    index = tracing_of(writer, loaded)
    reason = "no tracing of it was recorded" if index is None else no_python_reason(loaded)
    if index is None or reason:
        writer.miss(EVIDENCE, f"{loaded.name} was not called eagerly: {reason}")
        return False
    state = RestoredState(loaded.function, loaded.model)
    try:
        costs = measured_costs(loaded, call, state, BUDGET_S, most_calls)
    except (Exception, SystemExit) as error:
        writer.miss(
            EVIDENCE, f"eager and graph calls of {loaded.name} were not compared: {told_failure(writer, error)}"
        )
        return False
    finally:
        state.restore()
    costs = msgspec.structs.replace(costs, trace_ms=_trace_ms(writer.tracing(index), costs))
    writer.add_part(call_costs_part(index), costs)
    return True


def measured_costs(
    loaded: LoadedTarget, call: Call, state: RestoredState, budget_s: float, most_calls: int = MOST_CALLS
) -> CallCosts:
    """Take turns until the time is spent: eager, graph, eager ... each sample from the same state.

    Not even three samples of each are waited for when they take four times what was planned.
    """
    wait = eager_internals.wait_for_devices()

    def eager() -> None:
        loaded.callable(*call.args, **call.kwargs)

    def graph() -> None:
        loaded.function(*call.args, **call.kwargs)

    began = time.perf_counter()
    count = min(_calls_a_sample(eager, graph, loaded.callable, state, wait), max(1, most_calls // MOST_SAMPLES))
    most_samples = min(MOST_SAMPLES, (most_calls - TRIAL_CALLS) // count)
    eager_us: list[float] = []
    graph_us: list[float] = []
    while len(graph_us) < most_samples:
        spent = time.perf_counter() - began
        if spent > budget_s and graph_us and (len(graph_us) >= LEAST_SAMPLES or spent > 4 * budget_s):
            break
        with eager_internals.functions_run_eagerly(loaded.callable):
            eager_us.append(_sample(eager, count, wait) * 1e6 / count)
        state.restore()
        graph_us.append(_sample(graph, count, wait) * 1e6 / count)
        state.restore()
    few_calls = f"no more than {most_calls} calls of each" * (most_calls < MOST_CALLS)
    notes = [_few(len(graph_us), budget_s) * (len(graph_us) < most_samples), few_calls, state.gaps()]
    return CallCosts(
        tuple(round(us, 3) for us in eager_us),
        tuple(round(us, 3) for us in graph_us),
        count,
        note="; ".join(note for note in notes if note),
    )


def _few(samples: int, budget_s: float) -> str:
    counted = "one sample" if samples == 1 else f"{samples} samples"
    return f"{counted} of each, since calls take long: {budget_s:g} s were planned"


def _calls_a_sample(eager: Run, graph: Run, called: object, state: RestoredState, wait: Run) -> int:
    """As many calls as the faster mode needs for a whole sample, unless the slower one would take very long for it."""
    with eager_internals.functions_run_eagerly(called):
        eager_s = _trial(eager, wait)
    state.restore()
    graph_s = _trial(graph, wait)
    state.restore()
    needed = min(SAMPLE_S / min(eager_s, graph_s), LONGEST_SAMPLE_S / max(eager_s, graph_s))
    return next((count for count in COUNTS if count >= needed), COUNTS[-1])


def _trial(run: Run, wait: Run) -> float:
    """Seconds of a call, the first of which may be slower; of one that takes long, a second is not waited for."""
    first = _sample(run, 1, wait)
    return first if first > LONGEST_SAMPLE_S else _sample(run, TRIAL_CALLS - 1, wait) / (TRIAL_CALLS - 1)


def _sample(run: Run, count: int, wait: Run) -> float:
    """Seconds of so many calls in a row."""
    turns = range(count)
    # As timeit does, and for both modes alike.
    with garbage_collection_paused():
        wait()
        started = time.perf_counter()
        for _ in turns:
            run()
        wait()
        return time.perf_counter() - started


def _trace_ms(tracing: Tracing, costs: CallCosts) -> float:
    """Tracing, and what the first run took beyond a steady one."""
    steady = median(costs.graph_us) / 1e3
    beyond = max(0.0, (tracing.first_run_ms or steady) - steady)
    return round((tracing.trace_ms or 0.0) + beyond, 3)
