"""Blocker -> how a small graph is changed so that it is gone, or why that is not tried.

Each function takes the graph to change and the trial's names, and returns why it cannot, empty when it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tfgraphdbg.graph_model import parse_input
from tfgraphdbg.recorders import fusion_removals, grappler_internals
from tfgraphdbg.recorders.small_graph_edits import known_shape, node_of, remove_nodes
from tfgraphdbg.recorders.small_graphs import CLASS, SOURCE, data_inputs
from tfgraphdbg.recorders.trial_names import TrialNames


class Removal(NamedTuple):
    """How a blocker is taken away, and what the graph then is, in words."""

    change: Callable[[Any, TrialNames], str]
    words: str


def merge_reads(graph_def: Any, names: TrialNames) -> str:
    """Each variable is read once, and both copies use that."""
    first: dict[str, str] = {}
    merged: dict[str, str] = {}
    for name in names.pattern:
        node = node_of(graph_def, name)
        if node.op == "ReadVariableOp" and first.setdefault(node.input[0], name) != name:
            merged[name] = first[node.input[0]]
    if not merged:
        return UNTRIED["stateful"]
    for node in graph_def.node:
        for place, read in data_inputs(node):
            if read.name in merged and node.name in names.pattern:
                node.input[place] = merged[read.name]
    return ""


def forget_colocation(graph_def: Any, names: TrialNames) -> str:
    """No op is bound to the place of another."""
    for node in graph_def.node:
        if CLASS in node.attr:
            del node.attr[CLASS]
    return ""


def drop_between(graph_def: Any, names: TrialNames) -> str:
    """The second transpose reads the first."""
    node_of(graph_def, names.root).input[0] = names.pattern[0]
    remove_nodes(graph_def, set(names.pattern[1:-1]))
    return ""


def use_constant_permutations(graph_def: Any, names: TrialNames) -> str:
    """Both transposes reverse the dimensions, which undoes itself."""
    source = node_of(graph_def, SOURCE).attr["output_shapes"].list.shape
    for name in (names.pattern[0], names.root):
        node = node_of(graph_def, name)
        read = parse_input(node.input[1])
        shape = known_shape(source[read.output]) if read.name == SOURCE else None
        if shape is None or len(shape) != 1 or shape[0] is None:
            return "the number of dimensions is not known"
        constant = graph_def.node.add(name=f"permutation_{name}", op="Const", device=node.device)
        constant.attr["dtype"].type = node.attr["Tperm"].type
        reversed_dimensions = grappler_internals.tensor_of(range(shape[0])[::-1], node.attr["Tperm"].type)
        constant.attr["value"].tensor.CopyFrom(reversed_dimensions)
        node.input[1] = constant.name
    return ""


REMOVALS: Mapping[str, Removal] = {
    "extra-consumer": Removal(fusion_removals.cut_other_readers, "without its other readers"),
    "fetched-op": Removal(fusion_removals.cut_other_readers, "without the function's own output inside it"),
    "control-dependency": Removal(fusion_removals.drop_control_edges, "without its control edges"),
    "control-inputs": Removal(fusion_removals.drop_control_edges, "without its control edges"),
    "dtype": Removal(fusion_removals.use_float32, "in float32"),
    "layout": Removal(fusion_removals.use_nhwc, "with the channels last (NHWC)"),
    "training-mode": Removal(fusion_removals.stop_training, "with is_training=False"),
    "unsupported-activation": Removal(fusion_removals.use_relu, "with Relu in its place"),
    "non-constant-bias": Removal(fusion_removals.use_constant_bias, "with a constant bias"),
    "stateful": Removal(merge_reads, "with one read of the variable"),
    "colocation": Removal(forget_colocation, "without colocation"),
    "op-between": Removal(drop_between, "without the ops between them"),
    "non-constant-permutation": Removal(use_constant_permutations, "with constant permutations"),
    "different-device": Removal(fusion_removals.use_one_device, "on one device"),
    "bias-before-batch-norm": Removal(fusion_removals.drop_bias, "without the bias"),
    "reshape-between": Removal(fusion_removals.drop_reshape, "without the reshape"),
    "bias-by-add": Removal(fusion_removals.use_bias_add, "with BiasAdd in place of the addition"),
}

UNTRIED: Mapping[str, str] = {
    "stateful": "Grappler leaves a stateful op alone, and without its state it would be another op",
    "in-loop": "taking the op out of its loop would change the program",
    "onednn-off": "oneDNN is switched on before TensorFlow is imported",
}
"""Blockers that no trial takes away, and why."""

LEFT_ALONE: Mapping[str, str] = {
    "size-limit": "a smaller constant would be another program",
    "string": "with other values than strings it would be another program",
    "not-foldable": "with another op it would be another program",
    "no-rewrite": "Grappler has no rewrite that would take it",
    "not-inverse": "Grappler has no rewrite that would take it",
}
"""Blockers that no trial takes away, and why; but one can look whether Grappler leaves the ops alone."""
