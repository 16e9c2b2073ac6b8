"""Recording inside a running program: the Python API that notebooks use."""

from __future__ import annotations

import pytest

import tfgraphdbg
from tfgraphdbg.errors import UsageError

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


@pytest.fixture(scope="module")
def recording(tf):
    def dense(x, weights):
        return tf.nn.relu(x @ weights)

    return tfgraphdbg.record(dense, tf.ones([4, 3]), weights=tf.ones([3, 2]))


def test_a_plain_function_is_recorded_through_all_stages(recording):
    assert recording.meta.outcome == "complete"
    assert [stage.name for stage in recording.main_tracing.stages] == [
        "traced",
        "pre-optimization",
        "lowered",
        "optimized",
        "partition:0",
    ]
    graph = recording.graph("optimized").nx
    assert any(data["op"].op_type in ("_FusedMatMul", "MatMul") for _, data in graph.nodes(data=True))
    frame = recording.stacks.user_frame(recording.graph("traced").by_id["matmul"].stack)
    assert frame.file == __file__
    assert frame.function == "dense"


def test_what_a_late_start_cannot_have_is_listed(recording):
    assert {gap.evidence for gap in recording.missing} == {"log", "console"}


def test_a_recording_goes_to_a_file_and_comes_back(recording, tmp_path):
    path = tmp_path / "run.tfgdbg"
    tfgraphdbg.save(recording, path)
    again = tfgraphdbg.load(path)
    assert again.meta == recording.meta
    assert again.graph("traced").ops == recording.graph("traced").ops
    assert again.graph_def("optimized") == recording.graph_def("optimized")


def test_reports_and_pictures_come_from_python_too(recording):
    assert tfgraphdbg.analyze(recording).table("stages").rows[0][0] == "traced"
    assert tfgraphdbg.analyze(recording, "diff", stage="traced", against_stage="optimized").analysis == "diff"
    assert tfgraphdbg.render(recording)._repr_svg_().lstrip().startswith(("<?xml", "<svg", "<!DOCTYPE"))
    with pytest.raises(UsageError, match="overveiw"):
        tfgraphdbg.analyze(recording, "overveiw")
    with pytest.raises(UsageError, match="stages"):
        tfgraphdbg.analyze(recording, "diff", stages="traced")


def test_a_watched_block_sees_tracings_calls_and_gradients(tf):
    @tf.function
    def square(x):
        return x * x

    with tfgraphdbg.watch() as recording:
        x = tf.Variable(3.0)
        with tf.GradientTape() as tape:
            y = square(x)
        tape.gradient(y, x)
        square(tf.constant([1.0, 2.0]))
        square(tf.constant([3.0, 4.0]))
    calls = {(tracing.role, tracing.calls) for tracing in recording.tracings if tracing.calls}
    assert calls == {("forward", 1), ("backward", 1), ("inference", 2)}
    assert all(tracing.function == "square" for tracing in recording.tracings)
    assert len(recording.calls) == 4


def test_a_block_that_raises_keeps_what_ran_and_raises_the_users_own_error(tf):
    @tf.function
    def fails(x):
        tf.debugging.assert_positive(x)
        return x

    with pytest.raises(tf.errors.InvalidArgumentError), tfgraphdbg.watch() as recording:
        fails(-tf.ones([3]))
    assert "InvalidArgumentError" in recording.meta.outcome
    assert recording.graph("traced").op_type_counts()["Placeholder"] >= 1
    assert recording.main_tracing.stage("optimized"), "a run that fails was optimized before"


def test_nothing_is_watched_after_the_block(tf):
    from tensorflow.python.eager.polymorphic_function import atomic_function, tracing_compilation

    before = (tracing_compilation._create_concrete_function, atomic_function.AtomicFunction.call_flat)
    with tfgraphdbg.watch():
        assert tracing_compilation._create_concrete_function is not before[0]
    assert (tracing_compilation._create_concrete_function, atomic_function.AtomicFunction.call_flat) == before


def test_a_concrete_function_traced_before_is_recorded_from_its_first_run(tf):
    @tf.function
    def early(x):
        return x + 1

    concrete = early.get_concrete_function(tf.TensorSpec([2]))
    with tfgraphdbg.watch() as recording:
        concrete(tf.constant([1.0, 2.0]))
    assert recording.main_tracing.function == "early"
    assert recording.main_tracing.trace_ms is None
    assert recording.main_tracing.stage("optimized")


