"""Keras ResNet50's train step: batch 2, Adam."""

import keras
import tensorflow as tf

model = keras.applications.ResNet50(weights=None)
optimizer = keras.optimizers.Adam()
# Else the first tracing makes the variables, and TensorFlow throws its graph away.
optimizer.build(model.trainable_variables)
loss_of = keras.losses.SparseCategoricalCrossentropy()


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = loss_of(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


def train_step_inputs():
    return tf.random.normal((2, 224, 224, 3)), tf.constant([1, 2])
