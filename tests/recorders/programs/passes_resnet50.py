"""Keras ResNet50 on small images: its train step with Adam, and its forward pass."""

import keras
import tensorflow as tf

keras.utils.set_random_seed(0)
model = keras.applications.ResNet50(weights=None, classes=10, input_shape=(32, 32, 3))
optimizer = keras.optimizers.Adam()
loss_of = keras.losses.SparseCategoricalCrossentropy()


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = loss_of(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


def train_step_inputs():
    return tf.random.normal((2, 32, 32, 3)), tf.constant([1, 2])


@tf.function
def inference(images):
    return model(images, training=False)


def inference_inputs():
    return (tf.random.normal((2, 32, 32, 3)),)
