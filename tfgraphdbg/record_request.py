"""What a recorder process is asked for, and the events by which it tells how far it is: one JSON line each."""

from __future__ import annotations

import msgspec

from tfgraphdbg.errors import (
    DebuggerError,
    MissingRequirementError,
    RecordingInterruptedError,
    UnreadableFileError,
    UsageError,
    UserCodeError,
)
from tfgraphdbg.target import TargetSpec


class RecordRequest(msgspec.Struct, frozen=True):
    """One recording to make: the target, its example inputs, and the folder that takes the parts."""

    target: TargetSpec
    folder: str
    """Parts go to `<folder>/parts`; `log.txt`, `console.txt` and the runtime's dumps lie beside them."""
    inputs: tuple[str, ...] = ()
    inputs_from: str | None = None
    mode: str | None = None
    batch: int | None = None
    seed: int | None = None
    function: str | None = None
    """The function that reports show first; None: the target, or the one that took the most time."""
    without: tuple[str, ...] = ()
    """Grappler passes to switch off."""
    only: tuple[str, ...] = ()
    """Grappler passes to leave on; all others are switched off. Empty: no choice."""
    steps: int = 0
    """Steady runs to measure under the profiler; 0: none."""
    eager: bool = False
    """Whether to call the function eagerly too, and to compare the costs."""


class PhaseEvent(msgspec.Struct, frozen=True, tag="phase"):
    """A phase begins."""

    name: str


class NowEvent(msgspec.Struct, frozen=True, tag="now"):
    """What happens within the phase."""

    doing: str


class FailedEvent(msgspec.Struct, frozen=True, tag="failed"):
    """The recording ended early; `kind` names a DebuggerError."""

    kind: str
    message: str
    hint: str = ""
    detail: str = ""

    def error(self) -> DebuggerError:
        """The error to raise in the parent."""
        kinds: dict[str, type[DebuggerError]] = {kind.__name__: kind for kind in _CROSSING}
        return kinds.get(self.kind, DebuggerError)(self.message, self.hint, self.detail)


class DoneEvent(msgspec.Struct, frozen=True, tag="done"):
    """All parts are written; what follows is only the end of the user's program."""


Event = PhaseEvent | NowEvent | FailedEvent | DoneEvent

_CROSSING = (
    UsageError,
    UserCodeError,
    UnreadableFileError,
    MissingRequirementError,
    RecordingInterruptedError,
)


def failed_event(error: DebuggerError) -> FailedEvent:
    """An error as the event that carries it to the parent."""
    return FailedEvent(type(error).__name__, error.message, error.hint, error.detail)
