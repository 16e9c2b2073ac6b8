"""A function that XLA compiles as a whole.

`jit_compile=True` hands the traced graph to XLA instead of TensorFlow's own runtime. Look for

- the stages `hlo` and `optimized-hlo`: the text before and after XLA's passes;
- `fusion` in `optimized-hlo`: the nine element-wise ops of `gelu` run as one loop over memory;
- `interpreted`, the same computation without `jit_compile`: TensorFlow runs its ops one after the other.

    tfgraphdbg inspect samples/xla_function.py:compiled
    tfgraphdbg inspect samples/xla_function.py:interpreted
"""

import math

import tensorflow as tf


def gelu(x: tf.Tensor) -> tf.Tensor:
    """Return the Gaussian error linear unit of each element, in the tanh form of arXiv:1606.08415."""
    inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1.0 + tf.tanh(inner))


@tf.function(jit_compile=True)
def compiled(x: tf.Tensor) -> tf.Tensor:
    return gelu(x)


@tf.function
def interpreted(x: tf.Tensor) -> tf.Tensor:
    return gelu(x)


def compiled_inputs() -> tuple[tf.Tensor]:
    return (tf.random.normal([64, 256]),)


interpreted_inputs = compiled_inputs
