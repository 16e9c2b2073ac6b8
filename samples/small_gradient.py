"""The gradient of a small function.

A `GradientTape` leaves nothing of itself in the graph: it only adds ops. Look for

- the scope `gradient_tape/` in the `traced` stage: what the tape added, named after the forward ops it belongs to;
- the edges from `mul` and `Sin` into that scope: the backward pass reads what the forward pass computed;
- the much smaller `optimized` stage: nobody asked for the value of `wave`, so the ops that only serve it are gone.

The signature below says all that a recording needs, so this file gives no example inputs.

    tfgraphdbg inspect samples/small_gradient.py:gradient
"""

import tensorflow as tf


def wave(x: tf.Tensor) -> tf.Tensor:
    """Return the sum over i of x_i squared times sin(x_i)."""
    return tf.reduce_sum(x * x * tf.sin(x))


@tf.function(input_signature=[tf.TensorSpec([8], tf.float32)])
def gradient(x: tf.Tensor) -> tf.Tensor:
    """Return the derivative of `wave` by each element of x, shape [8]."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = wave(x)
    return tape.gradient(y, x)
