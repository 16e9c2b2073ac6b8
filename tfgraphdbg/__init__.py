"""See what TensorFlow really executes: record, explain and draw the graphs behind `tf.function`."""

__version__ = "0.1.0"
