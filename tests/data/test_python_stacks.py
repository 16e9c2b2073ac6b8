"""Op tracebacks become a shared stack table; nothing of TensorFlow's is kept."""

from __future__ import annotations

import os
import sysconfig
import weakref
from pathlib import Path
from typing import NamedTuple

from tfgraphdbg.recorders import python_stacks
from tfgraphdbg.recorders.python_stacks import LibraryPaths, StackCollector

LIBRARY_FILE = os.path.join(sysconfig.get_paths()["purelib"], "tensorflow", "ops.py")
OUR_FILE = python_stacks.__file__


class FakeFrame(NamedTuple):
    filename: str
    lineno: int
    name: str


class FakeTraceback:
    """Hashed and compared by its frames, as TensorFlow's are."""

    def __init__(self, *frames: tuple[str, int, str]) -> None:
        self.frames = tuple(FakeFrame(*frame) for frame in frames)

    def __iter__(self):
        return iter(self.frames)

    def __hash__(self) -> int:
        return hash(self.frames)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FakeTraceback) and self.frames == other.frames


def user_file(tmp_path: Path) -> str:
    path = tmp_path / "model.py"
    path.write_text("import tensorflow as tf\nx = tf.zeros([])\n")
    return str(path)


def test_equal_stacks_and_frames_are_kept_once(tmp_path):
    user = user_file(tmp_path)
    collector = StackCollector(LibraryPaths([str(tmp_path)]))
    stacks = [FakeTraceback((user, 2, "<module>"), (LIBRARY_FILE, 9, "zeros")) for _ in range(3)]
    found = collector.indices_of([("a", stacks[0]), ("b", stacks[1])])
    found |= collector.indices_of([("c", stacks[2]), ("d", None)])
    assert found == {"a": 0, "b": 0, "c": 0, "d": -1}
    table = collector.table()
    assert len(table.frames) == 2
    assert table.user_frame(0).code == "x = tf.zeros([])"
    assert [frame.library for frame in table.frames_of(0)] == [False, True]
    assert list(collector.user_sources()) == [user]


def test_tracebacks_are_not_kept_longer_than_their_graph(tmp_path):
    traceback = FakeTraceback((user_file(tmp_path), 1, "f"))
    gone = weakref.ref(traceback)
    collector = StackCollector(LibraryPaths())
    collector.indices_of([("a", traceback)])
    del traceback
    assert gone() is None


def test_an_op_at_the_edge_of_a_function_has_the_line_of_its_definition(tmp_path):
    user = user_file(tmp_path)
    collector = StackCollector(LibraryPaths([str(tmp_path)]))
    made_by_us = FakeTraceback(("<frozen runpy>", 88, "_run_code"), (OUR_FILE, 5, "call"), (LIBRARY_FILE, 9, "f"))
    collector.indices_of([("x", made_by_us)], (user, 2, "train_step"))
    frames = collector.table().frames_of(0)
    assert [(frame.file, frame.function) for frame in frames] == [(user, "train_step"), (LIBRARY_FILE, "f")]


def test_the_longest_matching_folder_says_whose_a_file_is(tmp_path):
    environment = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages" / "keras" / "layer.py"
    paths = LibraryPaths([str(tmp_path)])
    assert not paths.holds(str(tmp_path / "deep" / "model.py"))
    assert paths.holds(str(environment))
    assert paths.holds(LIBRARY_FILE)
    assert paths.holds(os.__file__)
    assert paths.holds("<string>")
