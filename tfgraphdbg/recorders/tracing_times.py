"""How long Python took to make each op while functions were traced: the time since the op before, in its thread.

What passes before the first line of a traced function, AutoGraph's conversion of it above all, is time of no op. Where
one function is traced because another one calls it, that is time of the op that the calling line makes.

The time after the last op, and that of ops in graphs that TensorFlow throws away, are of no op either: a function that
makes variables is traced twice, and only the second graph stays. With them the sum is the time of the tracing.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from tfgraphdbg.graph_model import op_id
from tfgraphdbg.recorders import tracing_internals
from tfgraphdbg.recording_meta import AFTER_LAST_OP, BEFORE_FIRST_LINE, THROWN_AWAY, OpMetric


class _Begun:
    """A tracing that is under way, or was; microseconds."""

    def __init__(self, outer: _Begun | None) -> None:
        self._outer = outer
        self.set_up_us = 0.0
        self.after_us = 0.0
        self.op_us = 0.0
        """Time of all ops that it made, those of the tracings inside it included."""
        self.due_us = 0.0
        """Time of the op that comes next."""
        self.has_arguments = False
        self.in_body = False

    def add_op(self, spent_us: float) -> None:
        """Time of an op, for this tracing and for all around it."""
        self.op_us += spent_us
        if self._outer is not None:
            self._outer.add_op(spent_us)

    def is_inside(self, other: _Begun) -> bool:
        """Whether it is that one, or was begun during that one."""
        return self is other or (self._outer is not None and self._outer.is_inside(other))


class TracingTimes:
    """Notes the time whenever an op is made in a FuncGraph; graphs are not kept alive by it."""

    def __init__(self) -> None:
        self._us: weakref.WeakKeyDictionary[Any, dict[str, float]] = weakref.WeakKeyDictionary()
        self._begun: weakref.WeakKeyDictionary[Any, _Begun] = weakref.WeakKeyDictionary()
        self._thread = threading.local()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Note ops while open."""
        set_up = tracing_internals.observed_set_up(self._on_arguments, self._on_converted)
        with tracing_internals.observed_op_creation(self._on_op), set_up:
            yield

    @contextlib.contextmanager
    def tracing(self) -> Iterator[None]:
        """One tracing; one inside another is time of the other too."""
        outer, spent = self._current(), self._spent_us()
        if outer is not None:
            outer.due_us += spent
        begun = self._thread.begun = _Begun(outer)
        try:
            yield
        finally:
            begun.after_us = self._spent_us() + begun.due_us
            self._thread.begun = outer
            if outer is not None:
                outer.due_us += begun.set_up_us + begun.after_us

    def _current(self) -> _Begun | None:
        begun: _Begun | None = getattr(self._thread, "begun", None)
        return begun

    def _spent_us(self) -> float:
        """The time since this was last asked in this thread."""
        now = time.perf_counter()
        before: float = getattr(self._thread, "before", now)
        self._thread.before = now
        return (now - before) * 1e6

    def _on_arguments(self) -> None:
        begun = self._current()
        if begun is not None and not begun.in_body:
            begun.set_up_us += self._spent_us()
            begun.has_arguments = True

    def _on_converted(self) -> None:
        begun = self._current()
        if begun is not None and begun.has_arguments and not begun.in_body:
            begun.set_up_us += self._spent_us()
            begun.in_body = True

    def _on_op(self, graph: Any, name: str) -> None:
        begun = self._current()
        if begun is None:
            return
        graph_us = self._us.get(graph)
        if graph_us is None:
            graph_us = self._us[graph] = {}
            self._begun[graph] = begun
        if not begun.has_arguments:
            begun.set_up_us += self._spent_us()
            return
        begun.in_body = True
        spent, begun.due_us = self._spent_us() + begun.due_us, 0.0
        begun.add_op(spent)
        graph_us[name] = graph_us.get(name, 0.0) + spent

    def metric(self, func_graph: Any, libraries: Mapping[str, Any]) -> OpMetric | None:
        """The times of a traced graph's ops with those of its library functions; None when its making was not seen."""
        if func_graph not in self._us:
            return None
        begun = self._begun[func_graph]
        # A loop that gets a gradient is registered again, under another name and with more ops in the same graph.
        functions = {id(graph): (name, graph) for name, graph in libraries.items()}
        functions[id(func_graph)] = ("", func_graph)
        values = {
            op_id(function, name): round(spent, 1)
            for function, graph in functions.values()
            # Not one that an earlier tracing made: its time is in that one.
            if graph in self._begun and self._begun[graph].is_inside(begun)
            for name, spent in self._us[graph].items()
        }
        return OpMetric("tracing", "us", "traced", values, of_no_op=_of_no_op(begun, sum(values.values())))


def _of_no_op(begun: _Begun, of_ops_us: float) -> dict[str, float]:
    spent = {
        BEFORE_FIRST_LINE: begun.set_up_us,
        AFTER_LAST_OP: begun.after_us,
        THROWN_AWAY: max(0.0, begun.op_us - of_ops_us),
    }
    return {name: round(us, 1) for name, us in spent.items()}
