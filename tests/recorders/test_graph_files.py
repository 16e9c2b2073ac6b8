"""GraphDefs on disk: real ones open, damaged ones open or say in one line why not."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.conftest import run_tfgraphdbg
from tfgraphdbg.analyses import analysis_named
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.errors import ExitCode, UnreadableFileError
from tfgraphdbg.recording import META_PART, Recording, RecordingMeta, TargetInfo
from tfgraphdbg.recording_file import MemoryParts

pytestmark = pytest.mark.tensorflow

HOSTILE = 'a[red]<&>"'


@pytest.fixture(scope="module")
def graph_def():
    """A real graph with a loop, a branch, a nested function and constants."""
    import tensorflow as tf

    @tf.function
    def halved(x):
        return x / 2

    @tf.function
    def program(x):
        for step in tf.range(3):
            x = halved(x) + tf.cast(step, tf.float32)
        bias = tf.constant([[1.0, 2.0], [3.0, 4.0]])
        return tf.add(tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: -x), bias)

    return program.get_concrete_function(tf.TensorSpec([2, 2])).graph.as_graph_def()


def opened(path: Path) -> Recording:
    from tfgraphdbg.recorders.graph_file import record_graph_file
    from tfgraphdbg.recorders.python_stacks import LibraryPaths
    from tfgraphdbg.recorders.recording_writer import RecordingWriter

    parts = MemoryParts()
    writer = RecordingWriter(TargetInfo(str(path), "graph_def"), parts, LibraryPaths())
    record_graph_file(writer, path)
    writer.update(main_tracing=0)
    return Recording(parts.decode(META_PART, RecordingMeta), parts)


@pytest.mark.parametrize("name", ["graph.pb", "graph.pbtxt"])
def test_both_forms_of_a_graph_def_open_with_the_same_ops(graph_def, tmp_path, name):
    from google.protobuf import text_format

    path = tmp_path / name
    text = text_format.MessageToString(graph_def).encode()
    path.write_bytes(text if name.endswith("txt") else graph_def.SerializeToString())
    recording = opened(path)
    graph = recording.graph()
    graph.check()
    assert [op.name for op in graph.top_level_ops] == [node.name for node in graph_def.node]
    assert set(graph.functions) == {function.signature.name for function in graph_def.library.function}
    assert {gap.evidence for gap in recording.missing} >= {"stage-optimized", "python-stacks"}


def test_damaged_graph_defs_open_or_give_one_clear_line(graph_def, tmp_path):
    chance = random.Random(7)
    whole = graph_def.SerializeToString()
    refused = 0
    for number in range(200):
        path = tmp_path / f"damaged{number}.pb"
        path.write_bytes(damaged(whole, chance))
        # Processor time: what this says of a file must not depend on what else the machine does.
        started = time.thread_time()
        error = error_of_opening(path)
        refused += error is not None
        assert error is None or (error.exit_code == ExitCode.UNREADABLE_INPUT and "\n" not in error.message.strip())
        assert time.thread_time() - started < 1
    assert 20 < refused < 200


def error_of_opening(path: Path) -> UnreadableFileError | None:
    try:
        recording = opened(path)
        analysis_named("overview").run(recording, AnalysisOptions())
        assert recording.graph().topological_order
    except UnreadableFileError as error:
        return error
    return None


def damaged(whole: bytes, chance: random.Random) -> bytes:
    data = bytearray(whole)
    kind = chance.randrange(4)
    place = chance.randrange(len(data))
    if kind == 0:
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    elif kind == 1:
        del data[place:]
    elif kind == 2:
        data[place:place] = chance.randbytes(chance.randrange(1, 40))
    else:
        del data[place : place + chance.randrange(1, 200)]
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.pb", b"", "holds no ops"),
        ("noise.pb", bytes(range(256)) * 20, "is not a GraphDef"),
        ("text.pbtxt", b"this is not a graph", "is not a GraphDef"),
        ("html.pb", b"<html><body>404</body></html>", "is not a GraphDef"),
    ],
)
def test_what_is_no_graph_def_is_refused(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=words):
        opened(path)


def test_hostile_op_names_come_through_whole(tmp_path):
    from tensorflow.core.framework import graph_pb2

    graph = graph_pb2.GraphDef()
    graph.node.add(name=HOSTILE, op="NoOp")
    graph.node.add(name="two\nlines", op="NoOp", input=[f"^{HOSTILE}"])
    path = tmp_path / "hostile.pb"
    path.write_bytes(graph.SerializeToString())
    assert [op.name for op in opened(path).graph().ops] == [HOSTILE, "two\nlines"]


def test_the_command_line_refuses_a_damaged_graph_with_exit_code_4(tmp_path):
    path = tmp_path / "noise.pb"
    path.write_bytes(b"\xff" * 100)
    done = run_tfgraphdbg("overview", str(path))
    assert done.returncode == 4
    assert done.stdout == ""
    assert "is not a GraphDef" in done.stderr