def test_a_function_that_has_already_run_is_traced_once_more(tf):
    @tf.function(jit_compile=False, reduce_retracing=True)
    def busy(x):
        return tf.nn.relu(x) * 2

    class Scaler:
        def __init__(self):
            self.factor = tf.Variable(3.0)

        @tf.function
        def scale(self, x):
            return x * self.factor

    scaler = Scaler()
    x = tf.constant([1.0, -2.0])
    busy(x)
    scaler.scale(x)
    assert tfgraphdbg.record(busy, x).main_tracing.stage("optimized")
    assert tfgraphdbg.record(scaler.scale, x).main_tracing.stage("optimized")
    assert busy.experimental_get_tracing_count() == 1


def test_a_function_that_ran_before_its_block_has_no_first_run(tf):
    @tf.function
    def early(x):
        return x + 1

    early(tf.ones([2]))
    with tfgraphdbg.watch(passes=False, steps=0) as recording:
        early(tf.ones([2]))
    assert recording.main_tracing.calls == 1
    assert recording.main_tracing.first_run_ms is None
    assert recording.main_tracing.trace_ms is None


def reasons_not_measured(recording):
    measured = ("op-times", "eager-ops", "call-costs")
    return {gap.evidence: gap.reason for gap in recording.missing if gap.evidence in measured}


@pytest.mark.parametrize("eager", [False, True])
def test_what_cannot_be_put_back_is_changed_once(tf, eager):
    queue = tf.queue.FIFOQueue(2, tf.float32)
    table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.int64, 0)
    numbers = iter(tf.data.Dataset.range(100))
    key = tf.constant(1, tf.int64)
    called = []

    def enqueue(x):
        queue.enqueue(1.0)
        return x

    def count():
        if tf.reduce_sum(key) > 0:
            table.insert(key, table.lookup(key) + 1)

    def take():
        return next(numbers)

    def call_python(x):
        return tf.py_function(lambda y: (called.append(1), y)[1], [x], tf.float32)

    wanted = {"op-times", *["eager-ops", "call-costs"] * eager}
    for function, args, words in (
        (enqueue, (tf.ones([2]),), "a queue"),
        (count, (), "a hash table"),
        (take, (), "a dataset's iterator"),
        (call_python, (tf.ones([2]),), "tf.py_function"),
    ):
        recording = tfgraphdbg.record(function, *args, passes=False, eager=eager)
        assert set(reasons_not_measured(recording)) == wanted
        assert words in reasons_not_measured(recording)["op-times"]
        assert "tfgraphdbg.watch()" in reasons_not_measured(recording)["op-times"]
    assert int(queue.size()) == 1
    assert int(table.lookup(key)) == 1
    assert int(next(numbers)) == 1
    assert len(called) == 1


def test_what_a_call_makes_and_uses_up_itself_can_be_made_again(tf):
    def total():
        result = tf.constant(0, tf.int64)
        for number in tf.data.Dataset.range(5):
            result += number
        return result

    def one():
        return next(iter(tf.data.Dataset.range(5)))

    assert tfgraphdbg.record(total, passes=False, steps=2).times() is not None
    assert tfgraphdbg.record(one, passes=False, steps=2).times() is not None


@pytest.mark.parametrize("eager", [False, True])
def test_random_ops_go_on_as_after_one_call(tf, eager):
    def drawn(record):
        tf.random.set_seed(7)
        step = tf.function(lambda: tf.random.uniform([]))
        record(step)
        return float(step()), float(tf.random.uniform([])), float(tf.random.normal([]))

    assert drawn(lambda step: tfgraphdbg.record(step, passes=False, steps=3, eager=eager)) == drawn(lambda step: step())


def test_a_python_function_is_called_eagerly_a_few_times_only(tf):
    called = []

    def step(x):
        called.append(1)
        return x * 2.0

    recording = tfgraphdbg.record(step, tf.ones([2]), passes=False, steps=0, eager=True)
    assert 10 < len(called) <= 51
    costs = recording.call_costs()
    assert costs is not None
    assert "no more than 30 calls" in costs.note


def test_an_eager_run_is_asked_for_in_place_too(tf, recording):
    (gap,) = [gap for gap in tfgraphdbg.analyze(recording, "eager").missing if gap.evidence == "eager-ops"]
    assert "tfgraphdbg.record(dense, ..., eager=True)" in gap.reason


def test_a_report_is_readable_as_text(recording):
    text = tfgraphdbg.as_text(tfgraphdbg.analyze(recording))
    assert "traced" in text
    assert "MatMul" in text
