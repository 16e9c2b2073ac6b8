"""When a graph pays, and when it does not.

    tfgraphdbg eager samples/eager_or_graph.py:many_small
    tfgraphdbg eager samples/eager_or_graph.py:one_large

- `many_small`: a hundred tiny ops. Run eagerly, nearly all of the time goes to Python and to dispatch, and a graph
  saves most of it.
- `one_large`: a single large matmul. There is nothing for a graph to save, so that tracing never pays back.
"""

import tensorflow as tf


def many_small(x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    for _ in range(50):
        x = tf.nn.relu(tf.matmul(x, weights))
    return x


def many_small_inputs() -> tuple[tf.Tensor, tf.Tensor]:
    return tf.random.normal([16, 16]), tf.random.normal([16, 16]) * 0.3


def one_large(x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    return tf.matmul(x, weights)


def one_large_inputs() -> tuple[tf.Tensor, tf.Tensor]:
    return tf.random.normal([1500, 1500]), tf.random.normal([1500, 1500])
