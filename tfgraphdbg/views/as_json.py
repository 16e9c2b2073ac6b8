"""Report -> JSON of schema 1, valid whatever the numbers and names are."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from tfgraphdbg.report import SCHEMA_VERSION, Column, Finding, Report, Series, Table
from tfgraphdbg.views.contract import TextOptions

_NOT_A_NUMBER = "NaN"
_INFINITY = "Infinity"


def render(report: Report, options: TextOptions) -> str:
    """The report as JSON, one finding and one table row a line.

    JSON has no NaN: such numbers become the strings `NaN`, `Infinity` and `-Infinity`, as in protobuf's JSON.
    """
    heading = {
        "schema": SCHEMA_VERSION,
        "analysis": report.analysis,
        "title": report.title,
        "target": {
            "name": report.target.name,
            "tensorflow": report.target.tensorflow,
            "devices": list(report.target.devices),
        },
    }
    members = [f"{_dump(key)}: {_dump(value)}" for key, value in heading.items()]
    members.append(f'"findings": {_list(map(_dump, map(_finding, report.findings)))}')
    members.append(f'"tables": {_list(map(_table, report.tables))}')
    members.append(f'"series": {_list(map(_series, report.series))}')
    missing = ({"evidence": gap.evidence, "reason": gap.reason} for gap in report.missing)
    members.append(f'"missing": {_list(map(_dump, missing))}')
    return "{\n" + ",\n".join(members) + "\n}\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "basis": finding.basis,
        "evidence": finding.evidence,
        "ops": finding.ops,
        "sources": [{"file": at.file, "line": at.line, "function": at.function} for at in finding.sources],
        "suggestion": finding.suggestion,
    }


def _column(column: Column) -> dict[str, Any]:
    known = {"basis": column.basis} if column.basis else {}
    return {"name": column.name, "unit": column.unit, **known}


def _table(table: Table) -> str:
    columns = _dump([_column(column) for column in table.columns])
    rows = _list(map(_dump, table.rows))
    return f'{{"name": {_dump(table.name)}, "title": {_dump(table.title)}, "columns": {columns},\n"rows": {rows}}}'


def _series(series: Series) -> str:
    return _dump({"name": series.name, "unit": series.unit, "x_unit": series.x_unit, "points": series.points})


def _list(items: Iterable[str]) -> str:
    lines = ",\n".join(items)
    return f"[\n{lines}\n]" if lines else "[]"


def _dump(value: Any) -> str:
    # ASCII only: then no name can carry a control character or a lone surrogate into the output.
    try:
        return json.dumps(value, allow_nan=False)
    except (ValueError, TypeError):
        return json.dumps(_plain(value), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return _NOT_A_NUMBER if math.isnan(value) else _INFINITY if value > 0 else f"-{_INFINITY}"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)
