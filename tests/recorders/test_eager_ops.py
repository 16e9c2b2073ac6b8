"""Eager runs: the ops that a function makes, their times, and what its calls cost beside those of its graph."""

from __future__ import annotations

import gc
import re
import timeit
from collections import Counter
from pathlib import Path
from statistics import mean, median

import pytest

from tests.recorders.loading import load, own_process, write  # noqa: F401
from tfgraphdbg.eager_run import EagerPart
from tfgraphdbg.recorders import eager_internals, eager_times
from tfgraphdbg.recorders.call_costs import measured_costs, record_call_costs
from tfgraphdbg.recorders.eager_ops import record_eager_ops
from tfgraphdbg.recorders.eager_times import timed_run
from tfgraphdbg.recorders.function_watch import FunctionWatch
from tfgraphdbg.recorders.python_stacks import LibraryPaths
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recorders.restored_state import RestoredState
from tfgraphdbg.recorders.user_program import LoadOptions, call, example_calls
from tfgraphdbg.recording import Recording, TargetInfo
from tfgraphdbg.recording_file import MemoryParts
from tfgraphdbg.recording_file import load as load_file

pytestmark = pytest.mark.tensorflow

SAMPLES = Path(__file__).parent.parent.parent / "samples"

LSTM = """
    import keras
    model = keras.Sequential([keras.Input([5, 4]), keras.layers.LSTM(8), keras.layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    model_inputs = lambda: (tf.ones([2, 5, 4]), tf.ones([2, 1]))
"""

LOOPS = """
    @tf.function
    def step(x):
        while tf.reduce_sum(x) > 1.0:
            x = x / 2.0
        if x[0] < 1.0:
            x = -x
        return x

    step_inputs = lambda: tf.constant([3.0, 4.0])
"""


def recorded_eagerly(target: str, costs: bool = False) -> Recording:
    """Call the target's graph as a recording does, then call it eagerly."""
    loaded = load(target)
    parts = MemoryParts()
    writer = RecordingWriter(TargetInfo(target, "function"), parts, LibraryPaths([str(Path.cwd()), str(SAMPLES)]))
    with FunctionWatch(writer).watching():
        for example in example_calls(loaded, LoadOptions()):
            call(loaded, example)
    record_eager_ops(writer, loaded, example)
    if costs:
        record_call_costs(writer, loaded, example)
    writer.update()
    return Recording(writer.meta, parts)


def eager_part(recording: Recording) -> EagerPart:
    part = recording.eager()
    assert part is not None, recording.missing
    return part


def lines_of(recording: Recording, part: EagerPart) -> list[int | None]:
    frames = [recording.stacks.user_frame(op.stack) for op in part.ops]
    return [frame and frame.line for frame in frames]


def reason(recording: Recording, evidence: str) -> str:
    return next(gap.reason for gap in recording.missing if gap.evidence == evidence)


def test_each_op_has_its_inputs_shapes_attrs_and_line() -> None:
    write(
        "model.py",
        """
        weights = tf.Variable([[1.0, 2.0]], name="weights")
        offset = tf.constant([0.5])

        @tf.function
        def step(batch, scale):
            product = tf.matmul(batch["x"][0], weights, transpose_b=True)
            return tf.nn.relu(product + offset) * scale * 3.0

        step_inputs = lambda: {"batch": {"x": [tf.ones([4, 2])]}, "scale": tf.ones([])}
        """,
    )
    recording = recorded_eagerly("model.py:step")
    part = eager_part(recording)
    assert [op.op_type for op in part.ops] == ["ReadVariableOp", "MatMul", "AddV2", "Relu", "Mul", "Mul"]
    assert [op.inputs for op in part.ops] == [
        ("variable:weights",),
        ("argument:batch.x.0", "0:0"),
        ("1:0", "outside"),
        ("2:0",),
        ("3:0", "argument:scale"),
        ("4:0", "constant"),
    ]
    assert [str(op.outputs[0]) for op in part.ops[:3]] == ["float32[1,2]", "float32[4,1]", "float32[4,1]"]
    assert part.attr_sets[part.ops[1].attrs]["transpose_b"] is True
    assert part.attr_sets[part.ops[1].attrs]["T"] == "float32"
    assert lines_of(recording, part) == [8, 8, 9, 9, 9, 9]
    assert "CPU:0" in part.ops[1].device
    assert part.threads == ("MainThread",)


