"""The steps of one rewrite history -> what happened to each op, event by event, and where each ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from tfgraphdbg.analyses.fates.edit_outcomes import EditOutcomes
from tfgraphdbg.analyses.fates.edited_reads import EditedNames, EditedReads
from tfgraphdbg.analyses.fates.edits import CONSTANT, ENTRY, UNUSED, AttrSets, Edit, Outcome, PassRun
from tfgraphdbg.analyses.fates.fate_events import FateEvent, most_telling
from tfgraphdbg.analyses.fates.in_place import seen_in_place
from tfgraphdbg.analyses.fates.lowering import is_lowered, renamed_arguments
from tfgraphdbg.analyses.fates.op_inputs import count_reads, data_inputs, output_of, producer
from tfgraphdbg.analyses.fates.rules import CLUSTERING, REWIRING_PASSES, RUNTIME, Seen, fate_of, kind_of
from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.rewrites import RewriteStep, apply_step


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
        self._before: dict[str, OpNode] = self.now
        self._uses = count_reads(first.values())
        self._entries = {name for name, op in first.items() if op.op_type == ENTRY}
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
        changed, added = [], []
        for name, op in given.items():
            was = self.now.get(name)
            if was is None:
                added.append(name)
            elif is_lowered(was, op):
                changed.append(name)
        self._renamed = renamed_arguments(given, added)
        self.now = dict(given)
        # The attrs of the two graphs lie in tables of their own, and an op that keeps its type keeps them.
        self._take(PassRun(RUNTIME, None), EditedNames(removed, changed, added), exact=False)
        self._before = dict(given)

    def compile(self, runs_as: Mapping[str, str], ran: Mapping[str, OpNode]) -> None:
        """Follow XLA's auto-clustering: `runs_as` tells for each op of a cluster the op that runs the cluster."""
        run = PassRun(CLUSTERING, None)
        for name, op in self.now.items():
            if name not in ran:
                into = runs_as.get(name, "")
                outcome = Outcome("absorbed", into) if into else UNUSED
                fate = fate_of(outcome.seen, CLUSTERING, op, self._callees)
                now = ran[into].op_type if into else ""
                event = FateEvent(fate, outcome.seen, *run, into, op.op_type, now)
                self.events.setdefault(name, []).append(event)
        self.made_by.update(dict.fromkeys((name for name in ran if name not in self.now), run))
        # What is left reads the results of clusters, which have the values that it read before.
        self.now = {name: self.now.get(name, op) for name, op in ran.items()}
        self._all_ended = {}

    def take(self, step: RewriteStep) -> None:
        """Follow one step of Grappler."""
        if step.is_empty:
            return
        apply_step(self.now, step)
        names = EditedNames(step.removed, [op.name for op in step.changed], [op.name for op in step.added])
        self._take(PassRun(step.short_name, step.iteration), names)
        apply_step(self._before, step)

    def _take(self, run: PassRun, names: EditedNames, exact: bool = True) -> None:
        reads = EditedReads(self._before, self.now, names)
        unread = reads.bring_up_to_date(self._uses)
        edit = Edit(self._before, self.now, reads, self._uses, self._entries, self._attr_sets, exact)
        outcomes = EditOutcomes(edit, self._unread)
        self.made_by.update(dict.fromkeys(names.added, run))
        self._see_changed(run, edit, outcomes)
        self._see_removed(run, names.removed, outcomes)
        self._see_unread(run, unread, outcomes)
        if exact and names.added:
            self._find_parts(names)
        self._entries.update(name for name in names.added if self.now[name].op_type == ENTRY)
        self._all_ended = {}

    def _see_changed(self, run: PassRun, edit: Edit, outcomes: EditOutcomes) -> None:
        only_rewires = run.pass_name in REWIRING_PASSES
        rewired: list[tuple[str, str]] = []
        for op in edit.reads.changed:
            outcome = seen_in_place(edit, op)
            if outcome is None:
                continue
            name = op.was.name
            if only_rewires and outcome.seen == "inputs changed":
                rewired.append((name, self.now[name].op_type))
                continue
            if outcome.seen == "became pass-through" and kind_of(op.was, self._callees) == "call":
                # What remains under the name of a call only orders; its value has moved elsewhere.
                gone = outcomes.of_gone(name)
                outcome = outcome._replace(into=gone.into, also=gone.also)
            self._add(op.was, outcome, run)
        self.rewired.append((run, rewired))

    def _see_removed(self, run: PassRun, removed: Sequence[str], outcomes: EditOutcomes) -> None:
        for name in removed:
            outcome = self._renamed.get(name) or outcomes.of_gone(name)
            self._add(self._before[name], outcome, run)
            self._unread.pop(name, None)
            if outcome.outputs:
                self._outputs[name] = dict(outcome.outputs)

    def _see_unread(self, run: PassRun, unread: Sequence[str], outcomes: EditOutcomes) -> None:
        """Note what was seen of ops that are still there and that nobody reads any more, until they are read again."""
        for name in [name for name in self._unread if self._uses[name]]:
            del self._unread[name]
        for name in unread:
            if name in self.now:
                outcome = outcomes.of_gone(name)
                self._unread[name] = outcome if outcome.run is not None else outcome._replace(run=run)

    def _find_parts(self, names: EditedNames) -> None:
        """Find for what the ops that an edit added compute a part: AddN ops of a sum, the product of a batch norm."""
        made_of = [self.events[name][-1] for name in (*names.removed, *names.changed) if name in self.events]
        # No sets: of an op that is part of two, the same one is to be told each time.
        wholes = dict.fromkeys(event.into for event in made_of if event.seen in _MADE_ANEW)
        wholes |= dict.fromkeys(outcome.into for outcome in self._unread.values() if outcome.seen in _MADE_ANEW)
        added, waiting = set(names.added) - wholes.keys(), list(wholes)
        while waiting and added:
            whole = waiting.pop()
            for source in map(producer, data_inputs(self.now[whole])) if whole in self.now else ():
                if source in added and self.now[source].op_type != CONSTANT:
                    added.discard(source)
                    self.part_of[source] = whole
                    waiting.append(source)

    def _add(self, op: OpNode, outcome: Outcome, run: PassRun) -> None:
        """Note what one edit did to `op`, as it was before."""
        run = outcome.run or run
        fate = fate_of(outcome.seen, run.pass_name, op, self._callees)
        stands_in = self.now.get(outcome.into)
        says = fate in ("folded", "changed", "fused") and outcome.seen != "inputs changed"
        reads = data_inputs(op) if says else ()
        now = stands_in.op_type if stands_in is not None else ""
        name, iteration = run
        event = FateEvent(fate, outcome.seen, name, iteration, outcome.into, op.op_type, now, reads, outcome.also)
        self.events.setdefault(op.name, []).append(event)

    def ended_in(self, name: str) -> str:
        """The op of the last graph that stands for an op of any graph so far; empty for none."""
        visited, output = set(), 0
        while name and name not in self.now:
            events = self.events.get(name)
            if name in visited or not events:
                return ""
            visited.add(name)
            into, outputs = events[-1].into, self._outputs.get(name)
            told = outputs.get(output) if outputs and into else None
            name, output = (producer(told), output_of(told)) if told else (into, 0)
        return name

    def all_ended_in(self, name: str) -> Collection[str]:
        """Like `ended_in`, for an op of several outputs: every op of the last graph that stands for one of them."""
        if self._computes(name):
            return (name,)
        events = self.events.get(name)
        if events and not events[-1].also and name not in self.now and self._computes(events[-1].into):
            return (events[-1].into,)
        known = self._all_ended.get(name)
        if known is None:
            known = self._all_ended[name] = self._find_all_ended(name)
        return known

    def _computes(self, name: str) -> bool:
        """Whether an op is in the last graph, as more than a NoOp."""
        now = self.now.get(name)
        return now is not None and now.op_type != "NoOp"

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
        if event is None or alive or event.fate != "changed":
            return event
        return self._with_what_it_became(event)

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


_MADE_ANEW: frozenset[Seen] = frozenset({"new op", "absorbed", "taken over", "became another op", "became fused"})
"""Of an op that was seen so, what stands in for it may be several new ops."""
