"""Runs the benchmarks, prints a Markdown table, and exits with 1 when a limit is not kept."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import psutil

from tests.benchmarks import eager_overhead, opening, recording_overhead, recording_passes, ui_latency
from tests.benchmarks.processes import ROOT, Row, python

PARTS = ("recording", "eager", "opening", "ui")


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument(
        "--recording", type=Path, help="a saved recording of efficientnet_train_step.py, to save minutes"
    )
    parser.add_argument("--repeats", type=int, default=5, help="runs per number (default: 5)")
    arguments = parser.parse_args()
    parts = arguments.parts or list(PARTS)
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"no part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory() as folder:
        large = arguments.recording
        if large is None and {"opening", "ui"} & set(parts):
            large = record_large_graph(Path(folder))
        kept = print_rows(rows(parts, large, arguments.repeats))
    return 0 if kept else 1


def record_large_graph(folder: Path) -> Path:
    """Record the large train step; takes minutes and 10 GB of memory."""
    path = folder / "efficientnet.tfgdbg"
    program = ROOT / "tests" / "benchmarks" / "efficientnet_train_step.py"
    python("-m", "tfgraphdbg", "record", f"{program}:train_step", "-o", str(path), "-q")
    return path


def rows(parts: list[str], large: Path | None, repeats: int) -> Iterable[Row]:
    """Every number of the chosen parts."""
    if "recording" in parts:
        yield from recording_overhead.rows(min(repeats, 3))
        yield from recording_passes.rows(min(repeats, 3))
    if "eager" in parts:
        yield from eager_overhead.rows(min(repeats, 3))
    if large is not None and "opening" in parts:
        yield from opening.rows(large, repeats)
    if large is not None and "ui" in parts:
        yield from ui_latency.rows(large, repeats)


def print_rows(measured: Iterable[Row]) -> bool:
    """Print the table as it comes; whether every limit was kept."""
    machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"
    print(f"{machine}, Python {platform.python_version()}, {platform.system()}; medians.\n")
    print("| what | measured | limit |\n| --- | ---: | ---: |")
    every_limit_kept = True
    for row in measured:
        limit = "" if row.limit is None else f"{row.limit:g} {row.unit}"
        mark = "" if row.kept else " (not kept)"
        print(f"| {row.what} | {row.value:.3g} {row.unit} | {limit}{mark} |", flush=True)
        every_limit_kept = every_limit_kept and row.kept
    return every_limit_kept


if __name__ == "__main__":
    sys.exit(main())
