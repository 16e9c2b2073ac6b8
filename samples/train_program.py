"""A whole program: it reads its arguments, trains a Keras model and measures it with a tf.function of its own.

Recorded as a program, with no function named, every tf.function that it runs is in the recording: the step that `fit`
builds inside Keras, and `share_correct`. Look for

- two tracings of `share_correct`: the last batch is smaller than the others, and a new shape is a new trace;
- the functions that Keras makes for `fit`: the user line of their ops is the call of `fit` below.

    tfgraphdbg inspect samples/train_program.py -- --epochs 2
"""

import argparse

import keras
import tensorflow as tf

ROWS, FEATURES, CLASSES, BATCH = 200, 12, 3, 64


def make_data() -> tuple[tf.Tensor, tf.Tensor]:
    """Return x [rows, features] and labels [rows]: the number of the largest of the first three features."""
    x = tf.random.stateless_normal([ROWS, FEATURES], seed=[1, 2])
    return x, tf.argmax(x[:, :CLASSES], axis=1)


def make_model() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input([FEATURES]),
            keras.layers.Dense(32, activation="relu", name="hidden"),
            keras.layers.Dense(CLASSES, name="logits"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(0.02),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


@tf.function
def share_correct(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return the share of rows of logits [rows, classes] whose largest value is at the label."""
    hits = tf.equal(tf.argmax(logits, axis=1), labels)
    return tf.reduce_mean(tf.cast(hits, tf.float32))


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a small classifier on made-up data.")
    parser.add_argument("--epochs", type=int, default=1)
    arguments = parser.parse_args()

    x, labels = make_data()
    model = make_model()
    model.fit(x, labels, batch_size=BATCH, epochs=arguments.epochs, shuffle=False, verbose=2)

    for start in range(0, ROWS, BATCH):
        batch = slice(start, start + BATCH)
        share = share_correct(model(x[batch]), labels[batch])
        print(f"rows {start} and on: {float(share):.0%} correct")


if __name__ == "__main__":
    main()
