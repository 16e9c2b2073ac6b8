"""What is known of a recorded target, for advice that is true of it: a tf.function already, or a plain function."""

from __future__ import annotations

from tfgraphdbg.analyses.time_words import duration
from tfgraphdbg.recording import Recording, Tracing

PYTHON_CALLBACKS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
"""Op types that run Python inside of a graph."""

KEEP = "keep it so; eager calls are what you would pay without"

SMALL = "where many small ops are left, try tf.function(jit_compile=True), and measure both"


def graph_advice(recording: Recording, tracing: Tracing, trace_ms: float, calls: int | None) -> str:
    """What to do about slow eager calls."""
    pays = f"tracing ({duration(trace_ms * 1e3)}) pays back after {calls or 0:,} calls"
    options = recording.meta.options.get("function")
    if tracing.jit_compile or (options or {}).get("jit_compile") == "True":
        return f"it is a tf.function with jit_compile already: {KEEP}; {pays}"
    # XLA refuses a graph that calls Python.
    small = "" if _calls_python(recording, tracing) else f"; {SMALL}"
    if options:
        return f"it is a tf.function already: {KEEP}; {pays}{small}"
    if options is None:
        return f"keep it a tf.function if it is one, and make it one if not: {pays}{small}"
    return f"call it through tf.function: {pays}{small}"


def _calls_python(recording: Recording, tracing: Tracing) -> bool:
    if tracing.stage("traced") is None:
        return False
    return not PYTHON_CALLBACKS.isdisjoint(recording.graph("traced", tracing).op_type_counts())


def is_in_place(recording: Recording) -> bool:
    """Whether it was recorded inside of the user's own program, by `tfgraphdbg.record` or `tfgraphdbg.watch`."""
    return any(gap.evidence == "log" and gap.reason.startswith("recorded in place") for gap in recording.missing)


def how_to_run_eagerly(recording: Recording, tracing: Tracing) -> str:
    """Why a tracing has no eager run, and what to type to have one."""
    kind, name = recording.target.kind, recording.target.name
    if kind in ("graph_def", "saved_model"):
        return "a stored graph has no Python function that could run eagerly; record the function that it came from"
    ran = next((other.function for other in recording.tracings if recording.eager(other) is not None), "")
    if ran:
        return f"{tracing.function} was not run eagerly, only {ran} was"
    if is_in_place(recording):
        function = tracing.function if kind == "program" else name
        return (
            f"{function} was recorded without an eager run; to have one: tfgraphdbg.record({function}, ..., eager=True)"
        )
    if kind == "program":
        file = name.split(" ")[0].partition(":")[0]
        return f"a whole program is not run again eagerly; name a function: tfgraphdbg eager {file}:FUNCTION"
    return f"{tracing.function} was recorded without an eager run; record it again: tfgraphdbg eager {name}"
