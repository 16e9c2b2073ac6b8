"""Loops and branches: what Python decides while tracing, and what becomes an op.

- `while_loop`: one `StatelessWhile`, whose condition and body are library functions. The runtime lowers it before it
  optimizes, so the `optimized` stage has `Enter`, `Merge`, `Switch`, `NextIteration` and `Exit` instead.
- `cond`: one `StatelessIf` with one library function for each branch, lowered to `Switch` and `Merge`.
- `autograph`: a plain `for` and `if` over tensors, which autograph turns into the same ops.
- `unrolled`: the same `for` over a Python range. No loop is left: its body is in the graph eight times.

    tfgraphdbg inspect samples/control_flow.py:while_loop
    tfgraphdbg overview samples/control_flow.py:unrolled
"""

import tensorflow as tf


@tf.function
def while_loop(number: tf.Tensor) -> tf.Tensor:
    """Return the square root of a positive number by Newton's method."""

    def is_far(guess: tf.Tensor) -> tf.Tensor:
        return tf.abs(guess * guess - number) > 1e-4 * number

    def improve(guess: tf.Tensor) -> tuple[tf.Tensor]:
        return (0.5 * (guess + number / guess),)

    (root,) = tf.while_loop(is_far, improve, [number], maximum_iterations=50)
    return root


def while_loop_inputs() -> tuple[tf.Tensor]:
    return (tf.constant(2.0),)


@tf.function
def cond(x: tf.Tensor) -> tf.Tensor:
    """Return x scaled down to length 1, or x itself if it is no longer than that."""
    length = tf.norm(x)
    return tf.cond(length > 1.0, lambda: x / length, lambda: x)


def cond_inputs() -> tuple[tf.Tensor]:
    return (tf.constant([3.0, 4.0]),)


@tf.function
def autograph(values: tf.Tensor) -> tf.Tensor:
    """Return the sum of the positive values."""
    total = 0.0
    for value in values:
        if value > 0.0:
            total += value
    return total


def autograph_inputs() -> tuple[tf.Tensor]:
    return (tf.constant([1.0, -2.0, 3.0, -4.0]),)


@tf.function
def unrolled(x: tf.Tensor) -> tf.Tensor:
    """Return x after eight steps of a logistic map."""
    for _ in range(8):
        x = 3.5 * x * (1.0 - x)
    return x


def unrolled_inputs() -> tuple[tf.Tensor]:
    return (tf.constant([0.2, 0.4]),)
