"""Recording -> the fate of every op that was traced or that inlining made, and the origins of every op that ran.

Two seams are crossed: the runtime inlines calls and lowers loops and branches, then Grappler's passes rewrite what
they are given. One chain of edits leads over both, so an op merged into one that is later fused ends in the fused op.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tfgraphdbg.analyses.fates.edits import PassRun
from tfgraphdbg.analyses.fates.fate_events import FateEvent
from tfgraphdbg.analyses.fates.inlined_bodies import InlinedBodies
from tfgraphdbg.analyses.fates.origins import SPECIALIZED, Origins
from tfgraphdbg.analyses.fates.rewrite_fates import RewriteFates
from tfgraphdbg.analyses.fates.rules import RUNTIME, Fate, kind_of
from tfgraphdbg.analyses.fates.same_values import SameValues
from tfgraphdbg.analyses.fates.told_events import ToldEvents
from tfgraphdbg.analyses.hlo_auto_clusters import AutoClusters, recorded_clusters
from tfgraphdbg.graph_model import GraphModel, OpNode, garbage_collection_paused, op_id
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.rewrites import RewriteHistory

_SPECIALIZING = "function_optimizer"


class OpFate(NamedTuple):
    """What became of one op; the columns of the table `fates`."""

    op: str
    op_type: str
    fate: Fate
    pass_name: str | None
    iteration: int | None
    into: str | None
    """The op that stands for it in the graph that ran: itself while it is there, another one, or none."""


class PassFates(NamedTuple):
    """The whole accounting of one tracing."""

    fates: Mapping[str, OpFate]
    """By op id: every op that was traced or that inlining made, then every op that is `new`."""
    origins: Mapping[str, tuple[str, ...]]
    """By id of an op that ran: the ops that it came from, producers first; an op that is new has none."""
    events: Mapping[str, tuple[FateEvent, ...]]
    """By op id: what each pass did to it, in order; also to ops that a pass made and a later one changed."""


def pass_fates(recording: Recording, tracing: Tracing) -> PassFates | None:
    """The accounting of a tracing; None when its rewrites were not recorded."""
    own = recording.own_rewrites(tracing)
    if own is None:
        return None
    with garbage_collection_paused():
        accounting = _Accounting(
            recording.graph("traced", tracing),
            recording.graph("lowered", tracing),
            recording.graph("optimized", tracing),
        )
        # XLA makes its clusters of the graph that Grappler left, which is then not the one that runs.
        clusters = recorded_clusters(recording, tracing) if own.difference else None
        accounting.add_graph(own, clusters)
        for history in recording.rewrites(tracing):
            if history.function:
                accounting.add_called_function(history)
        accounting.add_other_bodies()
        return accounting.result()


class _Accounting:
    """Builds the accounting part by part; each op gets its row once."""

    def __init__(self, traced: GraphModel, lowered: GraphModel, optimized: GraphModel) -> None:
        self._traced, self._lowered, self._optimized = traced, lowered, optimized
        self._fates: dict[str, OpFate] = {}
        self._events = ToldEvents()
        self._origins = Origins()
        self._inlined = InlinedBodies(traced, lowered.top_level_ops)

    def add_graph(self, history: RewriteHistory, clusters: AutoClusters | None = None) -> None:
        """The tracing's own graph, from traced over lowered to optimized; then the bodies that were inlined into it."""
        given = {op.name: op for op in self._lowered.top_level_ops}
        traced = {op.name: op for op in self._traced.top_level_ops}
        own = RewriteFates(traced, (*self._lowered.attr_sets, *history.attr_sets), self._traced.functions)
        own.follow(given, history.steps)
        if clusters is not None:
            runs_as = {name: cluster.runs_as for cluster in clusters.clusters for name in cluster.ops}
            own.compile(runs_as, {op.name: op for op in self._optimized.top_level_ops})
        self._add_rows("", "", own, {**given, **traced}, given)
        self._add_inlined_bodies(own)

    def add_called_function(self, history: RewriteHistory) -> None:
        """A library function that stayed a call, as the runtime instantiated it; of several copies the first counts."""
        body = self._inlined.bodies.get(history.function, {})
        given = {op.name: op for op in history.first_ops}
        followed = RewriteFates(body, history.attr_sets, self._traced.functions)
        followed.follow(given, history.steps)
        self._add_rows(history.function, history.item, followed, {**given, **body}, given)

    def _add_rows(
        self,
        function: str,
        item: str,
        followed: RewriteFates,
        ops: Mapping[str, OpNode],
        given: Mapping[str, OpNode],
    ) -> None:
        self._origins.add_graph(item, followed)
        self._events.add_graph(function, followed)
        values = SameValues(followed, lambda name: given.get(name) or ops.get(name))
        for name, op in ops.items():
            id_ = op_id(function, name) if function else name
            if name not in followed.events and id_ not in self._fates:
                # Nothing ever happened to it: most ops of most graphs.
                last = op_id(item, name) if item else name
                self._fates[id_] = OpFate(id_, op.op_type, "kept", None, None, last)
                self._origins.add(last, id_)
                continue
            event = _deciding_event(followed, values, op, given.get(name, op))
            into = followed.ended_in(name)
            if event is not None and event.pass_name == RUNTIME and SPECIALIZED in item and event.fate == "folded":
                # A copy of the function for one call holds the constant that the call passed.
                event = event._replace(pass_name=_SPECIALIZING)
            if event is not None and event.fate == "inlined":
                into = self._into_of_call(op, id_, event, followed) or into
                if not into and not self._inlined.was_taken_apart(op):
                    event = event._replace(fate="removed")
            if id_ not in self._fates:
                self._add(id_, op.op_type, event, op_id(item, into) if into else None)
            if event is None or event.fate != "removed":
                self._origins.add(op_id(item, into) if into else "", id_)
                # An op of several outputs ends in several ops, and the NoOp left of a call came from it as well.
                for other in followed.all_ended_in(name):
                    if other != into:
                        self._origins.add(op_id(item, other), id_)

    def _into_of_call(self, call: OpNode, id_: str, event: FateEvent, followed: RewriteFates) -> str:
        """The op that ran and gives the value of a call that was taken apart, or else one of those that it became."""
        named = (into for name in (event.into, *event.also) if (into := followed.ended_in(name)))
        return next(named, "") or self._inlined.value_of(id_, call, followed.ended_in)

    def _add_inlined_bodies(self, own: RewriteFates) -> None:
        for function, body in self._inlined.bodies.items():
            if not self._inlined.was_inlined(function):
                continue
            for name, op in body.items():
                id_ = op_id(function, name)
                is_argument = kind_of(op, ()) == "argument"
                copies = self._inlined.copies_of(id_)
                if is_argument and not copies:
                    copies = self._inlined.given_for_argument(function, op)
                into = self._inlined.value_of(id_, op, own.ended_in)
                if not into:
                    into = next((into for copy in copies if (into := own.ended_in(copy))), "")
                fate: Fate = "inlined" if copies or is_argument else "removed"
                self._fates[id_] = OpFate(id_, op.op_type, fate, RUNTIME, None, into or None)
                if fate == "inlined":
                    for place in (into, *map(own.ended_in, copies)):
                        self._origins.add(place, id_)

    def add_other_bodies(self) -> None:
        """Library functions that were neither inlined nor seen to be instantiated: still there, or dropped."""
        for op in self._traced.ops:
            if op.function and (id_ := op.id) not in self._fates:
                stays = (name for name in self._specializations(op.function) if op_id(name, op.name) in self._ran)
                function = next(stays, None)
                if function is None:
                    self._fates[id_] = OpFate(id_, op.op_type, "removed", RUNTIME, None, None)
                else:
                    self._fates[id_] = OpFate(id_, op.op_type, "kept", None, None, op_id(function, op.name))
                    self._origins.add(op_id(function, op.name), id_)

    def _specializations(self, function: str) -> list[str]:
        """The names under which a library function goes on in the optimized graph, its own first."""
        found = (name for name in self._optimized.functions if name.partition(SPECIALIZED)[0] == function)
        return sorted(found, key=len)

    @property
    def _ran(self) -> Mapping[str, OpNode]:
        return self._optimized.by_id

    def _add(self, id_: str, op_type: str, event: FateEvent | None, into: str | None) -> None:
        if event is None:
            self._fates[id_] = OpFate(id_, op_type, "kept", None, None, into)
        else:
            self._fates[id_] = OpFate(id_, op_type, event.fate, event.pass_name, event.iteration, into)

    def result(self) -> PassFates:
        """The accounting, once every part was added: with a row for each op that ran and came from none."""
        for op, made_by in self._origins.without(self._optimized, self._traced):
            self._fates[op.id] = OpFate(op.id, op.op_type, "new", *(made_by or PassRun(RUNTIME, None)), op.id)
        return PassFates(self._fates, self._origins.as_tuples(), self._events)


def _deciding_event(followed: RewriteFates, values: SameValues, traced: OpNode, given: OpNode) -> FateEvent | None:
    """The event that is its fate; None for an op that is kept: it reads the same values as ever."""
    event = followed.decisive(given.name)
    if event is None or event.seen != "inputs changed" or event.fate == "moved":
        return event
    before = traced if event.pass_name == RUNTIME else given
    return None if values.reads_the_same(before, followed.now[given.name]) else event
