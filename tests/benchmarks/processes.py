"""Measures whole processes: wall time and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent

GRAPHS_ALONE = ("--steps", "0", "--no-eager")
"""Words of a recording without measured steps and without an eager run."""


class Measured(NamedTuple):
    """One process: wall seconds and peak resident MB, its children's apart."""

    seconds: float
    peak_mb: float


class Row(NamedTuple):
    """One line of the table: what was measured, the number, its unit and the limit that it must keep."""

    what: str
    value: float
    unit: str
    limit: float | None

    @property
    def kept(self) -> bool:
        """Whether the limit holds; a row without one is information."""
        return self.limit is None or self.value <= self.limit


def python(*words: str) -> Measured:
    """Run the interpreter with these words. Raises CalledProcessError, with what it printed, when that fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return Measured(seconds, usage.ru_maxrss / 1024)


def medians(measure: Callable[[], Measured], repeats: int) -> Measured:
    """The median of each number over several runs."""
    return middle([measure() for _ in range(repeats)])


def middle(runs: Sequence[Measured]) -> Measured:
    """The median of each number."""
    return Measured(statistics.median(run.seconds for run in runs), statistics.median(run.peak_mb for run in runs))


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """The median wall time of a piece of work inside this process."""
    spent = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return statistics.median(spent)
