"""Grappler's cost model: what it says of ops whose work is known, and that it never ends the process."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tensorflow

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


@pytest.fixture(scope="module")
def op_costs(tf):
    from tfgraphdbg.recorders import op_costs

    return op_costs


def _costs(op_costs, program, *args):
    from tests.recorders.chance_programs import graph_of

    return op_costs.estimated_costs(graph_of(program, *args)[1])


def test_compute_time_is_the_work_over_the_speed_of_this_machine(tf, op_costs):
    from tfgraphdbg.recorders import grappler_internals

    costs = _costs(op_costs, lambda x: tf.tanh(x @ x), tf.ones((256, 256)))
    machine = grappler_internals.local_device_properties(CPU)
    operations_a_us = machine.num_cores * machine.frequency
    product = costs.by_op["matmul"]
    assert product.compute_us == pytest.approx(2 * 256**3 / operations_a_us, rel=0.01)
    assert product.memory_us == pytest.approx(3 * 4 * 256**2 / 32e3, rel=0.01)
    assert product.us == product.compute_us + product.memory_us
    assert product.shapes_known
    assert f"{machine.num_cores} cores at {machine.frequency} MHz" in costs.device


def test_times_below_a_microsecond_are_told(tf, op_costs):
    costs = _costs(op_costs, lambda x: tf.tanh(x), tf.ones((8, 8)))
    assert 0 < costs.by_op["Tanh"].us < 1


def test_unknown_shapes_are_marked(tf, op_costs):
    signed = tf.function(lambda x: tf.tanh(x), input_signature=[tf.TensorSpec([None, 8])])
    costs = _costs(op_costs, signed, tf.ones((4, 8)))
    assert not costs.by_op["Tanh"].shapes_known


def test_the_graph_that_was_asked_about_is_not_changed(tf, op_costs):
    from tests.recorders.chance_programs import graph_of

    graph_def = graph_of(lambda x: tf.tanh(x), tf.ones((8, 8)))[1]
    before = graph_def.SerializeToString(deterministic=True)
    op_costs.estimated_costs(graph_def)
    assert graph_def.SerializeToString(deterministic=True) == before


def test_a_loop_has_costs_too(tf, op_costs):
    def program(x):
        return tf.while_loop(lambda i, y: i < 9, lambda i, y: (i + 1, tf.tanh(y @ y)), (0, x))[1]

    assert any(cost.us > 1 for cost in _costs(op_costs, program, tf.ones((64, 64))).by_op.values())


def _graph(nodes=()):
    from tensorflow.core.framework import graph_pb2

    graph_def = graph_pb2.GraphDef()
    for name, op_type, inputs in nodes:
        graph_def.node.add(name=name, op=op_type, input=inputs, device=CPU).attr["T"].type = 1
    return graph_def


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([], "no op of the graph is placed on a device"),
        ([("a", "NoOp", []), ("a", "NoOp", [])], "two ops of the graph have the same name"),
        ([("a", "Relu", ["gone"])], "gone"),
        ([("a", "Relu", ["b"]), ("b", "Relu", ["a"]), ("c", "Relu", ["a"])], "topological order"),
        ([("a", "NoSuchOp", [])], "NoSuchOp"),
        ([("a", "NoOp", []), ("b", "Relu", ["a:3"])], "gave none"),
        ([("a", "_Arg", []), ("b", "CropAndResize", ["a", "a", "a", "a"])], "can crash on CropAndResize"),
    ],
)
def test_a_graph_that_would_end_the_process_gives_a_reason(op_costs, nodes, reason):
    costs = op_costs.estimated_costs(_graph(nodes))
    assert isinstance(costs, str)
    assert reason in costs
