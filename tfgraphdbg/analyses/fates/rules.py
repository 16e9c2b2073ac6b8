"""The rules that decide an op's fate, as data: from what was seen of it in one edit, the first rule that fits.

What is seen is told by `edit_outcomes`, from the edit alone: whom the op's consumers read instead, or who took over
its work. The cases in `tests/data/fixtures/fates` show each rule on a graph before, a graph after and the fates.
"""

from __future__ import annotations

import functools
from collections.abc import Container
from typing import Literal, NamedTuple

from tfgraphdbg.graph_model import OpNode

Fate = Literal["kept", "changed", "folded", "merged", "fused", "inlined", "removed", "moved", "new"]

FATES: tuple[Fate, ...] = ("kept", "changed", "moved", "fused", "folded", "merged", "inlined", "removed", "new")
"""In the order of tables: from what is still there to what is gone."""

Seen = Literal[
    "became constant",
    "became fused",
    "became pass-through",
    "became another op",
    "attrs changed",
    "inputs changed",
    "left loop",
    "device changed",
    "twin",
    "own input",
    "constant",
    "new op",
    "other op",
    "absorbed",
    "taken over",
    "used in folding",
    "unused",
]
"""`became ...`, `... changed`, `left loop`: the op is still there under its name. Else its consumers read a `twin` (an
op of its type that was there before), its `own input` (or what feeds that), a `constant`, a `new op` or some `other
op` instead; or it was `absorbed` by a fused op that does its work now, or `taken over` by a neighbour that became
another op, which does the work of both; or a consumer of it was folded; or nobody reads anything."""

PASS_THROUGH = frozenset({"Identity", "IdentityN", "Snapshot", "StopGradient", "PreventGradient", "NoOp"})
"""Op types that compute nothing."""

REARRANGING = frozenset({"Reshape", "Cast", "Bitcast", "Squeeze", "ExpandDims", "Const"})
"""Op types of which no other op needs to do the work when they are read past."""

KNOWN_FROM_SHAPE = frozenset({"Shape", "ShapeN", "Size", "Rank", "BroadcastGradientArgs"})
"""Op types whose value is constant when the shapes of their inputs are known, whatever feeds them."""

FUSED_PREFIXES = ("_Fused", "_Mkl", "_UnaryOpsComposition", "_TensorToHashBucketFast", "_Quantized")
"""How the names of op types begin that Grappler makes of several ops."""

CALLS = frozenset(
    {"PartitionedCall", "StatefulPartitionedCall", "While", "StatelessWhile", "If", "StatelessIf", "Case"}
    | {"StatelessCase", "SymbolicGradient", "For"}
)
"""Op types that the runtime takes apart by inlining and lowering; a call of TensorFlow 1 has its function's name."""


Kind = Literal["any", "call", "argument"]


class FateRule(NamedTuple):
    """When `seen` was seen, in one of `passes` (empty: any), of an op that `of` names: this is its fate."""

    seen: Seen
    fate: Fate
    passes: frozenset[str] = frozenset()
    of: Kind = "any"


RUNTIME = "runtime"
"""The pass name of what the runtime does before Grappler: inlining calls, lowering loops and branches, pruning."""

INLINING = frozenset({RUNTIME, "function_optimizer"})
"""What inlines calls: the runtime before Grappler, in graphs of TensorFlow 1 a pass."""

CLUSTERING = "xla:clustering"
"""The pass name of what XLA's auto-clustering does to the graph that Grappler left."""

FATE_RULES: tuple[FateRule, ...] = (
    FateRule("twin", "inlined", INLINING, of="call"),
    FateRule("own input", "inlined", INLINING, of="call"),
    FateRule("new op", "inlined", INLINING, of="call"),
    FateRule("other op", "inlined", INLINING, of="call"),
    FateRule("constant", "inlined", INLINING, of="call"),
    FateRule("unused", "inlined", frozenset({RUNTIME}), of="call"),
    # The NoOp that keeps the name of a call, for the control edges that began or ended there.
    FateRule("became pass-through", "inlined", INLINING, of="call"),
    # The runtime puts an _Arg in place of a Placeholder, sometimes under another name.
    FateRule("new op", "kept", frozenset({RUNTIME}), of="argument"),
    FateRule("other op", "kept", frozenset({RUNTIME}), of="argument"),
    # A loop invariant keeps its name and reads from outside the loop instead.
    FateRule("left loop", "moved"),
    FateRule("device changed", "moved"),
    FateRule("became constant", "folded"),
    FateRule("became fused", "fused"),
    # The remapper makes ops that have no name of their own kind: an Add that takes over a batch norm, a _FusedConv2D.
    FateRule("became another op", "fused", frozenset({"remapper"})),
    FateRule("became another op", "changed"),
    FateRule("became pass-through", "changed"),
    FateRule("attrs changed", "changed"),
    FateRule("inputs changed", "changed"),
    FateRule("twin", "merged"),
    FateRule("own input", "removed"),
    FateRule("constant", "folded"),
    FateRule("new op", "fused", frozenset({"remapper"})),
    FateRule("new op", "changed"),
    FateRule("other op", "changed"),
    FateRule("absorbed", "fused"),
    FateRule("taken over", "fused", frozenset({"remapper"})),
    FateRule("taken over", "changed"),
    FateRule("used in folding", "folded"),
    FateRule("unused", "removed"),
)

DECISIVE: frozenset[Fate] = frozenset({"folded", "fused", "merged", "removed", "inlined"})
"""Fates that an op has once for all: what happens to its stand-in later changes where it ended, not its fate."""


REWIRING_PASSES = frozenset(
    {RUNTIME, "model_pruner", "common_subgraph_elimination", "dependency_optimizer", "tfg_optimizer", "meta_optimizer"}
)
"""Passes that change what an op reads only because that went elsewhere; the others change what is computed."""


def rule_of(seen: Seen, pass_name: str, op: OpNode, callees: Container[str]) -> FateRule:
    """The first rule that fits. `callees` has the names of library functions."""
    return _rule(seen, pass_name, kind_of(op, callees))


@functools.cache
def _rule(seen: Seen, pass_name: str, kind: Kind) -> FateRule:
    for rule in FATE_RULES:
        if rule.seen == seen and (not rule.passes or pass_name in rule.passes) and rule.of in ("any", kind):
            return rule
    raise AssertionError(f"no rule for {seen!r}")


def fate_of(seen: Seen, pass_name: str, op: OpNode, callees: Container[str]) -> Fate:
    """The fate that the first fitting rule gives."""
    return _rule(seen, pass_name, kind_of(op, callees)).fate


def kind_of(op: OpNode, callees: Container[str]) -> Kind:
    """Whether an op is a call, loop or branch, or an argument of its graph."""
    if op.op_type in CALLS or op.op_type in callees:
        return "call"
    return "argument" if op.op_type in ("Placeholder", "_Arg", "_DeviceArg") else "any"


def is_fused_type(op_type: str) -> bool:
    """Whether an op type is what Grappler makes of several ops."""
    return op_type.startswith(FUSED_PREFIXES)
