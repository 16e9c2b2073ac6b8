"""One edit of a graph, and what can be asked of it: who reads what instead, and who passes a value on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from tfgraphdbg.analyses.fates.edited_reads import EditedReads
from tfgraphdbg.analyses.fates.op_inputs import data_inputs, producer
from tfgraphdbg.analyses.fates.rules import KNOWN_FROM_SHAPE, PASS_THROUGH, REARRANGING, Seen
from tfgraphdbg.analyses.input_changes import COMMUTATIVE
from tfgraphdbg.analyses.op_pairing import role
from tfgraphdbg.graph_model import AttrValue, OpNode

AttrSets = tuple[Mapping[str, AttrValue], ...]

CONSTANT = "Const"

ENTRY = "Enter"
"""The op type by which a lowered loop reads what is outside of it."""

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
    outputs: tuple[tuple[int, str], ...] = ()
    """For each output that was read: what is read in its place, in GraphDef notation; empty where none is told."""
    run: PassRun | None = None
    """The earlier pass that decided: this edit only cleans up. None for the pass of the edit."""


UNUSED = Outcome("unused", "")


class Edit(NamedTuple):
    """One edit: ops that are gone or changed as they were before, and what is there now."""

    before: Mapping[str, OpNode]
    """Every op of the graph before it."""
    after: Mapping[str, OpNode]
    reads: EditedReads
    uses: Mapping[str, int]
    """How often the data of each op is read after it."""
    entries: Set[str]
    """The ops through which loops read what is outside of them."""
    attr_sets: AttrSets
    exact: bool = True
    """Whether the attrs of both are in `attr_sets`, and count."""

    def computes_anew(self, name: str) -> bool:
        """Whether Grappler made another op of one, under its name, and that computes something."""
        was, now = self.before.get(name), self.after.get(name)
        return was is not None and now is not None and self.is_made_anew(was, now)

    def is_made_anew(self, was: OpNode, now: OpNode) -> bool:
        """The same of an op that is there before and after."""
        if was.op_type == now.op_type or not self.exact or role(was) == role(now):
            return False
        return now.op_type not in PASS_THROUGH and now.op_type != CONSTANT

    def computes(self, name: str) -> bool:
        """Whether an op did more than to pass a value on or to arrange it in another way."""
        op_type = self.before[name].op_type
        return op_type not in PASS_THROUGH and op_type not in REARRANGING

    def made_constant(self, reader: str) -> str:
        """The first constant that an op reads now and that was not one before; empty for none."""
        for source in map(producer, data_inputs(self.after[reader])):
            now, was = self.after.get(source), self.before.get(source)
            if now is not None and now.op_type == CONSTANT and (was is None or was.op_type != CONSTANT):
                return source
        return ""

    def became_constant(self, name: str) -> bool:
        """Whether an op that computed something is a constant of its name now."""
        was, now = self.before.get(name), self.after.get(name)
        return was is not None and now is not None and was.op_type != CONSTANT == now.op_type

    def passes_on(self, name: str, source: str) -> bool:
        """Whether `source` feeds an op directly, or through ops that are gone, changed or read no more."""
        now = self.after.get(name)
        if now is not None and source in map(producer, data_inputs(now)):
            return True
        inputs = data_inputs(self.before[name])
        if not inputs or source in map(producer, inputs):
            return bool(inputs)
        kept = self.before.get(source)
        if kept is not None and kept.op_type == self.before[name].op_type:
            # An op of its own type is its twin, not what feeds it from afar.
            return False
        waiting, seen = [name], {name}
        met: Counter[str] = Counter()
        while waiting and len(seen) < MAX_CHAIN:
            for text in data_inputs(self.before[waiting.pop()]):
                feeding = producer(text)
                if feeding == source:
                    return True
                met[feeding] += 1
                # What is there may have no readers but those that are read no more themselves.
                is_read = feeding in self.after and self.uses.get(feeding, 0) > met[feeding]
                if feeding not in seen and feeding in self.before and not is_read:
                    seen.add(feeding)
                    waiting.append(feeding)
        return False

    def value_source(self, name: str) -> str:
        """The op that was there before and of which an op, or the Identity that a pass made for it, is the value."""
        for _ in range(MAX_CHAIN):
            now = self.after.get(name)
            if name in self.before or now is None or now.op_type not in PASS_THROUGH:
                break
            name = next(map(producer, data_inputs(now)), "")
        return name

    def is_constant_valued(self, name: str, known: set[str]) -> bool:
        """Whether an op computes from constants alone, or from shapes that are known; those found are `known` next."""
        waiting, seen = [name], {name}
        while waiting:
            op = self.before.get(waiting.pop())
            if op is None:
                return False
            if op.op_type in KNOWN_FROM_SHAPE:
                continue
            inputs = data_inputs(op)
            if op.op_type != CONSTANT and not inputs:
                return False
            for source in map(producer, inputs):
                if source not in seen and source not in known:
                    seen.add(source)
                    waiting.append(source)
        known |= seen
        return True

    def attrs_differ(self, was: OpNode, now: OpNode) -> bool:
        """Whether an attr that both have differs: TFG adds defaults, passes leave notes, constants are packed anew."""
        if was.attrs < 0 or now.attrs < 0 or was.attrs == now.attrs:
            return False
        before, after = self.attr_sets[was.attrs], self.attr_sets[now.attrs]
        return any(
            key in before and before[key] != value
            for key, value in after.items()
            if key[:1] != "_" and not (key == "value" and now.op_type == CONSTANT)
        )

    def are_equal(self, name: str, other: str) -> bool:
        """Whether two ops of before are the same but for their names, and the other one is still there as it was."""
        was, twin, now = self.before[name], self.before.get(other), self.after.get(other)
        if twin is None or now is None or not was.op_type == twin.op_type == now.op_type:
            return False
        if set(was.inputs) != set(twin.inputs) or data_inputs(was) != data_inputs(twin):
            return False
        return not self.attrs_differ(was, twin) and not self.is_another_constant(name, other)

    def is_another_constant(self, name: str, other: str) -> bool:
        """Whether two constants are known to hold different values."""
        was, kept = self.before[name].attrs, self.before[other].attrs
        if was < 0 or kept < 0 or was == kept or not self.exact:
            return False
        return self.attr_sets[was].get("value") != self.attr_sets[kept].get("value")

    def read_instead(self, was: OpNode, before: Sequence[str], after: Sequence[str], position: int) -> str:
        """What an op of as many inputs reads now in place of one; Grappler sorts those of additions and the like."""
        if was.op_type not in ANY_ORDER:
            return after[position]
        known = set(before) if len(before) > MAX_CHAIN else before
        came = [text for text in after if text not in known or self.became_constant(producer(text))]
        if len(came) == 1:
            return came[0]
        gone = producer(before[position])
        likely = (
            next((text for text in came if self.became_constant(producer(text))), None)
            if self.before[gone].op_type == CONSTANT or self.became_constant(gone)
            else None,
            next((text for text in came[:MAX_CHAIN] if self.passes_on(gone, producer(text))), None),
            self._of_its_type(gone, [*([after[position]] if after[position] in came else []), *came]),
            after[position] if after[position] in came else None,
        )
        return next((text for text in likely if text is not None), came[0] if came else after[position])

    def _of_its_type(self, name: str, among: list[str]) -> str | None:
        """Of inputs the first made by an op of the type of one; for a constant rather one that holds its value."""
        op_type = self.before[name].op_type
        found = [text for text in among if self.after[producer(text)].op_type == op_type]
        if op_type == CONSTANT:
            kept = [text for text in found if producer(text) in self.before]
            found = [text for text in kept if not self.is_another_constant(name, producer(text))] or found
        return next(iter(found), None)


def newcomers(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """For each input of an op that reads fewer now: what it reads in its place, or empty where that is unchanged."""
    was, now = set(before), {text: place for place, text in reversed(list(enumerate(after)))}
    # The inputs that both have divide the others into groups, of which each became one.
    latest = [""]
    for text in after:
        latest.append(latest[-1] if text in was else text)
    found, up_to = [""] * len(before), len(after)
    for position in range(len(before) - 1, -1, -1):
        if before[position] in now:
            up_to = now[before[position]]
        else:
            found[position] = latest[up_to] or latest[-1]
    return found
