"""Takes the graphs of one function out of an entry that also holds those of functions that began while it ran.

The runtime appends the graphs of every function, and of every eager op, that it instantiates during a run to the entry
of that run: those of ops and functions that a `tf.py_function` runs, and of another thread's.
"""

from __future__ import annotations

from typing import Any

from tfgraphdbg.recorders.tensorflow_internals import FunctionGraphs


def own_graphs(entry: FunctionGraphs) -> FunctionGraphs | None:
    """The graphs of the function whose run began the entry; None where they cannot be told from the others.

    The entry itself when there are no others.
    """
    if not entry.partitions:
        return None
    own = _first_function(entry)
    if own is None and _has_unique_names(entry.pre_optimization.node) and _has_unique_names(entry.optimized.node):
        return entry
    return own


def _first_function(entry: FunctionGraphs) -> FunctionGraphs | None:
    given = _separate_functions(list(entry.pre_optimization.node))
    optimized = list(entry.optimized.node)
    partitions = list(entry.partitions)
    for nodes in reversed(given[1:]):
        if len(partitions) < 2:
            return None
        last = partitions.pop().node
        tail = optimized[-len(last) :]
        if _names(tail) != _names(last) or _ends(tail) != _ends(nodes):
            return None
        del optimized[-len(last) :]
    if len(given) == 1:
        return entry if _has_unique_names(given[0]) and _has_unique_names(optimized) else None
    if not given or not (_has_unique_names(given[0]) and _has_unique_names(optimized)):
        return None
    if _ends(given[0]) != _ends(optimized) or not _all_hold(partitions, _ends(optimized)):
        return None
    return FunctionGraphs(
        _with_nodes(entry.pre_optimization, given[0]), _with_nodes(entry.optimized, optimized), tuple(partitions)
    )


def _separate_functions(nodes: list[Any]) -> list[list[Any]]:
    """Nodes function by function: before any pass, each has its arguments first and its results last."""
    functions: list[list[Any]] = []
    before = "_Retval"
    for node in nodes:
        if (node.op == "_Arg" != before) or (before == "_Retval" != node.op):
            functions.append([])
        functions[-1].append(node)
        before = node.op
    return functions


def _ends(nodes: Any) -> list[tuple[str, str]]:
    """Arguments and results, which no pass takes away or renames."""
    return sorted((node.op, node.name) for node in nodes if node.op in ("_Arg", "_Retval"))


def _all_hold(partitions: list[Any], ends: list[tuple[str, str]]) -> bool:
    return sorted(end for partition in partitions for end in _ends(partition.node)) == ends


def _names(nodes: Any) -> list[str]:
    return sorted(node.name for node in nodes)


def _has_unique_names(nodes: Any) -> bool:
    return 0 < len(nodes) == len({node.name for node in nodes})


def _with_nodes(graph_def: Any, nodes: list[Any]) -> Any:
    own = type(graph_def)(versions=graph_def.versions, library=graph_def.library)
    own.node.extend(nodes)
    return own
