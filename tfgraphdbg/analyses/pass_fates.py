"""Recording -> the fate of every op that was traced or that inlining made, and the origins of every op that ran.

Two seams are crossed: the runtime inlines calls and lowers loops and branches, then Grappler's passes rewrite what
they are given. One chain of edits leads over both, so an op merged into one that is later fused ends in the fused op.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tfgraphdbg.analyses.edit_outcomes import ANY_ORDER, MAX_CHAIN, AttrSets, PassRun, data_inputs, producer
from tfgraphdbg.analyses.fate_rules import PASS_THROUGH, RUNTIME, Fate, kind_of
from tfgraphdbg.analyses.rewrite_fates import FateEvent, RewriteFates
from tfgraphdbg.graph_model import FUNCTION_SEPARATOR, GraphModel, OpNode, garbage_collection_paused, op_id, parse_input
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.rewrites import RewriteHistory

SPECIALIZED = "_specialized_for_"
"""Between a library function's name and the call that Grappler made a copy of it for."""


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
    """By op id: what each pass did to it, in order."""


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
        accounting.add_graph(own)
        for history in recording.rewrites(tracing):
            if history.function:
                accounting.add_called_function(history)
        accounting.add_function_bodies()
        accounting.add_new_ops()
        return accounting.result()


class _Accounting:
    """Builds the accounting part by part; each op gets its row once."""

    def __init__(self, traced: GraphModel, lowered: GraphModel, optimized: GraphModel) -> None:
        self._traced, self._lowered, self._optimized = traced, lowered, optimized
        self._fates: dict[str, OpFate] = {}
        self._events: dict[str, tuple[FateEvent, ...]] = {}
        self._also: dict[str, list[str]] = {}
        self._bodies: dict[str, dict[str, OpNode]] = {name: {} for name in traced.functions}
        for op in traced.ops:
            if op.function:
                self._bodies[op.function][op.name] = op
        self._copies: dict[str, list[str]] = {}
        self._inlined_from: set[str] = set()
        self._own: RewriteFates | None = None
        self._prefixes: dict[str, dict[str, None]] = {}
        self._passed: Mapping[str, list[str]] = {}

    def add_graph(self, history: RewriteHistory) -> None:
        """The tracing's own graph: from traced over lowered to optimized."""
        given = {op.name: op for op in self._lowered.ops if not op.function}
        for op in given.values():
            for origin in op.origins:
                self._copies.setdefault(origin, []).append(op.name)
                self._inlined_from.add(origin.partition(FUNCTION_SEPARATOR)[0])
                self._note_places(op.name, origin)
        self._passed = _passed_arguments(given)
        traced = {op.name: op for op in self._traced.ops if not op.function}
        attr_sets = (*self._lowered.attr_sets, *history.attr_sets)
        self._own = self._follow(traced, given, history, attr_sets)
        self._add_rows("", "", self._own, traced, given)

    def add_called_function(self, history: RewriteHistory) -> None:
        """A library function that stayed a call, as the runtime instantiated it; of several copies the first."""
        traced = self._bodies.get(history.function)
        if not traced or op_id(history.function, next(iter(traced))) in self._fates:
            return
        given = {op.name: op for op in history.first_ops}
        followed = self._follow(traced, given, history, history.attr_sets)
        self._add_rows(history.function, history.item, followed, traced, given)

    def _follow(
        self,
        traced: Mapping[str, OpNode],
        given: Mapping[str, OpNode],
        history: RewriteHistory,
        attr_sets: AttrSets,
    ) -> RewriteFates:
        followed = RewriteFates(traced, attr_sets, self._traced.functions)
        followed.lower(given)
        for step in history.steps:
            followed.take(step)
        return followed

    def _add_rows(
        self,
        function: str,
        item: str,
        followed: RewriteFates,
        traced: Mapping[str, OpNode],
        given: Mapping[str, OpNode],
    ) -> None:
        for name, op in {**given, **traced}.items():
            id_ = op_id(function, name)
            into = followed.ended_in(name)
            event = self._deciding_event(followed, op, given.get(name, op))
            if event is not None and event.fate == "inlined":
                into = followed.ended_in(event.into) or self._first_of_call(op, followed) or into
                if not into and not self._was_inlined(op):
                    event = event._replace(fate="removed")
                if name in followed.now and not function:
                    self._also.setdefault(name, []).append(id_)
            self._add(id_, op, event, op_id(item, into) if into else None)
            if name in followed.events:
                self._events[id_] = tuple(followed.events[name])
                if not function and event is not None and event.fate != "removed":
                    for other in followed.all_ended_in(name):
                        self._also.setdefault(other, []).append(id_)

    def _deciding_event(self, followed: RewriteFates, traced: OpNode, given: OpNode) -> FateEvent | None:
        """The event that is its fate; None for an op that is kept: it reads the same values as ever."""
        event = followed.decisive(given.name)
        if event is None or event.seen != "inputs changed" or event.fate == "moved":
            return event
        now = followed.now[given.name]
        before = traced if event.pass_name == RUNTIME else given
        return None if _SameValues(followed, self._known).reads_the_same(before, now) else event

    def _known(self, name: str) -> OpNode | None:
        return self._lowered.by_id.get(name) or self._traced.by_id.get(name)

    def _was_inlined(self, call: OpNode) -> bool:
        """Whether anything that Grappler was given came from a call."""
        attrs = self._traced.attrs_of(call)
        called = {str(value) for value in attrs.values() if isinstance(value, str)} | {call.op_type}
        return call.id in self._copies or bool(called & self._inlined_from)

    def _first_of_call(self, call: OpNode, followed: RewriteFates) -> str:
        """For a call whose value nobody reads: the first op that ran of those that it became."""
        if call.function:
            return ""
        copies = self._copies.get(call.id, ())
        return next((into for name in copies if (into := followed.ended_in(name))), "")

    def add_function_bodies(self) -> None:
        """Ops of library functions: inlined into their copies, or left in a function that stays a call."""
        assert self._own is not None
        remaining = {op.id for op in self._optimized.ops if op.function}
        for function, body in self._bodies.items():
            copied = {f for f in self._optimized.functions if f.partition(SPECIALIZED)[0] == function}
            for name, op in body.items():
                id_ = op_id(function, name)
                if id_ in self._fates:
                    continue
                copies = self._copies.get(id_) or self._given_for_argument(function, op)
                ran_as = next((op_id(f, name) for f in sorted(copied, key=len) if op_id(f, name) in remaining), None)
                is_passed = kind_of(op, ()) == "argument" and function in self._inlined_from
                if copies or is_passed:
                    into = next((into for copy in copies if (into := self._own.ended_in(copy))), None)
                    self._fates[id_] = OpFate(id_, op.op_type, "inlined", RUNTIME, None, into)
                elif ran_as is not None:
                    self._fates[id_] = OpFate(id_, op.op_type, "kept", None, None, ran_as)
                else:
                    self._fates[id_] = OpFate(id_, op.op_type, "removed", RUNTIME, None, None)

    def _given_for_argument(self, function: str, argument: OpNode) -> tuple[str, ...]:
        """The ops by which an inlined body reads what its argument stood for, one for each place it was inlined at."""
        if kind_of(argument, ()) != "argument":
            return ()
        arguments = [op.name for op in self._bodies[function].values() if kind_of(op, ()) == "argument"]
        place = arguments.index(argument.name)
        passed = (self._passed.get(prefix, ()) for prefix in self._prefixes.get(function, ()))
        # The runtime numbers them in the order of the arguments; another number of them means another order.
        return tuple(names[place] for names in passed if len(names) == len(arguments))

    def _note_places(self, name: str, origin: str) -> None:
        function, _, body_name = origin.rpartition(FUNCTION_SEPARATOR)
        if function and name.endswith(f"/{body_name}"):
            self._prefixes.setdefault(function, {})[name[: -len(body_name) - 1]] = None

    def _add(self, id_: str, op: OpNode, event: FateEvent | None, into: str | None) -> None:
        if event is None:
            self._fates[id_] = OpFate(id_, op.op_type, "kept", None, None, into)
        else:
            self._fates[id_] = OpFate(id_, op.op_type, event.fate, event.pass_name, event.iteration, into)

    def add_new_ops(self) -> None:
        """A row for every op that ran and came from none."""
        assert self._own is not None
        reached = {fate.into for fate in self._fates.values() if fate.into is not None and fate.fate != "removed"}
        reached.update(self._also)
        for op in self._optimized.ops:
            if op.id in reached or op.id in self._fates:
                continue
            if op.function:
                base = op_id(op.function.partition(SPECIALIZED)[0], op.name)
                if base in self._traced.by_id:
                    continue
                run = PassRun("function_optimizer" if SPECIALIZED in op.function else RUNTIME, None)
            else:
                run = self._own.made_by.get(op.name, PassRun(RUNTIME, None))
            self._fates[op.id] = OpFate(op.id, op.op_type, "new", *run, op.id)

    def result(self) -> PassFates:
        """The accounting, once every part was added."""
        origins: dict[str, list[str]] = {}
        for id_, fate in self._fates.items():
            if fate.into is not None and fate.fate not in ("removed", "new"):
                origins.setdefault(fate.into, []).append(id_)
        for into, ids in self._also.items():
            known = origins.setdefault(into, [])
            known += [id_ for id_ in ids if id_ not in known]
        for op in self._optimized.ops:
            if op.function and op.id not in origins:
                base = op_id(op.function.partition(SPECIALIZED)[0], op.name)
                if base in self._traced.by_id:
                    origins[op.id] = [base]
        return PassFates(self._fates, {id_: tuple(ids) for id_, ids in origins.items()}, self._events)


