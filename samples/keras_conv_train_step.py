"""A small convolutional network in Keras, trained by its own step or by an explicit one.

`model` is compiled, so recording it records what `model.fit` runs for one batch. `train_step` does the same work in the
open. Look for

- one scope for each layer, such as `small_cnn_1/edges_1`, and the same names again inside `gradient_tape/`;
- `_FusedConv2D` in the `optimized` stage, where there were `Conv2D`, `BiasAdd` and `Relu`;
- the scope `adam`: many small ops for each of the six variables, which together outnumber those of the network.

    tfgraphdbg inspect samples/keras_conv_train_step.py:train_step
    tfgraphdbg inspect samples/keras_conv_train_step.py:model
"""

import keras
import tensorflow as tf

BATCH, SIZE, CLASSES = 8, 28, 10

model = keras.Sequential(
    [
        keras.Input([SIZE, SIZE, 1]),
        keras.layers.Conv2D(8, 3, activation="relu", name="edges"),
        keras.layers.MaxPooling2D(name="shrink"),
        keras.layers.Conv2D(16, 3, activation="relu", name="shapes"),
        keras.layers.GlobalAveragePooling2D(name="average"),
        keras.layers.Dense(CLASSES, name="logits"),
    ],
    name="small_cnn",
)
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(1e-3)
model.compile(optimizer=optimizer, loss=loss_of)

# A tf.function may make variables only in its first call: have the optimizer make its own before.
optimizer.build(model.trainable_variables)


@tf.function
def train_step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Update the model from one batch, images [batch, 28, 28, 1] and labels [batch], and return its mean loss."""
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_of(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


def train_step_inputs() -> tuple[tf.Tensor, tf.Tensor]:
    images = tf.random.uniform([BATCH, SIZE, SIZE, 1])
    labels = tf.random.uniform([BATCH], maxval=CLASSES, dtype=tf.int32)
    return images, labels


model_inputs = train_step_inputs
