"""Recording -> what is in it: stages, op types, scopes, functions, devices, and where ops come from.

Counts of stages are those that the recorder took from TensorFlow's own graphs. Only the traced and the optimized
graph are read, whatever else was recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.devices import device_label
from tfgraphdbg.analyses.scope_rollup import scope_counts, scope_rows
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import Recording, StackTable, Stage, Tracing
from tfgraphdbg.report import Cell, Column, Finding, Report, Table, report_target

TRACED = "traced"
OPTIMIZED = "optimized"

Row = tuple[Cell, ...]


def summarize_recording(recording: Recording, options: AnalysisOptions) -> Report:
    """What was recorded, and of the chosen tracing its stages and the make-up of its graphs."""
    tracing = options.tracing
    if tracing is None and recording.meta.main_tracing is not None:
        tracing = recording.main_tracing
    stages = tracing.stages if tracing else ()
    graphs = {
        stage.name: recording.graph(stage.name, tracing)
        for stage in stages
        if stage.kind == "graph" and stage.name in (TRACED, OPTIMIZED)
    }
    return Report(
        analysis="overview",
        title=_title(recording, tracing),
        target=report_target(recording),
        findings=_findings(recording),
        tables=(
            _stages_table(stages),
            _op_types_table(graphs),
            _scopes_table(graphs),
            _functions_table(recording.tracings),
            _library_table(graphs),
            _devices_table(stages, graphs),
            _origins_table(graphs, recording.stacks),
        ),
        missing=recording.missing,
        stage=tracing.default_stage if tracing else "",
    )


def _title(recording: Recording, tracing: Tracing | None) -> str:
    ops = _stage_ops(tracing) if tracing else (None, None)
    counts = [f"{count:,} {name}" for name, count in zip((TRACED, OPTIMIZED), ops, strict=True) if count is not None]
    graphs = f"{' -> '.join(counts)} ops" if counts else "no graph"
    devices = ", ".join(device.name for device in recording.meta.devices)
    count = len(recording.tracings)
    tracings = f"{count:,} tracing" if count == 1 else f"{count:,} tracings"
    of = f" of {tracing.function}" if tracing and count > 1 else ""
    return f"{recording.target.name}: {graphs}{of}{f', on {devices}' if devices else ''}, {tracings}"


def _findings(recording: Recording) -> tuple[Finding, ...]:
    if recording.meta.outcome == "complete":
        return ()
    partial = Finding(
        rule="recording-partial",
        severity="warning",
        message=f"the run ended early: {recording.meta.outcome}",
        evidence={"tracings": len(recording.tracings), "missing": len(recording.missing)},
        suggestion="what is shown was recorded before that; record again for the rest",
    )
    return (partial,)


def _stages_table(stages: tuple[Stage, ...]) -> Table:
    columns = (Column("stage"), Column("ops"), Column("edges"), Column("functions"), Column("bytes", "bytes"))
    rows: list[Row] = [
        (stage.name, stage.ops, stage.edges, stage.functions, stage.bytes)
        if stage.kind == "graph"
        else (stage.name, None, None, None, stage.bytes)
        for stage in stages
    ]
    return Table("stages", "Stages of the graph, and compiler texts", columns, tuple(rows))


def _op_types_table(graphs: Mapping[str, GraphModel]) -> Table:
    columns = (Column("op_type"), Column(TRACED), Column(OPTIMIZED), Column("change"))
    traced, optimized = (graphs[name].op_type_counts() if name in graphs else None for name in (TRACED, OPTIMIZED))
    total = (traced or Counter()) + (optimized or Counter())
    rows = [_compared(op_type, traced, optimized) for op_type in sorted(total, key=lambda name: (-total[name], name))]
    return Table("op-types", "Op types, those of each function body counted once", columns, tuple(rows))


def _compared(name: str, traced: Counter[str] | None, optimized: Counter[str] | None) -> Row:
    was = traced[name] if traced is not None else None
    now = optimized[name] if optimized is not None else None
    return name, was, now, now - was if was is not None and now is not None else None


def _scopes_table(graphs: Mapping[str, GraphModel]) -> Table:
    columns = (Column("scope"), Column(TRACED), Column(OPTIMIZED))
    counts = [
        scope_counts(op.name for op in graphs[name].top_level_ops) if name in graphs else None
        for name in (TRACED, OPTIMIZED)
    ]
    return Table("scopes", "Name scopes, two levels, most ops first", columns, scope_rows(counts))


def _functions_table(tracings: tuple[Tracing, ...]) -> Table:
    columns = (
        Column("function"),
        Column("concrete_function"),
        Column("role"),
        Column("signature"),
        Column(TRACED),
        Column(OPTIMIZED),
        Column("calls"),
        Column("trace_ms", "ms", "measured"),
        Column("first_run_ms", "ms", "measured"),
        Column("run_ms", "ms", "measured"),
    )
    rows: list[Row] = [
        (
            tracing.function,
            tracing.concrete_function,
            tracing.role,
            tracing.signature,
            *_stage_ops(tracing),
            tracing.calls,
            tracing.trace_ms,
            tracing.first_run_ms,
            tracing.run_ms if tracing.calls else None,
        )
        for tracing in tracings
    ]
    return Table("functions", "Tracings of tf.functions, in order of time", columns, tuple(rows))


def _stage_ops(tracing: Tracing) -> tuple[int | None, int | None]:
    traced, optimized = tracing.stage(TRACED), tracing.stage(OPTIMIZED)
    return traced.ops if traced else None, optimized.ops if optimized else None


def _library_table(graphs: Mapping[str, GraphModel]) -> Table:
    columns = (Column("function"), Column(TRACED), Column(OPTIMIZED))
    counts = {name: Counter(op.function for op in graph.ops if op.function) for name, graph in graphs.items()}
    names = dict.fromkeys(name for graph in graphs.values() for name in graph.functions)
    rows: list[Row] = [
        (name, *(counts[stage][name] if stage in counts else None for stage in (TRACED, OPTIMIZED))) for name in names
    ]
    return Table("library-functions", "Ops in the functions that the graph calls", columns, tuple(rows))


def _devices_table(stages: tuple[Stage, ...], graphs: Mapping[str, GraphModel]) -> Table:
    columns = (Column("device"), Column("stage"), Column("ops"))
    rows: list[Row] = []
    if OPTIMIZED in graphs:
        placed = Counter(op.device for op in graphs[OPTIMIZED].top_level_ops)
        rows += [(device_label(name) or "(none)", OPTIMIZED, count) for name, count in placed.most_common()]
    rows += [(device_label(stage.device), stage.name, stage.ops) for stage in stages if stage.device]
    return Table("devices", "Where the ops run", columns, tuple(rows))


def _origins_table(graphs: Mapping[str, GraphModel], stacks: StackTable) -> Table:
    columns = tuple(Column(name) for name in ("stage", "ops", "with_stack", "with_user_line", "with_origins", "new"))
    traced = graphs.get(TRACED)
    rows = tuple(_origins_row(graph, traced, stacks) for graph in graphs.values())
    return Table("origins", "Where ops come from, those of function bodies included", columns, rows)


def _origins_row(graph: GraphModel, traced: GraphModel | None, stacks: StackTable) -> Row:
    """An op with origins that are no ops of the traced graph counts neither as `with_origins` nor as `new`."""
    ops_of_stack = Counter(op.stack for op in graph.ops if op.stack >= 0)
    with_line = sum(count for stack, count in ops_of_stack.items() if stacks.user_frame(stack) is not None)
    counts = (len(graph.ops), sum(ops_of_stack.values()), with_line)
    if graph.stage == TRACED:
        return graph.stage, *counts, None, None
    known = traced.by_id if traced is not None else {}
    with_origins = sum(1 for op in graph.ops if op.origins and all(origin in known for origin in op.origins))
    return graph.stage, *counts, with_origins, sum(1 for op in graph.ops if not op.origins)