def _passed_arguments(given: Iterable[str]) -> dict[str, list[str]]:
    """Where a body was inlined -> the ops that pass its arguments in, in order (seen on 2.16 and 2.21)."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name in given:
        if name.startswith("Func/") and (passed := _PASSED.fullmatch(name)):
            found.setdefault(passed[1], []).append((int(passed[2]), name))
    return {prefix: [name for _, name in sorted(names)] for prefix, names in found.items()}


_PASSED = re.compile(r"Func/(.+)/input/_(\d+)", re.DOTALL)


class _SameValues:
    """Whether an op of the last graph reads the values that it read at first."""

    def __init__(self, followed: RewriteFates, known: Callable[[str], OpNode | None]) -> None:
        self._followed = followed
        self._known = known

    def reads_the_same(self, before: OpNode, now: OpNode) -> bool:
        """Whether each input is what the one before stands for; the order counts where the op minds it."""
        was, reads = data_inputs(before), data_inputs(now)
        if len(was) != len(reads):
            return False
        if all(map(self._is_same, was, reads)):
            return True
        return before.op_type in ANY_ORDER and self._is_permutation(was, reads)

    def _is_permutation(self, was: list[str], reads: list[str]) -> bool:
        left = list(reads)
        for old in was:
            found = next((new for new in left if self._is_same(old, new)), None)
            if found is None:
                return False
            left.remove(found)
        return True

    def _is_same(self, old: str, new: str) -> bool:
        """Whether `new` stands for the value of `old`: itself, what it ended in, or what it only passes on."""
        new_name = producer(new)
        for _ in range(MAX_CHAIN):
            name, output = parse_input(old)
            if name == new_name or new_name in self._followed.all_ended_in(name):
                return True
            op = self._known(name)
            inputs = data_inputs(op) if op is not None and op.op_type in PASS_THROUGH else []
            if output >= len(inputs):
                return False
            old = inputs[output]
        return False
