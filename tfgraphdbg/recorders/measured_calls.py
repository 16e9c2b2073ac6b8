"""Traces of profiled calls -> the times part of each tracing whose function was called, and a trace to keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import median

from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.measured_times import times_part, trace_part
from tfgraphdbg.message_words import listed
from tfgraphdbg.recorders.function_runs import FunctionRuns
from tfgraphdbg.recorders.op_times import OpTimes
from tfgraphdbg.recorders.optimized_ops import OptimizedOps
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recorders.trace_events import trace_events
from tfgraphdbg.recording_file import pack_bytes

MAX_TRACE_BYTES = 64 << 20
"""The raw trace of a session above this is not kept."""

MAX_KEPT_BYTES = 256 << 20
"""Packed traces kept until it is known which of them shows the step of the timeline."""

EVIDENCE = "op-times"

CHEAP_LEFT_OUT = (
    "this TensorFlow's profiler leaves out executions of ops that last took less than 8,000 cycles: their time counts "
    "as the executor's"
)

SLOWED = "the profiler made these steps take {:.1f} times as long: trust shares more than times"

MUCH_SLOWER = 1.3

NO_INSTRUCTIONS = "XLA compiled the whole function, and the profiler of this TensorFlow does not tell its instructions"

GraphOf = Callable[[int], "GraphModel | None"]
"""The recorded optimized graph of a tracing."""


class MeasuredCalls:
    """Takes the trace of one session after another; each is read at once and only one is held as events."""

    def __init__(self, writer: RecordingWriter, graph_of: GraphOf) -> None:
        self._writer = writer
        self._graph_of = graph_of
        self._index = {tracing.concrete_function: tracing.index for tracing in writer.tracings if tracing.role}
        self._times: dict[int, OpTimes] = {}
        self._unknown: dict[str, None] = {}
        self._traces: dict[int, bytes] = {}
        self._kept_bytes = 0
        self._sessions = 0

    @property
    def steps(self) -> int:
        """The most calls of one tracing so far."""
        return max(map(len, self._times.values()), default=0)

    def add(self, serialized: bytes) -> int:
        """Read one session's trace; return how many events it has."""
        events = trace_events(serialized)
        for call in FunctionRuns(events.lines).calls:
            index = self._index.get(call.function)
            if index is None:
                self._unknown[call.function] = None
            elif call.work and self._is_known(index):
                self._times_of(index).add(call, events.lines, events.kernels, self._sessions)
        self._keep(serialized)
        self._sessions += 1
        return events.events

    def _is_known(self, index: int) -> bool:
        """Whether there is something that times can be joined to; says why where there is not."""
        tracing = self._writer.tracing(index)
        if tracing.jit_compile or tracing.stage("optimized") is not None:
            return True
        self._writer.miss_of(tracing.function, EVIDENCE, "its optimized graph was not recorded")
        return False

    def _times_of(self, index: int) -> OpTimes:
        if index not in self._times:
            graph = self._graph_of(index)
            self._times[index] = OpTimes(None if graph is None else OptimizedOps(graph))
        return self._times[index]

    def _keep(self, serialized: bytes) -> None:
        if len(serialized) > MAX_TRACE_BYTES or self._kept_bytes > MAX_KEPT_BYTES:
            return
        packed = self._traces[self._sessions] = pack_bytes(serialized)
        self._kept_bytes += len(packed)

    def write(self, plain_us: Callable[[int], tuple[float, ...]], notes: Iterable[str]) -> None:
        """Write what was measured of each tracing; `plain_us` gives a tracing's times without the profiler."""
        said = [note for note in notes if note]
        for index, times in self._times.items():
            own = [
                *said,
                *(NO_INSTRUCTIONS,) * times.lacks_instructions,
                *_slowed(times.median_wall_us, plain_us(index)),
            ]
            packed = self._traces.get(times.session_of(times.middle()))
            if packed is None:
                own.append(f"the profiler's own trace took more than {MAX_TRACE_BYTES >> 20} MiB and is not kept")
            else:
                self._writer.add_packed(trace_part(index), packed)
            self._writer.add_part(times_part(index), times.part(plain_us(index), "; ".join(own)))
        if self._unknown:
            what = f"{listed(self._unknown, most=5)} ran in the measured calls, but was not recorded"
            self._writer.miss("op-times-of-functions", what)
        if not self._times:
            self._writer.miss(EVIDENCE, "the profiler saw no call of a recorded function")
        self._writer.update()


def _slowed(profiled_us: float, plain_us: tuple[float, ...]) -> tuple[str, ...]:
    ratio = profiled_us / median(plain_us) if plain_us else 1.0
    return (SLOWED.format(ratio),) if ratio > MUCH_SLOWER else ()
