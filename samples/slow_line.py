"""One slow line among fast ones.

Each line below looks alike: one call of TensorFlow. One of them takes nearly all of the step. Guess which, then look:

    tfgraphdbg bottlenecks samples/slow_line.py:step

- `lines` lists the lines of this file by their measured time; the slow one comes first, with its share of the step;
- `critical-path` is the chain of ops that set the length of the step;
- `scored` is the same step with the slow line written otherwise.
"""

import tensorflow as tf


@tf.function
def step(x: tf.Tensor, table: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    centered = x - tf.reduce_mean(x, axis=1, keepdims=True)
    scaled = centered / (tf.norm(centered, axis=1, keepdims=True) + 1e-6)
    scores = tf.matmul(scaled, table, transpose_b=True)
    best = tf.argsort(scores, axis=1, direction="DESCENDING", stable=True)[:, :10]
    return tf.reduce_mean(tf.gather(scores, best, batch_dims=1)), best


@tf.function
def scored(x: tf.Tensor, table: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    centered = x - tf.reduce_mean(x, axis=1, keepdims=True)
    scaled = centered / (tf.norm(centered, axis=1, keepdims=True) + 1e-6)
    scores = tf.matmul(scaled, table, transpose_b=True)
    best = tf.math.top_k(scores, k=10).indices
    return tf.reduce_mean(tf.gather(scores, best, batch_dims=1)), best


def example_inputs() -> tuple[tf.Tensor, tf.Tensor]:
    return tf.random.normal([128, 64]), tf.random.normal([5000, 64])
