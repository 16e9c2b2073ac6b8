"""Measured times where the answer is known: by construction, or by an independent measurement of the parts."""

from __future__ import annotations

import importlib.util
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SAMPLES, RecordedSample
from tfgraphdbg.analyses import analysis_named
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.recording_file import load
from tfgraphdbg.report import Report

pytestmark = pytest.mark.tensorflow

PROGRAM = Path(__file__).parent / "programs" / "known_times.py"


def report_of(path: Path, analysis: str = "bottlenecks") -> Report:
    return analysis_named(analysis).run(load(path), AnalysisOptions())


def rows_of(report: Report, table: str) -> list[dict[str, Any]]:
    found = report.table(table)
    names = [column.name for column in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


@pytest.mark.parametrize(
    ("function", "naps", "beside", "milliseconds"),
    [
        ("two_chains", ["left_1", "left_2", "joined"], ["right_1"], 140),
        ("loop_beside_chain", ["iteration"] * 5, ["beside"], 100),
        ("branch_then_join", ["taken", "after"], [], 90),
    ],
)
def test_the_critical_path_is_the_one_that_was_built(
    recorded: RecordedSample, function: str, naps: list[str], beside: list[str], milliseconds: float
) -> None:
    report = report_of(recorded(f"{PROGRAM}:{function}", "--steps", "5"))
    path = rows_of(report, "critical-path")
    slept = [row for row in path if row["self_us"] > 10_000]
    assert [
        name for row in slept for name in dict.fromkeys((*naps, *beside)) if name in row["op"].split("/")[-1]
    ] == naps
    assert sum(row["self_us"] for row in path) / 1e3 == pytest.approx(milliseconds, rel=0.1)
    last = path[-1]
    assert (last["start_us"] + last["self_us"] - path[0]["start_us"]) / 1e3 == pytest.approx(milliseconds, rel=0.1)


def seconds_of(part: Callable[[], object]) -> float:
    part()
    return min(timeit.repeat(part, number=5, repeat=7)) / 5


def test_the_slow_line_comes_first_with_its_true_share(recorded: RecordedSample) -> None:
    import tensorflow as tf

    report = report_of(recorded("slow_line.py:step", "--steps", "10"))
    first = rows_of(report, "lines")[0]
    source = (SAMPLES / "slow_line.py").read_text(encoding="utf-8").splitlines()
    assert "argsort" in source[first["line"] - 1]

    spec = importlib.util.spec_from_file_location("slow_line", SAMPLES / "slow_line.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    x, table = module.example_inputs()
    scores = tf.matmul(x, table, transpose_b=True)
    best = tf.constant(0, tf.int32, [128, 10])

    @tf.function
    def without(x: Any, table: Any) -> Any:
        centered = x - tf.reduce_mean(x, axis=1, keepdims=True)
        scaled = centered / (tf.norm(centered, axis=1, keepdims=True) + 1e-6)
        scores = tf.matmul(scaled, table, transpose_b=True)
        return tf.reduce_mean(tf.gather(scores, best, batch_dims=1)), best

    @tf.function
    def slow(scores: Any) -> Any:
        return tf.argsort(scores, axis=1, direction="DESCENDING", stable=True)[:, :10]

    parts = seconds_of(lambda: slow(scores)), seconds_of(lambda: without(x, table))
    assert first["share"] == pytest.approx(parts[0] / sum(parts), abs=0.1)
