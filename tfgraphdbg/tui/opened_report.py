"""An analysis's report of a tracing, with what it takes to show its findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.report import Finding, Report, SourceLine
from tfgraphdbg.tui.pass_notes import code_of
from tfgraphdbg.tui.sheet import Sheet

Analysis = Callable[[Recording, AnalysisOptions], Report]


@dataclass(frozen=True, eq=False)
class OpenedReport:
    """A report; of what its findings name: types of ops, and lines of code."""

    report: Report
    op_types: Mapping[str, str]
    code: Mapping[SourceLine, str]
    sheets: dict[str, Sheet] = field(default_factory=dict)
    """Of its tables, those that were shown already."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, in order."""
        return self.report.findings


def open_report(analyze: Analysis, recording: Recording, tracing: Tracing) -> OpenedReport:
    """Run an analysis. Raises DebuggerError when a part is damaged."""
    report = analyze(recording, AnalysisOptions(tracing=tracing))
    types: dict[str, str] = {}
    if report.stage and tracing.stage(report.stage) is not None:
        ops = recording.graph(report.stage, tracing).by_id
        named = {name for finding in report.findings for name in finding.ops}
        types = {name: ops[name].op_type for name in named if name in ops}
    return OpenedReport(report, types, code_of(recording, report.findings))
