"""TensorFlow's op tracebacks -> the shared stack table, with the user's frames told apart from library frames."""

from __future__ import annotations

import linecache
import os
import site
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tfgraphdbg
from tfgraphdbg.recording import Frame, StackTable

FramePlace = tuple[str, int, str]
"""File, line and function of a frame."""

MAX_SOURCE_BYTES = 4 << 20
"""A larger source file is not kept in the recording."""


class LibraryPaths:
    """Tells installed packages from the user's own code: the longest matching folder decides."""

    def __init__(self, user_folders: Iterable[str] = ()) -> None:
        paths = sysconfig.get_paths()
        libraries = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
        libraries |= {*site.getsitepackages(), site.getusersitepackages(), str(Path(tfgraphdbg.__file__).parent)}
        self._roots = [(_prefix(folder), True) for folder in libraries]
        self._roots += [(_prefix(folder), False) for folder in user_folders]
        self._roots.sort(key=lambda root: len(root[0]), reverse=True)
        self._known: dict[str, bool] = {}

    def holds(self, file: str) -> bool:
        """Whether a file belongs to an installed package, to Python or to this tool."""
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = self._decide(file)
        return known

    def _decide(self, file: str) -> bool:
        if file.startswith("<") or os.path.basename(file).startswith("__autograph_generated_file"):
            return True
        full = os.path.realpath(file)
        for prefix, is_library in self._roots:
            if full.startswith(prefix):
                return is_library or "site-packages" in full[len(prefix) :].split(os.sep)
        return "site-packages" in full.split(os.sep) or "dist-packages" in full.split(os.sep)


def _prefix(folder: str) -> str:
    return os.path.realpath(folder).rstrip(os.sep) + os.sep


class StackCollector:
    """Gathers stacks, each once; equal stacks share one index, and equal frames one place."""

    def __init__(self, libraries: LibraryPaths) -> None:
        self._libraries = libraries
        self._frames: dict[FramePlace, int] = {}
        self._frame_list: list[Frame] = []
        self._stacks: dict[tuple[int, ...], int] = {}

    def indices_of(self, tracebacks: Iterable[tuple[str, Any]], definition: FramePlace | None = None) -> dict[str, int]:
        """The index of each op's traceback, by op id; -1 where TensorFlow kept none.

        The ops must be alive. `definition` is where the traced function begins. It stands in for the user's line on ops
        that TensorFlow made at the function's edge (its arguments and results) when no line of the user's called it.
        """
        # TensorFlow hashes and compares its tracebacks by frames: one lookup saves reading thousands of equal ones.
        # They are borrowed from their ops (seen on 2.21): one kept longer than its op corrupts tracebacks made later.
        seen: dict[Any, int] = {}
        found = {}
        for op_id, traceback in tracebacks:
            index = -1 if traceback is None else seen.get(traceback)
            if index is None:
                index = seen[traceback] = self._add(traceback, definition)
            found[op_id] = index
        return found

    def _add(self, traceback: Iterable[Any], definition: FramePlace | None) -> int:
        stack: list[int] = []
        edge = 0
        for frame in traceback:
            # Our own frames stand between the user's call and the user's function, and nobody looks for them.
            if frame.filename.startswith((_OUR_FOLDER, "<frozen runpy>")):
                edge = len(stack)
            else:
                stack.append(self._frame(frame.filename, frame.lineno, frame.name))
        if definition is not None and all(self._frame_list[index].library for index in stack):
            stack.insert(edge, self._frame(*definition))
        return self._stacks.setdefault(tuple(stack), len(self._stacks)) if stack else -1

    def _frame(self, file: str, line: int, function: str) -> int:
        key = (file, line, function)
        index = self._frames.get(key)
        if index is None:
            library = self._libraries.holds(file)
            code = linecache.getline(file, line).strip()[:200]
            index = self._frames[key] = len(self._frame_list)
            self._frame_list.append(Frame(file, line, function, code, library))
        return index

    def table(self) -> StackTable:
        """All that was gathered so far."""
        return StackTable(tuple(self._frame_list), tuple(self._stacks))

    def user_sources(self) -> dict[str, str]:
        """The text of every user file that a stack names, as it is on disk now."""
        files = {frame.file for frame in self._frame_list if not frame.library}
        return {file: text for file in sorted(files) if (text := _source_text(file))}


_OUR_FOLDER = _prefix(str(Path(tfgraphdbg.__file__).parent))


def _source_text(file: str) -> str:
    lines = linecache.getlines(file)
    text = "".join(lines)
    return text if len(text) <= MAX_SOURCE_BYTES else ""
