"""Reports: the order of findings, tables by name, and that they are plain data."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import small_recording
from tfgraphdbg.analyses import ANALYSES
from tfgraphdbg.analyses.contract import Analysis, AnalysisOptions
from tfgraphdbg.report import Column, Finding, Report, ReportTarget, Severity, Table, ordered, report_target


def finding(severity: Severity, cost: float, message: str) -> Finding:
    return Finding("rule", severity, message, cost=cost)


def test_the_most_severe_then_the_most_costly_come_first() -> None:
    mixed = [
        finding("info", 9.0, "d"),
        finding("warning", 1.0, "c"),
        finding("error", 0.0, "a"),
        finding("warning", 5.0, "b"),
        finding("info", 9.0, "e"),
    ]
    assert "".join(found.message for found in ordered(mixed)) == "abcde"


def test_a_table_is_found_by_name() -> None:
    table = Table("ops", "Ops", (Column("op"),), (("MatMul",),))
    report = Report("diff", "title", ReportTarget("model.py", "2.21.0"), tables=(table,))
    assert report.table("ops") is table
    with pytest.raises(KeyError):
        report.table("fates")


def test_the_target_of_a_report_is_that_of_the_recording() -> None:
    assert report_target(small_recording()) == ReportTarget("model.py:train_step", "2.21.0", ("CPU:0",))


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda analysis: analysis.name)
def test_a_report_survives_a_round_trip_as_plain_data(analysis: Analysis) -> None:
    report = analysis.run(small_recording(), AnalysisOptions())
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
