"""How long Python took to make each op while functions were traced: the time since the op before, in its thread.

The sum is the time of the tracing, up to its last op, where all that was traced is in the graph. It is less where
TensorFlow throws a graph away: a function that makes variables is traced twice, and only the second graph stays.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from tfgraphdbg.graph_model import op_id
from tfgraphdbg.recorders import tensorflow_internals
from tfgraphdbg.recording import OpMetric


class TracingTimes:
    """Notes the time whenever an op is made in a FuncGraph; graphs are not kept alive by it."""

    def __init__(self) -> None:
        self._us: weakref.WeakKeyDictionary[Any, dict[str, float]] = weakref.WeakKeyDictionary()
        self._thread = threading.local()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Note ops while open."""
        with tensorflow_internals.observed_op_creation(self._on_op):
            yield

    @contextlib.contextmanager
    def tracing(self) -> Iterator[None]:
        """One tracing; one inside another is time of the other too."""
        depth = getattr(self._thread, "depth", 0)
        if depth == 0:
            self._thread.before = time.perf_counter()
        self._thread.depth = depth + 1
        try:
            yield
        finally:
            self._thread.depth = depth

    def _on_op(self, graph: Any, name: str) -> None:
        if not getattr(self._thread, "depth", 0):
            return
        now = time.perf_counter()
        graph_us = self._us.get(graph)
        if graph_us is None:
            graph_us = self._us[graph] = {}
        graph_us[name] = graph_us.get(name, 0.0) + (now - self._thread.before) * 1e6
        self._thread.before = now

    def metric(self, func_graph: Any, libraries: Mapping[str, Any]) -> OpMetric | None:
        """The times of a traced graph's ops with those of its library functions; None when its making was not seen."""
        if func_graph not in self._us:
            return None
        # A loop that gets a gradient is registered again, under another name and with more ops in the same graph.
        functions = {id(graph): (name, graph) for name, graph in libraries.items()}
        functions[id(func_graph)] = ("", func_graph)
        values = {
            op_id(function, name): round(spent, 1)
            for function, graph in functions.values()
            for name, spent in self._us.get(graph, {}).items()
        }
        return OpMetric("tracing", "us", "traced", values)
