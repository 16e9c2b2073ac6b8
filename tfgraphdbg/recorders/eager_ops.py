"""Calls a function eagerly and records each op that it runs; its structure and its times come from separate runs."""

from __future__ import annotations

import inspect
import os
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tfgraphdbg.eager_run import EagerPart, eager_part
from tfgraphdbg.recorders import eager_internals
from tfgraphdbg.recorders.eager_joining import joined
from tfgraphdbg.recorders.eager_op_log import EagerOpLog, names_of_arguments, told
from tfgraphdbg.recorders.eager_times import MARKER, TimedRun, timed_run
from tfgraphdbg.recorders.function_names import concrete_name
from tfgraphdbg.recorders.loaded_target import Call, LoadedTarget
from tfgraphdbg.recorders.profiler_session import ProfilerSession
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recorders.restored_state import RestoredState
from tfgraphdbg.recorders.user_errors import headline

EVIDENCE = "eager-ops"

MOST_RUNS = 15
LEAST_RUNS = 3
LONGEST_S = 5.0
"""Profiled runs end when this is spent and there are enough of them."""


def record_eager_ops(writer: RecordingWriter, loaded: LoadedTarget, call: Call) -> bool:
    """Write the eager run of the target's own tracing; False: it could not be had, which `missing` then says."""
    tracing = tracing_of(writer, loaded)
    reason = "no tracing of it was recorded" if tracing is None else no_python_reason(loaded)
    if tracing is None or reason:
        writer.miss(EVIDENCE, f"{loaded.name} was not run eagerly: {reason}")
        return False
    state = RestoredState(loaded.function, loaded.model)
    try:
        with eager_internals.functions_run_eagerly(loaded.callable):
            part = _eager_part(writer, loaded, call, state)
    except (Exception, SystemExit) as error:
        writer.miss(EVIDENCE, f"{loaded.name} does not run eagerly: {told_failure(writer, error)}")
        return False
    finally:
        state.restore()
    writer.add_part(eager_part(tracing), part)
    writer.write_shared()
    return True


def _eager_part(writer: RecordingWriter, loaded: LoadedTarget, call: Call, state: RestoredState) -> EagerPart:
    def run() -> None:
        loaded.callable(*call.args, **call.kwargs)

    # The first run makes kernels, and whatever a program makes once.
    run()
    state.restore()
    log = _logged(run)
    state.restore()
    runs, failure = _profiled(run, state)
    ops = told(log, names_of_arguments(_arguments_by_name(loaded, call)), writer.stacks)

    def place_of(stack: int) -> str:
        frame = writer.stacks.table().user_frame(stack)
        return "" if frame is None else f"{os.path.basename(frame.file)}:{frame.line}"

    part = joined(ops, runs, place_of)
    notes = [
        f"only the first {len(log.raw):,} ops are kept" if log.cut else "",
        f"no times: {told_failure(writer, failure)}" if failure is not None else "",
        state.gaps(),
    ]
    return msgspec.structs.replace(part, note="; ".join(note for note in notes if note))


def _logged(run: Callable[[], None]) -> EagerOpLog:
    log = EagerOpLog()
    with eager_internals.observed_eager_ops(log):
        run()
    return log


def _profiled(run: Callable[[], None], state: RestoredState) -> tuple[list[TimedRun], BaseException | None]:
    """Several runs under the profiler with no callback, each from the same state; or why there are not more."""
    runs: list[TimedRun] = []
    began = time.perf_counter()
    while len(runs) < MOST_RUNS and (len(runs) < LEAST_RUNS or time.perf_counter() - began < LONGEST_S):
        try:
            found = timed_run(_profile_of(run))
            state.restore()
        except (Exception, SystemExit) as error:
            return runs, error
        if found is None:
            return runs, RuntimeError("TensorFlow's profile does not show the call")
        runs.append(found)
    return runs, None


def _profile_of(run: Callable[[], None]) -> Any:
    """The profiler's XSpace of one run."""
    import tensorflow
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    session = ProfilerSession()
    try:
        with tensorflow.profiler.experimental.Trace(MARKER):
            run()
    except BaseException:
        session.abandon()
        raise
    return xplane_pb2.XSpace.FromString(session.finish())


def tracing_of(writer: RecordingWriter, loaded: LoadedTarget) -> int | None:
    """The recording's main tracing unless the target's own function has others: then the one of these that ran most."""
    names = {concrete_name(concrete) for concrete in eager_internals.concrete_functions_of(loaded.function)}
    own = [tracing for tracing in writer.tracings if tracing.concrete_function in names]
    main = writer.meta.main_tracing
    if not own or any(tracing.index == main for tracing in own):
        return main
    return max(own, key=lambda tracing: tracing.run_ms).index


def no_python_reason(loaded: LoadedTarget) -> str:
    """Why there is no Python function to call, and what to do about it; empty when there is one."""
    import tensorflow

    if loaded.kind == "saved_model":
        return "a SavedModel holds graphs and no Python code; name the function that it was saved from"
    if isinstance(loaded.callable, tensorflow.types.experimental.ConcreteFunction):
        return "a ConcreteFunction is a graph without its Python code; name the tf.function that made it"
    return ""


def told_failure(writer: RecordingWriter, error: BaseException) -> str:
    """An exception of the user's code in one line, with the user's own place where it came up."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not writer.libraries.holds(frame.filename)
    ]
    where = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{headline(error)}{where}"


def _arguments_by_name(loaded: LoadedTarget, call: Call) -> Mapping[str, Any]:
    function = getattr(loaded.callable, "python_function", loaded.callable)
    try:
        return inspect.signature(function).bind(*call.args, **call.kwargs).arguments
    except (TypeError, ValueError):
        return {**{str(at): value for at, value in enumerate(call.args)}, **call.kwargs}
