"""What the programs whose fates are known by construction share: a list of their functions and how to call them.

Below each function's name stands what becomes of its ops, one line an op: its name, its fate, the pass and iteration
after `by`, and the op that stands for it in the end after `into` (itself where that is left out; `-` for none; `*` for
a number that TensorFlow gives). `f::op` is an op in the body of f. Ops that are not listed are kept as they are, but
where it says `Others`. A line `op from a, b, c` lists what an op that ran came from, in order of computation.
"""

import tensorflow as tf

FUNCTIONS = []

X = tf.TensorSpec([4, 4], tf.float32)
HALVES = tf.TensorSpec([2, 8], tf.float32)
VECTOR = tf.TensorSpec([4], tf.float32)
SCALAR = tf.TensorSpec([], tf.float32)
NUMBER = tf.TensorSpec([], tf.int32)
IMAGES = tf.TensorSpec([1, 8, 8, 4], tf.float32)
FILTERS = tf.TensorSpec([3, 3, 4, 4], tf.float32)


def function(*signature, **options):
    """Make a tf.function of those inputs that `call_all` calls, with these of Grappler's options in force."""

    def made(python_function):
        FUNCTIONS.append((tf.function(python_function, input_signature=signature), signature, options))
        return python_function

    return made


def call_all():
    """Call each function once, with ones."""
    for found, signature, options in FUNCTIONS:
        tf.config.optimizer.set_experimental_options(options)
        found(*(tf.ones(spec.shape, spec.dtype) for spec in signature))
        tf.config.optimizer.set_experimental_options(dict.fromkeys(options))


def constant(value, name):
    """A constant of that name."""
    return tf.constant(value, name=name)


def filled(value, name):
    """A constant matrix of the shape of X."""
    return tf.constant([[value] * 4] * 4, name=name)
