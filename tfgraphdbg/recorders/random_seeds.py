"""One seed for every source of random numbers that a program may use, from its first line on."""

from __future__ import annotations

import random

from tfgraphdbg.recorders.import_hook import when_tensorflow_is_imported


def fix_random_seeds(seed: int | None) -> None:
    """Seed Python now, and NumPy and TensorFlow now or as soon as the program has imported TensorFlow."""
    if seed is None:
        return
    random.seed(seed)
    when_tensorflow_is_imported(lambda: _seed_tensorflow(seed))


def _seed_tensorflow(seed: int) -> None:
    import numpy
    import tensorflow

    # NumPy takes 32 bits, TensorFlow 64.
    numpy.random.seed(seed % (1 << 32))
    tensorflow.random.set_seed(seed)
