"""One edit of a graph -> what was seen of each op that is gone, or that nobody reads any more.

All evidence is in the edit: an op that is gone was read only by ops that are gone too or changed, so following what
those read instead tells who stands in for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tfgraphdbg.analyses.fates.edits import (
    CONSTANT,
    UNUSED,
    Edit,
    Outcome,
    data_inputs,
    newcomers,
    producer,
)
from tfgraphdbg.analyses.fates.reader_votes import ReaderVotes, count, most
from tfgraphdbg.analyses.fates.rules import is_fused_type
from tfgraphdbg.graph_model import OpNode

_COMPOSED = "unary_ops_composition"
"""How Grappler names the op that does the work of a row of unary ops, below the name of the last of them."""


class EditOutcomes:
    """The outcomes of one edit; each is worked out when first asked for."""

    def __init__(self, edit: Edit, unread: Mapping[str, Outcome] | None = None) -> None:
        """`unread` tells of ops that nobody reads since an earlier pass what was seen of them then."""
        self._edit = edit
        self._unread = unread or {}
        self._known: dict[str, Outcome] = {}
        self._open: set[str] = set()
        self._constant_valued: set[str] = set()
        self._newcomers: dict[str, list[str]] = {}
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
        # Rows of thousands of ops can be gone at once, so the readers' outcomes are found without recursion.
        waiting = [name]
        while waiting:
            one = waiting[-1]
            if one not in self._known and one not in self._open:
                self._open.add(one)
                waiting += self._gone_readers_to_see(one)
            else:
                waiting.pop()
                if one not in self._known:
                    self._known[one] = self._find(one)
        return self._known[name]

    def _gone_readers_to_see(self, name: str) -> list[str]:
        after, known, opened = self._edit.after, self._known, self._open
        return [
            reader
            for reader, _ in self._readers.get(name, ())
            if reader not in after and reader not in known and reader not in opened
        ]

    def _find(self, name: str) -> Outcome:
        found = self._seen_from_readers(name)
        return self._seen_earlier(name, found) if found.seen == "unused" else found

    def _seen_earlier(self, name: str, now: Outcome) -> Outcome:
        earlier = self._unread.get(name, now)
        # What others still waited for was needed until now.
        return now if earlier.seen == "unused" and name in self._waiting_for else earlier

    def _seen_from_readers(self, name: str) -> Outcome:
        readers = self._readers.get(name)
        if readers is None:
            return self._control_twin(name)
        votes = ReaderVotes({}, {}, {}, {}, {}, {}, [])
        for reader, position in readers:
            now = self._edit.after.get(reader)
            if now is None:
                self._see_gone_reader(name, reader, position, votes)
            else:
                votes.runs.append(None)
                self._see_reader(name, self._edit.before[reader], now, position, votes)
        outcome = self._decided(name, votes)
        if outcome.run is None and None not in votes.runs:
            outcome = outcome._replace(run=votes.runs[-1])
        return outcome

    def _decided(self, name: str, votes: ReaderVotes) -> Outcome:
        composed = f"{name}/{_COMPOSED}"
        if composed in self._edit.after and composed not in self._edit.before:
            # Its readers may have been put in another order too, and read something else in its place.
            return Outcome("absorbed", composed)
        if votes.stand_ins:
            stand_ins = sorted(votes.stand_ins, key=votes.stand_ins.__getitem__, reverse=True)
            outcome = self._replaced(name, stand_ins)
            if outcome.seen in ("used in folding", "unused"):
                return outcome
            return outcome._replace(outputs=tuple(votes.outputs.items()))
        if votes.absorbers:
            return Outcome("absorbed", most(votes.absorbers))
        if votes.takers:
            return Outcome("taken over", most(votes.takers))
        if votes.rewritten:
            outcome = most(votes.rewritten)
            return self._constant_of(name, outcome) if self._is_constant(name) else outcome
        if votes.folders and self._edit.is_constant_valued(name, self._constant_valued):
            return Outcome("used in folding", most(votes.folders))
        return UNUSED

    def _is_constant(self, name: str) -> bool:
        return self._edit.before[name].op_type == CONSTANT

    def _constant_of(self, name: str, outcome: Outcome) -> Outcome:
        """For a constant whose reader was rewritten: the constant that was made in its place, if one was."""
        made = self._edit.made_constant(outcome.into) if outcome.into in self._edit.after else ""
        if made:
            return Outcome("constant", made, run=outcome.run)
        return outcome if outcome.seen == "absorbed" else UNUSED

    def _control_twin(self, name: str) -> Outcome:
        """For an op that others only waited for: the equal op that they wait for now instead."""
        edit = self._edit
        for waiting in self._waiting_for.get(name, ()):
            now = edit.after.get(waiting)
            for text in now.inputs if now is not None else ():
                if text[:1] == "^" and text not in edit.before[waiting].inputs and edit.are_equal(name, text[1:]):
                    return Outcome("twin", text[1:])
        return UNUSED

    def _see_reader(self, name: str, was: OpNode, now: OpNode, position: int, votes: ReaderVotes) -> None:
        edit = self._edit
        before, after = data_inputs(was), data_inputs(now)
        became_another = edit.computes_anew(now.name)
        if now.op_type == CONSTANT and was.op_type != CONSTANT:
            count(votes.folders, now.name)
        elif became_another and is_fused_type(now.op_type):
            count(votes.absorbers, now.name)
        elif len(before) == len(after):
            found = edit.read_instead(was, before, after, position)
            if producer(found) == name:
                return
            if became_another and edit.computes(name) and edit.passes_on(name, producer(found)):
                count(votes.takers, now.name)
            else:
                votes.for_stand_in(before[position], found)
        elif became_another and (len(after) > len(before) or edit.computes(name)):
            count(votes.takers, now.name)
        elif found := self._newcomers_of(now.name, before, after)[position]:
            votes.for_stand_in(before[position], found)

    def _newcomers_of(self, reader: str, before: list[str], after: list[str]) -> list[str]:
        if reader not in self._newcomers:
            self._newcomers[reader] = newcomers(before, after)
        return self._newcomers[reader]

    def _see_gone_reader(self, name: str, reader: str, position: int, votes: ReaderVotes) -> None:
        # Around a loop there is none yet: what stands in is found from the other readers.
        outcome = self._known.get(reader, UNUSED)
        seen, into = outcome.seen, outcome.into
        was, now = self._edit.before[reader], self._edit.after.get(into)
        votes.runs.append(outcome.run)
        if seen == "twin" and now is not None:
            inputs, twin_inputs = data_inputs(was), data_inputs(now)
            if len(twin_inputs) == len(inputs):
                found = self._edit.read_instead(was, inputs, twin_inputs, position)
                if producer(found) != name:
                    votes.for_stand_in(inputs[position], found)
        elif seen in ("constant", "used in folding"):
            count(votes.folders, into)
        elif seen == "own input":
            # The reader passed a value on: this one's, when it is what its own readers now read past both.
            if into and self._edit.passes_on(name, self._edit.value_source(into)):
                votes.for_stand_in(was.inputs[position], dict(outcome.outputs).get(0, into))
        elif seen in ("absorbed", "taken over", "new op", "other op") and into:
            count(votes.rewritten, outcome)

    def _replaced(self, name: str, stand_ins: list[str]) -> Outcome:
        edit = self._edit
        was, now = edit.before[name], edit.after.get(stand_ins[0])
        # Only several outputs can have several stand-ins: others are readers that were rewritten themselves.
        stand_in, also = stand_ins[0], tuple(stand_ins[1:]) if len(was.outputs) != 1 else ()
        if now is None:
            return UNUSED
        before = edit.before.get(stand_in)
        if edit.passes_on(name, edit.value_source(stand_in)):
            does_both = edit.computes_anew(stand_in) and edit.computes(name)
            return Outcome("taken over" if does_both else "own input", stand_in, also)
        if was.op_type == CONSTANT and before is not None and before.op_type == CONSTANT == now.op_type:
            return self._other_constant(name, stand_in)
        if before is not None and before.op_type == was.op_type == now.op_type:
            return Outcome("twin", stand_in, also)
        if now.op_type == CONSTANT:
            return Outcome("constant", stand_in, also)
        if was.op_type == CONSTANT:
            # Its readers compute with another constant elsewhere: c * (x / k) became x * (c / k).
            return self._used_in_folding(name)
        if is_fused_type(now.op_type) and (before is None or before.op_type != now.op_type):
            return Outcome("absorbed", stand_in, also)
        return Outcome("new op" if before is None else "other op", stand_in, also)

    def _other_constant(self, name: str, stand_in: str) -> Outcome:
        """For a constant in whose place another one is read that was there before."""
        if self._edit.is_another_constant(name, stand_in):
            return self._used_in_folding(name)
        return Outcome("twin", stand_in)

    def _used_in_folding(self, name: str) -> Outcome:
        """Into the constant that a reader of this one reads now, or that reader, unless it needs none any more."""
        readers = [reader for reader, _ in self._readers[name] if reader in self._edit.after]
        made = next(filter(None, map(self._edit.made_constant, readers)), "")
        still = next((reader for reader in readers if not self._edit.computes_anew(reader)), "")
        return Outcome("used in folding", made or still) if made or still else UNUSED
