"""Fusions that Grappler misses, each beside its twin that it takes.

A convolution, its bias and its activation can run as one `_FusedConv2D`, which keeps no tensor between them. One small
habit prevents it:

- `second_reader`: the sum before the activation is returned as well, so that it must exist as a tensor of its own;
- `ordered`: a control dependency makes an update wait for the middle of the chain;
- `fused`, the twin: nothing in the way, one op.

The report names what stands in the way, the line that made it, and what to write instead.

    tfgraphdbg passes samples/missed_fusions.py:second_reader
    tfgraphdbg passes samples/missed_fusions.py:fused
"""

import tensorflow as tf

calls = tf.Variable(0)


def block(x: tf.Tensor, filters: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Return conv(x, filters) + bias."""
    return tf.nn.bias_add(tf.nn.conv2d(x, filters, strides=1, padding="SAME"), bias)


@tf.function
def fused(x: tf.Tensor, filters: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    return 2.0 * tf.nn.relu(block(x, filters, bias))


@tf.function
def second_reader(x: tf.Tensor, filters: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    before = block(x, filters, bias)
    return 2.0 * tf.nn.relu(before), tf.reduce_mean(before)


@tf.function
def ordered(x: tf.Tensor, filters: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    product = tf.nn.conv2d(x, filters, strides=1, padding="SAME")
    with tf.control_dependencies([product]):
        calls.assign_add(1)
    return 2.0 * tf.nn.relu(tf.nn.bias_add(product, bias))


def example_inputs() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    return tf.random.normal([4, 16, 16, 3]), tf.random.normal([3, 3, 3, 8]), tf.zeros([8])
