"""Small edits of a GraphDef, in place."""

from __future__ import annotations

from typing import Any

from tfgraphdbg.graph_model import parse_input
from tfgraphdbg.recorders.small_graphs import data_inputs


def node_of(graph_def: Any, name: str) -> Any:
    """The NodeDef of that name."""
    return next(node for node in graph_def.node if node.name == name)


def remove_nodes(graph_def: Any, gone: set[str]) -> None:
    """Take nodes out, and what reads them no longer does."""
    kept = [node for node in graph_def.node if node.name not in gone]
    copies = [type(node).FromString(node.SerializeToString()) for node in kept]
    del graph_def.node[:]
    graph_def.node.extend(copies)
    for node in graph_def.node:
        inputs = [text for text in node.input if parse_input(text).name not in gone]
        del node.input[:]
        node.input.extend(inputs)


def bypass(graph_def: Any, between: list[str]) -> str:
    """Take out the one op between two others; returns what is wrong if it is not one."""
    if len(between) != 1:
        return f"{len(between)} ops lie between, and one was expected"
    source = node_of(graph_def, between[0]).input[0]
    for node in graph_def.node:
        for place, read in data_inputs(node):
            if read.name == between[0]:
                node.input[place] = source
    remove_nodes(graph_def, set(between))
    return ""


def known_shape(shape: Any) -> tuple[int | None, ...] | None:
    """A TensorShapeProto as a tuple; None for unknown rank."""
    return None if shape.unknown_rank else tuple(None if dim.size < 0 else int(dim.size) for dim in shape.dim)
