"""Functions within functions: calls in branches and loops, map_fn and py_function; calls that stay, tf.data."""

import tensorflow as tf


@tf.function
def doubled(x):
    return tf.nn.relu(x) * 2.0


@tf.function
def squares(x):
    return tf.reduce_sum(x * x)


@tf.function
def nested(x, n):
    y = doubled(x)
    y = doubled(y) + 1.0 if tf.reduce_sum(y) > 0 else y - 1.0
    i = tf.constant(0)
    while i < n:
        y = doubled(y) * tf.cast(i, tf.float32)
        i += 1
    scaled = tf.map_fn(lambda row: row * squares(y), x)
    return scaled + tf.py_function(lambda value: value, [y[0, 0]], tf.float32)


noinline = tf.function(
    lambda x: tf.nn.relu(x) * 2.0 + tf.constant(3.0) * tf.constant(2.0), experimental_attributes={"_noinline": True}
)


@tf.function
def staying(x, n):
    y = noinline(x) + doubled(x)
    numbers = tf.data.Dataset.range(3).map(lambda i: tf.cast(i, tf.float32) * noinline(tf.constant(2.0)))
    total = tf.cast(n, tf.float32)
    for number in numbers:
        total += number
    return y + noinline(y + 1.0) + total


def example_inputs():
    return tf.ones([4, 4]), tf.constant(3)
