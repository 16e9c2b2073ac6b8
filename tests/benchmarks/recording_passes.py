"""What the passes cost: `tfgraphdbg record` with the dumps of Grappler's passes and without, ResNet50's train step.

The memory of a large model takes minutes and 10 GB: `python -m tests.benchmarks.recording_passes` measures it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.processes import GRAPHS_ALONE, ROOT, Measured, Row, middle, python

PROGRAM = ROOT / "tests" / "recorders" / "programs" / "resnet50_train_step.py"
LARGE = ROOT / "tests" / "benchmarks" / "efficientnet_train_step.py"
BARE = ROOT / "tests" / "benchmarks" / "bare_run.py"

WITHOUT = "--without-dumps"


def rows(repeats: int) -> Iterator[Row]:
    """Both kinds of runs take turns, so that a slow minute of the machine meets both."""
    without, with_passes = [], []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run.tfgdbg"
        for _ in range(repeats):
            without.append(_recorded(PROGRAM, out, WITHOUT))
            with_passes.append(_recorded(PROGRAM, out))
    yield Row("ResNet50's train step recorded without passes", middle(without).seconds, "s", None)
    yield Row("the same with passes", middle(with_passes).seconds, "s", None)
    yield Row("ratio of the two", middle(with_passes).seconds / middle(without).seconds, "x", 1.25)


def memory_rows() -> Iterator[Row]:
    """The peaks of one run each: the program alone, and recorded with passes."""
    bare = python(str(BARE), str(LARGE))
    yield Row("peak memory of EfficientNetV2L's train step alone", bare.peak_mb, "MB", None)
    with tempfile.TemporaryDirectory() as folder:
        recorded = _recorded(LARGE, Path(folder) / "run.tfgdbg")
    yield Row("what recording it with passes takes beyond that", recorded.peak_mb - bare.peak_mb, "MB", 2048)


def _recorded(program: Path, out: Path, *words: str) -> Measured:
    """The time and the peak of the recorder, which is the largest of the processes."""
    return python("-m", "tests.benchmarks.recording_passes", "--record", f"{program}:train_step", str(out), *words)


def _record(target: str, out: str, *words: str) -> None:
    from tfgraphdbg import recorder_process
    from tfgraphdbg.cli import main
    from tfgraphdbg.recorder_environment import recorder_environment

    def undumped(folder: Path) -> dict[str, str]:
        ours = recorder_environment(folder)
        dumps = ("TF_CPP_VMODULE", "TF_DUMP_GRAPH_PREFIX", "TF_DUMP_GRAPH_FMT", "TF_CPP_MIN_LOG_LEVEL")
        return {name: value for name, value in ours.items() if name not in dumps or name in os.environ}

    if WITHOUT in words:
        recorder_process.recorder_environment = undumped
    sys.exit(main(["record", target, "-o", out, "-q", *GRAPHS_ALONE]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        _record(*sys.argv[2:])
    else:
        for row in memory_rows():
            print(f"{row.what}: {row.value:,.0f} {row.unit}", flush=True)
