"""XLA's accounting on real programs: exact on each, and right where the answer is known by construction."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import GRAPHS_ALONE, run_tfgraphdbg
from tests.data.test_hlo_fates import assert_exact
from tfgraphdbg.analyses.fates import pass_fates
from tfgraphdbg.analyses.hlo_auto_clusters import recorded_clusters
from tfgraphdbg.analyses.hlo_fates import XlaAccount, XlaFate
from tfgraphdbg.analyses.hlo_tables import summary_of, xla_account, xla_report_tables
from tfgraphdbg.recording import Recording
from tfgraphdbg.recording_file import load

pytestmark = pytest.mark.tensorflow

PROGRAM = """
import tensorflow as tf

w = tf.Variable(tf.random.normal([64, 32]))
b = tf.Variable(tf.zeros([32]))
v = tf.Variable(tf.random.normal([32, 10]))
kernel = tf.Variable(tf.random.normal([3, 3, 3, 8]))
square = tf.Variable(tf.random.normal([16, 16]))


@tf.function(jit_compile=True)
def dense(x, y):
    with tf.GradientTape() as tape:
        hidden = tf.nn.relu(tf.nn.bias_add(x @ w, b))
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, hidden @ v))
    for variable, gradient in zip([w, b, v], tape.gradient(loss, [w, b, v])):
        variable.assign_sub(0.1 * gradient)
    return loss


@tf.function(jit_compile=True)
def conv(x):
    y = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + 1.0)
    return tf.reduce_sum(tf.nn.max_pool2d(y, 2, 2, "VALID"), axis=[1, 2])


@tf.function(jit_compile=True)
def loop(x):
    h = tf.zeros([4, 16])
    for i in tf.range(5):
        h = tf.tanh(x[i] @ square + h)
    if tf.reduce_sum(h) > 0:
        h = h * 2.0
    else:
        h = tf.exp(h)
    return h


@tf.function
def inner(x):
    return tf.sin(x) * 2.0


@tf.function
def outer(x):
    return inner(x) + inner(x * 3.0)


@tf.function(jit_compile=True)
def nested(x):
    return outer(x) + inner(x) + tf.sin(x, name="again")


@tf.function(jit_compile=True)
def twins(x):
    tf.exp(x, name="dead")
    six = tf.multiply(tf.constant(2.0), tf.constant(3.0), name="six")
    return tf.cos(x, name="first") * tf.cos(x, name="second") + six


lstm_layer = tf.keras.layers.LSTM(16, return_sequences=True)
lstm_layer.build([2, 7, 8])