def test_ops_of_a_gradient_are_those_of_the_line_that_asks_for_it() -> None:
    write(
        "model.py",
        """
        v = tf.Variable([2.0], name="v")

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                loss = tf.exp(v * v)
            gradient = tape.gradient(loss, v)
            v.assign_sub(gradient)
            return loss
        """,
    )
    recording = recorded_eagerly("model.py:step")
    part = eager_part(recording)
    of_gradient = {op.op_type for op, line in zip(part.ops, lines_of(recording, part), strict=True) if line == 9}
    assert "Mul" in of_gradient
    update = next(op for op in part.ops if op.op_type == "AssignSubVariableOp")
    producer = part.ops[int(update.inputs[1].partition(":")[0])]
    assert update.inputs[0] == "variable:v"
    assert lines_of(recording, part)[producer.index] == 9


@pytest.mark.parametrize(
    ("target", "source"),
    [
        (f"{SAMPLES}/matmul.py:matmul", ""),
        (f"{SAMPLES}/keras_conv_train_step.py:train_step", ""),
        ("loops.py:step", LOOPS),
        ("lstm.py:model", LSTM),
    ],
)
def test_the_list_of_ops_is_the_profilers(target: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if source:
        write(target.partition(":")[0], source)
    profiles = []
    monkeypatch.setattr(
        "tfgraphdbg.recorders.eager_ops.timed_run", lambda space: profiles.append(timed_run(space)) or profiles[-1]
    )
    recording = recorded_eagerly(target)
    part = eager_part(recording)
    assert part.unmatched == 0
    assert part.unrepeatable == ""
    for profile in profiles:
        assert [op.op_type for op in part.ops] == [op.op_type for op in profile.threads[0].ops]
    assert all(op.kernel_us is not None and op.dispatch_us is not None for op in part.ops)


def test_times_sum_up_to_a_whole_run() -> None:
    part = eager_part(recorded_eagerly(f"{SAMPLES}/keras_conv_train_step.py:train_step"))
    spent = sum((op.python_us or 0) + (op.dispatch_us or 0) + (op.kernel_us or 0) for op in part.ops) + part.after_us
    quarter = len(part.wall_us) // 4
    middle = sorted(part.wall_us)[quarter : len(part.wall_us) - quarter]
    assert spent == pytest.approx(mean(middle), rel=0.02)


def test_a_slow_kernel_slow_python_and_nothing_else_are_told_apart() -> None:
    write(
        "model.py",
        """
        import time

        def step(x):
            if tf.executing_eagerly():
                time.sleep(0.02)
            return tf.linalg.matmul(x, x) + 1.0

        step_inputs = lambda: tf.ones([700, 700])
        """,
    )
    product, added = eager_part(recorded_eagerly("model.py:step")).ops
    assert product.op_type == "MatMul"
    assert product.python_us > 20_000
    assert product.kernel_us > 10 * product.dispatch_us
    assert added.python_us < 10_000


def test_what_a_py_function_and_other_threads_run_is_in_the_list() -> None:
    write(
        "model.py",
        """
        import threading

        @tf.function
        def step(x):
            if tf.executing_eagerly():
                helper = threading.Thread(target=lambda: tf.cos(x), name="helper")
                helper.start()
                helper.join()
            return tf.py_function(lambda value: tf.sin(value) * 2.0, [x], tf.float32)

        step_inputs = lambda: tf.ones([2])
        """,
    )
    part = eager_part(recorded_eagerly("model.py:step"))
    assert [op.op_type for op in part.ops] == ["Cos", "Sin", "Mul", "EagerPyFunc"]
    assert part.threads == ("MainThread", "helper")
    assert [op.thread for op in part.ops] == [1, 0, 0, 0]
    assert part.unmatched == 0
    assert "tf.py_function" in part.note


def test_variables_and_random_numbers_are_as_before() -> None:
    write(
        "model.py",
        """
        import random
        v = tf.Variable([0.0])
        drawn = []

        @tf.function
        def step():
            for _ in range(random.randint(1, 9)):
                v.assign_add([1.0])
            return v.read_value()
        """,
    )
    recording = recorded_eagerly("model.py:step", costs=True)
    part = eager_part(recording)
    assert part.unrepeatable == ""
    import sys

    added = Counter(op.op_type for op in part.ops)["AssignAddVariableOp"]
    assert added >= 1
    assert float(sys.modules["model"].v.numpy()[0]) == recorded_adds(recording)


def recorded_adds(recording: Recording) -> int:
    """How often the graph, which ran once, added."""
    return sum(op.op_type == "AssignAddVariableOp" for op in recording.graph("traced").ops)


def test_state_that_stays_changed_is_named() -> None:
    write(
        "model.py",
        """
        table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        numbers = iter(tf.data.Dataset.range(100_000))
        v = tf.Variable(1.0)

        @tf.function
        def step():
            table.insert(tf.constant("key"), tf.constant(4, tf.int64))
            v.assign(5.0)
            return next(numbers)
        """,
    )
    loaded = load("model.py:step")
    loaded.function()
    state = RestoredState(loaded.function)
    assert state.variables == 1
    assert re.search("iterator.*hash table", state.gaps())
    loaded.function()
    loaded.place.module.v.assign(7.0)
    state.restore()
    assert float(loaded.place.module.v) == 5.0


def test_runs_that_differ_are_said_to() -> None:
    write(
        "model.py",
        """
        calls = []

        @tf.function
        def step(x):
            calls.append(1)
            if len(calls) % 2:
                x = tf.sin(x)
            return tf.exp(x)

        step_inputs = lambda: tf.ones([2])
        """,
    )
    part = eager_part(recorded_eagerly("model.py:step"))
    assert re.match(
        r"\d+ of \d+ further runs made other ops, the first of them near \w+ in model.py:\d+", part.unrepeatable
    )
    assert part.ops[-1].op_type == "Exp"
    assert part.ops[-1].kernel_us is not None


def test_a_function_that_fails_eagerly_says_how_and_where() -> None:
    write(
        "model.py",
        """
        @tf.function
        def step(x):
            if tf.executing_eagerly():
                raise ValueError("only in a graph")
            return x

        step_inputs = lambda: tf.ones([2])
        """,
    )
    recording = recorded_eagerly("model.py:step", costs=True)
    assert recording.eager() is None
    assert recording.call_costs() is None
    assert "ValueError: only in a graph (model.py:6)" in reason(recording, "eager-ops")
    assert "ValueError: only in a graph (model.py:6)" in reason(recording, "call-costs")


def test_an_input_that_is_used_up_leaves_ops_without_times() -> None:
    write(
        "model.py",
        """
        numbers = iter(tf.data.Dataset.range(4))

        @tf.function
        def step():
            return next(numbers) * 2
        """,
    )
    part = eager_part(recorded_eagerly("model.py:step"))
    assert [op.op_type for op in part.ops][-1] == "Mul"
    assert "StopIteration" in part.note
    assert "model.py:7" in part.note


def test_graphs_without_python_are_not_run_eagerly() -> None:
    write(
        "model.py",
        """
        double = tf.function(lambda x: x * 2.0).get_concrete_function(tf.TensorSpec([2]))
        double_inputs = lambda: tf.ones([2])
        """,
    )
    assert "name the tf.function that made it" in reason(recorded_eagerly("model.py:double"), "eager-ops")


def test_tensors_of_the_run_are_let_go() -> None:
    write(
        "model.py",
        """
        import weakref
        alive = []

        @tf.function
        def step(x):
            if tf.executing_eagerly():
                large = x + 1.0
                seen = weakref.ref(large)
                del large
                alive.append(seen() is not None)
            return x * 2.0

        step_inputs = lambda: tf.ones([2])
        """,
    )
    import sys

    recorded_eagerly("model.py:step")
    assert sys.modules["model"].alive
    assert not any(sys.modules["model"].alive)


def test_tensorflow_is_left_as_it_was() -> None:
    import threading

    import tensorflow as tf
    from tensorflow.python.eager import context, execute

    before = threading.getprofile(), execute.execute, gc.isenabled()
    write("model.py", "step = lambda: tf.ones([2]) + 1.0")
    recorded_eagerly("model.py:step", costs=True)
    assert (threading.getprofile(), execute.execute, gc.isenabled()) == before
    assert not context.context().op_callbacks
    assert not tf.config.functions_run_eagerly()


def test_call_costs_agree_with_timeit() -> None:
    target = f"{SAMPLES}/matmul.py:matmul"
    costs = recorded_eagerly(target, costs=True).call_costs()
    loaded = load(target)
    example = next(iter(example_calls(loaded, LoadOptions())))
    plain = {"eager": [], "graph": []}
    for _ in range(15):
        plain["eager"].append(timeit.timeit(lambda: loaded.callable(*example.args), number=100) / 100 * 1e6)
        plain["graph"].append(timeit.timeit(lambda: loaded.function(*example.args), number=100) / 100 * 1e6)
    assert len(costs.eager_us) == len(costs.graph_us) >= 3
    assert costs.trace_ms > 0
    for measured, timed in ((costs.eager_us, plain["eager"]), (costs.graph_us, plain["graph"])):
        assert min(timed) * 0.7 < median(measured) < max(timed) * 1.4


def test_an_eager_recording_from_the_command_line(recorded) -> None:
    recording = load_file(recorded("matmul.py:matmul", "--eager"))
    part = eager_part(recording)
    assert [op.op_type for op in part.ops if op.op_type != eager_times.CONSTANT] == [
        "Transpose",
        "Transpose",
        "MatMul",
        "BiasAdd",
        "Relu",
        "Identity",
    ]
    # Only the BFC allocator of a recorder process tells of bytes.
    assert next(op.bytes for op in part.ops if op.op_type == "MatMul") == 32 * 16 * 4
    assert recording.call_costs() is not None
    assert "eager run" in recording.meta.phases_ms


def test_a_variable_of_a_dead_object_does_not_stop_naming() -> None:
    import tensorflow as tf

    kept = tf.Variable([1.0], name="kept")
    assert eager_internals.variable_names()[kept.handle._id] == "kept"


def test_a_function_is_recorded_eagerly_in_place_when_asked() -> None:
    import tensorflow as tf

    import tfgraphdbg

    v = tf.Variable([1.0], name="v")

    def step(x: tf.Tensor) -> tf.Tensor:
        v.assign_add(x)
        return v * 2.0

    recording = tfgraphdbg.record(step, tf.ones([1]), passes=False, steps=0, eager=True)
    part = eager_part(recording)
    assert [op.op_type for op in part.ops] == ["AssignAddVariableOp", "ReadVariableOp", "Mul"]
    assert part.ops[0].inputs == ("variable:v", "argument:x")
    assert recording.call_costs() is not None
    assert float(v.numpy()[0]) == 2.0
    assert tfgraphdbg.record(step, tf.ones([1]), passes=False, steps=0).eager() is None


def test_a_whole_program_is_not_run_a_second_time(recorded) -> None:
    recording = load_file(recorded("train_program.py", "--eager"))
    assert "name a function of it" in reason(recording, "eager-ops")
    assert not any(name.endswith("/eager") for name in recording.parts.names())


def test_calls_that_take_longer_than_all_the_time_planned_have_one_sample_of_each() -> None:
    loaded = load(f"{SAMPLES}/matmul.py:matmul")
    example = next(example_calls(loaded, LoadOptions()))
    loaded.function(*example.args)
    costs = measured_costs(loaded, example, RestoredState(loaded.function, None), budget_s=0.0)
    assert len(costs.eager_us) == len(costs.graph_us) == 1
    assert costs.note.startswith("one sample of each")


def test_methods_run_as_they_were_written():
    import tensorflow as tf

    import tfgraphdbg

    class Layered:
        def __init__(self):
            self.weight = tf.Variable(tf.ones([4, 4]))

        @tf.function
        def inner(self, x):
            return tf.nn.relu(x @ self.weight)

        @tf.function
        def outer(self, x):
            return tf.reduce_sum(self.inner(x))

    layered = Layered()
    layered.outer(tf.ones([2, 4]))
    recording = tfgraphdbg.record(layered.outer, tf.ones([2, 4]), passes=False, steps=0, eager=True)
    lines = {recording.stacks.user_frame(op.stack) for op in recording.eager().ops}
    assert {line and line.file for line in lines} == {__file__}
    assert {line.code for line in lines} >= {"return tf.nn.relu(x @ self.weight)"}
    assert float(layered.outer(tf.ones([3, 4]))) == 48.0
