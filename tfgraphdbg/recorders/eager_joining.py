"""The ops of an eager run, as a callback saw them, joined one by one to the timed ops of profiled runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from statistics import mean, median
from typing import NamedTuple

import msgspec

from tfgraphdbg.eager_run import EagerOp, EagerPart
from tfgraphdbg.recorders.eager_op_log import ToldOps, renumbered
from tfgraphdbg.recorders.eager_times import CONSTANT, TimedOp, TimedRun

LARGEST_COMPARISON = 4_000_000
"""Product of two lengths up to which difflib looks at every element."""

Key = tuple[int, int]
"""An op of the log, -1 for none, and how many ops before it that only profiles saw: 0 is the op itself."""


class _Joined(NamedTuple):
    """One profiled run beside the log."""

    times: dict[Key, TimedOp]
    unmatched: int
    differs_at: int
    """The first op of the log that this run has not, or that it has another op before; -1: none."""


def joined(told: ToldOps, runs: Sequence[TimedRun], place_of: Callable[[int], str]) -> EagerPart:
    """One list of ops with their mean times over the runs of middle length, so that they sum up to a whole run.

    `place_of` tells a stack's user line.
    """
    if not runs:
        return EagerPart(tuple(told.ops), told.attr_sets, told.threads)
    beside = [_beside(told.ops, run) for run in runs]
    best = min(beside, key=lambda run: run.unmatched + len(told.ops) - _joined_ops(run))
    alike = [at for at, run in enumerate(beside) if run.times.keys() == best.times.keys()]
    middle = _middle(sorted(alike, key=lambda at: runs[at].wall_us))
    ops = _with_times(told.ops, best, [beside[at] for at in middle])
    return EagerPart(
        tuple(ops),
        told.attr_sets,
        told.threads,
        wall_us=tuple(run.wall_us for run in runs),
        after_us=round(mean(runs[at].threads[0].after_us for at in middle), 3),
        unmatched=best.unmatched,
        unrepeatable=_difference(told.ops, beside, place_of),
    )


def _middle(places: list[int]) -> list[int]:
    """Without the shortest and the longest quarter."""
    quarter = len(places) // 4
    return places[quarter : len(places) - quarter]


def _joined_ops(run: _Joined) -> int:
    return sum(1 for _, before in run.times if not before)


def _beside(ops: Sequence[EagerOp], run: TimedRun) -> _Joined:
    times: dict[Key, TimedOp] = {}
    unmatched = 0
    differences: list[int] = []
    for thread, (own, timed) in enumerate(_threads(ops, run)):
        pairs = _pairs([op.op_type for op in own], timed)
        partner = {theirs: ours for ours, theirs in pairs}
        waiting: list[TimedOp] = []
        for place, op in enumerate(timed):
            if place in partner:
                index = own[partner[place]].index
                times[index, 0] = op
                times.update({(index, at): constant for at, constant in enumerate(reversed(waiting), 1)})
                waiting = []
            elif op.of_argument:
                waiting.append(op)
            else:
                unmatched += 1
        times.update({(-1 - thread, at): constant for at, constant in enumerate(reversed(waiting), 1)})
        differences += _first_difference(own, pairs, timed)
    return _Joined(times, unmatched, min(differences, default=-1))


def _threads(ops: Sequence[EagerOp], run: TimedRun) -> list[tuple[list[EagerOp], list[TimedOp]]]:
    """The ops of each thread, as the log and as the profile have them; helping threads as one where they differ.

    The profiler takes a thread for the one before it that had the same pthread number.
    """
    count = max(len(run.threads), 1 + max((op.thread for op in ops), default=0))
    own: list[list[EagerOp]] = [[] for _ in range(count)]
    for op in ops:
        own[op.thread].append(op)
    timed = [list(thread.ops) for thread in run.threads] + [[] for _ in range(count - len(run.threads))]
    helpers = zip(own[1:], timed[1:], strict=True)
    if all([op.op_type for op in ours] == _real_types(theirs) for ours, theirs in helpers):
        return list(zip(own, timed, strict=True))
    every = sorted((op for thread in timed[1:] for op in thread), key=lambda op: op.end_us)
    return [(own[0], timed[0]), ([op for op in ops if op.thread], every)]


def _real_types(timed: Iterable[TimedOp]) -> list[str]:
    return [op.op_type for op in timed if not op.of_argument]


def _first_difference(own: Sequence[EagerOp], pairs: Sequence[tuple[int, int]], timed: Sequence[TimedOp]) -> list[int]:
    real = [place for place, op in enumerate(timed) if not op.of_argument]
    theirs = [place for _, place in pairs]
    if len(pairs) == len(own) == len(real):
        return []
    ours = [at for at, _ in pairs]
    at = next((at for at in range(len(pairs)) if ours[at] != at or theirs[at] != real[at]), len(pairs))
    return [own[min(at, len(own) - 1)].index] if own else []


def _pairs(ours: list[str], timed: Sequence[TimedOp]) -> list[tuple[int, int]]:
    """Which op of the log is which of the profile: equal types in the same order."""
    places = [place for place, op in enumerate(timed) if not op.of_argument]
    types = [timed[place].op_type for place in places]
    if types == ours:
        return list(enumerate(places))
    large = len(ours) * len(types) > LARGEST_COMPARISON
    blocks = SequenceMatcher(None, ours, types, autojunk=large).get_matching_blocks()
    return [(block.a + at, places[block.b + at]) for block in blocks for at in range(block.size)]


def _with_times(ops: Sequence[EagerOp], best: _Joined, beside: Sequence[_Joined]) -> list[EagerOp]:
    """The ops of the log and, where they ran, those that only the profile saw, with their mean times."""
    extra: dict[int, list[int]] = {}
    for index, before in best.times:
        if before:
            extra.setdefault(index, []).append(before)
    made: list[EagerOp] = []
    places: list[int] = []
    for op in ops:
        for before in sorted(extra.get(op.index, ()), reverse=True):
            key = (op.index, before)
            hidden = EagerOp(len(made), best.times[key].op_type, device=op.device, stack=op.stack, thread=op.thread)
            made.append(_timed(hidden, key, beside))
        places.append(len(made))
        made.append(_timed(op, (op.index, 0), beside))
    for index in sorted((index for index in extra if index < 0), reverse=True):
        for before in sorted(extra[index], reverse=True):
            hidden = EagerOp(len(made), best.times[index, before].op_type, thread=-1 - index)
            made.append(_timed(hidden, (index, before), beside))
    return _renumbered(made, places)


def _renumbered(made: list[EagerOp], places: list[int]) -> list[EagerOp]:
    told = set(places)
    moved = iter(renumbered([op for at, op in enumerate(made) if at in told], places))
    ops: list[EagerOp] = []
    reads: list[int] = []
    for at, op in enumerate(made):
        if at in told:
            ops.append(_with_reads(next(moved), reads))
            reads = []
        else:
            ops.append(op)
            reads += [at] if op.op_type != CONSTANT else []
    return ops


def _with_reads(op: EagerOp, reads: list[int]) -> EagerOp:
    """A callback cannot tell a variable that TensorFlow read by itself from a constant; the profile can."""
    if not reads or op.inputs.count("constant") != len(reads):
        return op
    read = iter(reads)
    inputs = tuple(f"{next(read)}:0" if text == "constant" else text for text in op.inputs)
    return msgspec.structs.replace(op, inputs=inputs)


def _timed(op: EagerOp, key: Key, beside: Iterable[_Joined]) -> EagerOp:
    found = [run.times[key] for run in beside if key in run.times]
    if not found:
        return op
    sizes = [timed.bytes for timed in found if timed.bytes is not None]
    return msgspec.structs.replace(
        op,
        python_us=round(mean(timed.python_us for timed in found), 3),
        dispatch_us=round(mean(timed.dispatch_us for timed in found), 3),
        kernel_us=round(mean(timed.kernel_us for timed in found), 3),
        bytes=int(median(sizes)) if sizes else None,
    )


def _difference(ops: Sequence[EagerOp], beside: Sequence[_Joined], place_of: Callable[[int], str]) -> str:
    first = min((run.differs_at for run in beside if run.differs_at >= 0), default=None)
    if first is None:
        return ""
    op = ops[first]
    differing = sum(run.differs_at >= 0 for run in beside)
    where = place_of(op.stack)
    return (
        f"{differing} of {len(beside)} further runs made other ops, the first of them near {op.op_type}"
        f"{f' in {where}' if where else ''}: times are those of ops that are alike"
    )
