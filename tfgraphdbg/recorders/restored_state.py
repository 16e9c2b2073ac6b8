"""The state that a function changes, kept before it runs again and given back after: each run begins alike.

state = RestoredState(loaded.function, loaded.model)
run()
state.restore()
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

from tfgraphdbg.message_words import listed
from tfgraphdbg.recorders import eager_internals
from tfgraphdbg.recorders.lasting_state import lasting_state


class RestoredState:
    """A snapshot of variables and random generators. Taking it and giving it back copies every variable once.

    Random ops without a generator draw on, as their kernels hold their own state: see `own_kernels`.
    """

    def __init__(self, function: Any, model: Any = None) -> None:
        concretes = eager_internals.concrete_functions_of(function)
        self._values: list[tuple[Any, Any]] = []
        for handle in _distinct(_handles(concretes, model)):
            value = eager_internals.variable_value(handle)
            if value is not None:
                self._values.append((handle, value))
        self.not_restored = lasting_state(concretes).everything
        """What else a call may change, in words; empty for nothing that a graph tells of."""
        self._random = _RandomStates()

    @property
    def variables(self) -> int:
        """How many variables are restored."""
        return len(self._values)

    def restore(self) -> None:
        """Give every variable and generator the state of the snapshot; as often as needed."""
        for handle, value in self._values:
            eager_internals.set_variable_value(handle, value)
        self._random.restore()

    def gaps(self) -> str:
        """One sentence about what stays changed; empty for nothing."""
        return f"each run goes on with {listed(self.not_restored)} as the run before left it" * bool(self.not_restored)


class _RandomStates:
    """Of the generators of Python, of NumPy and of the eager runtime, which seeds random ops after `set_seed`."""

    def __init__(self) -> None:
        import numpy

        self._python = random.getstate()
        self._numpy = numpy.random.get_state()
        seeds = eager_internals.op_seeds()
        self._ops = None if seeds is None else seeds.getstate()

    def restore(self) -> None:
        import numpy

        random.setstate(self._python)
        numpy.random.set_state(self._numpy)
        seeds = eager_internals.op_seeds()
        if seeds is not None and self._ops is not None:
            seeds.setstate(self._ops)


def _handles(concretes: Iterable[Any], model: Any) -> Iterator[Any]:
    for concrete in concretes:
        yield from (found.handle for found in eager_internals.captured_resources(concrete) if found.is_variable)
    generator = eager_internals.global_generator()
    owners = [model, getattr(model, "optimizer", None), getattr(generator, "state", None)]
    for owner in owners:
        for variable in _variables_of(owner):
            yield from (each for each in eager_internals.handles_of(variable) if hasattr(each, "_id"))


def _variables_of(owner: Any) -> list[Any]:
    """The variables of a model or an optimizer, in Keras 2 a method; a variable is its own."""
    if hasattr(owner, "handle"):
        return [owner]
    variables = getattr(owner, "variables", ())
    return list(variables() if callable(variables) else variables)


def _distinct(handles: Iterable[Any]) -> Iterator[Any]:
    seen = set()
    for handle in handles:
        if handle._id not in seen:
            seen.add(handle._id)
            yield handle
