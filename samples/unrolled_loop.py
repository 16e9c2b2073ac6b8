"""A small recurrent network over 60 time steps, three times: unrolled by Python, with tf.while_loop, with tf.scan.

- `unrolled`: a `for` over a Python range. Its body is in the graph 60 times, so tracing and Grappler take long.
- `while_loop`: the same steps as one `StatelessWhile`, whose body was traced once.
- `scan`: the same with tf.scan, which hands the state from step to step and stacks the results.

    tfgraphdbg bottlenecks samples/unrolled_loop.py:unrolled
    tfgraphdbg bottlenecks samples/unrolled_loop.py:while_loop
"""

import tensorflow as tf

STEPS = 60
UNITS = 16

kernel = tf.Variable(tf.random.stateless_normal([UNITS, UNITS], seed=[1, 2], stddev=0.2))


def step(state: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Return the state after one time step."""
    return tf.tanh(tf.matmul(state, kernel) + value)


@tf.function
def unrolled(sequence: tf.Tensor) -> tf.Tensor:
    """Return the last state; Python runs the loop while tracing."""
    state = tf.zeros_like(sequence[0])
    for time in range(60):
        state = step(state, sequence[time])
    return state


@tf.function
def while_loop(sequence: tf.Tensor) -> tf.Tensor:
    """Return the last state; the graph runs the loop."""

    def goes_on(time: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        return time < STEPS

    def body(time: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return time + 1, step(state, sequence[time])

    _, state = tf.while_loop(goes_on, body, (tf.constant(0), tf.zeros_like(sequence[0])))
    return state


@tf.function
def scan(sequence: tf.Tensor) -> tf.Tensor:
    """Return the last state; tf.scan runs the loop."""
    return tf.scan(step, sequence, tf.zeros_like(sequence[0]))[-1]


def example_inputs() -> tuple[tf.Tensor]:
    return (tf.random.stateless_normal([STEPS, 4, UNITS], seed=[3, 4]),)
