"""Gathers what recorders find and writes each part at once, so that a crash keeps all that came before."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import msgspec

import tfgraphdbg
from tfgraphdbg.message_words import listed
from tfgraphdbg.recorders.python_stacks import LibraryPaths, StackCollector
from tfgraphdbg.recording import (
    CALLS_PART,
    META_PART,
    SOURCES_PART,
    STACKS_PART,
    CallRecord,
    GraphPart,
    MissingEvidence,
    RecordingMeta,
    Stage,
    TargetInfo,
    Tracing,
    graph_part,
    raw_part,
    rewrites_part,
)
from tfgraphdbg.recording_file import encode_part, pack_bytes
from tfgraphdbg.rewrites import RewriteHistory, RewritePart

MAX_CALLS = 10_000
"""Calls kept one by one; above, only each tracing's count and sum are."""


MAX_REASONS = 50
"""Different reasons of functions that are kept."""

_ORDER = ("traced", "pre-optimization", "lowered", "optimized")


class PartSink(Protocol):
    """Where parts are written: a folder or memory."""

    def write(self, name: str, packed: bytes) -> None:
        """Add or replace one part."""


class Progress(Protocol):
    """Told what happens now."""

    def __call__(self, event: str, **details: object) -> None:
        """One event, such as `phase`, with its details as plain data."""


def silent(event: str, **details: object) -> None:
    """The progress of a recording that nobody watches."""


class RecordingWriter:
    """One recording in the making; every method leaves the parts so far openable."""

    def __init__(
        self, target: TargetInfo, sink: PartSink, libraries: LibraryPaths, progress: Progress = silent
    ) -> None:
        self.stacks = StackCollector(libraries)
        self.libraries = libraries
        self.progress = progress
        self._sink = sink
        self._tracings: list[Tracing] = []
        self._calls: list[CallRecord] = []
        self._missing: dict[str, MissingEvidence] = {}
        self._missing_of: dict[tuple[str, str], dict[str, None]] = {}
        self._began = time.perf_counter()
        self._phase = ""
        self._meta = RecordingMeta(
            target,
            tfgraphdbg=tfgraphdbg.__version__,
            created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            outcome="the recording did not finish",
        )

    @property
    def meta(self) -> RecordingMeta:
        """What is known so far."""
        return self._meta

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Announce a phase and keep its wall time, also when it fails; one that is entered again goes on."""
        if name != self._phase:
            self._phase = name
            self.progress("phase", name=name)
            self.update()
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - started) * 1e3
            phases = {**self._meta.phases_ms, name: round(self._meta.phases_ms.get(name, 0.0) + spent, 3)}
            self.update(phases_ms=phases)

    def update(self, **fields: object) -> None:
        """Replace fields of the meta part and write it."""
        self._meta = msgspec.structs.replace(
            self._meta, tracings=tuple(self._tracings), missing=self._all_missing(), **fields
        )
        self._sink.write(META_PART, encode_part(self._meta))

    def miss(self, evidence: str, reason: str) -> None:
        """Say that evidence could not be had, and why; the first reason stands."""
        self._missing.setdefault(evidence, MissingEvidence(evidence, reason))

    def miss_of(self, function: str, evidence: str, reason: str) -> None:
        """The same of one function; those with one reason are told together."""
        self._missing_of.setdefault((evidence, reason), {})[function] = None

    def _all_missing(self) -> tuple[MissingEvidence, ...]:
        of_functions = [
            MissingEvidence(evidence, f"{listed(functions, most=5)}: {reason}")
            for (evidence, reason), functions in self._missing_of.items()
        ]
        return (*self._missing.values(), *of_functions[:MAX_REASONS])

    def add_tracing(self, tracing: Tracing) -> int:
        """Keep a new tracing; its `index` is set and returned."""
        index = len(self._tracings)
        self._tracings.append(msgspec.structs.replace(tracing, index=index))
        return index

    def tracing(self, index: int) -> Tracing:
        """A tracing as it is known so far."""
        return self._tracings[index]

    @property
    def tracings(self) -> tuple[Tracing, ...]:
        """Every tracing so far, in order of time."""
        return tuple(self._tracings)

    def change_tracing(self, index: int, **fields: object) -> None:
        """Replace fields of a tracing."""
        self._tracings[index] = msgspec.structs.replace(self._tracings[index], **fields)

    def add_call(self, index: int, started: float, seconds: float) -> None:
        """Count one call of a tracing; `started` is a `perf_counter` reading."""
        tracing = self._tracings[index]
        self._tracings[index] = msgspec.structs.replace(
            tracing, calls=tracing.calls + 1, run_ms=tracing.run_ms + seconds * 1e3
        )
        if len(self._calls) < MAX_CALLS:
            self._calls.append(CallRecord(index, round((started - self._began) * 1e3, 3), round(seconds * 1e3, 3)))
        else:
            self.miss("calls", f"only the first {MAX_CALLS:,} calls are kept one by one; the counts are complete")

    def add_graph(self, index: int, part: GraphPart, raw: bytes, device: str = "") -> None:
        """Write one stage of a tracing: its ops and its raw GraphDef."""
        top = [op for op in part.ops if not op.function]
        edges = sum(len(op.inputs) for op in top)
        stage = Stage(
            part.stage, "graph", len(top), edges, len(part.functions), len(part.ops) - len(top), len(raw), device
        )
        self._sink.write(graph_part(index, part.stage), encode_part(part))
        self._sink.write(raw_part(index, part.stage), pack_bytes(raw))
        self._add_stage(index, stage)

    def add_rewrites(self, index: int, histories: tuple[RewriteHistory, ...]) -> None:
        """Write what Grappler did to a tracing's graph, and to its library functions."""
        self._sink.write(rewrites_part(index), encode_part(RewritePart(histories)))

    def add_part(self, name: str, part: msgspec.Struct) -> None:
        """Write a part of its own, whose name `recording` gives."""
        self._sink.write(name, encode_part(part))

    def add_packed(self, name: str, packed: bytes) -> None:
        """Write a part that is compressed already."""
        self._sink.write(name, packed)

    def add_text(self, index: int, stage: str, text: str) -> None:
        """Write one compiler stage of a tracing."""
        raw = text.encode("utf-8", "replace")
        self._sink.write(raw_part(index, stage, "text"), raw)
        self._add_stage(index, Stage(stage, "text", bytes=len(raw)))

    def _add_stage(self, index: int, stage: Stage) -> None:
        stages = [known for known in self._tracings[index].stages if known.name != stage.name] + [stage]
        # A replay comes after the run; the stages of a graph are told as it went through them.
        stages.sort(key=lambda known: _ORDER.index(known.name) if known.name in _ORDER else len(_ORDER))
        self._tracings[index] = msgspec.structs.replace(self._tracings[index], stages=tuple(stages))

    def write_shared(self) -> None:
        """Write the parts that grow with every tracing: stacks, sources, calls; then meta, which names them all."""
        self._sink.write(STACKS_PART, encode_part(self.stacks.table()))
        self._sink.write(SOURCES_PART, encode_part(self.stacks.user_sources()))
        self._sink.write(CALLS_PART, encode_part(tuple(self._calls)))
        self.update()
