"""One dense layer, op by op and as one graph.

The function below is plain Python: run eagerly it starts six ops, one after the other, each with a Python call and a
tensor of its own. Recorded as a graph, look at what is left of the six in the `optimized` stage:

- the two `Transpose` ops cancel each other and are gone;
- `MatMul`, `BiasAdd` and `Relu` have become one `_FusedMatMul`, which keeps no intermediate tensor.

    tfgraphdbg diff samples/matmul.py:matmul
"""

import tensorflow as tf


def matmul(x: tf.Tensor, weights: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Return relu(x @ weights + bias) of shape [rows, units], written with a detour that a graph can save."""
    there = tf.transpose(x)
    and_back = tf.transpose(there)
    product = tf.matmul(and_back, weights)
    shifted = tf.nn.bias_add(product, bias)
    return tf.identity(tf.nn.relu(shifted))


def matmul_inputs() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    return tf.random.normal([32, 64]), tf.random.normal([64, 16]), tf.zeros([16])
