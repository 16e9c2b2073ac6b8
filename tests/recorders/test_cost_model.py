"""Estimates of a whole graph: the same as the cost model's of every op, and scaled as it would for other devices."""

from __future__ import annotations

import pytest

from tfgraphdbg.device_models import estimates_for

pytestmark = pytest.mark.tensorflow

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"
GPU = "/job:localhost/replica:0/task:0/device:GPU:0"


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


@pytest.fixture(scope="module")
def program(tf):
    weights, kernel = tf.Variable(tf.ones((64, 96))), tf.Variable(tf.ones((3, 3, 8, 16)))

    def run(x, image):
        def body(i, h):
            return i + 1, tf.tanh(h @ tf.ones((96, 96))) + tf.cast(i, tf.float32)

        h = tf.nn.relu(x @ weights + 1.0) * tf.exp(x @ weights)
        h = tf.while_loop(lambda i, h: i < 5, body, (0, h))[1]
        weights.assign_add(tf.ones((64, 96)))
        convolved = tf.nn.conv2d(image, kernel, 1, "SAME")
        mean = tf.reduce_mean(tf.reshape(convolved, [4, -1]), axis=1)
        return h, tf.transpose(h), tf.math.rsqrt(mean + 1.0), tf.strings.as_string(x), tf.nn.softmax(h)

    return tf.function(run), tf.ones((256, 64)), tf.ones((4, 28, 28, 8))


@pytest.fixture(scope="module")
def graphs(program):
    from tests.recorders.chance_programs import graph_of

    return graph_of(*program)


@pytest.fixture(scope="module")
def estimates(graphs):
    from tfgraphdbg.recorders.cost_model import estimates_of

    part = estimates_of(*graphs)
    assert not isinstance(part, str), part
    return part


def test_an_op_costs_the_same_alone_as_in_its_graph(graphs, estimates):
    from tfgraphdbg.recorders.op_costs import estimated_costs

    whole = estimated_costs(graphs[1]).by_op
    known = [op for op in estimates.ops if op.shapes_known and whole[op.op].shapes_known]
    assert len(known) > 20
    for op in known:
        assert (op.compute_us, op.memory_us) == pytest.approx((whole[op.op].compute_us, whole[op.op].memory_us)), op


def test_every_op_that_computes_has_an_estimate_with_known_shapes(graphs, estimates):
    told = {op.op: op for op in estimates.ops}
    computing = [op for op in graphs[0].top_level_ops if op.op_type in {"MatMul", "Conv2D", "Tanh", "Exp", "Softmax"}]
    assert len(computing) >= 5
    assert all(told[op.id].shapes_known for op in computing)


def test_a_loop_op_is_estimated_by_the_shape_that_goes_round(graphs, estimates):
    (product,) = [
        op for op in estimates.ops if graphs[0].by_id[op.op].op_type == "MatMul" and op.op.startswith("while/")
    ]
    assert product.compute_us == pytest.approx(2 * 256 * 96 * 96 / estimates.gigaops / 1e3, rel=0.01)


def _asked(graphs, device: str, properties) -> dict:
    """What the cost model itself says when every op is placed on a device that is only described."""
    from tfgraphdbg.recorders.distinct_ops import distinct_ops
    from tfgraphdbg.recorders.op_costs import performance_on_slowed_devices

    distinct = distinct_ops(*graphs)
    for node in distinct.graph_def.node:
        node.device = device
    costs = performance_on_slowed_devices(distinct.graph_def, list(distinct.names), {device: properties})
    return {name: costs[kind] for kind, names in distinct.names.items() for name in names}


@pytest.mark.parametrize(
    ("model", "described"),
    [
        ("gpu:a100", {"type": "GPU", "num_cores": 108, "frequency": 1410, "bandwidth": 1_555_000_000}),
        ("gpu:v100", {"type": "GPU", "num_cores": 80, "frequency": 1530, "bandwidth": 900_000_000}),
        ("gpu:t4", {"type": "GPU", "num_cores": 40, "frequency": 1590, "bandwidth": 320_000_000}),
        ("cpu:8", {"type": "CPU", "num_cores": 8, "bandwidth": 32_000_000}),
    ],
)
def test_scaled_estimates_are_those_of_the_cost_model_for_that_device(graphs, estimates, model, described):
    from tensorflow.core.protobuf import device_properties_pb2

    described = {"frequency": int(estimates.devices[0].mhz), **described}
    properties = device_properties_pb2.DeviceProperties(**described)
    if described["type"] == "GPU":
        properties.environment["architecture"] = "8.0"
    asked = _asked(graphs, GPU if described["type"] == "GPU" else CPU, properties)
    ops = estimates_for(estimates, model).ops
    assert len(ops) > 20
    # Both are cut to a thousandth of a microsecond over the clock in GHz.
    cut = 2.0 / 1e3
    for op in ops:
        assert op.compute_us == pytest.approx(asked[op.op].compute_us, rel=0.001, abs=cut), op
        assert op.memory_us == pytest.approx(asked[op.op].memory_us, rel=0.001, abs=cut), op


def test_the_speed_of_this_machine_is_what_the_cost_model_takes(estimates):
    from tfgraphdbg.recorders import grappler_internals

    machine = grappler_internals.local_device_properties(CPU)
    assert estimates.gigaops == pytest.approx(machine.num_cores * machine.frequency / 1e3)
    assert (estimates.gb_per_s, estimates.devices[0].kind) == (32.0, "CPU")


@pytest.mark.parametrize(
    ("architecture", "cores"), [("3.5", 192), ("5.2", 128), ("7.0", 64), ("9.0", 64), ("12.0", 32)]
)
def test_the_speed_of_a_gpu_follows_the_cost_models_own_table(graphs, architecture, cores):
    from tensorflow.core.protobuf import device_properties_pb2

    from tfgraphdbg.recorders.cost_model import speed_of

    properties = device_properties_pb2.DeviceProperties(type="GPU", num_cores=40, frequency=1000, bandwidth=500_000_000)
    properties.environment["architecture"] = architecture
    speed = speed_of(properties)
    assert speed.gigaops == 40 * cores * 2
    product = next(op.id for op in graphs[0].top_level_ops if op.op_type == "Conv2D")
    operations = 2 * 4 * 28 * 28 * 3 * 3 * 8 * 16
    asked = _asked(graphs, GPU, properties)[product]
    assert asked.compute_us == pytest.approx(operations / speed.gigaops / 1e3, rel=0.01)


def test_kinds_that_the_cost_model_refuses_are_left_out(tf, graphs):
    from tests.recorders.chance_programs import graph_of
    from tfgraphdbg.recorders.cost_model import estimates_of

    graph, graph_def = graph_of(lambda x: (tf.tanh(x), tf.exp(x)), tf.ones((8, 8)))
    broken = type(graph_def)()
    broken.CopyFrom(graph_def)
    del next(node for node in broken.node if node.op == "Exp").attr["T"]
    part = estimates_of(graph, broken)
    assert not isinstance(part, str), part
    assert [graph.by_id[op.op].op_type for op in part.ops if graph.by_id[op.op].op_type in {"Tanh", "Exp"}] == ["Tanh"]
