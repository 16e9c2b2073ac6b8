"""Fates by construction: common_subgraph_elimination, model_pruner, dependency_optimizer; and one without any."""

import tensorflow as tf
from passes_construction import X, constant, function

raw = tf.raw_ops
counter = tf.Variable(0.0)


@function(X, X)
def nothing_to_do(x, y):
    """The control: three ops of which each computes something new, and the Identity that returning a value makes.

    Identity removed by model_pruner 1 into third
    """
    first = raw.MatMul(a=x, b=y, name="first")
    second = raw.Softmax(logits=first, name="second")
    return raw.MatMul(a=second, b=x, name="third")


@function(X)
def twins(x):
    """The second of two equal ops is merged into the first.

    second merged by common_subgraph_elimination 1 into first
    Identity removed by model_pruner 1 into sum
    """
    first, second = raw.Softmax(logits=x, name="first"), raw.Softmax(logits=x, name="second")
    return raw.MatMul(a=first, b=raw.Cumsum(x=second, axis=0, name="running"), name="sum")


@function(X, X)
def twins_of_twins(x, y):
    """Equal constants are merged, then what reads them; the order of a multiplication's inputs does not count.

    two_again merged by common_subgraph_elimination 1 into two
    second merged by common_subgraph_elimination 1 into first
    swapped merged by common_subgraph_elimination 1 into product
    Identity removed by model_pruner 1 into quotient
    """
    first = raw.Minimum(x=x, y=constant(2.0, "two"), name="first")
    second = raw.Minimum(x=x, y=constant(2.0, "two_again"), name="second")
    product, swapped = raw.Mul(x=x, y=y, name="product"), raw.Mul(x=y, y=x, name="swapped")
    left, right = raw.Maximum(x=first, y=product, name="left"), raw.MatMul(a=second, b=swapped, name="right")
    return raw.Div(x=left, y=right, name="quotient")


@function(X)
def not_twins(x):
    """Random ops are not merged: each draws numbers of its own.

    Identity removed by model_pruner 1 into sum
    """
    shape = constant([4, 4], "shape")
    first = raw.RandomUniform(shape=shape, dtype=tf.float32, seed=1, seed2=2, name="first")
    second = raw.RandomUniform(shape=shape, dtype=tf.float32, seed=1, seed2=2, name="second")
    return raw.MatMul(a=raw.Maximum(x=first, y=x, name="left"), b=second, name="sum")


@function(X)
def dead(x):
    """What nobody reads is pruned, and so are the constants that only it reads.

    one removed by model_pruner 1 into -
    unread removed by model_pruner 1 into -
    Identity removed by model_pruner 1 into third
    """
    raw.Maximum(x=x, y=constant(1.0, "one"), name="unread")
    first = raw.MatMul(a=x, b=x, name="first")
    return raw.MatMul(a=raw.Softmax(logits=first, name="second"), b=x, name="third")


@function(X)
def stopped_gradient(x):
    """StopGradient and Identity compute nothing, so that model_pruner removes them.

    stop removed by model_pruner 1 into first
    same removed by model_pruner 1 into first
    Identity removed by model_pruner 1 into third
    """
    first = raw.MatMul(a=x, b=x, name="first")
    same = raw.Identity(input=raw.StopGradient(input=first, name="stop"), name="same")
    return raw.MatMul(a=raw.Softmax(logits=same, name="second"), b=x, name="third")


@function(X)
def waits(x):
    """A NoOp that only passes on what to wait for is removed; so is the one that tf.function adds, with its Identity.

    count/resource kept into count_resource
    barrier removed by dependency_optimizer 1 into -
    NoOp removed by dependency_optimizer 1 into -
    Identity removed by dependency_optimizer 1 into third
    """
    with tf.control_dependencies([counter.assign_add(1.0, name="count", read_value=False)]):
        barrier = raw.NoOp(name="barrier")
    with tf.control_dependencies([barrier]):
        first = raw.MatMul(a=x, b=x, name="first")
    return raw.MatMul(a=raw.Softmax(logits=first, name="second"), b=x, name="third")


@function(X)
def waits_for_the_same(x):
    """An Identity between an update and what waits for it is removed.

    count/resource kept into count_resource
    passed removed by dependency_optimizer 1 into -
    NoOp removed by dependency_optimizer 1 into -
    Identity removed by dependency_optimizer 1 into third
    """
    with tf.control_dependencies([counter.assign_add(1.0, name="count", read_value=False)]):
        passed = raw.NoOp(name="passed")
    with tf.control_dependencies([passed]):
        first = raw.Softmax(logits=x, name="first")
    with tf.control_dependencies([passed]):
        second = raw.Cumsum(x=x, axis=0, name="second")
    return raw.MatMul(a=first, b=second, name="third")
