"""One training step on two devices under `MirroredStrategy`.

The file splits the CPU into two logical devices, so that it shows on any machine what several GPUs do. Look for

- the stages `partition:0` and `partition:1`, one for each device: the runtime cuts the optimized graph in two;
- `_Send` and `_Recv`, which carry tensors over the cut;
- `CollectiveReduceV2`, which adds up the gradients of the two replicas before each updates its copy of the variables.

The target is a method of an object; its inputs are found by the method's name.

    tfgraphdbg inspect samples/two_devices.py:trainer.step
"""

import tensorflow as tf

DEVICES, BATCH, FEATURES, LEARNING_RATE = 2, 32, 16, 0.1

# Devices can be split only before TensorFlow first uses them.
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * DEVICES)


class MirroredTrainer:
    """Fits a linear function on two devices, each of which has a batch of its own."""

    def __init__(self) -> None:
        self.strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with self.strategy.scope():
            self.weights = tf.Variable(tf.zeros([FEATURES, 1]), name="weights")

    @tf.function
    def step(self, x: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        """Update the weights from x [devices, batch, features] and target [devices, batch, 1]; return the mean loss."""
        losses = self.strategy.run(self.replica_step, args=(x, target))
        return self.strategy.reduce("MEAN", losses, axis=None)

    def replica_step(self, x: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        replica = tf.distribute.get_replica_context()
        own = replica.replica_id_in_sync_group
        with tf.GradientTape() as tape:
            error = x[own] @ self.weights - target[own]
            loss = tf.reduce_mean(error * error)
        gradient = replica.all_reduce("MEAN", tape.gradient(loss, self.weights))
        self.weights.assign_sub(LEARNING_RATE * gradient)
        return loss


trainer = MirroredTrainer()


def step_inputs() -> tuple[tf.Tensor, tf.Tensor]:
    x = tf.random.normal([DEVICES, BATCH, FEATURES])
    return x, tf.reduce_sum(x, axis=-1, keepdims=True)
