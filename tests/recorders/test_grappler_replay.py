"""Passes of recordings made in place: replayed in another process, which optimizes the same and runs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import pytest

import tfgraphdbg
from tests.recorders.test_grappler_passes import assert_history_is_exact, gaps
from tfgraphdbg.recorders import replayed_passes
from tfgraphdbg.recording import Recording
from tfgraphdbg.recording_file import load

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


def assert_replayed(recording: Recording) -> None:
    assert not gaps(recording)
    for tracing in recording.tracings:
        if tracing.stage("optimized"):
            assert assert_history_is_exact(recording, tracing).source == "replayed"


@pytest.fixture(scope="module")
def watched(tf, tmp_path_factory):
    """A block with effects that a second run would show: a variable, a Python function, a file, a print."""
    written = tmp_path_factory.mktemp("effects") / "written.txt"
    seen = []

    class Model:
        def __init__(self):
            self.weights = tf.Variable(tf.ones([4, 4]))
            self.count = tf.Variable(0, dtype=tf.int64)

        @tf.function
        def step(self, x, steps):
            self.count.assign_add(1)
            noted = tf.py_function(lambda value: (seen.append(1), value)[1], [x], tf.float32)
            tf.io.write_file(str(written), tf.strings.as_string(self.count))
            for _ in tf.range(steps):
                x = tf.nn.relu(x @ self.weights) * 2.0 + tf.constant(1.0) * tf.constant(3.0)
            self.weights.assign_sub(0.1 * self.weights)
            return x + noted

    @tf.function
    def odd_inputs(text, flag, numbers, element):
        items = tf.TensorArray(tf.float32, 0, dynamic_size=True).write(0, numbers)
        return tf.strings.length(text), flag, items.stack() * 2.0 * 1.0, element

    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [1]), 0)

    @tf.function
    def looked_up(words):
        return table.lookup(words) + 1 * 2

    model = Model()
    with tfgraphdbg.watch() as recording:
        model.step(tf.ones([4, 4]), tf.constant(3))
        model.step(tf.ones([2, 4]), tf.constant(3))
        with tf.GradientTape() as tape:
            loss = model.step(tf.ones([4, 4]), tf.constant(1))
        tape.gradient(loss, model.weights)
        odd_inputs(tf.constant("abc"), tf.constant(True), tf.ones([3], tf.float32), tf.constant(1, tf.int64))
        looked_up(tf.constant(["a", "b"]))
    return recording, model, seen, written


def test_a_replay_gives_the_passes_of_every_tracing_exactly(watched):
    recording = watched[0]
    assert_replayed(recording)
    roles = [tracing.role for tracing in recording.tracings if tracing.stage("lowered")]
    assert {"inference", "forward", "backward"} <= set(roles)
    assert "replay passes" in recording.meta.phases_ms
    assert [stage.name for stage in recording.tracings[0].stages][:4] == [
        "traced",
        "pre-optimization",
        "lowered",
        "optimized",
    ]


def test_a_replay_runs_nothing_of_the_program(watched):
    _, model, seen, written = watched
    assert int(model.count) == 3
    assert len(seen) == 3
    assert written.read_text() == "3"


def test_the_graph_after_a_pass_is_there(watched):
    recording = watched[0]
    tracing = recording.tracings[0]
    assert len(recording.graph("after:model_pruner", tracing).ops) <= len(recording.graph("lowered", tracing).ops)


@pytest.fixture
def no_process(monkeypatch):
    """A replay that starts a process fails the test, whatever becomes of the error."""
    started = []

    def refused(command, **_):
        started.append(command)
        raise OSError("no process may be started")

    monkeypatch.setattr(replayed_passes.subprocess, "Popen", refused)
    yield
    assert started == []


def test_without_a_replay_the_reason_is_that_nobody_asked(tf, no_process):
    recording = tfgraphdbg.record(lambda x: tf.nn.relu(x) * 2.0 + 1.0, tf.ones([3]), passes=False)
    assert not recording.rewrites()
    (reason,) = gaps(recording)
    assert "a replay in another process was not asked for" in reason


def test_what_was_switched_off_in_the_run_is_switched_off_in_the_replay(tf):
    def add_up(x):
        return tf.nn.relu(x @ x) * (tf.constant(1.0) + tf.constant(2.0)) + 4.0

    recording = tfgraphdbg.record(add_up, tf.ones([3, 3]), without="constant_folding")
    history = assert_history_is_exact(recording, recording.main_tracing)
    assert history.source == "replayed"
    assert "constant_folding" not in {step.short_name for step in history.steps}


def test_a_function_on_several_devices_is_replayed_on_as_many(tmp_path):
    done = in_own_process(
        tmp_path,
        """
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        tf.config.experimental.enable_op_determinism()
        def step(x):
            with tf.device("CPU:1"):
                y = tf.nn.relu(x) * 2.0
            return y + 1.0 * 3.0
        with tf.device("CPU:1"):
            x = tf.ones([3])
        recording = tfgraphdbg.record(step, x)
        """,
    )
    assert_replayed(done)
    assert len([stage for stage in done.main_tracing.stages if stage.name.startswith("partition:")]) == 2


def in_own_process(folder: Path, source: str, **environment: str) -> Recording:
    """Run lines that make `recording` in a fresh Python."""
    program = folder / "program.py"
    head = "import tensorflow as tf, tfgraphdbg\n"
    program.write_text(head + textwrap.dedent(source) + "tfgraphdbg.save(recording, 'run.tfgdbg')\n")
    subprocess.run(
        [sys.executable, str(program)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=True,
        capture_output=True,
    )
    return load(folder / "run.tfgdbg")


SIMPLE = """
def f(x):
    return tf.nn.relu(x) * 2.0 + 1.0
