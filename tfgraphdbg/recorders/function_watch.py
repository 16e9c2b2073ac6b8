"""Watches every tracing and every call of a tf.function in this process, and records the graphs of each.

One mechanism serves a single target, a whole program and a `with` block in a notebook: TensorFlow's own tracing and
calling are observed, so that the user's calls stay exactly as they are.
"""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.measured_times import tracing_times_part
from tfgraphdbg.recorders import environment, structure, tensorflow_internals
from tfgraphdbg.recorders.function_names import call_kind, concrete_name, place_of, plain_name, role_of, text_of
from tfgraphdbg.recorders.grappler_dumps import GrapplerDumps
from tfgraphdbg.recorders.program_runs import ProgramRuns
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recorders.tensorflow_internals import FunctionGraphs
from tfgraphdbg.recorders.tracing_times import TracingTimes
from tfgraphdbg.recording import Tracing

LONGEST_WAIT_S = 3.0
"""How long a first run waits for that of another thread, which may be waiting for it in turn."""


class FunctionWatch:
    """What was seen of each concrete function; feeds a RecordingWriter."""

    def __init__(
        self, writer: RecordingWriter, passes: structure.PassSource = None, program_runs: ProgramRuns | None = None
    ) -> None:
        """`program_runs` measures calls that follow a first run; None: they are only counted."""
        self._writer = writer
        self._passes = passes
        self._program_runs = program_runs
        self._tracing_times = TracingTimes()
        self._traced: dict[int, GraphModel] = {}
        self._by_concrete: dict[str, int] = {}
        self._ran: set[str] = set()
        self._code_of: dict[int, Any] = {}
        self._concrete: dict[int, Any] = {}
        self._lock = threading.RLock()
        self._turn = threading.RLock()
        self._busy = threading.local()
        self._pause: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext
        self._preferred_code: Any = None
        self._preferred_name: str | None = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Observe TensorFlow while open. TensorFlow must have been imported."""
        following = self._passes.following() if isinstance(self._passes, GrapplerDumps) else contextlib.nullcontext()
        observed = tensorflow_internals.observed_functions(self._on_trace, self._on_run)
        with following, self._tracing_times.watching(), observed as self._pause:
            try:
                yield
            finally:
                self._pause = contextlib.nullcontext
                self._record_never_run()
                self._keep()

    def paused(self) -> contextlib.AbstractContextManager[None]:
        """Observe nothing while open: what is timed must not be watched."""
        return self._pause()

    def _record_never_run(self) -> None:
        """Keep the traced graphs of functions that were traced and, until now, not called.

        A function that makes variables is traced twice for its first call, and only the second graph is ever used.
        """
        used = {call_kind(tracing) for tracing in self._writer.tracings if tracing.stages}
        for tracing in self._writer.tracings:
            concrete = self._concrete.get(tracing.index, lambda: None)()
            never_run = tracing.role == "inference" and call_kind(tracing) not in used
            if never_run and concrete is not None:
                with self._recording("traced"):
                    self._record_traced(tracing.index, concrete.graph)

    def prefer(self, python_function: Any | None = None, name: str | None = None) -> None:
        """Say which function is the main one: by its name, else the Python function itself."""
        self._preferred_code = getattr(python_function, "__code__", None)
        self._preferred_name = name

    def _keep(self) -> None:
        """Leave an openable recording of all that was seen so far: the program may crash in its next line."""
        if not self._writer.meta.devices:
            # TensorFlow has placed ops by now: to ask for devices no longer forecloses a choice of the program.
            self._writer.update(devices=environment.devices())
        self._writer.update(main_tracing=self.main_tracing())
        self._writer.write_shared()

    def main_tracing(self) -> int | None:
        """The tracing that took the most time: of the preferred function, or of all when it was not traced."""
        code, name = self._preferred_code, self._preferred_name
        called = [tracing for tracing in self._writer.tracings if tracing.role != "nested"]
        named = [tracing for tracing in called if name is not None and tracing.is_of(name)]
        of_function = [tracing for tracing in called if code is not None and self._code_of.get(tracing.index) is code]
        candidates = named or of_function or called
        # Under a tape the forward function stands for the user's; a backward one is never what the user named.
        best = max(
            candidates,
            key=lambda tracing: (
                tracing.role != "backward",
                bool(tracing.stage("optimized") or tracing.stage("hlo")),
                tracing.run_ms + (tracing.trace_ms or 0.0),
            ),
            default=None,
        )
        return None if best is None else best.index

    def _on_trace(self, trace: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        options = kwargs.get("tracing_options", args[-1] if args else None)
        nested = not tensorflow_internals.executing_eagerly()
        if not nested:
            self._writer.progress("now", doing=f"tracing {getattr(options, 'name', '')}")
        started = time.perf_counter()
        with self._tracing_times.tracing():
            concrete = trace(*args, **kwargs)
        spent = (time.perf_counter() - started) * 1e3
        with self._recording("traced"):
            self._add_traced(concrete, options, spent, nested)
        return concrete

    def _add_traced(self, concrete: Any, options: Any, trace_ms: float, nested: bool) -> None:
        python_function = tensorflow_internals.python_function_of(getattr(options, "python_function", None))
        name, file, line = place_of(python_function, str(getattr(options, "name", "")), self._writer.libraries)
        tracing = Tracing(
            index=-1,
            function=name,
            concrete_function=concrete_name(concrete),
            signature=str(getattr(concrete, "function_type", "")),
            role="nested" if nested else "inference",
            file=file,
            line=line,
            trace_ms=round(trace_ms, 3),
            library=not file or self._writer.libraries.holds(file),
        )
        index = self._writer.add_tracing(tracing)
        self._by_concrete[tracing.concrete_function] = index
        self._code_of[index] = getattr(python_function, "__code__", None)
        # Weak: a recorder that keeps concrete functions alive would itself be the leak that users look for.
        self._concrete[index] = weakref.ref(concrete)

    def _on_run(self, run: Callable[[], Any], atomic: Any, tensors: tuple[Any, ...]) -> Any:
        if not tensorflow_internals.executing_eagerly() or getattr(self._busy, "recording", False):
            return run()
        name = text_of(atomic.name)
        if name not in self._ran:
            # Graphs are collected for the whole process, so first runs of several threads take turns.
            has_turn = self._turn.acquire(timeout=LONGEST_WAIT_S)
            try:
                if has_turn and name not in self._ran:
                    return self._first_run(run, atomic, name, tensors)
            finally:
                if has_turn:
                    self._turn.release()
        if name not in self._by_concrete:
            # Whoever has the turn waits for this one, a function that the other calls from its own graph.
            self._writer.miss("calls", "functions called by other functions from inside their graphs are not counted")
            return run()
        index = self._by_concrete[name]

        def taken(started: float, seconds: float) -> None:
            with self._lock:
                self._writer.add_call(index, started, seconds)

        if self._program_runs is not None:
            return self._program_runs.run(index, run, taken)
        started = time.perf_counter()
        try:
            return run()
        finally:
            taken(started, time.perf_counter() - started)

    def _first_run(self, run: Callable[[], Any], atomic: Any, name: str, tensors: tuple[Any, ...]) -> Any:
        with self._recording("traced"):
            self._ensure_traced(name, atomic)
            self._keep()
        index = self._by_concrete.get(name)
        if index is None:
            self._ran.add(name)
            return run()
        self._writer.progress("now", doing=f"first run of {self._writer.tracing(index).function}")
        graphs: list[FunctionGraphs] = []
        started = time.perf_counter()
        try:
            with tensorflow_internals.collected_graphs(graphs):
                try:
                    return run()
                finally:
                    spent = time.perf_counter() - started
        finally:
            self._ran.add(name)
            with self._recording("optimized"):
                self._writer.add_call(index, started, spent)
                if graphs or self._writer.tracing(index).trace_ms is not None:
                    # A function that ran before it was watched is not optimized again.
                    self._writer.change_tracing(index, first_run_ms=round(spent * 1e3, 3))
                self._writer.progress("now", doing="keeping the graphs")
                seen = structure.Run(atomic, self._concrete.get(index), tensors, graphs)
                structure.record_run(self._writer, index, self._traced.pop(index), seen, self._passes)
                self._keep()
                function = self._writer.tracing(index).function
                self._writer.progress("now", doing=f"after the first run of {function}")

    def _ensure_traced(self, name: str, atomic: Any) -> None:
        """Give a tracing to what was traced before we watched, and to the functions that a gradient tape makes."""
        index = self._by_concrete.get(name)
        if index is None:
            owner = self._owner(name)
            base = plain_name(name) if owner is None else owner.function
            tracing = Tracing(
                index=-1,
                function=base,
                concrete_function=name,
                signature=str(getattr(atomic, "function_type", "")) if owner is None else owner.signature,
                role=role_of(name),
                file="" if owner is None else owner.file,
                line=0 if owner is None else owner.line,
            )
            index = self._by_concrete[name] = self._writer.add_tracing(tracing)
            if owner is not None:
                self._code_of[index] = self._code_of.get(owner.index)
        elif self._writer.tracing(index).role == "nested":
            self._writer.change_tracing(index, role="inference")
        self._traced[index] = self._record_traced(index, atomic.graph)

    def _record_traced(self, index: int, func_graph: Any) -> GraphModel:
        traced = structure.record_traced(self._writer, index, func_graph)
        metric = self._tracing_times.metric(func_graph, tensorflow_internals.library_graphs(func_graph))
        if metric is not None:
            self._writer.add_part(tracing_times_part(index), metric)
        return traced

    def _owner(self, name: str) -> Tracing | None:
        """The tracing that a forward or backward function was derived from, by TensorFlow's naming."""
        plain = plain_name(name)
        owners = [
            tracing
            for tracing in self._writer.tracings
            if tracing.role in ("inference", "nested") and plain_name(tracing.concrete_function) == plain
        ]
        return owners[-1] if owners else None

    @contextlib.contextmanager
    def _recording(self, what: str) -> Iterator[None]:
        """Our own work on the user's thread: never watched itself, and never a reason for the user's call to fail."""
        with self._lock:
            self._busy.recording = True
            try:
                yield
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                reason = f"{type(error).__name__}: {error} (tfgraphdbg, {where.name}, line {where.lineno})"
                self._writer.miss(f"stage-{what}", reason)
            finally:
                self._busy.recording = False
