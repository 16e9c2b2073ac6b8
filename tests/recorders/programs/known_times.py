"""Graphs whose critical path is known by construction: chains of ops that sleep for so many milliseconds."""

import time

import tensorflow as tf


def nap(value: tf.Tensor, milliseconds: int, name: str) -> tf.Tensor:
    """Stateless: a tf.function makes stateful ops, such as those of tf.py_function, wait for one another."""

    def sleep(inner: tf.Tensor) -> tf.Tensor:
        time.sleep(milliseconds / 1e3)
        return inner

    out = tf.numpy_function(sleep, [value], tf.float32, stateful=False, name=name)
    out.set_shape([])
    return out


@tf.function
def two_chains(x: tf.Tensor) -> tf.Tensor:
    """140 ms: left is 40 + 60, right is 30, and 40 after both."""
    left = nap(nap(x, 40, "left_1"), 60, "left_2")
    right = nap(x, 30, "right_1")
    return nap(left + right, 40, "joined")


@tf.function
def loop_beside_chain(x: tf.Tensor) -> tf.Tensor:
    """100 ms: five iterations of 20 beside a chain of 50."""
    slow = x
    for _ in tf.range(5):
        slow = nap(slow, 20, "iteration")
    fast = nap(x, 50, "beside")
    return slow + fast


@tf.function
def branch_then_join(x: tf.Tensor) -> tf.Tensor:
    """90 ms: the branch that is taken sleeps for 70, the other for none; 20 after it."""
    inside = tf.cond(x > 0.0, lambda: nap(x, 70, "taken"), lambda: x)
    return nap(inside, 20, "after")


def example_inputs() -> tuple[tf.Tensor]:
    return (tf.constant(1.0),)
