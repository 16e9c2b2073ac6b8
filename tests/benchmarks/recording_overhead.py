"""What recording costs: `tfgraphdbg record` against the bare script, ResNet50's train step."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.processes import GRAPHS_ALONE, ROOT, Row, middle, python

PROGRAM = ROOT / "tests" / "recorders" / "programs" / "resnet50_train_step.py"
BARE = ROOT / "tests" / "benchmarks" / "bare_run.py"


def rows(repeats: int) -> Iterator[Row]:
    """Bare and recorded runs take turns, so that a slow minute of the machine meets both."""
    bare, recorded = [], []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run.tfgdbg"
        for _ in range(repeats):
            bare.append(python(str(BARE), str(PROGRAM)))
            recorded.append(
                python("-m", "tfgraphdbg", "record", f"{PROGRAM}:train_step", "-o", str(out), "-q", *GRAPHS_ALONE)
            )
    yield Row("bare script: import, trace and run ResNet50's train step once", middle(bare).seconds, "s", None)
    yield Row("the same recorded, with structure evidence", middle(recorded).seconds, "s", None)
    yield Row("ratio of the two", middle(recorded).seconds / middle(bare).seconds, "x", 1.25)
