"""What happened to an op, one event after another, and the words that tell it."""

from __future__ import annotations

from typing import NamedTuple

from tfgraphdbg.analyses.fates import RUNTIME, FateEvent


class LifeEvent(NamedTuple):
    """One thing that happened to an op, with the op that it leads to; empty fields are not told."""

    happened: str
    """`traced`, `made`, a fate such as `fused`, `ran`."""
    by: str = ""
    how: str = ""
    """What the op that is named next is to it: `into`, `as`, `read instead:`."""
    op: str = ""
    """Id of that op."""
    op_type: str = ""
    """Its op type then."""
    stage: str = ""
    """A stage that holds it; of an event without another op, one that holds the op itself."""
    place: str = ""
    """The line of the user's program."""

    @property
    def told(self) -> str:
        """What comes before the op."""
        what = " ".join(filter(None, (self.happened, self.place)))
        if self.by:
            return ", ".join(filter(None, (f"{what} by {self.by}", self.how)))
        return " ".join(filter(None, (what, self.how)))

    @property
    def known_as(self) -> str:
        """The op that it leads to with its type, or the type alone that it has now."""
        if not self.op:
            return self.op_type
        return f"{self.op} ({self.op_type})" if self.op_type else self.op

    def __str__(self) -> str:
        return f"{self.told} {self.known_as}".rstrip()


class Ancestor(NamedTuple):
    """An op that an op which ran was made of."""

    op: str
    op_type: str
    stage: str
    """The stage that holds it: `traced`, or `lowered` where inlining made it."""


class WentInto(NamedTuple):
    """The op that stands for one that is gone, and what happened to that one."""

    op: str
    told: LifeEvent


def life_line(op_type: str, events: tuple[LifeEvent, ...]) -> str:
    """`Conv2D: traced model.py:18, fused by remapper, iteration 1, into act (_FusedConv2D)`."""
    return f"{op_type}: {', '.join(map(str, events))}"


def pass_words(pass_name: str, iteration: int | None) -> str:
    """`remapper, iteration 1`, or `the runtime`."""
    name = "the runtime" if pass_name == RUNTIME else pass_name
    return name if iteration is None else f"{name}, iteration {iteration}"


def event_words(event: FateEvent, in_place: bool) -> tuple[str, str, str]:
    """What happened, what the op that stands in is to it, and the type to name; of an event of one op."""
    match event.seen:
        case "inputs changed" | "attrs changed" | "device changed":
            what = event.seen if event.fate != "moved" else f"moved ({event.seen})"
            return what, "", ""
        case "own input":
            return event.fate, "read instead:", event.now
        case "unused":
            return event.fate, "needed by nothing", ""
    if in_place:
        return event.fate, "now", event.now
    return ("renamed", "as", event.now) if event.fate == "kept" else (event.fate, "into", event.now)


def tells_nothing(event: FateEvent) -> bool:
    """Whether an event is only the runtime's way to connect ops to what it inlined or renamed."""
    return event.pass_name == RUNTIME and event.seen == "inputs changed"
