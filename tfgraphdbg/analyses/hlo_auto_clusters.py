"""The clusters that XLA's auto-clustering made of a graph after Grappler: which ops each one holds.

TensorFlow records no body of a cluster, so that its ops are told from the graph around it: an op that Grappler left and
that did not run by itself is in the cluster whose result an op that did run now takes in its place. Seen with
TensorFlow 2.21; on a CPU, `tf.config.optimizer.set_jit` alone makes none without TF_XLA_FLAGS=--tf_xla_cpu_global_jit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tfgraphdbg.graph_model import CONTROL, GraphModel, OpNode
from tfgraphdbg.recording import Basis, Recording, Tracing
from tfgraphdbg.report import Column, Table

_COMPILES = "_XlaCompile"

_RUNS = "_XlaRun"

_MERGES = "_XlaMerge"


class AutoCluster(NamedTuple):
    """One part of a graph that XLA compiles when it first runs, unless its inputs rule that out."""

    name: str
    """The scope of the ops that stand for it: `cluster_0_1`."""
    function: str
    """The function that it was made into: `cluster_0`."""
    runs_as: str
    """The op that runs what was compiled."""
    ops: tuple[str, ...]
    """Its ops as Grappler left them, in the graph's order."""


class AutoClusters(NamedTuple):
    """Every cluster of one graph, and what they leave open."""

    clusters: tuple[AutoCluster, ...]
    basis: Basis
    """`measured` when every result of every cluster is some op's input and there is no other op to account for."""
    unexplained: tuple[str, ...]
    """Ops that neither run by themselves nor are in a cluster, and ops that run and stand for no cluster."""


def recorded_clusters(recording: Recording, tracing: Tracing) -> AutoClusters | None:
    """The clusters of a tracing; None when it has none, or when what Grappler left of it was not recorded."""
    history = recording.own_rewrites(tracing)
    if history is None or tracing.stage("optimized") is None or tracing.stage("lowered") is None:
        return None
    ran = recording.graph("optimized", tracing)
    if not any(op.op_type == _COMPILES for op in ran.top_level_ops):
        return None
    left = recording.graph(history.stages[-1] if history.steps else "lowered", tracing)
    return auto_clusters(left, ran)


def auto_clusters(left: GraphModel, ran: GraphModel) -> AutoClusters:
    """The clusters of the graph that `ran`, with their ops in the graph that Grappler `left`."""
    before = {op.name: op for op in left.top_level_ops}
    after = {op.name: op for op in ran.top_level_ops}
    compiling = [op for op in after.values() if op.op_type == _COMPILES]
    scopes = {op.scope for op in compiling}
    gone = [name for name in before if name not in after]
    owner, all_results_known = _owners(before, after, scopes)
    if len(compiling) == 1:
        owner = dict.fromkeys(gone, compiling[0].scope)
    members: dict[str, list[str]] = {scope: [] for scope in scopes}
    for name in gone:
        if name in owner:
            members[owner[name]].append(name)
    clusters = tuple(
        AutoCluster(
            op.scope,
            str(ran.attrs_of(op).get("function", "")),
            next((made.name for made in after.values() if made.op_type == _RUNS and made.scope == op.scope), op.name),
            tuple(members[op.scope]),
        )
        for op in compiling
    )
    unexplained = [name for name in gone if name not in owner]
    unexplained += [name for name, op in after.items() if name not in before and op.scope not in scopes]
    is_sure = not unexplained and (len(compiling) == 1 or all_results_known)
    return AutoClusters(clusters, "measured" if is_sure else "guessed", tuple(unexplained))


def _owners(
    before: Mapping[str, OpNode], after: Mapping[str, OpNode], scopes: Iterable[str]
) -> tuple[dict[str, str], bool]:
    """The scope of the cluster of each op that can be told, and whether each cluster's every result was met."""
    results = {name: op.scope for name, op in after.items() if op.op_type == _MERGES and op.scope in set(scopes)}
    owner: dict[str, str] = {}
    met: set[str] = set()
    for name, op in after.items():
        for old, new in _replaced_inputs(before.get(name), op):
            if new in results and old not in after and old in before:
                owner.setdefault(old, results[new])
                met.add(new)
    # From results back to their producers: what another cluster computes ends in a result of that one.
    waiting = list(owner)
    while waiting:
        name = waiting.pop()
        for source, output in before[name].input_refs():
            if output != CONTROL and source in before and source not in after and source not in owner:
                owner[source] = owner[name]
                waiting.append(source)
    return owner, met == set(results)


def _replaced_inputs(old: OpNode | None, new: OpNode) -> Iterator[tuple[str, str]]:
    """The producers of each input, before and after."""
    if old is not None and len(old.inputs) == len(new.inputs):
        for was, now in zip(old.input_refs(), new.input_refs(), strict=True):
            yield was.name, now.name


def auto_clusters_table(found: AutoClusters) -> Table:
    """One row for each cluster."""
    rows = tuple(
        (cluster.name, cluster.function, cluster.runs_as, len(cluster.ops), found.basis, ", ".join(cluster.ops))
        for cluster in found.clusters
    )
    names = ("cluster", "function", "runs as", "op_count", "basis", "ops")
    return Table("clusters", "Parts of the graph that XLA compiles", tuple(map(Column, names)), rows)
