"""What one pass did to one op, and which of several such events is the fate of the op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tfgraphdbg.analyses.fates.rules import DECISIVE, PASS_THROUGH, REWIRING_PASSES, Fate, Seen


class FateEvent(NamedTuple):
    """Something that one pass did to one op."""

    fate: Fate
    seen: Seen
    pass_name: str
    iteration: int | None
    """None for what the runtime did before Grappler."""
    into: str
    """The op that stood in for it right afterwards: itself when it was changed in place; empty for none."""
    was: str = ""
    """Its op type before."""
    now: str = ""
    """The op type of what stood in for it."""
    reads: tuple[str, ...] = ()
    """What it read before it was folded, fused or changed into another op."""
    also: tuple[str, ...] = ()
    """Further ops that stood in for other outputs of it."""


def most_telling(events: Sequence[FateEvent], name: str, alive: bool) -> FateEvent | None:
    """The event that is the fate of op `name`: the first one that is final, else the one that says most.

    `alive`: whether the last graph has an op of that name; one that is there again was not lost.
    """
    if len(events) == 1 and not alive:
        return events[0] if events[0].fate != "kept" else None
    if events and alive and all(event.seen == "inputs changed" for event in events):
        # Most ops of which anything is told: others went, and these read what came in their place.
        return next((event for event in reversed(events) if event.pass_name not in REWIRING_PASSES), events[-1])
    events = [event for event in events if event.fate != "kept" and not (alive and _lost_it(event, name))]
    found = next((event for event in events if event.fate in DECISIVE), None)
    # Of equals the last: it is what still holds.
    return _decided_before(found, events) if found else max(reversed(events), key=_weight, default=None)


def _lost_it(event: FateEvent, name: str) -> bool:
    return event.fate in DECISIVE and event.fate != "inlined" and event.into != name


def _decided_before(found: FateEvent, events: Sequence[FateEvent]) -> FateEvent:
    """The same, or the earlier event that left nothing to it but to clean up: x * 1 became an Identity."""
    if found.seen not in ("own input", "unused"):
        return found
    for event in events[: events.index(found)]:
        if event.seen == "taken over":
            return event
        left_nothing = event.now == "NoOp" or found.seen == "own input"
        if event.seen == "became pass-through" and event.was not in PASS_THROUGH and left_nothing:
            return found._replace(pass_name=event.pass_name, iteration=event.iteration)
    return found


def _weight(event: FateEvent) -> int:
    """How much an event that is not final says: that a pass rewires inputs says least when it always does so."""
    if event.seen == "inputs changed":
        return 0 if event.pass_name in REWIRING_PASSES else 1
    return 2 + (_SAYS_MORE.index(event.seen) if event.seen in _SAYS_MORE else len(_SAYS_MORE))


_SAYS_MORE: tuple[Seen, ...] = ("became pass-through", "attrs changed", "device changed")