@tf.function(jit_compile=True)
def lstm(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(lstm_layer(x))
    return tape.gradient(loss, lstm_layer.trainable_variables)


@tf.function
def plain(x):
    return tf.sin(x)


dense(tf.random.normal([8, 64]), tf.zeros([8], tf.int32))
conv(tf.random.normal([2, 16, 16, 3]))
loop(tf.random.normal([5, 4, 16]))
nested(tf.random.normal([8, 8]))
twins(tf.random.normal([8, 8]))
lstm(tf.random.normal([2, 7, 8]))
plain(tf.random.normal([8, 8]))
"""

COMPILED = ("dense", "conv", "loop", "nested", "twins", "lstm")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder: Path = tmp_path_factory.mktemp("xla")
    program, out = folder / "program.py", folder / "run.tfgdbg"
    program.write_text(PROGRAM)
    done = run_tfgraphdbg("record", str(program), "-o", str(out), *GRAPHS_ALONE)
    assert done.returncode == 0, done.stderr
    return load(out)


def account_of(recording: Recording, function: str) -> XlaAccount:
    account = xla_account(recording, recording.tracing_of(function))
    assert account is not None
    return account


def fates_of(recording: Recording, function: str) -> dict[str, XlaFate]:
    return {fate.op: fate for fate in account_of(recording, function).fates}


@pytest.mark.parametrize("function", COMPILED)
def test_the_accounting_of_a_real_program_is_exact(recording: Recording, function: str) -> None:
    account = account_of(recording, function)
    assert_exact(account, set(recording.graph("traced", recording.tracing_of(function)).by_id))
    assert account.unread_lines == 0
    for made in account.places.module.instructions():
        origin = account.origins[made.key]
        assert origin.ops or made.op_name in ("", "XLA_Args", "XLA_Retvals")
        # Arguments have no names in HLO: they are told by their order.
        assert origin.is_sure or not origin.ops or made.opcode == "parameter"


def test_a_train_step(recording: Recording) -> None:
    fates = fates_of(recording, "dense")
    assert fates["matmul"].fate == fates["gradient_tape/matmul/MatMul"].fate == "kept"
    assert fates["BiasAdd"].fate == fates["Relu"].fate == "fused"
    assert set(fates["BiasAdd"].into) & set(fates["Relu"].into)
    assert fates["mul"].fate == fates["AssignSubVariableOp"].fate == "fused"
    assert fates["mul"].into == fates["AssignSubVariableOp"].into == fates["mul/x"].into
    assert fates["mul/x"].fate == fates["gradient_tape/Tile"].fate == "folded"
    assert fates["matmul/ReadVariableOp"].fate == fates["NoOp"].fate == "removed"
    assert fates["x"] == fates["x"]._replace(fate="kept", into=("arg0.1",))


def test_a_convolution(recording: Recording) -> None:
    fates = fates_of(recording, "conv")
    assert [fates[op].fate for op in ("Conv2D", "MaxPool2d", "Sum")] == ["kept"] * 3
    assert fates["add"].fate == fates["Relu"].fate == "fused"
    assert fates["add"].into == fates["Relu"].into


def test_a_loop_and_a_branch(recording: Recording) -> None:
    fates = fates_of(recording, "loop")
    by_end = {op.rpartition("::")[2]: fate for op, fate in fates.items() if "::" in op}
    assert fates["while"].fate == by_end["while/matmul"].fate == "kept"
    assert by_end["while/add_1"].into == by_end["while/Tanh"].into
    assert fates["cond"].fate == "inlined"
    assert by_end["cond/mul"].into == by_end["cond/Exp"].into == fates["cond"].into
    roles = [row[1] for row in xla_report_tables(recording, recording.tracing_of("loop"))[2].rows]
    assert sorted(map(str, roles)) == ["entry", "loop body", "loop condition"]


def test_nested_calls(recording: Recording) -> None:
    fates = fates_of(recording, "nested")
    calls = [fate for fate in fates.values() if fate.op_type == "PartitionedCall"]
    assert [fate.fate for fate in calls] == ["inlined"] * 4
    assert fates["again"].fate == "merged"
    assert len({fate.into for fate in (*calls, fates["again"], fates["add"])}) == 1


def test_twins_constants_and_dead_ops(recording: Recording) -> None:
    fates = fates_of(recording, "twins")
    assert fates["dead"].reason == "no result depends on it"
    assert fates["six"].fate == "folded"
    assert sorted((fates["first"].fate, fates["second"].fate)) == ["fused", "merged"]


def test_a_recurrent_network_with_its_gradient(recording: Recording) -> None:
    fates = fates_of(recording, "lstm")
    kept = {fate.op_type for fate in fates.values() if fate.fate == "kept"}
    assert {"While", "StatelessWhile", "MatMul"} <= kept
    assert summary_of(account_of(recording, "lstm")).fates["fused"] > 20


def test_a_function_that_xla_did_not_compile_has_no_tables(recording: Recording) -> None:
    assert xla_report_tables(recording, recording.tracing_of("plain")) == ()


CLUSTERED = """
import tensorflow as tf

tf.config.optimizer.set_jit("autoclustering")
w = tf.Variable(tf.random.normal([16, 16]))


@tf.function
def clustered(x):
    y = tf.tanh(tf.nn.relu(x @ w + 1.0)) * 2.0
    z = tf.ensure_shape(tf.numpy_function(lambda a: a, [y], tf.float32), y.shape)
    return tf.reduce_sum(tf.exp(y) - y * (tf.exp(z) - z * z))


clustered(tf.random.normal([8, 16]))
"""


def test_auto_clustering(tmp_path: Path) -> None:
    program, out = tmp_path / "program.py", tmp_path / "run.tfgdbg"
    program.write_text(CLUSTERED)
    flags = "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit --tf_xla_min_cluster_size=2"
    done = run_tfgraphdbg("record", str(program), "-o", str(out), *GRAPHS_ALONE, TF_XLA_FLAGS=flags)
    assert done.returncode == 0, done.stderr
    recording = load(out)
    found = recorded_clusters(recording, recording.tracing_of("clustered"))
    assert found is not None
    first, second = sorted(found.clusters)
    assert {"matmul", "add", "mul"} <= set(first.ops)
    assert {"Sum"} <= set(second.ops)
    assert (found.basis, found.unexplained) == ("measured", ())
    fates = pass_fates(recording, recording.tracing_of("clustered"))
    assert fates is not None
    for cluster in found.clusters:
        assert {fates.fates[name].into for name in cluster.ops if name in fates.fates} == {cluster.runs_as}
    assert fates.fates["matmul"][2:4] == ("fused", "xla:clustering")
    ran = recording.graph("optimized", recording.tracing_of("clustered")).by_id
    assert all(id_ in fates.origins or fates.fates[id_].fate == "new" for id_ in ran)
    assert {fate.into for fate in fates.fates.values()} - {None} <= set(ran)
    assert fates.fates["identity_RetVal"].fate == "kept"
