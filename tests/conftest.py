"""Recordings that tests share: each is made once a session, whichever worker asks first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent.parent / "samples"

RecordedSample = Callable[..., Path]

GRAPHS_ALONE = ("--steps", "0", "--no-eager")
"""Nothing is measured and nothing runs eagerly: most tests are about graphs, and save those seconds."""

MEASURED = ("resnet50_train_step.py", "bert_train_step.py", "passes_lstm.py", "two_devices.py")
"""Models whose one recording also serves the tests of measured times."""


def run_tfgraphdbg(*words: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tfgraphdbg", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(SAMPLES.parent), **environment},
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RecordedSample:
    """`recorded("matmul.py:matmul")` is the file of that sample's recording; more words go to the command line.

    Of graphs alone, unless it is one of `MEASURED` or a test names --steps or --eager.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "recorded"
    folder.mkdir(exist_ok=True)

    def record(target: str, *words: str) -> Path:
        path = folder / (re.sub(r"\W+", "-", " ".join((target, *words))) + ".tfgdbg")
        with _OnlyOne(path.with_suffix(".lock")):
            if not path.exists():
                measured = Path(target.rpartition(":")[0]).name in MEASURED
                steps = () if "--steps" in words else ("--steps", "3" if measured else "0")
                eager = () if {"--eager", "--no-eager"} & set(words) else ("--no-eager",)
                done = run_tfgraphdbg("record", str(SAMPLES / target), "-o", str(path), *words, *steps, *eager)
                assert done.returncode == 0, done.stderr
        return path

    return record


class _OnlyOne:
    """A lock between worker processes: a folder exists once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        for _ in range(2400):
            try:
                self._path.mkdir()
                return
            except FileExistsError:
                time.sleep(0.1)
        raise TimeoutError(f"{self._path} was never freed")

    def __exit__(self, *failure: object) -> None:
        self._path.rmdir()
