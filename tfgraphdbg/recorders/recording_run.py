"""One request -> the parts of one recording: load the target, run it under watch, write what was seen."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfgraphdbg.errors import DebuggerError, RecordingInterruptedError
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.pass_switches import PassSwitches
from tfgraphdbg.record_request import RecordRequest
from tfgraphdbg.recorders.function_watch import FunctionWatch
from tfgraphdbg.recorders.grappler_dumps import GrapplerDumps
from tfgraphdbg.recorders.grappler_options import GrapplerOptions
from tfgraphdbg.recorders.import_hook import when_tensorflow_is_imported
from tfgraphdbg.recorders.in_place import missing_tensorflow
from tfgraphdbg.recorders.loaded_target import Call, LoadedTarget
from tfgraphdbg.recorders.program_runs import ProgramRuns
from tfgraphdbg.recorders.python_stacks import LibraryPaths
from tfgraphdbg.recorders.recording_writer import Progress, RecordingWriter
from tfgraphdbg.recording import LOG_PART, GraphPart, TargetInfo, graph_part
from tfgraphdbg.recording_file import FolderParts, decode_part

EAGER_EVIDENCE = ("eager-ops", "call-costs")


def record_request(request: RecordRequest, progress: Progress) -> None:
    """Record what was asked for. Raises DebuggerError; the parts written before it stay."""
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_tensorflow()
    folder = Path(request.folder)
    target = request.target
    libraries = LibraryPaths([os.getcwd(), *([str(Path(target.path).resolve().parent)] if target.path else [])])
    writer = RecordingWriter(TargetInfo(target.text, target.kind), FolderParts(folder / "parts"), libraries, progress)
    if target.kind == "graph_def":
        _record_graph_file(writer, Path(target.path))
        return
    program_runs = ProgramRuns(request.steps) if target.kind == "program" and request.steps > 0 else None
    watch = FunctionWatch(writer, GrapplerDumps(folder / "dumps", folder / LOG_PART), program_runs)
    with _outcome_kept(writer), contextlib.ExitStack() as stack:
        run = _Run(request, writer, watch, stack)
        if program_runs is not None:
            stack.callback(run.write_measured, program_runs)
        run.program() if target.kind == "program" else run.function()


def _record_graph_file(writer: RecordingWriter, path: Path) -> None:
    from tfgraphdbg.recorders import environment
    from tfgraphdbg.recorders.graph_file import record_graph_file

    with _outcome_kept(writer), writer.phase("read graph"):
        record_graph_file(writer, path)
        writer.update(versions=environment.versions(), main_tracing=0)


@contextlib.contextmanager
def _outcome_kept(writer: RecordingWriter) -> Iterator[None]:
    outcome = "the recording did not finish"
    try:
        yield
        outcome = "complete"
    except KeyboardInterrupt as error:
        outcome = "the recording was interrupted"
        raise RecordingInterruptedError(outcome) from error
    except DebuggerError as error:
        outcome = error.message
        raise
    finally:
        writer.update(outcome=outcome)


class _Run:
    """The phases of one run, in order; each leaves the recording openable."""

    def __init__(
        self, request: RecordRequest, writer: RecordingWriter, watch: FunctionWatch, stack: contextlib.ExitStack
    ) -> None:
        self._request = request
        self._writer = writer
        self._watch = watch
        self._stack = stack
        self._grappler = GrapplerOptions(PassSwitches(request.without, request.only), writer)
        self._has_tensorflow = False
        watch.prefer(None, request.function)

    def function(self) -> None:
        """Load one callable, then call it once for each example input."""
        from tfgraphdbg.recorders import user_program

        options = user_program.LoadOptions(
            self._request.inputs,
            self._request.inputs_from,
            self._request.mode,
            self._request.batch,
            self._request.seed,
        )
        with self._writer.phase("load target"):
            when_tensorflow_is_imported(self._watch_from_now)
            loaded = user_program.load_target(self._request.target, options)
            import tensorflow  # noqa: F401

            self._note_function(loaded)
        with self._main_kept():
            calls = user_program.example_calls(loaded, options)
            sources: list[str] = []
            main: Any = None
            for phase, some in (("first call", itertools.islice(calls, 1)), ("further calls", calls)):
                for call in some:
                    before = [tracing.calls for tracing in self._writer.tracings]
                    sources += [call.source] if call.source not in sources else []
                    self._writer.update(target=TargetInfo(self._request.target.text, loaded.kind, tuple(sources)))
                    with self._writer.phase(phase):
                        user_program.call(loaded, call)
                    # The main tracing changes only by calls of another, so the latest call of it is always kept.
                    main = call if main is None or self._ran_main(before) else main
            if main is not None:
                self._measure(loaded, main)

    def _ran_main(self, calls_before: list[int]) -> bool:
        """Whether the main tracing ran since each had so many calls."""
        index = self._watch.main_tracing()
        self._writer.update(main_tracing=index)
        return index is not None and self._writer.tracing(index).calls > dict(enumerate(calls_before)).get(index, 0)

    def _measure(self, loaded: LoadedTarget, main_call: Call) -> None:
        """Run the target again to measure it, with nothing watched; each phase leaves variables as it found them."""
        from tfgraphdbg.recorders import eager_internals
        from tfgraphdbg.recorders.call_costs import record_call_costs
        from tfgraphdbg.recorders.eager_ops import record_eager_ops
        from tfgraphdbg.recorders.lasting_state import lasting_state
        from tfgraphdbg.recorders.steady_runs import SteadyTarget, record_steady_runs

        concretes = eager_internals.concrete_functions_of(loaded.function)
        reason = lasting_state(concretes).reason_against_runs(own_process=True)
        if reason:
            for evidence in ("op-times",) * (self._request.steps > 0) + EAGER_EVIDENCE * self._request.eager:
                self._writer.miss(evidence, f"{loaded.name}: {reason}")
            return
        target = SteadyTarget(
            lambda: loaded.function(*main_call.args, **main_call.kwargs), loaded.function, loaded.model
        )
        with self._watch.paused():
            if self._request.steps > 0:
                with self._writer.phase("steady runs"), self._failure_kept("op-times"):
                    record_steady_runs(self._writer, self._optimized_graph, target, self._request.steps)
            if self._request.eager:
                with self._writer.phase("eager run"), self._failure_kept("eager-ops"):
                    record_eager_ops(self._writer, loaded, main_call)
                with self._writer.phase("eager run"), self._failure_kept("call-costs"):
                    record_call_costs(self._writer, loaded, main_call)

    @contextlib.contextmanager
    def _failure_kept(self, evidence: str) -> Iterator[None]:
        """The graphs are recorded by now: a failure of our own in what measures them costs that evidence alone."""
        try:
            yield
        except DebuggerError:
            raise
        except Exception as error:
            traceback.print_exception(error)
            where = traceback.extract_tb(error.__traceback__)[-1]
            reason = f"{type(error).__name__}: {error} (a bug of tfgraphdbg: {where.name}, line {where.lineno})"
            self._writer.miss(evidence, reason)

    def _optimized_graph(self, index: int) -> GraphModel | None:
        """The optimized graph of a tracing, as it was written."""
        if self._writer.tracing(index).stage("optimized") is None:
            return None
        name = graph_part(index, "optimized")
        part = decode_part((Path(self._request.folder) / "parts" / name).read_bytes(), GraphPart, name)
        return GraphModel(part.name, part.stage, part.ops, part.attr_sets, part.functions)

    def program(self) -> None:
        """Run a whole program as `__main__`."""
        from tfgraphdbg.recorders import user_program

        if self._request.eager:
            hint = f"name a function of it: {self._request.target.path}:FUNCTION"
            self._writer.miss(
                "eager-ops", f"a whole program runs once, as it is; to have a function called eagerly too, {hint}"
            )
        when_tensorflow_is_imported(self._watch_from_now)
        with self._main_kept(), self._writer.phase("run program"):
            user_program.run_program(self._request.target, self._request.seed)

    def write_measured(self, program_runs: ProgramRuns) -> None:
        """Write what was measured of a program's own calls, also of a program that failed."""
        if self._has_tensorflow:
            with self._writer.phase("read profiles"):
                program_runs.write(self._writer, self._optimized_graph)

    def _watch_from_now(self) -> None:
        from tfgraphdbg.recorders import environment

        self._has_tensorflow = True
        self._stack.enter_context(self._watch.watching())
        self._stack.enter_context(self._grappler.in_force())
        self._writer.update(versions=environment.versions())

    def _note_function(self, loaded: Any) -> None:
        from tfgraphdbg.recorders import environment, tensorflow_internals

        python_function = tensorflow_internals.python_function_of(loaded.function)
        self._watch.prefer(python_function, self._request.function)
        options = {**self._writer.meta.options, "function": environment.function_options(loaded.function)}
        self._writer.update(options=options)

    @contextlib.contextmanager
    def _main_kept(self) -> Iterator[None]:
        """Whatever happens inside, say at the end what was recorded, on which devices, with which options."""
        try:
            yield
        finally:
            self._note_main()

    def _note_main(self) -> None:
        from tfgraphdbg.recorders import environment

        if not self._has_tensorflow:
            self._writer.miss("tracings", "the program ended before it had imported TensorFlow")
            self._writer.update()
            return
        options = {**self._writer.meta.options, **environment.options(), **self._grappler.groups()}
        self._writer.update(devices=environment.devices(), options=options)
