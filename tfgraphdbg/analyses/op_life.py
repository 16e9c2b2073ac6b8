"""Fates of ops -> the life of one op in words: where it was traced, what each pass made of it, and as what it ran."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from tfgraphdbg.analyses.fates import RUNTIME, FateEvent, PassFates, pass_fates
from tfgraphdbg.analyses.life_events import Ancestor, LifeEvent, WentInto, event_words, pass_words, tells_nothing
from tfgraphdbg.analyses.op_pairing import role
from tfgraphdbg.graph_model import FUNCTION_SEPARATOR, GraphModel, OpNode, garbage_collection_paused, op_id
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.rewrites import RewriteHistory, RewriteStep

MOST_EVENTS = 50
"""No op goes through more: the passes run a few times each."""


class OpLives:
    """The lives of all ops of one tracing. Building it takes a second for 50,000 ops; a life is told at once."""

    def __init__(self, recording: Recording, tracing: Tracing, fates: PassFates) -> None:
        self.fates = fates
        self.histories = recording.rewrites(tracing)
        self.own = next(history for history in self.histories if not history.function)
        """What Grappler did to the tracing's own graph."""
        self.traced = recording.graph("traced", tracing)
        self.lowered = recording.graph("lowered", tracing)
        self.optimized = recording.graph("optimized", tracing)
        self.stacks = recording.stacks
        self._places: dict[int, str] = {}
        self._stages = self.own.stages
        self._by_item = {history.item: history for history in self.histories if history.function}
        # Of several copies of a function the first is the one that has fates.
        self._by_function = {history.function: history for history in reversed(self.histories)}
        with garbage_collection_paused():
            self.lowering = _lowering(self.traced, self.lowered)
            """What the runtime did before Grappler, as an edit: inlining, lowering, pruning."""
            self._made = dict(_made(self.histories))
            self._copies = _copies(self.lowered)

    def life(self, op: OpNode) -> tuple[LifeEvent, ...]:
        """What happened to an op of any stage, from its tracing on; it ends with what ran in its place."""
        key = self.key_of(op)
        birth, chain = self._birth(key), list(self._chain(key))
        return (birth, *chain, *self._end(key, op.op_type, chain))

    def origins(self, op: OpNode) -> tuple[str, ...]:
        """Ids of the ops that an op which ran came from, producers first."""
        return self.fates.origins.get(op.id, ())

    def ancestor(self, id_: str) -> Ancestor:
        """An origin, with its type then and a stage that holds it."""
        fate = self.fates.fates.get(id_)
        return Ancestor(id_, fate.op_type if fate else "", "traced" if id_ in self.traced.by_id else "lowered")

    def went_into(self, id_: str, graph: GraphModel) -> WentInto | None:
        """The first op that stands for `id_` and is in `graph`, and what happened to `id_`; None when there is none."""
        first: LifeEvent | None = None
        for event in self._chain(id_):
            if event.op and event.op != id_:
                first = first or event
                if event.op in graph.by_id:
                    return WentInto(event.op, first)
        fate = self.fates.fates.get(id_)
        if fate is not None and fate.into and fate.into in graph.by_id:
            by = pass_words(fate.pass_name or RUNTIME, fate.iteration)
            return WentInto(fate.into, first or LifeEvent(fate.fate, by=by))
        return None

    def last_told(self, op: OpNode) -> LifeEvent:
        """The last thing that happened to an op before it ran or did not."""
        return self.life(op)[-2]

    def decided_by(self, function: str, pass_name: str, iteration: int | None) -> tuple[str, ...]:
        """Names of the ops to which one pass did something, in one library function or (empty) the graph itself."""
        return self._decided.get((function, pass_name, iteration), ())

    @functools.cached_property
    def _decided(self) -> Mapping[tuple[str, str, int | None], tuple[str, ...]]:
        found: dict[tuple[str, str, int | None], dict[str, None]] = {}
        for id_, events in self.fates.events.items():
            function, separator, name = id_.partition(FUNCTION_SEPARATOR)
            for event in events:
                key = (function if separator else "", event.pass_name, event.iteration)
                found.setdefault(key, {})[name if separator else id_] = None
        return {key: tuple(names) for key, names in found.items()}

    def key_of(self, op: OpNode) -> str:
        """Its id in the fates: of an op in a copy of a library function, the id in that function."""
        history = self._by_item.get(op.function)
        return op_id(history.function if history else op.function, op.name)

    def _birth(self, key: str) -> LifeEvent:
        traced = self.traced.by_id.get(key)
        if traced is not None:
            return LifeEvent("traced", stage="traced", place=self.place(traced))
        given = self.lowered.by_id.get(key)
        origin = next((name for name in (given.origins if given else ()) if name in self.traced.by_id), "")
        if origin:
            was = self.traced.by_id[origin]
            return LifeEvent("traced", "", "as", origin, was.op_type, "traced", self.place(was))
        return LifeEvent("made", by=self._made.get(key, pass_words(RUNTIME, None)))

    def place(self, op: OpNode) -> str:
        """The line of the user's program that made an op, such as `model.py:18`; empty for none."""
        place = self._places.get(op.stack)
        if place is None:
            frame = self.stacks.user_frame(op.stack)
            place = self._places[op.stack] = f"{PurePath(frame.file).name}:{frame.line}" if frame else ""
        return place

    def _chain(self, key: str) -> Iterator[LifeEvent]:
        """The events of an op, then those of the op that stood in for it, and so on."""
        function = key.partition(FUNCTION_SEPARATOR)[0] if FUNCTION_SEPARATOR in key else ""
        time, followed, subject = -2, {key}, key
        for _ in range(MOST_EVENTS):
            found = self._next(function, subject, time)
            copy = self._copies.get(subject, "")
            if found is not None:
                time, event = found
                into = op_id(function, event.into) if event.into else ""
                yield self._told(function, subject, key, event)
                if event.fate == "removed" or not into or (into != subject and into in followed):
                    return
                subject = into
            elif copy and copy not in followed:
                op_type = self.lowered.by_id[copy].op_type
                yield LifeEvent("inlined", pass_words(RUNTIME, None), "as", copy, op_type, "lowered")
                function, subject = "", copy
            else:
                return
            followed.add(subject)

    def _next(self, function: str, subject: str, time: int) -> tuple[int, FateEvent] | None:
        for event in self.fates.events.get(subject, ()):
            when = self._when(function, event)
            if when > time and not tells_nothing(event):
                return when, event
        return None

    def _told(self, function: str, subject: str, key: str, event: FateEvent) -> LifeEvent:
        in_place = op_id(function, event.into) == subject
        happened, how, op_type = event_words(event, in_place)
        if subject != key:
            happened = f"then {happened}"
        by = pass_words(event.pass_name, event.iteration)
        if in_place or not op_type:
            return LifeEvent(happened, by, how, "", op_type)
        history = self._by_function.get(function) if function else None
        into = op_id(history.item if history else "", event.into)
        return LifeEvent(happened, by, how, into, op_type, self._stage(into, event))

    def _stage(self, into: str, event: FateEvent) -> str:
        """The stage right after an event; a library function has none between those that it was recorded in."""
        if FUNCTION_SEPARATOR in into:
            return "optimized" if into in self.optimized.by_id else ""
        return "lowered" if event.pass_name == RUNTIME else self._stages[self._when("", event)]

    @functools.cached_property
    def _times(self) -> Mapping[tuple[str, str, int | None], int]:
        return {
            (history.function, step.short_name, step.iteration): place
            for history in reversed(self.histories)
            for place, step in enumerate(history.steps)
        }

    def _when(self, function: str, event: FateEvent) -> int:
        """The place of its pass in the history; -1 for what the runtime did."""
        return self._times.get((function, event.pass_name, event.iteration), -1)

    def _end(self, key: str, op_type: str, chain: list[LifeEvent]) -> Iterator[LifeEvent]:
        """Whether something ran for it, and as what when that was not told yet."""
        fate = self.fates.fates.get(key)
        into = fate.into if fate is not None else (key if key in self.optimized.by_id else None)
        ran = self._ran(into) if into is not None else None
        if ran is None or (fate is not None and fate.fate == "removed"):
            if fate is not None and fate.fate == "removed" and not chain:
                yield LifeEvent("removed", by=pass_words(fate.pass_name or RUNTIME, fate.iteration))
            yield LifeEvent("did not run")
            return
        told = next((event for event in reversed(chain) if event.op), LifeEvent("", op=key))
        told_type = next((event.op_type for event in reversed(chain) if event.op_type), op_type)
        if into == told.op:
            yield LifeEvent("ran") if ran == told_type else LifeEvent("ran", "", "as", "", ran)
        else:
            assert into is not None
            yield LifeEvent("ran", "", "as", into, ran, "optimized" if into in self.optimized.by_id else "")

    def _ran(self, into: str) -> str | None:
        """The type of an op that ran; of a library function the optimized graph holds the body as it was before."""
        function, separator, name = into.partition(FUNCTION_SEPARATOR)
        history = self._by_item.get(function) if separator else None
        op = history.last_ops.get(name) if history else self.optimized.by_id.get(into)
        return op.op_type if op is not None else None


