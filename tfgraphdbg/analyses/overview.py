"""Recording -> what is in it: stages, op types, scopes, functions, devices, and where ops come from.

Counts of stages are those that the recorder took from TensorFlow's own graphs. Only the traced and the optimized
graph are read, whatever else was recorded; of a GraphDef file, its one graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.analyses.devices import device_label
from tfgraphdbg.analyses.overview_findings import overview_findings
from tfgraphdbg.analyses.scope_rollup import scope_counts, scope_rows
from tfgraphdbg.analyses.tracing_table import tracing_table
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import Recording, StackTable, Stage, Tracing
from tfgraphdbg.report import Cell, Column, Report, Table, report_target

TRACED = "traced"
OPTIMIZED = "optimized"

Row = tuple[Cell, ...]


def summarize_recording(recording: Recording, options: AnalysisOptions) -> Report:
    """What was recorded, and of the chosen tracing its stages and the make-up of its graphs."""
    tracing = options.tracing
    if tracing is None and recording.meta.main_tracing is not None:
        tracing = recording.main_tracing
    stages = tracing.stages if tracing else ()
    graphs = {stage.name: recording.graph(stage.name, tracing) for stage in _compared_stages(tracing)}
    return Report(
        analysis="overview",
        title=_title(recording, tracing, graphs),
        target=report_target(recording),
        findings=overview_findings(recording, tracing),
        tables=(
            _stages_table(stages),
            _op_types_table(graphs),
            _scopes_table(graphs),
            tracing_table(recording.tracings),
            _library_table(graphs),
            _devices_table(stages, graphs),
            _origins_table(graphs, recording.stacks),
        ),
        missing=recording.missing,
        stage=tracing.default_stage if tracing else "",
    )


def _compared_stages(tracing: Tracing | None) -> list[Stage]:
    """The traced and the optimized graph; the one nearest to them where neither was recorded."""
    if tracing is None:
        return []
    found = [stage for name in (TRACED, OPTIMIZED) if (stage := tracing.stage(name)) is not None]
    other = tracing.stage(tracing.default_stage)
    return found or ([other] if other is not None else [])


def _title(recording: Recording, tracing: Tracing | None, graphs: Mapping[str, GraphModel]) -> str:
    counts = [_stage_words(stage, graphs[stage.name]) for stage in _compared_stages(tracing)]
    sizes = f"{' -> '.join(counts)} ops" if counts else "no graph"
    devices = ", ".join(device.name for device in recording.meta.devices)
    count = len(recording.tracings)
    tracings = f"{count:,} tracing" if count == 1 else f"{count:,} tracings"
    of = f" of {tracing.function}" if tracing and count > 1 else ""
    return f"{recording.target.name}: {sizes}{of}{f', on {devices}' if devices else ''}, {tracings}"


def _stage_words(stage: Stage, graph: GraphModel) -> str:
    """`57 traced`, with the ops that wait in its functions: most of them come to light when those are inlined."""
    count = stage.function_ops - sum(_parameters(graph).values()) if stage.function_ops else 0
    inside = f" (+{count:,} in functions)" if count > 0 else ""
    return f"{stage.ops:,}{'' if stage.name == 'graph' else f' {stage.name}'}{inside}"


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
    counts = [graph.op_type_counts() for graph in graphs.values()]
    total = sum(counts, Counter[str]())
    names = sorted(total, key=lambda name: (-total[name], name))
    rows: list[Row] = [(name, *(count[name] for count in counts), *_change(name, counts)) for name in names]
    columns = (Column("op_type"), *map(Column, graphs), *([Column("change")] if len(graphs) == 2 else []))
    return Table("op-types", "Op types, those of each function body counted once", columns, tuple(rows))


def _change(name: str, counts: Sequence[Counter[str]]) -> tuple[int, ...]:
    return (counts[1][name] - counts[0][name],) if len(counts) == 2 else ()


def _scopes_table(graphs: Mapping[str, GraphModel]) -> Table:
    counts = [scope_counts(graph.ops) for graph in graphs.values()]
    columns = (Column("scope"), *map(Column, graphs))
    return Table(
        "scopes",
        "Name scopes in the traced graph, two levels, most ops first",
        columns,
        scope_rows(counts),
    )


def _library_table(graphs: Mapping[str, GraphModel]) -> Table:
    counts = [Counter(op.function for op in graph.ops if op.function) for graph in graphs.values()]
    parameters = [_parameters(graph) for graph in graphs.values()]
    names = dict.fromkeys(name for graph in graphs.values() for name in graph.functions)
    rows: list[Row] = [
        (
            name,
            max(count[name] for count in parameters),
            *(count[name] - less[name] for count, less in zip(counts, parameters, strict=True)),
        )
        for name in names
    ]
    columns = (Column("function"), Column("parameters"), *map(Column, graphs))
    return Table("library-functions", "Ops in the functions that the graph calls", columns, tuple(rows))


def _parameters(graph: GraphModel) -> Counter[str]:
    """How many ops of each function's body stand for its arguments: TensorFlow does not count them as ops of it."""
    return Counter(op.function for op in graph.ops if op.function and op.op_type == "Placeholder")


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
