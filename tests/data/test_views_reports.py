"""Every report view over every kind of report: complete, valid, and deaf to commands hidden in names."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len

from tests.hand_built import HOSTILE_NAMES, small_recording
from tests.view_samples import EXTREME_FLOATS, REPORTS, full_report, hostile_report, one_table_report
from tfgraphdbg.analyses import ANALYSES
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.errors import UsageError
from tfgraphdbg.foreign_text import visible
from tfgraphdbg.report import Column, Report, ReportTarget, Table
from tfgraphdbg.views import REPORT_VIEWS, report_view_for
from tfgraphdbg.views.contract import ReportView, TextOptions

PIPE = TextOptions()
TERMINAL = TextOptions(100, color=True)

AllReports = dict[str, Callable[[], Report]]

ALL_REPORTS: AllReports = {
    **REPORTS,
    **{
        analysis.name: lambda analysis=analysis: analysis.run(small_recording(), AnalysisOptions())
        for analysis in ANALYSES
    },
}


def rendered(report: Report, format_: str, options: TextOptions = PIPE) -> str:
    return report_view_for(format_, None).render(report, options)


@pytest.mark.parametrize("options", [PIPE, TERMINAL], ids=["pipe", "terminal"])
@pytest.mark.parametrize("view", REPORT_VIEWS, ids=lambda view: view.format)
@pytest.mark.parametrize("name", ALL_REPORTS)
def test_every_view_shows_every_report_without_a_raw_control_character(
    name: str, view: ReportView, options: TextOptions
) -> None:
    text = view.render(ALL_REPORTS[name](), options)
    text.encode()
    allowed = "\n"
    if view.format == "text" and options.color:
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    if view.format == "csv":
        allowed += "\t"
    assert visible(text, keep=allowed) == text
    assert not text or text.endswith("\n")


class TestText:
    def test_a_pipe_gets_every_row_whole_and_plain(self) -> None:
        report = full_report()
        tables = tuple(msgspec.structs.replace(table, name=f"other-{table.name}") for table in report.tables)
        text = rendered(msgspec.structs.replace(report, tables=tables), "text")
        assert text.count("scope/layer_") == 100
        assert "more rows" not in text
        assert "…" not in text
        assert "\x1b" not in text
        assert all(line == line.rstrip() for line in text.splitlines())

    def test_a_pipe_gets_the_first_of_many_ops_as_text_and_all_of_them_as_data(self) -> None:
        text = rendered(one_table_report(), "text")
        assert text.count("scope/layer_") == 50
        assert "... 50 more rows (-f csv or -f json shows all)" in text
        for format_ in ("json", "csv"):
            assert rendered(one_table_report(), format_).count("scope/layer_") == 100

    def test_findings_show_what_where_how_it_is_known_and_what_to_do(self) -> None:
        text = rendered(full_report(), "text")
        assert "error: one line costs most of the time  [hot-line]" in text
        assert "measured   share: 37.1%, self: 123 ms, peak: 117.7 MiB, ops: a b, fused: yes" in text
        assert "model.py:42 in train_step\n" in text
        assert "model.py:7\n" in text
        assert "and 4 more (-f json shows all)" in text
        assert "to do      move it out of the loop" in text
        assert "estimated  calls: 12,345" in text
        assert "guessed    no numbers" in text

    def test_numbers_are_right_aligned_with_thousands_separators(self) -> None:
        lines = rendered(one_table_report(), "text").splitlines()
        first, last = (next(line for line in lines if f"layer_{place}/" in line) for place in (0, 49))
        assert "60,490" in last
        assert re.search(r" 49  +60,490  +49\.0%  +-  +no$", last)
        assert first.index("%") == last.index("%")

    def test_a_column_says_when_its_numbers_are_not_measured(self) -> None:
        text = rendered(full_report(), "text")
        assert "memory [bytes] (estimated)" in text
        assert "us (guessed)" not in text  # an empty table has no columns to read
        assert "self_us (measured)" not in text

    @pytest.mark.parametrize("width", [50, 80, 200])
    @pytest.mark.parametrize("name", ["full", "hostile"])
    def test_no_line_is_wider_than_the_terminal(self, name: str, width: int) -> None:
        text = rendered(REPORTS[name](), "text", TextOptions(width))
        assert max(map(cell_len, text.splitlines())) <= width

    def test_a_terminal_gets_the_first_rows_and_how_to_see_the_rest(self) -> None:
        text = rendered(full_report(), "text", TextOptions(120))
        assert text.count("scope/layer_") == 30
        assert "... 70 more rows (-f csv or -f json shows all)" in text

    def test_long_names_are_cut_in_their_middle(self) -> None:
        rows = (("first/" + "n" * 600 + "/last", 1),)
        table = Table("ops", "Ops", (Column("op"), Column("calls")), rows)
        text = rendered(Report("a", "t", ReportTarget("f", ""), tables=(table,)), "text", TextOptions(60))
        assert re.search(r"first/n+…n+/last +1\n", text)

    def test_a_name_that_sticks_out_of_a_pipe_moves_only_its_own_row(self) -> None:
        rows = (("n" * 600, 1), ("short", 2))
        table = Table("ops", "Ops", (Column("op"), Column("calls")), rows)
        text = rendered(Report("a", "t", ReportTarget("f", ""), tables=(table,)), "text")
        assert "n" * 600 in text
        assert max(len(line) for line in text.splitlines() if "nnn" not in line) < 120

    def test_columns_that_do_not_fit_are_named(self) -> None:
        columns = tuple(Column(f"backend_{place}") for place in range(20))
        table = Table("matrix", "Matrix", columns, (("unknown",) * 20,))
        text = rendered(Report("a", "t", ReportTarget("f", ""), tables=(table,)), "text", TextOptions(80))
        assert re.search(r"columns that do not fit: .*backend_19 \(-f csv", text, re.DOTALL)

    def test_the_environment_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = rendered(full_report(), "text", TERMINAL)
        for name, value in {"COLUMNS": "20", "NO_COLOR": "1", "TERM": "dumb", "FORCE_COLOR": "1"}.items():
            monkeypatch.setenv(name, value)
        assert rendered(full_report(), "text", TERMINAL) == before
        assert "\x1b[1;31merror" in before

    def test_markup_in_names_is_text(self) -> None:
        assert "[red]bold[/red]" in rendered(hostile_report(), "text", TERMINAL)

    def test_series_are_small_curves(self) -> None:
        text = rendered(full_report(), "text")
        assert re.search(r"live-bytes  \(200 points\)\n  ▁.*█\n  0 bytes to 796.0 KiB, over 0 s to 199 us\n", text)
        assert "flat  (2 points)\n  ▁▁\n" in text

    def test_missing_evidence_comes_last(self) -> None:
        assert rendered(full_report(), "text").endswith("Not recorded\n  op-times: the profiler was not started\n")

    def test_a_report_without_findings_says_so(self) -> None:
        assert "No findings." in rendered(REPORTS["empty"](), "text")


class TestJson:
    @pytest.mark.parametrize("name", ALL_REPORTS)
    def test_the_shape_is_the_promised_one(self, name: str) -> None:
        report = ALL_REPORTS[name]()
        data = json.loads(rendered(report, "json"), parse_constant=pytest.fail)
        assert list(data) == ["schema", "analysis", "title", "target", "findings", "tables", "series", "missing"]
        assert data["schema"] == 1
        assert set(data["target"]) == {"name", "tensorflow", "devices"}
        for finding in data["findings"]:
            promised = {"rule", "severity", "message", "evidence", "ops", "sources", "suggestion"}
            assert set(finding) == promised | {"basis"}
            assert all(set(source) == {"file", "line", "function"} for source in finding["sources"])
        for table in data["tables"]:
            assert set(table) == {"name", "title", "columns", "rows"}
            assert all({"name", "unit"} <= set(column) <= {"name", "unit", "basis"} for column in table["columns"])
            assert all(len(row) == len(table["columns"]) for row in table["rows"])
        for series in data["series"]:
            assert set(series) == {"name", "unit", "x_unit", "points"}
        assert all(set(gap) == {"evidence", "reason"} for gap in data["missing"])

    def test_everything_arrives_unchanged(self) -> None:
        report = hostile_report()
        data = json.loads(rendered(report, "json"))
        assert [finding["message"] for finding in data["findings"]] == list(HOSTILE_NAMES)
        assert data["findings"][0]["ops"] == list(HOSTILE_NAMES)
        assert data["tables"][0]["rows"] == [[name, 1.5] for name in HOSTILE_NAMES]
        assert data["findings"][0]["evidence"]["inner"] == {HOSTILE_NAMES[1]: HOSTILE_NAMES[2]}

    def test_numbers_that_json_lacks_become_words(self) -> None:
        data = json.loads(rendered(full_report(), "json"))
        numbers = [row[0] for row in data["tables"][2]["rows"]]
        assert numbers == ["NaN", "Infinity", "-Infinity", *EXTREME_FLOATS[3:]]

    def test_cost_is_no_part_of_it(self) -> None:
        assert '"cost"' not in rendered(full_report(), "json")

    def test_evidence_of_any_type_is_valid(self) -> None:
        class Odd:
            def __str__(self) -> str:
                return "odd"

        odd: dict[str, Any] = {"set": {1}, "object": Odd(), "tuple": (1, math.nan), "bytes": b"x"}
        finding = full_report().findings[0]
        report = Report("a", "t", ReportTarget("f", ""), (type(finding)("r", "info", "m", odd),))
        evidence = json.loads(rendered(report, "json"))["findings"][0]["evidence"]
        assert evidence == {"set": [1], "object": "odd", "tuple": [1, "NaN"], "bytes": "b'x'"}


def tables_of(text: str) -> dict[str, list[list[str]]]:
    """The tables of a CSV that holds several."""
    tables: dict[str, list[list[str]]] = {}
    for row in csv.reader(io.StringIO(text)):
        if len(row) == 1 and row[0].startswith("# "):
            tables[row[0][2:].split(":")[0]] = current = []
        elif row:
            current.append(row)
    return tables


class TestCsv:
    def test_one_table_is_plain_csv(self) -> None:
        rows = list(csv.DictReader(io.StringIO(rendered(one_table_report(), "csv"))))
        assert len(rows) == 100
        assert rows[3] == {
            "op": "scope/layer_3/MatMul",
            "calls": "3",
            "self_us": "3703.5",
            "share": "0.03",
            "memory": "",
            "fused": "false",
        }

    def test_several_tables_are_told_apart(self) -> None:
        tables = tables_of(rendered(full_report(), "csv"))
        assert list(tables) == ["ops", "nothing", "extremes"]
        assert tables["nothing"] == [["op", "us"]]
        numbers = [float(row[0]) for row in tables["extremes"][1:]]
        assert math.isnan(numbers[0])
        assert numbers[1:] == list(EXTREME_FLOATS[1:])

    def test_names_come_back_by_the_csv_module(self) -> None:
        table = Table("ops", "Ops", (Column("op"),), tuple((name,) for name in HOSTILE_NAMES))
        text = rendered(Report("a", "t", ReportTarget("f", ""), tables=(table,)), "csv")
        cells = [row[0] for row in csv.reader(io.StringIO(text))][1:]
        assert [cell.removeprefix("'") for cell in cells] == [visible(name, keep="\n") for name in HOSTILE_NAMES]
        assert cells[2] == "two\nlines"

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
    def test_no_text_is_a_formula_and_numbers_stay_numbers(self, start: str) -> None:
        table = Table("ops", "Ops", (Column("op"), Column("n")), ((f"{start}1", -1), (f" {start}1", -1.5)))
        text = rendered(Report("a", "t", ReportTarget("f", ""), tables=(table,)), "csv")
        rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
        assert rows == [[f"'{start}1", "-1"], [f" {start}1", "-1.5"]]

    def test_a_carriage_return_starts_no_line(self) -> None:
        table = Table("ops", "Ops", (Column("op"),), (("\r=1+1",),))
        text = rendered(Report("a", "t", ReportTarget("f", ""), tables=(table,)), "csv")
        assert text == "op\n\\r=1+1\n"

    def test_a_report_without_tables_is_empty(self) -> None:
        assert rendered(REPORTS["empty"](), "csv") == ""


class TestChoice:
    @pytest.mark.parametrize(
        ("format_", "output", "expected"),
        [
            (None, None, "text"),
            ("json", None, "json"),
            (None, "a/b.CSV", "csv"),
            ("json", "b.csv", "json"),
            (None, "report", "text"),
        ],
    )
    def test_the_format_decides_then_the_extension(
        self, format_: str | None, output: str | None, expected: str
    ) -> None:
        assert report_view_for(format_, output).format == expected

    @pytest.mark.parametrize(("format_", "output"), [("html", None), (None, "report.html"), (None, "report.svg")])
    def test_an_unknown_one_lists_those_there_are(self, format_: str | None, output: str | None) -> None:
        with pytest.raises(UsageError) as failure:
            report_view_for(format_, output)
        assert "json" in failure.value.hint
        assert "csv" in failure.value.hint


def test_the_registries_load_nothing_heavy() -> None:
    names = "{'rich', 'graphviz', 'msgspec', 'networkx', 'textual', 'tensorflow'}"
    code = f"import sys, tfgraphdbg.views; print(sorted({names} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
