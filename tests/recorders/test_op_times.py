"""Measured times: every event joined, sums that agree, and state that is as it was."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import tfgraphdbg
from tfgraphdbg.analyses.lost_tracings import lost_tracing_ms
from tfgraphdbg.measured_times import TimesPart
from tfgraphdbg.recording import OpMetric, Recording
from tfgraphdbg.recording_file import load
from tfgraphdbg.recording_meta import AFTER_LAST_OP, BEFORE_FIRST_LINE, THROWN_AWAY

pytestmark = pytest.mark.tensorflow

PROGRAMS = Path(__file__).parent / "programs"
STEPS = 5


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


@pytest.fixture(scope="module")
def functions(tf):
    from tests.recorders.programs import measured_steps

    return measured_steps


@pytest.fixture
def own_process(monkeypatch):
    """Call again what changes state, as in a process that nobody goes on with."""
    from tfgraphdbg.recorders import lasting_state

    monkeypatch.setattr(lasting_state, "lasting_state", lambda _: lasting_state.LastingState())


def record(function, *args, steps=STEPS) -> Recording:
    return tfgraphdbg.record(function, *args, passes=False, steps=steps)


def times_of(recording: Recording) -> TimesPart:
    times = recording.times()
    assert times is not None, recording.missing
    return times


def sums_agree(recording: Recording, times: TimesPart) -> None:
    """What every measurement must fulfil, whatever ran."""
    for step in times.steps:
        assert step.op_us + step.executor_us + step.unjoined_us == pytest.approx(step.busy_us, rel=0.02, abs=0.1)
        assert step.unjoined_us < 0.01 * step.busy_us
        assert step.op_us > 0
    known = recording.graph("optimized").by_id
    assert [op.op for op in times.ops if op.op not in known] == []
    line, shown = times.timeline, times.steps[times.timeline_step]
    assert sum(line.self_ns) / 1e3 == pytest.approx(shown.op_us, rel=0.02, abs=0.1)
    assert list(line.start_ns) == sorted(line.start_ns)
    assert all(0 <= end <= shown.wall_us * 1e3 + 1e6 for end in line.end_ns)
    ran = [times.ops[place].op for place in line.op]
    for op in times.ops:
        assert 0 <= op.low_us <= op.self_us <= op.high_us
        if all(step == shown for step in times.steps):
            assert ran.count(op.op) == op.calls


def calls_by_type(recording: Recording, times: TimesPart, op_type: str) -> float:
    graph = recording.graph("optimized").by_id
    return sum(op.calls for op in times.ops if graph[op.op].op_type == op_type)


@pytest.mark.parametrize(
    ("name", "op_type", "calls"),
    [
        ("loop_gradient", "Tanh", 5),
        ("branch", "Sin", 1),
        ("mapped", "Sum", 30),
        ("nested_calls", "PartitionedCall", 4),
        ("python_inside", "EagerPyFunc", 1),
        ("calls_compiled", "AddV2", 1),
    ],
)
def test_events_are_joined_and_sums_agree(tf, own_process, functions, name, op_type, calls):
    recording = record(getattr(functions, name), *functions.example_inputs())
    times = times_of(recording)
    assert len(times.steps) == STEPS
    assert len(times.plain_us) == 3
    sums_agree(recording, times)
    assert calls_by_type(recording, times, op_type) == calls
    assert recording.profiler_trace()


def test_the_branch_that_is_not_taken_has_no_time(tf, functions):
    recording = record(functions.branch, *functions.example_inputs())
    assert calls_by_type(recording, times_of(recording), "Cos") == 0


def test_ops_in_functions_that_stay_calls_have_their_own_times(tf, functions):
    times = times_of(record(functions.nested_calls, *functions.example_inputs()))
    inside = {op.op.rpartition("::")[2]: op.calls for op in times.ops if "::" in op.op}
    assert inside["Cos"] >= 1
    assert sum(op.calls for op in times.ops if op.op.endswith("::Cos")) == 4


def test_python_in_a_py_function_is_time_of_its_op(tf, own_process):
    @tf.function
    def sleeps(x):
        return tf.py_function(lambda y: (time.sleep(0.02), y * 2.0)[1], [x], tf.float32) + 1.0

    times = times_of(record(sleeps, tf.ones([2])))
    assert times.ops[0].self_us == pytest.approx(20_000, rel=0.25)
    # Of the same step, since a busy machine may wake it late in one of them.
    step = times.steps[times.timeline_step]
    of_it = sum(ns for op, ns in zip(times.timeline.op, times.timeline.self_ns, strict=True) if op == 0) / 1e3
    assert of_it > 0.9 * step.op_us


def test_a_function_compiled_whole_has_a_run_and_instructions(tf, functions):
    recording = record(functions.compiled, *functions.example_inputs())
    times = times_of(recording)
    assert times.ops == ()
    assert times.hlo_us or "XLA" in times.note
    assert sum(times.hlo_us.values()) <= max(step.op_us for step in times.steps)
    assert all(step.op_us == pytest.approx(step.busy_us) for step in times.steps)


def test_a_slow_op_gets_its_share(tf):
    @tf.function
    def uneven(x):
        return tf.reduce_sum(x @ x) + tf.reduce_sum(x[:8, :8] @ x[:8, :8])

    times = times_of(record(uneven, tf.ones([600, 600])))
    assert "MatMul" in times.ops[0].op.replace("matmul", "MatMul")
    assert times.ops[0].self_us > 0.8 * sum(op.self_us for op in times.ops)


def test_variables_are_as_after_one_call(tf):
    count = tf.Variable(0)

    @tf.function
    def counts(x):
        return x + tf.cast(count.assign_add(1), tf.float32)

    recording = record(counts, tf.ones([2]))
    assert len(times_of(recording).steps) == STEPS
    assert count.numpy() == 1
    assert recording.main_tracing.calls == 1


def test_no_steps_are_one_call(tf):
    calls = []

    @tf.function
    def counted(x):
        return tf.py_function(lambda y: (calls.append(1), y)[1], [x], tf.float32)

    assert record(counted, tf.ones([2]), steps=0).times() is None
    assert len(calls) == 1


def test_a_function_that_fails_when_it_runs_again_says_so(tf, own_process):
    runs = []

    def once(y):
        runs.append(1)
        if len(runs) > 1:
            raise ValueError("only once")
        return y

    @tf.function
    def unrepeatable(x):
        return tf.py_function(once, [x], tf.float32)

    recording = record(unrepeatable, tf.ones([2]))
    assert recording.times() is None
    (gap,) = [gap for gap in recording.missing if gap.evidence == "op-times"]
    assert "only once" in gap.reason


def test_every_steady_call_of_a_block_is_measured(tf):
    step = tf.function(lambda x: x @ x)
    with tfgraphdbg.watch(passes=False) as recording:
        for _ in range(5):
            step(tf.ones([4, 4]))
    assert len(times_of(recording).steps) == 4


def test_the_times_are_those_of_the_main_tracing(tmp_path, recorded):
    """Whichever of its inputs comes last."""
    program = tmp_path / "two_sizes.py"
    program.write_text(
        "import numpy as np, tensorflow as tf\n"
        "total = tf.Variable(0.0)\n"
        "@tf.function\n"
        "def f(x):\n"
        "    return total.assign_add(tf.reduce_sum(tf.tanh(x)))\n"
        "def f_inputs():\n"
        "    for n in (8, 8, 16, 8, 32):\n"
        "        yield (np.ones([n, 4], 'f'),)\n"
    )
    recording = load(recorded(f"{program}:f", "--steps", "3", "--eager"))
    assert sum(tracing.calls > 0 for tracing in recording.tracings) > 1
    main = recording.main_tracing
    times = times_of(recording)
    assert len(times.steps) == len(times.plain_us) == 3
    assert recording.eager(main) is not None
    assert recording.call_costs(main) is not None


def test_what_could_wait_without_end_is_not_called_again(tmp_path, recorded):
    program = tmp_path / "full_queue.py"
    program.write_text(
        "import tensorflow as tf\n"
        "queue = tf.queue.FIFOQueue(1, tf.float32)\n"
        "@tf.function\n"
        "def f():\n"
        "    queue.enqueue(1.0)\n"
        "    return tf.constant(1.0)\n"
    )
    recording = load(recorded(f"{program}:f", "--steps", "3", "--eager"))
    told = {gap.evidence: gap.reason for gap in recording.missing}
    assert all("a queue" in told[evidence] for evidence in ("op-times", "eager-ops", "call-costs"))


def test_another_session_of_the_profiler_is_named_as_the_reason(tf, tmp_path):
    tf.profiler.experimental.start(str(tmp_path))
    try:
        recording = record(tf.function(lambda x: x + 1.0), tf.ones([2]))
    finally:
        tf.profiler.experimental.stop(save=False)
    assert recording.times() is None
    (gap,) = [gap for gap in recording.missing if gap.evidence == "op-times"]
    assert "another session" in gap.reason


def test_calls_of_a_watched_block_are_measured_each_for_its_own_function(tf):
    weights = tf.Variable(tf.ones([3, 3]))

    @tf.function
    def forward(x):
        return tf.reduce_sum(tf.sin(weights @ x))

    with tfgraphdbg.watch(passes=False, steps=3) as recording:
        for _ in range(8):
            with tf.GradientTape() as tape:
                loss = forward(weights)
            tape.gradient(loss, weights)
    found = {tracing.role: tracing for tracing in recording.tracings if tracing.calls}
    assert {role: tracing.calls for role, tracing in found.items()} == {"forward": 8, "backward": 8}
    for tracing in found.values():
        times = recording.times(tracing)
        assert times is not None
        assert len(times.steps) == 3
        assert len(times.plain_us) >= 3
        assert {op.op for op in times.ops} <= set(recording.graph("optimized", tracing).by_id)
        for step in times.steps:
            assert step.op_us + step.executor_us + step.unjoined_us == pytest.approx(step.busy_us, rel=0.02, abs=0.1)
            assert step.unjoined_us < 0.01 * step.busy_us


def test_a_function_that_a_block_calls_once_has_no_steady_call(tf):
    with tfgraphdbg.watch(passes=False) as recording:
        tf.function(lambda x: x + 1.0)(tf.ones([2]))
    assert recording.times() is None
    assert [gap.evidence for gap in recording.missing if "first run" in gap.reason] == ["op-times"]


@pytest.mark.parametrize("name", ["loop_gradient", "nested_calls", "mapped"])
def test_times_of_tracing_sum_up_to_the_tracing(tf, functions, name):
    recording = record(getattr(functions, name), *functions.example_inputs(), steps=0)
    metric = recording.tracing_times()
    assert metric is not None
    assert set(metric.values) <= set(recording.graph("traced").by_id)
    assert told_ms(metric) == pytest.approx(recording.main_tracing.trace_ms, rel=0.01, abs=0.2)
    assert sum(metric.values.values()) > metric.of_no_op[THROWN_AWAY]


def test_of_a_function_that_is_traced_twice_the_time_is_known_too(tf):
    kept = []

    @tf.function
    def makes_a_variable(x):
        if not kept:
            kept.append(tf.Variable(1.0))
        time.sleep(0.05)
        return tf.cos(x * kept[0])

    recording = record(makes_a_variable, tf.ones([2]), steps=0)
    first, _, second = recording.tracings
    # The first graph is gone, and its time with it: what the tracings took is known of each.
    assert first.trace_ms > 50
    assert recording.tracing_times(first) is None
    assert lost_tracing_ms(recording, recording.main_tracing) == first.trace_ms
    metric = recording.tracing_times(second)
    assert metric is not None
    assert told_ms(metric) == pytest.approx(second.trace_ms, rel=0.01, abs=0.2)


def told_ms(metric: OpMetric) -> float:
    return (sum(metric.of_no_op.values()) + sum(metric.values.values())) / 1e3


def test_a_slow_line_of_python_is_time_of_the_op_that_it_makes(tf):
    @tf.function
    def slow(x):
        y = tf.sin(x)
        time.sleep(0.1)
        return tf.cos(y)

    metric = record(slow, tf.ones([2]), steps=0).tracing_times()
    assert metric is not None
    assert metric.values["Cos"] == pytest.approx(100_000, rel=0.5)
    assert metric.values["Sin"] < 0.8 * metric.values["Cos"]


@pytest.mark.parametrize("autograph", [True, False])
def test_time_before_the_first_line_is_of_no_op(tf, autograph):
    spent = []

    @tf.function(autograph=False)
    def inner(x):
        return tf.cos(x)

    @tf.function(autograph=autograph)
    def outer(x):
        began = time.perf_counter()
        y = tf.sin(x)
        spent.append((time.perf_counter() - began) * 1e6)
        y = inner(y)
        return tf.tan(y)

    recording = record(outer, tf.ones([2]), steps=0)
    metric = recording.tracing_times()
    assert metric is not None
    trace_us = recording.main_tracing.trace_ms * 1e3
    assert metric.values["Sin"] < spent[0] + 1_000
    assert 0 < metric.of_no_op[BEFORE_FIRST_LINE] < trace_us
    assert sum(metric.of_no_op.values()) + sum(metric.values.values()) <= trace_us
    # The set-up of a function that is called belongs to the line that calls it.
    assert metric.values["StatefulPartitionedCall" if "StatefulPartitionedCall" in metric.values else "PartitionedCall"]


def test_slow_set_up_is_of_no_op(tf, monkeypatch):
    from tensorflow.python.autograph.impl import api

    convert = api._convert_actual

    def slow_convert(*args):
        time.sleep(0.1)
        return convert(*args)

    monkeypatch.setattr(api, "_convert_actual", slow_convert)
    metric = record(tf.function(lambda x: tf.sin(x)), tf.ones([2]), steps=0).tracing_times()
    assert metric is not None
    assert metric.of_no_op[BEFORE_FIRST_LINE] > 100_000 > metric.values["Sin"]


def test_time_after_the_last_op_is_of_no_op(tf):
    def slow_end(x):
        y = tf.sin(x)
        time.sleep(0.1)
        return y

    metric = record(tf.function(slow_end, autograph=False), tf.ones([2]), steps=0).tracing_times()
    assert metric is not None
    # What is returned becomes an Identity.
    assert metric.values["Identity"] > 100_000 > metric.of_no_op[AFTER_LAST_OP] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "target",
    [
        f"{PROGRAMS}/resnet50_train_step.py:train_step",
        f"{PROGRAMS}/bert_train_step.py:train_step",
        f"{PROGRAMS}/passes_lstm.py:model",
        "two_devices.py:trainer.step",
    ],
    ids=lambda target: target.rpartition("/")[2],
)
def test_models_add_up(recorded, target):
    recording = load(recorded(target))
    times = times_of(recording)
    assert len(times.steps) == 3
    sums_agree(recording, times)
    assert recording.profiler_trace()


@pytest.mark.slow
def test_a_program_that_fits_a_model_is_measured(tmp_path, recorded):
    program = tmp_path / "train.py"
    program.write_text(
        "import keras, numpy as np\n"
        "model = keras.Sequential([keras.layers.Dense(8, activation='relu'), keras.layers.Dense(1)])\n"
        "model.compile('adam', 'mse')\n"
        "model.fit(np.ones([64, 4], 'f'), np.ones([64, 1], 'f'), batch_size=8, epochs=2, verbose=0)\n"
    )
    recording = load(recorded(str(program), "--steps", "4"))
    times = times_of(recording)
    assert recording.main_tracing.calls == 16
    assert len(times.steps) == 4
    sums_agree(recording, times)
