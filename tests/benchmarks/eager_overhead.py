"""What the op callback adds to eager matmuls, beside TensorFlow's own dump of the same work."""

from __future__ import annotations

import contextlib
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from tests.benchmarks.processes import ROOT, Row

LIMITS = {32: 1.5, 512: 1.05}
"""Times as long as bare, by the size of the matrices."""

ROUNDS = 40
SECONDS_A_ROUND = 0.03


def rows(repeats: int) -> Iterator[Row]:
    """Medians over several processes, in each of which the three kinds of runs take turns."""
    measured = [_measured_in_a_process() for _ in range(repeats)]
    for size, limit in LIMITS.items():
        bare, log, dump = (
            statistics.median(run[str(size)][kind] for run in measured) for kind in ("bare", "log", "dump")
        )
        ratio = statistics.median(run[str(size)]["log"] / run[str(size)]["bare"] for run in measured)
        yield Row(f"eager {size} x {size} matmul, bare", bare, "us", None)
        yield Row("the same with each op recorded", log, "us", None)
        yield Row("ratio of the two", ratio, "x", limit)
        yield Row("the same with TensorFlow's own dump (no tensor values), ratio to bare", dump / bare, "x", None)


def _measured_in_a_process() -> dict[str, dict[str, float]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.eager_overhead"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    found: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print the medians of one process, in microseconds a matmul."""
    print(json.dumps({str(size): _medians(size) for size in LIMITS}))


def _medians(size: int) -> dict[str, float]:
    import tensorflow as tf

    from tfgraphdbg.recorders import eager_internals
    from tfgraphdbg.recorders.eager_op_log import EagerOpLog

    matrix = tf.eye(size)

    def step(count: int) -> None:
        product = matrix
        for _ in range(count):
            product = tf.matmul(product, matrix)

    step(20)
    count = max(5, round(20 * SECONDS_A_ROUND / _seconds(step, 20)))
    observers: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
        "bare": contextlib.nullcontext,
        "log": lambda: eager_internals.observed_eager_ops(EagerOpLog()),
        "dump": _tensorflows_dump,
    }
    spent: dict[str, list[float]] = {kind: [] for kind in observers}
    for turn in range(ROUNDS):
        for kind, observed in observers.items():
            # The dump is slow by itself, and slower to start.
            if kind != "dump" or turn % 4 == 0:
                with observed():
                    spent[kind].append(_seconds(step, count) / count * 1e6)
    return {kind: statistics.median(times) for kind, times in spent.items()}


@contextlib.contextmanager
def _tensorflows_dump() -> Iterator[None]:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        tf.debugging.experimental.enable_dump_debug_info(folder, tensor_debug_mode="NO_TENSOR")
        try:
            yield
        finally:
            tf.debugging.experimental.disable_dump_debug_info()


def _seconds(step: Callable[[int], None], count: int) -> float:
    gc.collect()
    started = time.perf_counter()
    step(count)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
