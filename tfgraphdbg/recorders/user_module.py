"""The file or module of a target -> an imported module, exactly as Python itself would have run it."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import pkgutil
import re
import sys
from types import CodeType, ModuleType

from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import close_matches, quoted
from tfgraphdbg.recorders.python_stacks import LibraryPaths
from tfgraphdbg.recorders.user_errors import user_code
from tfgraphdbg.target import TargetSpec


class FreshSourceLoader(importlib.machinery.SourceFileLoader):
    """Compiles the file as it is now: cached bytecode misses a second save within one second."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the module."""
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


def import_user_module(spec: TargetSpec) -> ModuleType:
    """Import the module that a function target names. The process is the program's own from here on."""
    sys.argv = [spec.path or spec.module]
    return _import_by_name(spec.module) if spec.module else _import_file(spec.path)


def put_first_on_path(folder: str) -> None:
    """Let the program import what lies beside it."""
    if folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()


def _import_file(path: str) -> ModuleType:
    file = os.path.abspath(path)
    name = _module_name(file)
    put_first_on_path(os.path.dirname(os.path.realpath(path)))
    loader = FreshSourceLoader(name, file)
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # Registered, since pickle, dataclasses and inspect look modules up by name.
    sys.modules[name] = module
    try:
        with user_code(f"importing {path}"):
            loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _module_name(file: str) -> str:
    """The file's stem, unless that is the name of a module that others in this process rely on."""
    name = re.sub(r"\W", "_", os.path.splitext(os.path.basename(file))[0])
    other = getattr(sys.modules.get(name), "__file__", None)
    taken = name in sys.stdlib_module_names or name == "__main__" or (other and LibraryPaths().holds(other))
    return f"{name}_program" if taken else name


def _import_by_name(name: str) -> ModuleType:
    put_first_on_path(os.getcwd())
    with user_code(f"importing {name}"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name or ""
            if name != missing and not name.startswith(f"{missing}."):
                raise
            raise _missing_module(name, missing) from error


def _missing_module(name: str, missing: str) -> UsageError:
    parent, _, last = missing.rpartition(".")
    folders = getattr(sys.modules.get(parent), "__path__", None) if parent else [os.getcwd()]
    beside = [module.name for module in pkgutil.iter_modules(folders)] if folders else []
    matches = [f"{parent}.{match}" if parent else match for match in close_matches(last, beside)]
    within = f" in {parent}" if parent else f" in {os.getcwd()} or among the installed packages"
    hint = (
        f"did you mean {quoted(matches[0] + name[len(missing) :])}?"
        if matches
        else "a file works too: model.py:train_step"
    )
    return UsageError(f"no module {quoted(last)}{within}", hint)
