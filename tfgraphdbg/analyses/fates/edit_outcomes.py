"""One edit of a graph -> what was seen of each op that is gone, that nobody reads any more, or that changed in place.

All evidence is in the edit: an op that is gone was read only by ops that are gone too or changed, so following what
those read instead tells who stands in for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tfgraphdbg.analyses.devices import devices_differ
from tfgraphdbg.analyses.fates.rules import PASS_THROUGH, Seen, is_fused_type
from tfgraphdbg.analyses.input_changes import COMMUTATIVE
from tfgraphdbg.analyses.op_pairing import role
from tfgraphdbg.graph_model import AttrValue, OpNode, parse_input

AttrSets = tuple[Mapping[str, AttrValue], ...]

CONSTANT = "Const"

ANY_ORDER = COMMUTATIVE | {"AddN", "SquaredDifference"}
"""Op types of which Grappler sorts the inputs, so that their order says nothing."""

MAX_CHAIN = 64
"""How many removed ops in a row may pass a value on: longer chains of Identity do not occur."""


class PassRun(NamedTuple):
    """Which pass made an edit."""

    pass_name: str
    iteration: int | None
    """None for the runtime's own inlining and lowering."""


class Outcome(NamedTuple):
    """What was seen of an op in one edit, and the op that stands in for it: itself, another one, or none (empty)."""

    seen: Seen
    into: str
    also: tuple[str, ...] = ()
    """Further ops that stand in for other outputs of it."""
    run: PassRun | None = None
    """The earlier pass that decided: this edit only cleans up. None for the pass of the edit."""


UNUSED = Outcome("unused", "")


class Edit(NamedTuple):
    """One edit: ops that are gone or changed as they were before, and what is there now."""

    before: Mapping[str, OpNode]
    """Every op of the graph before it."""
    after: Mapping[str, OpNode]
    removed: Iterable[str]
    changed: Iterable[str]
    attr_sets: AttrSets
    exact: bool = True
    """Whether the attrs of both are in `attr_sets`, and count."""


def data_inputs(op: OpNode) -> list[str]:
    """Its data inputs in GraphDef notation; control inputs come last and are left out."""
    inputs = op.inputs
    if inputs and inputs[-1][:1] == "^":
        return [text for text in inputs if text[:1] != "^"]
    return list(inputs)


def producer(text: str) -> str:
    """The op that makes a data input."""
    return text if ":" not in text else parse_input(text).name


class _Votes(NamedTuple):
    """What the readers of an op tell of it, and how many do."""

    stand_ins: Counter[str]
    """Ops that are read in its place."""
    absorbers: Counter[str]
    """Readers that do its work now."""
    folders: Counter[str]
    """Constants into which its readers were folded."""
    rewritten: Counter[Outcome]
    """What became of readers that were rewritten together with it."""