recording = tfgraphdbg.record(f, tf.ones([3]))
"""


def test_files_beside_the_program_do_not_come_between(tmp_path):
    (tmp_path / "msgspec.py").write_text("raise SystemExit('wrong module')\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    recording = in_own_process(elsewhere, "import os\nos.chdir('..')\n" + SIMPLE + "os.chdir('elsewhere')\n")
    assert_replayed(recording)


def assert_only_passes_are_missing(recording: Recording, reason: str) -> None:
    assert recording.meta.outcome == "complete"
    assert recording.main_tracing.stage("optimized")
    (said,) = gaps(recording)
    assert "could not be replayed" in said
    assert reason in said


@pytest.fixture
def one(tf):
    """A recording whose replay is spoilt by what a test has patched."""
    return lambda: tfgraphdbg.record(lambda x: tf.nn.relu(x) * 2.0 + 1.0, tf.ones([3]))


def test_a_replay_that_takes_too_long_is_given_up(one, monkeypatch):
    monkeypatch.setattr(replayed_passes, "LIMIT_S", 0.3)
    monkeypatch.setattr(replayed_passes, "LIMIT_PER_FIRST_RUN", 0)
    assert_only_passes_are_missing(one(), "more than 0 s")


def test_a_python_that_cannot_be_started_is_the_reason(one, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert_only_passes_are_missing(one(), "No such file")
    monkeypatch.setattr(sys, "executable", "")
    assert_only_passes_are_missing(one(), "not run by a Python interpreter")


def test_a_program_that_is_no_python_is_never_started_again(one, monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert_only_passes_are_missing(one(), "not run by a Python interpreter")


def test_another_tensorflow_is_not_asked(one, monkeypatch, tf):
    real = replayed_passes._request
    monkeypatch.setattr(
        replayed_passes, "_request", lambda calls: msgspec.structs.replace(real(calls), tensorflow="1.0")
    )
    assert_only_passes_are_missing(one(), f"imports TensorFlow {tf.__version__}, and this is 1.0")


def test_functions_that_are_too_large_are_left_out(one, monkeypatch):
    monkeypatch.setattr(replayed_passes, "MAX_BYTES", 10)
    assert_only_passes_are_missing(one(), "the functions take more than")


def test_a_process_that_dies_is_the_reason(tmp_path):
    (tmp_path / "tensorflow_that_dies").mkdir()
    (tmp_path / "tensorflow_that_dies" / "tensorflow.py").write_text("import os\nos._exit(7)\n")
    recording = in_own_process(
        tmp_path, f"import sys\nsys.path.insert(0, {str(tmp_path / 'tensorflow_that_dies')!r})\n" + SIMPLE
    )
    assert_only_passes_are_missing(recording, "ended with code 7")


def test_a_block_that_is_interrupted_waits_for_no_replay(tf, no_process):
    f = tf.function(lambda x: tf.nn.relu(x) * 2.0 + 1.0)

    def interrupted(x):
        f(x)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), tfgraphdbg.watch() as recording:
        interrupted(tf.ones([3]))
    assert not recording.main_tracing.stage("lowered")


def test_what_a_replay_leaves_out_is_said(tf):
    called = tf.function(lambda x: tf.nn.relu(x) * 2.0 + 1.0, experimental_attributes={"_noinline": True})
    recording = tfgraphdbg.record(lambda x: called(x) + called(x + 1.0), tf.ones([3]))
    assert assert_history_is_exact(recording, recording.main_tracing)
    (reason,) = gaps(recording)
    assert "optimized when they first run" in reason
