"""Everything that one run left behind, as plain frozen data that loads part by part.

A `Recording` is a small `RecordingMeta` plus a `PartSource`, the place where its large parts lie: a file, a folder
that a recorder is still filling, or memory. `recording_file` moves recordings in and out of files.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sized
from typing import Any, TypeVar

from tfgraphdbg.chances.contract import ChancesPart
from tfgraphdbg.cost_estimates import EstimatesPart, estimates_part
from tfgraphdbg.eager_run import CallCosts, EagerPart, call_costs_part, eager_part
from tfgraphdbg.errors import UnreadableFileError, UsageError
from tfgraphdbg.graph_model import AttrValue, GraphModel
from tfgraphdbg.measured_times import TimesPart, times_part, trace_part, tracing_times_part
from tfgraphdbg.recording_meta import (
    FORMAT_VERSION,
    Basis,
    CallRecord,
    DeviceInfo,
    Frame,
    MissingEvidence,
    OpMetric,
    RecordingMeta,
    Role,
    StackTable,
    Stage,
    StageKind,
    TargetInfo,
    Tracing,
)
from tfgraphdbg.recording_parts import (
    CALLS_PART,
    CONSOLE_PART,
    LOG_PART,
    META_PART,
    SOURCES_PART,
    STACKS_PART,
    GraphPart,
    PartSource,
    chances_part,
    graph_part,
    raw_part,
    rewrites_part,
)
from tfgraphdbg.rewrites import AFTER, RewriteHistory, RewritePart, damage_of, graph_after

T = TypeVar("T")


class Recording:
    """One run of a target, opened. Large parts are read when first asked for, and kept.

    `graph("optimized")` is the GraphModel of a stage of the main tracing. Errors: UsageError when a stage or a
    function was not recorded (it lists those that were), UnreadableFileError when a part is damaged.
    """

    def __init__(self, meta: RecordingMeta, parts: PartSource) -> None:
        self.meta = meta
        self.parts = parts
        self._graphs: dict[tuple[int, str], GraphModel] = {}
        self._rewrites: dict[int, tuple[RewriteHistory, ...]] = {}
        self._checked: set[int] = set()
        self._own: dict[str, Any] = {}

    def __repr__(self) -> str:
        count = len(self.tracings)
        gaps = f", {len(self.missing)} kinds of evidence missing" if self.missing else ""
        return f"<Recording of {self.target.name}: {count} tracing{'s' * (count != 1)}, {self.meta.outcome}{gaps}>"

    @property
    def target(self) -> TargetInfo:
        """What was recorded."""
        return self.meta.target

    @property
    def tracings(self) -> tuple[Tracing, ...]:
        """Every concrete function that was traced or run, in order of time."""
        return self.meta.tracings

    @property
    def missing(self) -> tuple[MissingEvidence, ...]:
        """What could not be recorded, and why."""
        return self.meta.missing

    @property
    def main_tracing(self) -> Tracing:
        """The tracing that reports show first. Raises UsageError when nothing was traced."""
        if self.meta.main_tracing is None:
            early = "" if self.meta.outcome == "complete" else f" before it ended early: {self.meta.outcome}"
            file = self.target.name.partition(":")[0] if self.target.kind in ("program", "function") else "model.py"
            raise UsageError(
                f"no tf.function was traced in {self.target.name}{early}",
                f"name a function to record it: tfgraphdbg inspect {file}:FUNCTION",
            )
        return self.tracings[self.meta.main_tracing]

    def tracing_of(self, function: str) -> Tracing:
        """The tracing of `function` (Python name, concrete function name or index) that ran longest.

        Raises UsageError, with the names that exist, when there is none.
        """
        found = [tracing for tracing in self.tracings if tracing.is_of(function)]
        if not found:
            names = ", ".join(dict.fromkeys(tracing.function for tracing in self.tracings)) or "none"
            raise UsageError(f"no tracing of a function {function!r} was recorded", f"recorded functions: {names}")
        return max(found, key=lambda tracing: (len(tracing.stages), tracing.run_ms))

    def graph(self, stage: str | None = None, tracing: Tracing | None = None) -> GraphModel:
        """The graph of a stage: `traced`, `optimized`, `partition:0` ...; by default what ran of the main tracing.

        `after:remapper` is the graph after that Grappler pass, `after:remapper:2` after its second run.
        """
        tracing = tracing or self.main_tracing
        stage = stage or tracing.default_stage
        if stage.startswith(AFTER):
            return self._graph_after(stage, tracing)
        self._require(tracing, stage, "graph")
        key = (tracing.index, stage)
        if key not in self._graphs:
            name = graph_part(tracing.index, stage)
            part = self.parts.decode(name, GraphPart)
            _require_indices(name, (op.attrs for op in part.ops), len(part.attr_sets))
            self._graphs[key] = GraphModel(part.name, stage, part.ops, part.attr_sets, part.functions)
        return self._graphs[key]

    def _graph_after(self, stage: str, tracing: Tracing) -> GraphModel:
        """Only the latest one is kept: each shares its ops with the others, but a graph has indices of its own."""
        key = (tracing.index, stage)
        if key not in self._graphs:
            history = self.own_rewrites(tracing)
            if history is None:
                gaps = [gap.reason for gap in self.missing if gap.evidence == "grappler-passes"]
                why = next((f": {reason}" for reason in gaps if tracing.function in reason), "")
                raise UsageError(
                    f"what Grappler did to {tracing.function} was not recorded{why}",
                    f"recorded graph stages: {', '.join(stage.name for stage in tracing.stages) or 'none'}",
                )
            made = graph_after(self.graph("lowered", tracing), history, stage)
            for other in [other for other in self._graphs if other[1].startswith(AFTER)]:
                del self._graphs[other]
            self._graphs[key] = made
        return self._graphs[key]

    def has_rewrites(self, tracing: Tracing) -> bool:
        """Whether what Grappler did to a tracing's graph was recorded; reads nothing."""
        return rewrites_part(tracing.index) in self.parts.names()

    def rewrites(self, tracing: Tracing | None = None, checked: bool = True) -> tuple[RewriteHistory, ...]:
        """What Grappler did to a tracing's own graph, first, and to library functions that stayed calls.

        `checked`: that the edits fit the graph that they begin with, which has to be read for it. Whoever wants the
        names, times and notes of passes alone does without.
        """
        tracing = tracing or self.main_tracing
        if tracing.index not in self._rewrites:
            part = self._optional(rewrites_part(tracing.index), RewritePart)
            self._rewrites[tracing.index] = part.histories if part else ()
        histories = self._rewrites[tracing.index]
        if checked and tracing.index not in self._checked:
            for history in histories:
                self._require_whole(history, tracing)
            self._checked.add(tracing.index)
        return histories

    def _require_whole(self, history: RewriteHistory, tracing: Tracing) -> None:
        first, attr_sets = history.first_ops, 0
        damage = ""
        if not history.function and tracing.stage("lowered"):
            lowered = self.graph("lowered", tracing)
            first, attr_sets = tuple(lowered.top_level_ops), len(lowered.attr_sets)
        elif not history.function:
            damage = "the graph that it begins with is not there"
        if damage := damage or damage_of(history, first, attr_sets):
            raise UnreadableFileError(f"part {rewrites_part(tracing.index)!r} is damaged: {damage}")

    def own_rewrites(self, tracing: Tracing | None = None, checked: bool = True) -> RewriteHistory | None:
        """What Grappler did to a tracing's own graph; None when that was not recorded. `checked`: see `rewrites`."""
        return next((history for history in self.rewrites(tracing, checked) if not history.function), None)

    def chances(self, tracing: Tracing | None = None) -> ChancesPart | None:
        """The chances that Grappler missed, as tried while TensorFlow was at hand; None when none were looked for."""
        tracing = tracing or self.main_tracing
        return self._optional(chances_part(tracing.index), ChancesPart)

    def times(self, tracing: Tracing | None = None) -> TimesPart | None:
        """What steady runs took, op by op; None when none were measured."""
        part = self._own_part(times_part, TimesPart, tracing)
        if part is not None:
            columns = part.timeline
            _require_columns("times", columns.op, columns.thread, columns.start_ns, columns.end_ns, columns.self_ns)
            _require_indices("times", columns.op, len(part.ops), lowest=0)
            _require_indices("times", columns.thread, len(part.threads), lowest=0)
        return part

    def profiler_trace(self, tracing: Tracing | None = None) -> bytes | None:
        """The profiler's own trace of some steady runs, a serialized XSpace; None when none was taken."""
        name = trace_part((tracing or self.main_tracing).index)
        return self.parts.read(name) if name in self.parts.names() else None

    def tracing_times(self, tracing: Tracing | None = None) -> OpMetric | None:
        """How long Python took to make each op of the traced graph; None when that was not measured."""
        return self._own_part(tracing_times_part, OpMetric, tracing)

    def eager(self, tracing: Tracing | None = None) -> EagerPart | None:
        """The ops of an eager run; None when there was none."""
        part = self._own_part(eager_part, EagerPart, tracing)
        if part is not None:
            _require_indices("eager", (op.attrs for op in part.ops), len(part.attr_sets))
            _require_indices("eager", (op.stack for op in part.ops), len(self.stacks.stacks))
            _require_indices("eager", (op.thread for op in part.ops), len(part.threads), lowest=0)
        return part

    def call_costs(self, tracing: Tracing | None = None) -> CallCosts | None:
        """What eager and graph calls cost side by side; None when that was not measured."""
        return self._own_part(call_costs_part, CallCosts, tracing)

    def estimates(self, tracing: Tracing | None = None) -> EstimatesPart | None:
        """What Grappler's cost model says of the optimized graph; None when it was not asked."""
        part = self._own_part(estimates_part, EstimatesPart, tracing)
        if part is not None:
            _require_indices("estimates", (op.device for op in part.ops), len(part.devices) or 1, lowest=0)
        return part

    def graph_def(self, stage: str = "optimized", tracing: Tracing | None = None) -> bytes:
        """The raw serialized GraphDef of a stage, as TensorFlow gave it."""
        tracing = tracing or self.main_tracing
        if stage.startswith(AFTER):
            raise UsageError(
                f"no GraphDef of {stage!r} is kept: a recording has each pass as an edit",
                f"recording.graph({stage!r}) is that graph; the GraphDefs of lowered and optimized are kept",
            )
        self._require(tracing, stage, "graph")
        return self.parts.read(raw_part(tracing.index, stage))

    def text(self, stage: str, tracing: Tracing | None = None) -> str:
        """The text of a compiler stage, such as `optimized-hlo`."""
        tracing = tracing or self.main_tracing
        self._require(tracing, stage, "text")
        return self.parts.read(raw_part(tracing.index, stage, "text")).decode("utf-8", "replace")

    def _require(self, tracing: Tracing, stage: str, kind: StageKind) -> None:
        found = tracing.stage(stage)
        if found is None or found.kind != kind:
            names = ", ".join(known.name for known in tracing.stages if known.kind == kind) or "none"
            why = next((f" ({gap.reason})" for gap in self.missing if gap.evidence == f"stage-{stage}"), "")
            own = self.own_rewrites(tracing, checked=False)
            after = f"{AFTER}{stage}" if own is not None and f"{AFTER}{stage}" in own.stages else ""
            meant = f"did you mean {after}? " if after else ""
            raise UsageError(
                f"{tracing.function} has no {kind} stage {stage!r}{why}", f"{meant}recorded {kind} stages: {names}"
            )

    @functools.cached_property
    def stacks(self) -> StackTable:
        """The Python stacks that ops point into."""
        table = self._optional(STACKS_PART, StackTable) or StackTable()
        _require_indices(STACKS_PART, itertools.chain.from_iterable(table.stacks), len(table.frames), lowest=0)
        return table

    @functools.cached_property
    def calls(self) -> tuple[CallRecord, ...]:
        """Every call of a concrete function from Python, in order of time."""
        calls = self._optional(CALLS_PART, tuple[CallRecord, ...]) or ()
        _require_indices(CALLS_PART, (call.tracing for call in calls), len(self.tracings), lowest=0)
        return calls

    @functools.cached_property
    def sources(self) -> Mapping[str, str]:
        """The text of the user's own source files as they were when recorded, by file name."""
        return self._optional(SOURCES_PART, dict[str, str]) or {}

    @property
    def log(self) -> str:
        """TensorFlow's C++ log; foreign text."""
        return self._optional_text(LOG_PART)

    @property
    def console(self) -> str:
        """What the user's program printed; foreign text."""
        return self._optional_text(CONSOLE_PART)

    def _own_part(self, name_of: Callable[[int], str], kind: type[T], tracing: Tracing | None) -> T | None:
        tracing = tracing or self.main_tracing
        name = name_of(tracing.index)
        if name not in self._own:
            self._own[name] = self._optional(name, kind)
        found: T | None = self._own[name]
        return found

    def _optional(self, name: str, kind: type[T]) -> T | None:
        return self.parts.decode(name, kind) if name in self.parts.names() else None

    def _optional_text(self, name: str) -> str:
        return self.parts.read(name).decode("utf-8", "replace") if name in self.parts.names() else ""


def _require_indices(part: str, indices: Iterable[int], size: int, lowest: int = -1) -> None:
    """Check once what a part points to, so that no later reader meets an IndexError or, worse, a wrong neighbour."""
    distinct = set(indices)
    if distinct and not (lowest <= min(distinct) and max(distinct) < size):
        raise UnreadableFileError(f"part {part!r} is damaged: it points outside its {size:,} entries")


def _require_columns(part: str, *columns: Sized) -> None:
    if len({len(column) for column in columns}) > 1:
        raise UnreadableFileError(f"part {part!r} is damaged: its columns differ in length")


__all__ = [
    "CALLS_PART",
    "CONSOLE_PART",
    "FORMAT_VERSION",
    "LOG_PART",
    "META_PART",
    "SOURCES_PART",
    "STACKS_PART",
    "AttrValue",
    "Basis",
    "CallRecord",
    "DeviceInfo",
    "Frame",
    "GraphPart",
    "MissingEvidence",
    "OpMetric",
    "PartSource",
    "Recording",
    "RecordingMeta",
    "Role",
    "StackTable",
    "Stage",
    "StageKind",
    "TargetInfo",
    "Tracing",
    "chances_part",
    "graph_part",
    "raw_part",
    "rewrites_part",
]
