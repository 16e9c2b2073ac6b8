"""Every analysis over graphs written as text: the files in `fixtures/` hold titled cases with what is to come out.

A case is `# title:`, then sections: `== graph STAGE` (a stage of the recording), `== against STAGE` (one more
stage of it), `== recording STAGE` (a stage of a second recording), `== stages BEFORE AFTER` (what to compare),
`== table ANALYSIS TABLE` (its rows, cells between bars, `-` for none) and `== findings ANALYSIS` (all, in order).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.graph_text import graph_of
from tests.hand_built import packed_recording, recording_of
from tfgraphdbg.analyses import ANALYSES, analysis_named
from tfgraphdbg.analyses.contract import Analysis, AnalysisOptions
from tfgraphdbg.analyses.op_changes import recording_changes, stage_changes
from tfgraphdbg.analyses.op_totals import op_totals
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import Recording
from tfgraphdbg.report import Report, Table

FIXTURES = Path(__file__).parent / "fixtures"


class Case(NamedTuple):
    title: str
    sections: tuple[tuple[str, str], ...]

    def graphs(self, *words: str) -> list[GraphModel]:
        return [graph_of(body, head.split()[1]) for head, body in self.sections if head.split()[0] in words]


def cases() -> Iterator[Case]:
    for path in sorted(FIXTURES.glob("*/*.txt")):
        for text in path.read_text().split("# title: ")[1:]:
            title, _, rest = text.partition("\n")
            sections = [part.partition("\n")[::2] for part in rest.split("== ")[1:]]
            yield Case(f"{path.parent.name}: {title}", tuple((head, body.strip()) for head, body in sections))


def recording_with(graphs: list[GraphModel]) -> Recording:
    for graph in graphs:
        if "_Recv" not in graph.op_type_counts():
            graph.check()
    return recording_of(packed_recording(graphs))


def options_of(case: Case) -> AnalysisOptions:
    options = AnalysisOptions()
    second = case.graphs("recording")
    if second:
        options = options._replace(against=recording_with(second))
    for head, _ in case.sections:
        if head.startswith("stages"):
            options = options._replace(stage=head.split()[1], against_stage=head.split()[2])
    return options


def rows_of(table: Table) -> list[list[str]]:
    return [["-" if cell is None else str(cell) for cell in row] for row in table.rows]


def rows_in(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]


def findings_text(report: Report) -> str:
    return "\n".join(f"{finding.severity} {finding.rule}: {finding.message}" for finding in report.findings)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_a_case_gives_what_its_file_says(case: Case) -> None:
    recording = recording_with(case.graphs("graph", "against"))
    options = options_of(case)
    checked = 0
    for head, expected in case.sections:
        kind, *words = head.split()
        if kind == "table":
            report = analysis_named(words[0]).run(recording, options)
            assert rows_of(report.table(words[1])) == rows_in(expected)
            checked += 1
        elif kind == "findings":
            assert findings_text(analysis_named(words[0]).run(recording, options)) == expected
            checked += 1
    assert checked, "the case checks nothing"


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda analysis: analysis.name)
def test_every_report_is_well_formed(analysis: Analysis) -> None:
    for case in cases():
        report = analysis.run(recording_with(case.graphs("graph", "against")), options_of(case))
        assert report.analysis == analysis.name
        assert len({table.name for table in report.tables}) == len(report.tables)
        for table in report.tables:
            assert all(len(row) == len(table.columns) for row in table.rows), table.name


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_ops_before_less_the_gone_and_with_the_new_are_ops_after(case: Case) -> None:
    graphs = case.graphs("graph", "against", "recording")
    for compare in (stage_changes, recording_changes):
        for before, after in itertools.permutations(graphs, 2):
            totals = op_totals(before, after, compare(before, after))
            assert (totals.before, totals.after) == (len(before.ops), len(after.ops))
            assert totals.gone == totals.removed + totals.merged + totals.replaced + totals.dissolved
            assert totals.new == totals.added + totals.copied
            assert totals.before - totals.gone + totals.new == totals.after