class EditOutcomes:
    """The outcomes of one edit; each is worked out when first asked for."""

    def __init__(self, edit: Edit, unread: Mapping[str, Outcome] | None = None) -> None:
        """`unread` tells of ops that nobody reads since an earlier pass what was seen of them then."""
        self._edit = edit
        self._unread = unread or {}
        self._known: dict[str, Outcome] = {}
        self._open: set[str] = set()
        self._readers: dict[str, list[tuple[str, int]]] = {}
        self._waiting_for: dict[str, list[str]] = {}
        for name in (*edit.removed, *edit.changed):
            for position, text in enumerate(edit.before[name].inputs):
                if text[:1] == "^":
                    self._waiting_for.setdefault(text[1:], []).append(name)
                else:
                    self._readers.setdefault(producer(text), []).append((name, position))

    @property
    def read_before(self) -> Iterable[str]:
        """Every op that an op of the edit read before it."""
        return self._readers

    def of_gone(self, name: str) -> Outcome:
        """What became of an op that is gone, or of whose readers all are gone or read something else."""
        known = self._known.get(name)
        if known is None:
            if name in self._open:
                # Around a loop: what stands in for it is found from its other readers.
                return UNUSED
            self._open.add(name)
            known = self._seen_from_readers(name)
            if known.seen == "unused":
                known = self._unread.get(name, known)
            self._known[name] = known
            self._open.discard(name)
        return known

    def _seen_from_readers(self, name: str) -> Outcome:
        votes = _Votes(Counter(), Counter(), Counter(), Counter())
        for reader, position in self._readers.get(name, ()):
            now = self._edit.after.get(reader)
            if now is None:
                self._see_gone_reader(name, reader, position, votes)
            else:
                self._see_reader(name, self._edit.before[reader], now, position, votes)
        if votes.stand_ins:
            return self._replaced(name, [stand_in for stand_in, _ in votes.stand_ins.most_common()])
        if votes.absorbers:
            return Outcome("absorbed", votes.absorbers.most_common(1)[0][0])
        if votes.rewritten:
            return votes.rewritten.most_common(1)[0][0]
        if votes.folders and self._is_constant_valued(name):
            return Outcome("used in folding", votes.folders.most_common(1)[0][0])
        return UNUSED if name in self._readers else self._control_twin(name)

    def _control_twin(self, name: str) -> Outcome:
        """For an op that others only waited for: the op of its type that they wait for now instead."""
        edit = self._edit
        op_type = edit.before[name].op_type
        for waiting in self._waiting_for.get(name, ()):
            now = edit.after.get(waiting)
            for text in now.inputs if now is not None else ():
                if text[:1] == "^" and text not in edit.before[waiting].inputs:
                    was = edit.before.get(text[1:])
                    if was is not None and was.op_type == op_type == edit.after[text[1:]].op_type:
                        return Outcome("twin", text[1:])
        return UNUSED

    def _see_reader(self, name: str, was: OpNode, now: OpNode, position: int, votes: _Votes) -> None:
        before, after = data_inputs(was), data_inputs(now)
        if now.op_type == CONSTANT and was.op_type != CONSTANT:
            votes.folders[now.name] += 1
        elif was.op_type != now.op_type and is_fused_type(now.op_type):
            votes.absorbers[now.name] += 1
        elif len(before) == len(after):
            found = self._read_instead(was, before, after, position)
            if found != name:
                votes.stand_ins[found] += 1
        elif was.op_type != now.op_type and len(after) > len(before):
            votes.absorbers[now.name] += 1

    def _read_instead(self, was: OpNode, before: list[str], after: list[str], position: int) -> str:
        """What an op reads now in the place of an input; Grappler sorts the inputs of additions and the like."""
        if was.op_type not in ANY_ORDER:
            return producer(after[position])
        if before[position] in after:
            return producer(before[position])
        came = [producer(text) for text in after if text not in before]
        gone = producer(before[position])
        gone_type = self._edit.before[gone].op_type
        likely = (
            next((name for name in came if self._passes_on(gone, name)), None),
            next((name for name in came if self._edit.after[name].op_type == gone_type), None),
            producer(after[position]) if after[position] not in before else None,
        )
        return next((name for name in likely if name is not None), came[0] if came else producer(after[position]))

    def _see_gone_reader(self, name: str, reader: str, position: int, votes: _Votes) -> None:
        outcome = self.of_gone(reader)
        seen, into = outcome.seen, outcome.into
        was, now = self._edit.before[reader], self._edit.after.get(into)
        if seen == "twin" and now is not None:
            inputs, twin_inputs = data_inputs(was), data_inputs(now)
            if len(twin_inputs) == len(inputs):
                found = self._read_instead(was, inputs, twin_inputs, position)
                if found != name:
                    votes.stand_ins[found] += 1
        elif seen in ("constant", "used in folding"):
            votes.folders[into] += 1
        elif seen == "own input":
            # The reader passed a value on: this one's, when it is what its own readers now read past both.
            if into and self._passes_on(name, into):
                votes.stand_ins[into] += 1
        elif seen in ("absorbed", "new op", "other op") and into:
            reads_it_still = now is not None and name in map(producer, data_inputs(now))
            if not reads_it_still:
                votes.rewritten[outcome] += 1

    def _replaced(self, name: str, stand_ins: list[str]) -> Outcome:
        edit = self._edit
        was, now = edit.before[name], edit.after.get(stand_ins[0])
        # Only several outputs can have several stand-ins: others are readers that were rewritten themselves.
        stand_in, also = stand_ins[0], tuple(stand_ins[1:]) if len(was.outputs) != 1 else ()
        if now is None:
            return UNUSED
        before = edit.before.get(stand_in)
        if self._passes_on(name, stand_in):
            return Outcome("own input", stand_in, also)
        if before is not None and before.op_type == was.op_type == now.op_type:
            return Outcome("twin", stand_in, also)
        if now.op_type == CONSTANT:
            return Outcome("constant", stand_in, also)
        if was.op_type == CONSTANT:
            # Its readers compute with another constant elsewhere: c * (x / k) became x * (c / k).
            reader = next((name for name, _ in self._readers[name] if name in edit.after), "")
            return Outcome("used in folding", reader)
        if is_fused_type(now.op_type) and (before is None or before.op_type != now.op_type):
            return Outcome("absorbed", stand_in, also)
        return Outcome("new op" if before is None else "other op", stand_in, also)

    def _passes_on(self, name: str, stand_in: str) -> bool:
        """Whether `stand_in` feeds an op directly, or through ops that are gone or changed as well."""
        edit = self._edit
        now = edit.after.get(name)
        if now is not None and stand_in in map(producer, data_inputs(now)):
            return True
        waiting, seen = [name], {name}
        while waiting and len(seen) < MAX_CHAIN:
            for text in data_inputs(edit.before[waiting.pop()]):
                source = producer(text)
                if source == stand_in:
                    return True
                if source not in seen and source in edit.before and source not in edit.after:
                    seen.add(source)
                    waiting.append(source)
        return False

    def _is_constant_valued(self, name: str) -> bool:
        """Whether an op computes from constants alone."""
        waiting, seen = [name], {name}
        while waiting:
            op = self._edit.before.get(waiting.pop())
            if op is None:
                return False
            inputs = data_inputs(op)
            if op.op_type != CONSTANT and not inputs:
                return False
            for source in map(producer, inputs):
                if source not in seen:
                    seen.add(source)
                    waiting.append(source)
            if len(seen) > MAX_CHAIN * MAX_CHAIN:
                return False
        return True

    def in_place(self, name: str) -> Outcome | None:
        """What changed of an op that keeps its name; None when only control inputs did."""
        edit = self._edit
        was, now = edit.before[name], edit.after[name]
        if role(was) != role(now):
            if now.op_type == CONSTANT:
                return Outcome("became constant", name)
            if is_fused_type(now.op_type):
                return Outcome("became fused", name)
            return Outcome("became pass-through" if now.op_type in PASS_THROUGH else "became another op", name)
        if devices_differ(was.device, now.device):
            return Outcome("device changed", name)
        if edit.exact and self._attrs_differ(was, now):
            return Outcome("attrs changed", name)
        return Outcome("inputs changed", name) if data_inputs(was) != data_inputs(now) else None

    def _attrs_differ(self, was: OpNode, now: OpNode) -> bool:
        """Whether an attr that both have differs: TFG adds defaults, passes leave notes, constants are packed anew."""
        if was.attrs < 0 or now.attrs < 0:
            return False
        before, after = self._edit.attr_sets[was.attrs], self._edit.attr_sets[now.attrs]
        return any(
            key in before and before[key] != value
            for key, value in after.items()
            if key[:1] != "_" and not (key == "value" and now.op_type == CONSTANT)
        )
