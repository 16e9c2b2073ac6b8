"""Large tensors, and what `del` does to them.

Run eagerly, each `del` frees 16 MiB at once: nothing refers to the tensor any more. A graph knows no `del`: it removes
a Python name while the function is traced and leaves no op behind, and the runtime frees each tensor by itself, right
after its last reader. Look for

- the graphs of the two functions below: they are the same;
- `_UnaryOpsComposition` in the `optimized` stage: it computes `sqrt` and `sin` in one go, so `roots` is never made.

The functions take no inputs, since they make their tensors themselves.

    tfgraphdbg overview samples/large_tensors.py:with_del
    tfgraphdbg diff samples/large_tensors.py:with_del samples/large_tensors.py:without_del
"""

import tensorflow as tf

SHAPE = [2048, 2048]  # of float32: 16 MiB


def with_del() -> tf.Tensor:
    noise = tf.random.uniform(SHAPE)
    roots = tf.sqrt(noise)
    del noise
    waves = tf.sin(roots)
    del roots
    return tf.reduce_mean(waves)


def without_del() -> tf.Tensor:
    noise = tf.random.uniform(SHAPE)
    roots = tf.sqrt(noise)
    waves = tf.sin(roots)
    return tf.reduce_mean(waves)
