"""Building what lives as long as the app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tfgraphdbg.graph_model import garbage_collection_paused, keep_for_good


@contextmanager
def kept_for_good() -> Iterator[None]:
    """Let Python's collector never look at what is built inside.

    A graph is some hundred thousand objects that live as long as the app. The collector would look through them again
    and again, and the screen would stand still for 0.1 s each time.
    """
    with garbage_collection_paused():
        yield
        keep_for_good()
