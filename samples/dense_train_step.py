"""A training step of a two-layer classifier, written with TensorFlow alone.

The whole step is one graph: forward pass, loss, gradients and the update of the variables. Look for

- the scopes `hidden`, `logits` and `loss`, one for each `tf.name_scope` below, and the same three in `gradient_tape/`;
- `AssignSubVariableOp`, four times: the updates. Nothing reads their result, so control edges keep them in the graph;
- `_FusedMatMul` in the `optimized` stage, twice: for `MatMul`, `BiasAdd` and `Relu`, and for `MatMul` and `BiasAdd`.

The inputs come from a generator: each batch that it yields is one more call of the same graph.

    tfgraphdbg inspect samples/dense_train_step.py:train_step
"""

from collections.abc import Iterator

import tensorflow as tf

FEATURES, UNITS, CLASSES, BATCH = 64, 128, 10, 32
LEARNING_RATE = 0.1

hidden_weights = tf.Variable(tf.random.normal([FEATURES, UNITS], stddev=FEATURES**-0.5), name="hidden_weights")
hidden_bias = tf.Variable(tf.zeros([UNITS]), name="hidden_bias")
logit_weights = tf.Variable(tf.random.normal([UNITS, CLASSES], stddev=UNITS**-0.5), name="logit_weights")
logit_bias = tf.Variable(tf.zeros([CLASSES]), name="logit_bias")
variables = (hidden_weights, hidden_bias, logit_weights, logit_bias)


@tf.function
def train_step(x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Update the variables from one batch, x [batch, features] and labels [batch], and return its mean loss."""
    with tf.GradientTape() as tape:
        with tf.name_scope("hidden"):
            hidden = tf.nn.relu(tf.nn.bias_add(x @ hidden_weights, hidden_bias))
        with tf.name_scope("logits"):
            logits = tf.nn.bias_add(hidden @ logit_weights, logit_bias)
        with tf.name_scope("loss"):
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)

    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(LEARNING_RATE * gradient)
    return loss


def train_step_inputs() -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    for _ in range(3):
        x = tf.random.normal([BATCH, FEATURES])
        labels = tf.random.uniform([BATCH], maxval=CLASSES, dtype=tf.int32)
        yield x, labels
