"""Records in the running process: `record(fn, *args)` and `with watch()`, for notebooks and programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tfgraphdbg.errors import MissingRequirementError
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.pass_switches import PassSwitches
from tfgraphdbg.recorders.loaded_target import Call, LoadedTarget
from tfgraphdbg.recorders.python_stacks import LibraryPaths
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recording import META_PART, Recording, RecordingMeta, TargetInfo
from tfgraphdbg.recording_file import MemoryParts


class Wanted(NamedTuple):
    """What is wanted: Grappler passes switched off, the run's replayed to be seen, and calls to be measured."""

    switches: PassSwitches = PassSwitches()
    replayed: bool = True
    steps: int = 0
    """Calls of a function to measure under the profiler; 0: none."""
    eager: bool = False
    """Whether to call a function eagerly too, and to compare the costs."""

    @property
    def evidence(self) -> tuple[str, ...]:
        """What needs further calls."""
        return ("op-times",) * (self.steps > 0) + ("eager-ops", "call-costs") * self.eager


def record(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], wanted: Wanted) -> Recording:
    """Call a function once, wrapped with `tf.function` unless it is one, and record it; then measure further calls."""
    _require_tensorflow()
    import tensorflow

    from tfgraphdbg.recorders import own_kernels, tensorflow_internals

    traced = function if hasattr(function, "get_concrete_function") else tensorflow.function(function)
    # The runtime gives graphs for a first run only.
    traced = tensorflow_internals.untraced_copy(traced)
    python_function = tensorflow_internals.python_function_of(traced)
    name = getattr(python_function, "__qualname__", type(function).__name__).rpartition("<locals>.")[2]
    # Whoever measures the calls of a block does not measure this one, which is the first.
    once = wanted._replace(steps=0)
    with _recording_in_place(TargetInfo(name, "function"), python_function, once) as live:
        traced(*args, **kwargs)
        config = own_kernels.config_of_calls()
    _measure(live, LoadedTarget(name, "function", function, traced), Call(args, kwargs), config, wanted)
    live.refresh()
    return live.recording


def _measure(live: _Live, loaded: LoadedTarget, call: Call, config: bytes, wanted: Wanted) -> None:
    """Make further calls, unless they would change what the program goes on with."""
    from tfgraphdbg.recorders import eager_internals, own_kernels
    from tfgraphdbg.recorders.call_costs import MOST_CALLS_IN_PLACE, record_call_costs
    from tfgraphdbg.recorders.eager_ops import record_eager_ops
    from tfgraphdbg.recorders.lasting_state import lasting_state
    from tfgraphdbg.recorders.steady_runs import SteadyTarget, record_steady_runs

    writer, concretes = live.writer, eager_internals.concrete_functions_of(loaded.function)
    reason = lasting_state(concretes).reason_against_runs(own_process=False)
    if reason:
        for evidence in wanted.evidence:
            writer.miss(evidence, f"{loaded.name}: {reason}")
        writer.update()
        return
    with own_kernels.functions_called_with(config, own_kernels.draws_from_seeds(concretes)):
        if wanted.steps > 0:
            target = SteadyTarget(lambda: loaded.function(*call.args, **call.kwargs), loaded.function)
            with writer.phase("steady runs"):
                record_steady_runs(writer, live.optimized_graph, target, wanted.steps)
        if wanted.eager:
            with writer.phase("eager run"), own_kernels.own_eager_seed():
                record_eager_ops(writer, loaded, call)
                record_call_costs(writer, loaded, call, MOST_CALLS_IN_PLACE)


@contextmanager
def watch(wanted: Wanted, name: str = "watched block") -> Iterator[Recording]:
    """Record whatever tf.functions run inside the block; the yielded recording is complete when it ends."""
    _require_tensorflow()
    with _recording_in_place(TargetInfo(name, "program"), None, wanted) as live:
        yield live.recording


class _Live:
    """A recording that fills while its block runs."""

    def __init__(self, target: TargetInfo, libraries: LibraryPaths) -> None:
        self.parts = MemoryParts()
        self.writer = RecordingWriter(target, self.parts, libraries)
        self.recording = Recording(RecordingMeta(target, outcome="still recording"), self.parts)

    def optimized_graph(self, index: int) -> GraphModel | None:
        """The optimized graph of a tracing; None when it was not recorded."""
        tracing = self.writer.tracing(index)
        return self.recording.graph("optimized", tracing) if tracing.stage("optimized") else None

    def refresh(self) -> None:
        """Show what is there now."""
        self.recording.meta = self.parts.decode(META_PART, RecordingMeta)


@contextmanager
def _recording_in_place(target: TargetInfo, python_function: Any | None, wanted: Wanted) -> Iterator[_Live]:
    from tfgraphdbg.recorders import environment
    from tfgraphdbg.recorders.function_watch import FunctionWatch
    from tfgraphdbg.recorders.grappler_options import GrapplerOptions
    from tfgraphdbg.recorders.program_runs import ProgramRuns
    from tfgraphdbg.recorders.replayed_passes import Replays

    live = _Live(target, LibraryPaths(_user_folders(python_function)))
    writer = live.writer
    writer.miss("log", "recorded in place: TensorFlow's log went to this process's own stderr")
    writer.miss("console", "recorded in place: what was printed stayed in this process")
    replays = Replays() if wanted.replayed else None
    program_runs = ProgramRuns(wanted.steps) if wanted.steps > 0 else None
    watch = FunctionWatch(writer, replays, program_runs)
    watch.prefer(python_function)
    grappler = GrapplerOptions(wanted.switches, writer)
    groups: dict[str, dict[str, str]] = {}
    outcome = "complete"
    try:
        with writer.phase("run"), watch.watching(), grappler.in_force():
            try:
                yield live
            finally:
                groups = grappler.groups()
    except BaseException as error:
        outcome = f"the block raised {type(error).__name__}"
        if not isinstance(error, Exception):
            # Ctrl-C and the like: nobody wants to wait any longer.
            replays = None
        raise
    finally:
        writer.update(
            outcome=outcome,
            versions=environment.versions(),
            devices=environment.devices(),
            options={**environment.options(), **groups},
        )
        live.refresh()
        if program_runs is not None:
            with writer.phase("read profiles"):
                program_runs.write(writer, live.optimized_graph)
            live.refresh()
        if replays:
            with writer.phase("replay passes"):
                replays.record(writer, live.parts)
            live.refresh()


def _user_folders(python_function: Any | None) -> tuple[str, ...]:
    code = getattr(python_function, "__code__", None)
    folder = os.path.dirname(code.co_filename) if code is not None else ""
    return tuple(path for path in (os.getcwd(), folder) if path)


def _require_tensorflow() -> None:
    if "tensorflow" not in sys.modules:
        try:
            import tensorflow  # noqa: F401
        except ImportError as error:
            raise missing_tensorflow() from error


def missing_tensorflow() -> MissingRequirementError:
    """The error of every way to record in a Python without TensorFlow."""
    return MissingRequirementError(
        f"recording needs TensorFlow, and this Python ({sys.executable}) has none",
        "install it: pip install 'tfgraphdbg[tensorflow]' (or tensorflow-cpu); saved recordings open without it",
    )
