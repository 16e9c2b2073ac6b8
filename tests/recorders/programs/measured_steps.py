"""Functions whose steps are measured: loops with gradients, branches, calls, Python inside, XLA."""

import tensorflow as tf

noinline = tf.function(
    lambda x: tf.nn.relu(x) * 2.0 + tf.reduce_sum(tf.cos(x)), experimental_attributes={"_noinline": True}
)

inner = tf.function(lambda x: tf.reduce_sum(x * 2.0))

compiled = tf.function(lambda x: tf.reduce_sum(tf.sin(x @ x) * 2.0), jit_compile=True)


@tf.function
def loop_gradient(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in tf.range(5):
            y = tf.tanh(y @ x)
        loss = tf.reduce_sum(y)
    return tape.gradient(loss, x)


@tf.function
def branch(x):
    return tf.cond(tf.reduce_sum(x) > 0.0, lambda: tf.sin(x) @ x, lambda: tf.cos(x) @ x)


@tf.function
def mapped(x):
    return tf.map_fn(lambda row: tf.reduce_sum(row * 2.0), x)


@tf.function
def nested_calls(x):
    y = noinline(x)
    for _ in tf.range(3):
        y += noinline(y)
    return y


@tf.function
def python_inside(x):
    return tf.py_function(lambda y: inner(y + 1.0), [tf.nn.relu(x @ x)], tf.float32)


@tf.function
def calls_compiled(x):
    return compiled(x) + 1.0


def example_inputs():
    return (tf.ones([30, 30]) / 30.0,)
