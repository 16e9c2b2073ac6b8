"""Work that is done once for each tracing, by whichever worker asks first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from tfgraphdbg.recording import Tracing
from tfgraphdbg.tui.long_lived import kept_for_good

T = TypeVar("T")


class OncePerTracing(Generic[T]):
    """Keeps what `work` gives for a tracing; an error is raised again to each who asks."""

    def __init__(self, work: Callable[[Tracing], T]) -> None:
        self._work = work
        self._done: dict[int, T] = {}
        self._one_at_a_time = threading.Lock()

    def known(self, tracing: Tracing) -> T | None:
        """What is there already; answers at once."""
        return self._done.get(tracing.index)

    def get(self, tracing: Tracing) -> T:
        """What is there, or is worked out now: call it in a worker."""
        with self._one_at_a_time:
            if tracing.index not in self._done:
                with kept_for_good():
                    self._done[tracing.index] = self._work(tracing)
            return self._done[tracing.index]
