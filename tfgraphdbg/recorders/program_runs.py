"""Measures a whole program's own calls, since nothing of it can be run again: some of each function's steady calls."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import zstandard

from tfgraphdbg.recorders.measured_calls import CHEAP_LEFT_OUT, EVIDENCE, GraphOf, MeasuredCalls
from tfgraphdbg.recorders.profiler_session import ProfilerSession, ProfilerUnavailableError, marked_call, wait_for
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recording_file import pack_bytes

MOST_PLAIN = 20
"""Calls timed without the profiler, when all steps are done."""

MAX_SESSIONS = 1000
MAX_PACKED_BYTES = 256 << 20
OVERHEAD_BUDGET_S = 30.0
"""No further call is profiled when starting and ending sessions has taken the program so long."""

CallTaken = Callable[[float, float], None]
"""Told when a call began, a `perf_counter` reading, and its seconds without the profiler's own."""


class ProgramRuns:
    """Profiles `steps` calls of each concrete function, from its second one on; reads the traces at the end."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._one_at_a_time = threading.Lock()
        self._profiled: defaultdict[int, int] = defaultdict(int)
        self._plain_us: defaultdict[int, list[float]] = defaultdict(list)
        self._traces: list[bytes] = []
        self._packed_bytes = 0
        self._overhead_s = 0.0
        self._problem = ""
        self._note = ""
        self._left_out = ""

    def run(self, index: int, run: Callable[[], Any], taken: CallTaken) -> Any:
        """Make one call of a tracing, which has run before, and measure it in one way or the other."""
        if self._wants_profile(index) and self._one_at_a_time.acquire(blocking=False):
            try:
                session = self._begin()
                if session is not None:
                    return self._profile(session, index, run, taken)
            finally:
                self._one_at_a_time.release()
        started = time.perf_counter()
        try:
            return run()
        finally:
            spent = time.perf_counter() - started
            taken(started, spent)
            # A call from inside a profiled one is no plain call.
            if len(self._plain_us[index]) < MOST_PLAIN and not self._one_at_a_time.locked():
                self._plain_us[index].append(round(spent * 1e6, 1))

    def _wants_profile(self, index: int) -> bool:
        if self._profiled[index] >= self._steps:
            return False
        if self._overhead_s > OVERHEAD_BUDGET_S:
            self._note = f"the profiler's sessions took {OVERHEAD_BUDGET_S:.0f} s: later calls are not profiled"
        elif len(self._traces) >= MAX_SESSIONS or self._packed_bytes >= MAX_PACKED_BYTES:
            self._note = "the program calls so many functions that only the calls of the first are profiled"
        return not self._note

    def _begin(self) -> ProfilerSession | None:
        started = time.perf_counter()
        try:
            session = ProfilerSession()
            self._left_out = "" if session.tells_cheap_ops else CHEAP_LEFT_OUT
            return session
        except ProfilerUnavailableError as error:
            self._problem = str(error)
            return None
        finally:
            self._overhead_s += time.perf_counter() - started

    def _profile(self, session: ProfilerSession, index: int, run: Callable[[], Any], taken: CallTaken) -> Any:
        started = time.perf_counter()
        try:
            with marked_call(self._profiled[index]):
                outputs = run()
                wait_for(outputs)
            self._profiled[index] += 1
            return outputs
        finally:
            ended = time.perf_counter()
            taken(started, ended - started)
            self._end(session)
            self._overhead_s += time.perf_counter() - ended

    def _end(self, session: ProfilerSession) -> None:
        try:
            packed = pack_bytes(session.finish())
        except ProfilerUnavailableError as error:
            self._problem = str(error)
            return
        self._traces.append(packed)
        self._packed_bytes += len(packed)

    def write(self, writer: RecordingWriter, graph_of: GraphOf) -> None:
        """Read the traces and write the times of each tracing."""
        if not self._traces:
            nothing = "no function was called again after its first run, and first runs are not measured"
            writer.miss(EVIDENCE, self._problem or nothing)
            return
        calls = MeasuredCalls(writer, graph_of)
        for number, packed in enumerate(self._traces):
            calls.add(zstandard.ZstdDecompressor().decompress(packed))
            self._traces[number] = b""
        calls.write(lambda index: tuple(self._plain_us[index]), (self._note, self._problem, self._left_out))
