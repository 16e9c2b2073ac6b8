"""Tracings -> the table of them: whose each is, its sizes and times, and why it may have none."""

from __future__ import annotations

from tfgraphdbg.recording import Tracing
from tfgraphdbg.report import Cell, Column, Table

REPLACED = "replaced by the next tracing, which reuses its variables"
NESTED = "inside another tracing"

_COLUMNS = (
    Column("function"),
    Column("concrete_function"),
    Column("role"),
    Column("signature"),
    Column("traced"),
    Column("optimized"),
    Column("calls"),
    Column("trace_ms", "ms", "measured"),
    Column("first_run_ms", "ms", "measured"),
    Column("run_ms", "ms", "measured"),
    Column("note"),
)


def tracing_table(tracings: tuple[Tracing, ...]) -> Table:
    """One row a tracing, but for those that libraries made for themselves and never called."""
    shown = [tracing for tracing in tracings if tracing.calls or not tracing.library]
    notes = _notes(tracings)
    rows = tuple(_row(tracing, notes.get(tracing.index, "")) for tracing in shown)
    left_out = len(tracings) - len(rows)
    more = f"; {left_out:,} that libraries made for themselves are left out" if left_out else ""
    return Table("functions", f"Tracings of tf.functions, in order of time{more}", _COLUMNS, rows)


def _row(tracing: Tracing, note: str) -> tuple[Cell, ...]:
    traced, optimized = tracing.stage("traced"), tracing.stage("optimized")
    return (
        tracing.function,
        tracing.concrete_function,
        tracing.role,
        tracing.signature,
        traced.ops if traced else None,
        optimized.ops if optimized else None,
        tracing.calls,
        tracing.trace_ms,
        tracing.first_run_ms,
        tracing.run_ms if tracing.calls else None,
        note,
    )


def _notes(tracings: tuple[Tracing, ...]) -> dict[int, str]:
    """By index. A function that makes variables is traced twice at first; only the second one runs."""
    notes: dict[int, str] = {}
    recorded_later: set[tuple[str, str, int, str]] = set()
    for tracing in reversed(tracings):
        key = (tracing.function, tracing.file, tracing.line, tracing.signature)
        if tracing.role == "nested":
            notes[tracing.index] = NESTED
        elif tracing.stages:
            recorded_later.add(key)
        elif tracing.role == "inference" and not tracing.calls and key in recorded_later:
            notes[tracing.index] = REPLACED
    return notes
