"""Small programs, each with one known thing that Grappler does not do to them; `chances_of` gives what was found."""

from __future__ import annotations

import tensorflow as tf
from tensorflow.core.framework import graph_pb2

from tfgraphdbg.chances import find_chances
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recorders.chance_trials import try_chances
from tfgraphdbg.recorders.graph_defs import graph_part_of
from tfgraphdbg.recorders.in_place import Wanted, record

image = tf.ones((2, 16, 16, 8))
matrix = tf.ones((32, 64))
kernel = tf.Variable(tf.ones((3, 3, 8, 16)))
channels = tf.Variable(tf.ones(16))
weights = tf.Variable(tf.ones((64, 10)))
bias = tf.Variable(tf.ones(10))
square = tf.ones((64, 64))
counter = tf.Variable(0.0)


def fused(x=matrix):
    return tf.nn.relu(tf.nn.bias_add(x @ weights, bias))


def second_consumer(x=image):
    convolved = tf.nn.conv2d(x, kernel, 1, "SAME")
    return tf.nn.relu(tf.nn.bias_add(convolved, channels)), tf.reduce_sum(convolved)


def returned_inside(x=matrix):
    product = x @ weights
    return tf.nn.relu(tf.nn.bias_add(product, bias)), product


def control_dependency(x=matrix):
    product = x @ weights
    with tf.control_dependencies([product]):
        counted = counter.assign_add(1.0)
    return tf.nn.relu(tf.nn.bias_add(product, bias)), counted


def float64(x=matrix):
    product = tf.cast(x, tf.float64) @ tf.cast(weights, tf.float64)
    return tf.nn.relu(tf.nn.bias_add(product, tf.cast(bias, tf.float64)))


def batch_norm_in_training(x=image):
    convolved = tf.nn.conv2d(x, kernel, 1, "SAME")
    return tf.nn.relu(tf.compat.v1.nn.fused_batch_norm(convolved, channels, channels, is_training=True)[0])


def bias_before_batch_norm(x=image):
    convolved = tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "SAME"), channels)
    given = {"mean": tf.zeros(16), "variance": tf.ones(16), "is_training": False}
    return tf.nn.relu(tf.compat.v1.nn.fused_batch_norm(convolved, channels, channels, **given)[0])


def softsign(x=matrix):
    return tf.nn.softsign(tf.nn.bias_add(x @ weights, bias))


def plain_addition(x=matrix):
    return tf.nn.relu(x @ weights + bias)


def reshape_between(x=matrix):
    return tf.nn.relu(tf.nn.bias_add(tf.reshape(x @ weights, (4, 8, 10)), bias))


def two_reads(x=matrix):
    first = tf.tanh(x @ weights)
    counter.assign_add(1.0)
    return first + 1.0, tf.tanh(x @ weights) * 2.0


def one_copy_waits(x=matrix):
    first = tf.tanh(x @ square)
    with tf.control_dependencies([counter.assign_add(1.0)]):
        second = tf.tanh(x @ square)
    return first + 1.0, second * 2.0


def transposes_around_relu(x=matrix):
    return tf.transpose(tf.nn.relu(tf.transpose(x)))


def large_constant(x=matrix):
    return x + tf.reduce_sum(tf.linspace(0.0, 1.0, 100_000))


def cast_and_back(x=matrix):
    return tf.cast(tf.cast(x, tf.float64), tf.float32) + 1.0


def graph_of(program, *args, stage="optimized"):
    """A stage of a program, as a GraphModel and as a GraphDef."""
    recording = record(program, args or program.__defaults__, {}, Wanted(replayed=False))
    return recording.graph(stage), graph_pb2.GraphDef.FromString(recording.graph_def(stage))


CPU = "/job:localhost/replica:0/task:0/device:CPU:0"


def built_graph(build):
    """The graph that `build` makes, as it is: never run, and so never refused by a kernel, nor optimized."""
    with tf.Graph().as_default() as graph:
        for output in build():
            tf.identity(output)
    graph_def = graph.as_graph_def(add_shapes=True)
    for node in graph_def.node:
        node.device = node.device.replace("/device:", "/job:localhost/replica:0/task:0/device:") or CPU
    part = graph_part_of(graph_def, "built", "optimized")
    return GraphModel(part.name, part.stage, part.ops, part.attr_sets), graph_def


def channels_first():
    images, filters = tf.compat.v1.placeholder(tf.float32, (2, 8, 16, 16)), tf.ones((3, 3, 8, 16))
    convolved = tf.nn.conv2d(images, filters, [1, 1, 2, 2], "SAME", data_format="NCHW")
    yield tf.nn.relu(tf.nn.bias_add(convolved, tf.ones(16), data_format="NCHW"))


def copies_bound_apart():
    x = tf.compat.v1.placeholder(tf.float32, (32, 64))
    for anchor in (tf.identity(x, "anchor"), tf.identity(x, "other_anchor")):
        with tf.compat.v1.colocate_with(anchor):
            yield tf.tanh(x)


def permutation_given():
    x = tf.compat.v1.placeholder(tf.float32, (32, 64, 3))
    permutation = tf.compat.v1.placeholder(tf.int32, (3,))
    yield tf.transpose(tf.transpose(x, permutation), tf.math.invert_permutation(permutation))


def tried_chances(program, limit_s=30.0):
    """Every chance in a program's optimized graph, tried."""
    model, graph_def = graph_of(program)
    return try_chances(find_chances(model), model, graph_def, limit_s)
