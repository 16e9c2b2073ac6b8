"""Keras EfficientNetV2L's train step, batch 2, Adam: about 69,600 traced ops; needs 10 GB of memory to run."""

import keras
import tensorflow as tf

model = keras.applications.EfficientNetV2L(weights=None)
optimizer = keras.optimizers.Adam()
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
    return tf.random.normal((2, 480, 480, 3)), tf.constant([1, 2])