def lives_of(recording: Recording, tracing: Tracing) -> OpLives | None:
    """The lives of a tracing's ops; None when what Grappler did to it was not recorded."""
    fates = pass_fates(recording, tracing)
    return OpLives(recording, tracing, fates) if fates is not None else None


def _lowering(traced: GraphModel, lowered: GraphModel) -> RewriteStep:
    given = lowered.top_level_ops
    before = {op.name: op for op in traced.top_level_ops}
    names = {op.name for op in given}
    return RewriteStep(
        RUNTIME,
        0,
        tuple(name for name in before if name not in names),
        tuple(op for op in given if op.name not in before),
        tuple(op for op in given if (was := before.get(op.name)) is not None and _differs(was, op)),
        len(given),
    )


def _differs(was: OpNode, now: OpNode) -> bool:
    # An argument changes its type only in name; devices are assigned, and attrs packed anew, everywhere.
    return was.inputs != now.inputs or role(was) != role(now)


def _made(histories: tuple[RewriteHistory, ...]) -> Iterator[tuple[str, str]]:
    """For each op that a pass added: its id and which one; the first pass comes last."""
    for history in reversed(histories):
        for step in reversed(history.steps):
            for op in step.added:
                yield op_id(history.function, op.name), pass_words(step.short_name, step.iteration)


def _copies(lowered: GraphModel) -> dict[str, str]:
    """For each traced op of a library function that was inlined: the first op that it became."""
    copies: dict[str, str] = {}
    for op in lowered.top_level_ops:
        for origin in op.origins:
            if FUNCTION_SEPARATOR in origin:
                copies.setdefault(origin, op.name)
    return copies
