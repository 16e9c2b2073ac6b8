"""The steps of one rewrite history -> what happened to each op, event by event, and where each ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.fates.edit_outcomes import EditOutcomes
from tfgraphdbg.analyses.fates.edits import (
    CONSTANT,
    UNUSED,
    AttrSets,
    Edit,
    Outcome,
    PassRun,
    data_inputs,
    output_of,
    producer,
)
from tfgraphdbg.analyses.fates.fate_events import FateEvent, most_telling
from tfgraphdbg.analyses.fates.in_place import seen_in_place
from tfgraphdbg.analyses.fates.lowering import is_lowered, renamed_arguments
from tfgraphdbg.analyses.fates.rules import (
    CLUSTERING,
    REWIRING_PASSES,
    RUNTIME,
    Seen,
    fate_of,
    kind_of,
)
from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.rewrites import RewriteStep


class RewriteFates:
    """What the passes did to the ops of one graph; feed it the edits in order."""

    def __init__(self, first: Mapping[str, OpNode], attr_sets: AttrSets, callees: Iterable[str] = ()) -> None:
        self.now = dict(first)
        """The graph after the edits so far."""
        self.events: dict[str, list[FateEvent]] = {}
        """What happened to each op, but for those of which a pass that only rewires changed the inputs."""
        self.rewired: list[tuple[PassRun, list[tuple[str, str]]]] = []
        """For each edit: the ops (with their types) that a pass which only rewires made read the same values anew."""
        self.made_by: dict[str, PassRun] = {}
        """For each op that an edit added: the pass and its iteration."""
        self.part_of: dict[str, str] = {}
        """For an op that an edit added without anything in its place: the op that it computes a part for."""
        self._attr_sets = attr_sets
        self._callees = frozenset(callees)
        self._uses = Counter(producer(text) for op in first.values() for text in data_inputs(op))
        self._unread: dict[str, Outcome] = {}
        self._renamed: Mapping[str, Outcome] = {}
        self._outputs: dict[str, Mapping[int, str]] = {}
        self._all_ended: dict[str, tuple[str, ...]] = {}

    def follow(self, given: Mapping[str, OpNode], steps: Iterable[RewriteStep]) -> None:
        """Follow everything, from the traced graph over the one that Grappler was given to the last one."""
        self.lower(given)
        for step in steps:
            self.take(step)

    def lower(self, given: Mapping[str, OpNode]) -> None:
        """Follow the runtime's inlining and lowering, from the traced graph to the one that Grappler was given."""
        removed = [name for name in self.now if name not in given]
        changed = [
            name for name, op in given.items() if (was := self.now.get(name)) is not None and is_lowered(was, op)
        ]
        added = [name for name in given if name not in self.now]
        self._renamed = renamed_arguments(given, added)
        # The attrs of the two graphs lie in tables of their own, and an op that keeps its type keeps them.
        self._take(PassRun(RUNTIME, None), dict(given), _Names(removed, changed, added), exact=False)

    def compile(self, runs_as: Mapping[str, str], ran: Mapping[str, OpNode]) -> None:
        """Follow XLA's auto-clustering: `runs_as` tells for each op of a cluster the op that runs the cluster."""
        run = PassRun(CLUSTERING, None)
        for name, op in self.now.items():
            if name not in ran:
                into = runs_as.get(name, "")
                outcome = Outcome("absorbed", into) if into else UNUSED
                fate = fate_of(outcome.seen, CLUSTERING, op, self._callees)
                now = ran[into].op_type if into else ""
                self._add(name, FateEvent(fate, outcome.seen, *run, into, op.op_type, now))
        self.made_by.update(dict.fromkeys((name for name in ran if name not in self.now), run))
        # What is left reads the results of clusters, which have the values that it read before.
        self.now = {name: self.now.get(name, op) for name, op in ran.items()}
        self._all_ended = {}

    def take(self, step: RewriteStep) -> None:
        """Follow one step of Grappler."""
        if step.is_empty:
            return
        after = dict(self.now)
        for name in step.removed:
            del after[name]
        for op in (*step.changed, *step.added):
            after[op.name] = op
        names = _Names(step.removed, [op.name for op in step.changed], [op.name for op in step.added])
        self._take(PassRun(step.short_name, step.iteration), after, names)

    def _take(self, run: PassRun, after: dict[str, OpNode], names: _Names, exact: bool = True) -> None:
        self._count_uses(after, names)
        edit = Edit(self.now, after, names.removed, names.changed, self._uses, self._attr_sets, exact)
        outcomes = EditOutcomes(edit, self._unread)
        self.made_by.update(dict.fromkeys(names.added, run))
        only_rewires = run.pass_name in REWIRING_PASSES
        rewired: list[tuple[str, str]] = []
        for name in names.changed:
            outcome = seen_in_place(edit, name)
            if only_rewires and outcome is not None and outcome.seen == "inputs changed":
                rewired.append((name, after[name].op_type))
                continue
            if outcome is not None and outcome.seen == "became pass-through" and self._is_call(name):
                # What remains under the name of a call only orders; its value has moved elsewhere.
                gone = outcomes.of_gone(name)
                outcome = outcome._replace(into=gone.into, also=gone.also)
            if outcome is not None:
                self._add(name, self._event(name, outcome, run, after))
        self.rewired.append((run, rewired))
        for name in names.removed:
            outcome = self._renamed.get(name) or outcomes.of_gone(name)
            self._add(name, self._event(name, outcome, run, after))
            self._unread.pop(name, None)
            if outcome.outputs:
                self._outputs[name] = dict(outcome.outputs)
        for name in outcomes.read_before:
            if name in after and not self._uses[name]:
                outcome = outcomes.of_gone(name)
                self._unread[name] = outcome if outcome.run is not None else outcome._replace(run=run)
            elif name in self._unread:
                del self._unread[name]
        if exact and names.added:
            self._find_parts(after, names)
        self.now = after
        self._all_ended = {}

    def _find_parts(self, after: Mapping[str, OpNode], names: _Names) -> None:
        """Find for what the ops that an edit added compute a part: AddN ops of a sum, the product of a batch norm."""
        made_of = [self.events[name][-1] for name in (*names.removed, *names.changed) if name in self.events]
        wholes = {event.into for event in made_of if event.seen in _MADE_ANEW}
        wholes.update(outcome.into for outcome in self._unread.values() if outcome.seen in _MADE_ANEW)
        added, waiting = set(names.added) - wholes, list(wholes)
        while waiting and added:
            whole = waiting.pop()
            for source in map(producer, data_inputs(after[whole])) if whole in after else ():
                if source in added and after[source].op_type != CONSTANT:
                    added.discard(source)
                    self.part_of[source] = whole
                    waiting.append(source)

    def _is_call(self, name: str) -> bool:
        return kind_of(self.now[name], self._callees) == "call"

    def _count_uses(self, after: Mapping[str, OpNode], names: _Names) -> None:
        uses = self._uses
        changed = [name for name in names.changed if self.now[name].inputs != after[name].inputs]
        for name in (*names.removed, *changed):
            for text in self.now[name].inputs:
                if text[:1] != "^":
                    uses[producer(text)] -= 1
        for name in (*changed, *names.added):
            for text in after[name].inputs:
                if text[:1] != "^":
                    uses[producer(text)] += 1

    def _event(self, name: str, outcome: Outcome, run: PassRun, after: Mapping[str, OpNode]) -> FateEvent:
        op = self.now[name]
        run = outcome.run or run
        fate = fate_of(outcome.seen, run.pass_name, op, self._callees)
        stands_in = after.get(outcome.into)
        says = fate in ("folded", "changed", "fused") and outcome.seen != "inputs changed"
        reads = tuple(data_inputs(op)) if says else ()
        now = stands_in.op_type if stands_in is not None else ""
        return FateEvent(fate, outcome.seen, *run, outcome.into, op.op_type, now, reads, outcome.also)

    def _add(self, name: str, event: FateEvent) -> None:
        self.events.setdefault(name, []).append(event)

    def ended_in(self, name: str) -> str:
        """The op of the last graph that stands for an op of any graph so far; empty for none."""
        visited, output = set(), 0
        while name and name not in self.now:
            events = self.events.get(name)
            if name in visited or not events:
                return ""
            visited.add(name)
            told = self._outputs.get(name, {}).get(output) if events[-1].into else None
            name, output = (producer(told), output_of(told)) if told else (events[-1].into, 0)
        return name

    def all_ended_in(self, name: str) -> Collection[str]:
        """Like `ended_in`, for an op of several outputs: every op of the last graph that stands for one of them."""
        now = self.now.get(name)
        if now is not None and now.op_type != "NoOp":
            return (name,)
        known = self._all_ended.get(name)
        if known is None:
            known = self._all_ended[name] = self._find_all_ended(name)
        return known

    def _find_all_ended(self, name: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        waiting, visited = [name], {name}
        while waiting:
            one = waiting.pop()
            events = self.events.get(one, ())
            if one in self.now:
                found[one] = None
                # A call that was inlined may go on under its name as a NoOp, for its control edges.
                if not events or self.now[one].op_type != "NoOp":
                    continue
            event = next((event for event in reversed(events) if one not in self.now or event.fate == "inlined"), None)
            for into in (event.into, *event.also) if event is not None else ():
                if into and into not in visited:
                    visited.add(into)
                    waiting.append(into)
        return tuple(found)

    def decisive(self, name: str) -> FateEvent | None:
        """The event that is an op's fate: the first one that is final, else the one that says most; None: untouched."""
        alive = name in self.now
        event = most_telling(self.events.get(name, ()), name, alive)
        return event if event is None or alive else self._with_what_it_became(event)

    def _with_what_it_became(self, event: FateEvent) -> FateEvent:
        """The same, or the removal of the op that went on in its place."""
        followed = {event.into}
        last = event
        while last.fate == "changed" and last.into not in self.now:
            after = self.events.get(last.into)
            if not after or (after[-1].into in followed and after[-1].into):
                break
            last = after[-1]
            followed.add(last.into)
        return last if last.fate == "removed" else event


class _Names(NamedTuple):
    """The ops of an edit by what happened to them."""

    removed: Sequence[str]
    changed: Sequence[str]
    added: Sequence[str]


_MADE_ANEW: frozenset[Seen] = frozenset({"new op", "absorbed", "taken over", "became another op", "became fused"})
"""Of an op that was seen so, what stands in for it may be several new ops."""
