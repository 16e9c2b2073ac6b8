"""A small keras-hub BERT with a classification head: train step, batch 4, Adam."""

import keras
import keras_hub
import tensorflow as tf

backbone = keras_hub.models.BertBackbone(
    vocabulary_size=1000, num_layers=2, num_heads=2, hidden_dim=32, intermediate_dim=64, max_sequence_length=16
)
logits = keras.layers.Dense(3)(backbone.output["pooled_output"])
model = keras.Model(backbone.input, logits)
optimizer = keras.optimizers.Adam()
# Else the first tracing makes the variables, and TensorFlow throws its graph away.
optimizer.build(model.trainable_variables)
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def train_step(tokens, labels):
    with tf.GradientTape() as tape:
        loss = loss_of(labels, model(tokens, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


def train_step_inputs():
    ids = tf.random.uniform((4, 16), maxval=1000, dtype=tf.int32)
    tokens = {"token_ids": ids, "segment_ids": tf.zeros_like(ids), "padding_mask": tf.ones_like(ids)}
    return tokens, tf.constant([0, 1, 2, 0])
