"""Grappler's passes for a recording made in place, where the dumps of the real run could not be switched on.

A process of its own prepares the same functions with the same options, once for all tracings; nothing of the user's
program runs in it. What it dumps becomes a history marked as replayed, compared with the graph that really ran.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tfgraphdbg.recorder_environment import recorder_environment
from tfgraphdbg.recorders import tensorflow_internals
from tfgraphdbg.recorders.function_instantiation import CallSpec, call_spec
from tfgraphdbg.recorders.grappler_dumps import GrapplerDumps
from tfgraphdbg.recorders.grappler_passes import miss_passes, record_lowered, record_passes
from tfgraphdbg.recorders.grappler_replay import REQUEST_FILE, ReplayAnswer, ReplayCall, ReplayRequest
from tfgraphdbg.recorders.op_origins import InheritedFacts
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recording import LOG_PART, GraphPart, PartSource, Recording, graph_part

LIMIT_S = 30.0
"""How long the process may take to import TensorFlow, before the functions' own time."""

LIMIT_PER_FIRST_RUN = 4.0
"""How many times the first runs of the functions, which prepared them too, it may take on top of that."""

MAX_BYTES = 1 << 30
"""Of all FunctionDefs together: what the process reads in one piece."""

_HERE = str(Path(__file__).resolve().parents[2])


class ReplayableRun(NamedTuple):
    """A first run whose preparation can be repeated."""

    tracing: int
    call: CallSpec
    arguments: Mapping[str, Sequence[str]]
    """Names of the traced placeholders in order, of the graph and of each library function."""


class Replays:
    """The first runs that were seen in place, until all are replayed at the end."""

    def __init__(self) -> None:
        self._runs: list[ReplayableRun] = []

    def add(self, tracing: int, atomic: Any, tensors: Sequence[Any], arguments: Mapping[str, Sequence[str]]) -> None:
        """Keep what a replay of this run needs, on the thread that has just made it."""
        self._runs.append(ReplayableRun(tracing, call_spec(atomic, tensors), arguments))

    def record(self, writer: RecordingWriter, parts: PartSource) -> None:
        """Replay all runs and write their passes; never raises an Exception: what fails is said to be missing."""
        if not self._runs:
            return
        recording = Recording(writer.meta, parts)
        problem = _obstacle()
        if not problem:
            try:
                self._replay(writer, recording)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
        if problem:
            for run in self._runs:
                miss_passes(writer, run.tracing, f"Grappler's passes could not be replayed: {problem}")

    def _replay(self, writer: RecordingWriter, recording: Recording) -> None:
        calls = tuple([ReplayCall(run.call, _library(recording, run.tracing)) for run in self._runs])
        if sum(len(call.call.definition) + sum(map(len, call.library)) for call in calls) > MAX_BYTES:
            raise ValueError(f"the functions take more than {MAX_BYTES >> 20:,} MiB")
        first_runs = sum(recording.tracings[run.tracing].first_run_ms or 0.0 for run in self._runs) / 1e3
        with tempfile.TemporaryDirectory(prefix="tfgraphdbg-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            (folder / REQUEST_FILE).write_bytes(msgspec.msgpack.encode(_request(calls)))
            (folder / "dumps").mkdir()
            (folder / LOG_PART).touch()
            dumps = GrapplerDumps(folder / "dumps", folder / LOG_PART, "replayed")
            with dumps.following():
                answers, end = _answers(folder, LIMIT_S + LIMIT_PER_FIRST_RUN * first_runs)
            for run in self._runs:
                problem = answers.get(run.call.name, answers.get("", end))
                if problem:
                    miss_passes(writer, run.tracing, f"Grappler's passes could not be replayed: {problem}")
                else:
                    _record(writer, recording, run, dumps)


def _obstacle() -> str:
    """Why no process is started at all; empty when one can be."""
    import tensorflow

    if not sys.executable or getattr(sys, "frozen", False):
        return "this program is not run by a Python interpreter that could be started again"
    others = [device.name for device in tensorflow.config.list_logical_devices() if device.device_type != "CPU"]
    if others:
        return f"a second process would take memory of {others[0]}; `tfgraphdbg record` needs none"
    return ""


def _library(recording: Recording, tracing: int) -> tuple[bytes, ...]:
    from tensorflow.core.framework import graph_pb2

    graph_def = graph_pb2.GraphDef.FromString(recording.graph_def("traced", recording.tracings[tracing]))
    return tuple([definition.SerializeToString() for definition in graph_def.library.function])


def _request(calls: tuple[ReplayCall, ...]) -> ReplayRequest:
    import tensorflow

    cpus = len(tensorflow.config.list_logical_devices("CPU"))
    return ReplayRequest(calls, str(tensorflow.__version__), cpus, tensorflow_internals.op_determinism())


def _answers(folder: Path, limit_s: float) -> tuple[dict[str, str], str]:
    """What the process said of each function, and what is to be said of one that it did not reach."""
    paths = [_HERE, *(path for path in sys.path if path)]
    environment = recorder_environment(folder) | {"PYTHONPATH": os.pathsep.join(paths)}
    with (folder / LOG_PART).open("ab") as log, (folder / "answers").open("w+b") as answers:
        process = subprocess.Popen(
            [sys.executable, "-m", "tfgraphdbg.recorders.grappler_replay", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=answers,
            stderr=log,
            cwd=folder,
            env=environment,
        )
        deadline = time.monotonic() + limit_s
        try:
            code = process.wait(deadline - time.monotonic())
            end = f"the process that replays ended with code {code}: {_last_line(folder / LOG_PART)}"
        except subprocess.TimeoutExpired:
            end = f"that took more than {limit_s:.0f} s"
        finally:
            process.kill()
            process.wait()
        answers.seek(0)
        known = [msgspec.json.decode(line, type=ReplayAnswer) for line in answers if line.endswith(b"\n")]
    return {answer.function: answer.problem for answer in known}, end


def _last_line(log: Path) -> str:
    lines = log.read_bytes()[-4000:].decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")[:300]


def _record(writer: RecordingWriter, recording: Recording, run: ReplayableRun, dumps: GrapplerDumps) -> None:
    tracing = recording.tracings[run.tracing]
    facts = InheritedFacts(recording.graph("traced", tracing), run.arguments)
    lowered = record_lowered(writer, run.tracing, dumps.edits_of(run.call.name), facts)
    if lowered is not None:
        optimized = recording.parts.decode(graph_part(run.tracing, "optimized"), GraphPart)
        record_passes(writer, run.tracing, lowered, optimized, dumps)
