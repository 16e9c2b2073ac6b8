"""One edit of a graph -> what was seen of each op that is gone, or that nobody reads any more.

All evidence is in the edit: an op that is gone was read only by ops that are gone too or changed, so following what
those read instead tells who stands in for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tfgraphdbg.analyses.fates.edited_reads import EditedOp
from tfgraphdbg.analyses.fates.edits import CONSTANT, UNUSED, Edit, Outcome, newcomers
from tfgraphdbg.analyses.fates.op_inputs import data_inputs, producer
from tfgraphdbg.analyses.fates.reader_votes import ReaderVotes, count, most
from tfgraphdbg.analyses.fates.rules import Seen, is_fused_type
from tfgraphdbg.graph_model import OpNode

_COMPOSED = "unary_ops_composition"
"""How Grappler names the op that does the work of a row of unary ops, below the name of the last of them."""


class EditOutcomes:
    """The outcomes of one edit; each is worked out when first asked for."""

    def __init__(self, edit: Edit, unread: Mapping[str, Outcome] | None = None) -> None:
        """`unread` tells of ops that nobody reads since an earlier pass what was seen of them then."""
        self._edit = edit
        self._readers, self._waiting_for = edit.reads.lost, edit.reads.waiting_for
        self._unread = unread or {}
        self._known: dict[str, Outcome] = {}
        self._open: set[str] = set()
        self._constant_valued: set[str] = set()
        self._newcomers: dict[str, list[str]] = {}

    def of_gone(self, name: str) -> Outcome:
        """What became of an op that is gone, or of whose readers all are gone or read something else."""
        # Rows of thousands of ops can be gone at once, so the readers' outcomes are found without recursion.
        waiting = [] if name in self._known else [name]
        while waiting:
            one = waiting[-1]
            to_see = [] if one in self._open else self._gone_readers_to_see(one)
            self._open.add(one)
            if to_see:
                waiting += to_see
            elif waiting.pop() not in self._known:
                self._known[one] = self._find(one)
        return self._known[name]

    def _gone_readers_to_see(self, name: str) -> list[str]:
        known, opened = self._known, self._open
        return [
            reader.was.name
            for reader, _ in self._readers.get(name, ())
            if reader.now is None and reader.was.name not in known and reader.was.name not in opened
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
            if reader.now is None:
                self._see_gone_reader(name, reader, position, votes)
            else:
                self._see_reader(name, reader, reader.now, position, votes)
        outcome = self._decided(name, votes)
        if len(votes.runs) == len(readers) and outcome.run is None:
            outcome = outcome._replace(run=votes.runs[-1])
        return outcome

    def _decided(self, name: str, votes: ReaderVotes) -> Outcome:
        composed = f"{name}/{_COMPOSED}"
        if composed in self._edit.after and composed not in self._edit.before:
            # Its readers may have been put in another order too, and read something else in its place.
            return Outcome("absorbed", composed)
        if votes.stand_ins:
            return self._replaced(name, votes)
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

    def _see_reader(self, name: str, reader: EditedOp, now: OpNode, position: int, votes: ReaderVotes) -> None:
        edit, (was, _, before, after) = self._edit, reader
        became_another = was.op_type != now.op_type and edit.is_made_anew(was, now)
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
        elif found := self._newcomers_of(reader)[position]:
            votes.for_stand_in(before[position], found)

    def _newcomers_of(self, reader: EditedOp) -> list[str]:
        if reader.was.name not in self._newcomers:
            self._newcomers[reader.was.name] = newcomers(reader.read, reader.reads)
        return self._newcomers[reader.was.name]

    def _see_gone_reader(self, name: str, reader: EditedOp, position: int, votes: ReaderVotes) -> None:
        # Around a loop there is none yet: what stands in is found from the other readers.
        outcome = self._known.get(reader.was.name, UNUSED)
        seen, into = outcome.seen, outcome.into
        now = self._edit.after.get(into)
        if outcome.run is not None:
            votes.runs.append(outcome.run)
        if seen == "twin" and now is not None:
            inputs, twin_inputs = reader.read, data_inputs(now)
            if len(twin_inputs) == len(inputs):
                found = self._edit.read_instead(reader.was, inputs, twin_inputs, position)
                if producer(found) != name:
                    votes.for_stand_in(inputs[position], found)
        elif seen in ("constant", "used in folding"):
            count(votes.folders, into)
        elif seen == "own input":
            # The reader passed a value on: this one's, when it is what its own readers now read past both.
            if into and self._edit.passes_on(name, self._edit.value_source(into)):
                votes.for_stand_in(reader.read[position], dict(outcome.outputs).get(0, into))
        elif seen in ("absorbed", "taken over", "new op", "other op") and into:
            count(votes.rewritten, outcome)

    def _replaced(self, name: str, votes: ReaderVotes) -> Outcome:
        stand_ins = list(votes.stand_ins)
        if len(stand_ins) > 1:
            stand_ins.sort(key=votes.stand_ins.__getitem__, reverse=True)
        was, stand_in = self._edit.before[name], stand_ins[0]
        seen = self._seen_of_replaced(was, stand_in)
        if seen is None:
            # Its readers compute with another constant elsewhere: c * (x / k) became x * (c / k).
            return self._used_in_folding(name)
        if seen == "unused":
            return UNUSED
        # Only several outputs can have several stand-ins: others are readers that were rewritten themselves.
        also = () if len(was.outputs) == 1 or was.op_type == CONSTANT else tuple(stand_ins[1:])
        return Outcome(seen, stand_in, also, tuple(votes.outputs.items()))

    def _seen_of_replaced(self, was: OpNode, stand_in: str) -> Seen | None:
        """What was seen of an op in whose place another one is read; None for a constant that others computed with."""
        edit, name = self._edit, was.name
        before, now = edit.before.get(stand_in), edit.after.get(stand_in)
        if now is None:
            return "unused"
        was_type, before_type, now_type = was.op_type, before.op_type if before is not None else "", now.op_type
        if was_type == before_type == now_type == CONSTANT:
            return None if edit.is_another_constant(name, stand_in) else "twin"
        if edit.passes_on(name, edit.value_source(stand_in)):
            return "taken over" if edit.computes_anew(stand_in) and edit.computes(name) else "own input"
        if was_type == before_type == now_type:
            return "twin"
        if now_type == CONSTANT:
            return "constant"
        if was_type == CONSTANT:
            return None
        if is_fused_type(now_type) and before_type != now_type:
            return "absorbed"
        return "new op" if before is None else "other op"

    def _used_in_folding(self, name: str) -> Outcome:
        """Into the constant that a reader of this one reads now, or that reader, unless it needs none any more."""
        readers = [reader.was.name for reader, _ in self._readers[name] if reader.now is not None]
        made = next(filter(None, map(self._edit.made_constant, readers)), "")
        still = next((reader for reader in readers if not self._edit.computes_anew(reader)), "")
        return Outcome("used in folding", made or still) if made or still else UNUSED
