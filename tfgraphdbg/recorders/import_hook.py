"""Calls back as soon as TensorFlow has been imported, by whoever imports it: the user's file must come first."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType


def when_tensorflow_is_imported(callback: Callable[[], None]) -> None:
    """Call `callback` once, right after `import tensorflow` has finished; at once when it already has."""
    if "tensorflow" in sys.modules:
        callback()
        return
    sys.meta_path.insert(0, _Finder(callback))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds TensorFlow as everybody else would, and adds the callback to the end of its import."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        # Whoever else waits for TensorFlow stands further down the path.
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module
        callback = self._callback

        def load_and_call_back(module: ModuleType) -> None:
            load(module)
            callback()

        # On the instance: other modules of the same loader class stay as they are.
        spec.loader.exec_module = load_and_call_back  # type: ignore[method-assign]
        return spec
