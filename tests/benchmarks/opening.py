"""What opening costs: overview, file size, networkx and diff of a recording of about 69,600 traced ops."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.processes import Row, median_seconds, medians, python
from tfgraphdbg.analyses import analysis_named
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording_file import load

ANALYSES_OF_OPENED = (
    ("passes", "the fate of each of its ops, and what was missed"),
    ("bottlenecks", "its measured times by op and line, and its critical path"),
    ("eager", "its eager ops beside the graph"),
)

MEASURED_PARTS = ("times", "tracing-times", "eager", "call-costs", "estimates")


def rows(path: Path, repeats: int) -> Iterator[Row]:
    """Whole processes for what a user waits for; the library's parts inside this one."""
    overview = medians(lambda: python("-m", "tfgraphdbg", "overview", str(path), "-f", "json"), repeats)
    yield Row("overview of a saved EfficientNetV2L train step, whole process", overview.seconds, "s", 1.5)
    yield Row("its peak memory", overview.peak_mb, "MB", 400)
    help_ = medians(lambda: python("-m", "tfgraphdbg", "--help"), repeats)
    yield Row("tfgraphdbg --help, whole process", help_.seconds, "s", 0.3)
    graphs_mb, measured_mb = sizes(path)
    yield Row("size of the recording file: its graphs, raw GraphDefs included", graphs_mb, "MB", 6)
    yield Row("what measured times, the eager run and the profiler's trace add to it", measured_mb, "MB", None)
    yield Row("diff of its traced and optimized graph", diff_seconds(path, repeats), "s", 0.7)
    for name, what in ANALYSES_OF_OPENED:
        yield Row(f"{name}: {what}", analysis_seconds(name, path, repeats), "s", 2.0)
    traced = load(path).graph("traced")
    traced.nx  # noqa: B018 - networkx is imported before the clock starts
    yield Row("its traced graph as a networkx graph", median_seconds(lambda: fresh(traced).nx, repeats), "s", 1.0)
    order = median_seconds(lambda: fresh(traced).topological_order, repeats)
    yield Row("topological order of it", order, "s", 0.2)


def sizes(path: Path) -> tuple[float, float]:
    """Megabytes in the file: of what is always recorded, and of what was measured."""
    with zipfile.ZipFile(path) as parts:
        measured = sum(
            part.compress_size
            for part in parts.infolist()
            if part.filename.startswith("traces/") or part.filename.rpartition("/")[2] in MEASURED_PARTS
        )
    return (path.stat().st_size - measured) / 1e6, measured / 1e6


def fresh(graph: GraphModel) -> GraphModel:
    """The same graph with nothing computed yet."""
    return GraphModel(graph.name, graph.stage, graph.ops, graph.attr_sets, graph.functions)


def diff_seconds(path: Path, repeats: int) -> float:
    """From the two graphs to the report."""
    recording = load(path)
    for stage in ("traced", "optimized"):
        recording.graph(stage)
    return median_seconds(lambda: analysis_named("diff").run(recording, AnalysisOptions()), repeats)


def analysis_seconds(name: str, path: Path, repeats: int) -> float:
    """From the file to the report, its parts read anew each time."""
    return median_seconds(lambda: analysis_named(name).run(load(path), AnalysisOptions()), repeats)
