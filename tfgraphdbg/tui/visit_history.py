"""Where the user has been, to go back and forward as in a browser."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A stage of a tracing, the op that is looked at, and the search that lists it."""

    tracing: int
    stage: str
    op_id: str = ""
    query: str = ""


class VisitHistory:
    """The places before and after the present one, which the caller knows."""

    def __init__(self) -> None:
        self._before: list[Place] = []
        self._after: list[Place] = []

    def leave(self, present: Place) -> None:
        """Remember `present` before going somewhere new: what lay forward is forgotten."""
        self._before.append(present)
        self._after.clear()

    def back(self, present: Place) -> Place | None:
        """The place before; None at the beginning."""
        if not self._before:
            return None
        self._after.append(present)
        return self._before.pop()

    def forward(self, present: Place) -> Place | None:
        """The place that `back` came from; None at the end."""
        if not self._after:
            return None
        self._before.append(present)
        return self._after.pop()
