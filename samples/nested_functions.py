"""A tf.function that calls another one twice, and a gradient through both calls.

- Both calls of `standardize` have the same signature, so it is traced once: in the `traced` stage two `PartitionedCall`
  ops name the same library function.
- A gradient needs what the forward pass computed. In `distance_gradient` every call is therefore one of a `__forward_`
  function, which returns more, and has a call of a `__backward_` function as its counterpart.
- The runtime inlines them all: in the `optimized` stage of `distance` the body is there twice, as `PartitionedCall/`
  and `PartitionedCall_1/`. The origins of an op say which library function it comes from.

    tfgraphdbg inspect samples/nested_functions.py:distance
    tfgraphdbg inspect samples/nested_functions.py:distance_gradient
"""

import tensorflow as tf


@tf.function
def standardize(x: tf.Tensor) -> tf.Tensor:
    """Return x of shape [n] moved and scaled to mean 0 and variance 1."""
    centred = x - tf.reduce_mean(x)
    return centred * tf.math.rsqrt(tf.reduce_mean(centred * centred) + 1e-6)


@tf.function
def distance(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Return the squared distance between the standardized x and y, both of shape [n]."""
    difference = standardize(x) - standardize(y)
    return tf.reduce_sum(difference * difference)


def distance_inputs() -> tuple[tf.Tensor, tf.Tensor]:
    return tf.random.normal([100]), tf.random.normal([100])


@tf.function
def distance_gradient(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Return the derivative of `distance` by each element of x, shape [n]."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = distance(x, y)
    return tape.gradient(value, x)


distance_gradient_inputs = distance_inputs
