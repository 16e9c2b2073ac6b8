"""How the chances of each rule are tried: with which pass of Grappler, and how to see whether it took them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tfgraphdbg.chances.contract import ChanceRule
from tfgraphdbg.recorders.trial_names import TrialNames


class RuleTrial(NamedTuple):
    """One rule's."""

    optimizers: tuple[str, ...]
    """Passes as RewriterConfig names them: the one in question, and what takes away the ops that it left unused."""
    pass_name: str
    """As the one in question names itself."""
    is_taken: Callable[[Any, Any, TrialNames], bool]
    """From the graphs before and after the pass."""


def _is_fused(before: Any, after: Any, names: TrialNames) -> bool:
    """One op, internal to TensorFlow, is left in the place of all."""
    left = _types(after)
    return left.get(names.root, "").startswith("_") and not any(name in left for name in names.pattern[:-1])


def _is_merged(before: Any, after: Any, names: TrialNames) -> bool:
    left = _types(after)
    return not all(name in left for name in names.ends_of_copies)


def _is_folded(before: Any, after: Any, names: TrialNames) -> bool:
    left = _types(after)
    return all(left.get(name, "Const") == "Const" for name in names.pattern)


def _has_fewer(op_type: str) -> Callable[[Any, Any, TrialNames], bool]:
    def is_taken(before: Any, after: Any, names: TrialNames) -> bool:
        return list(_types(after).values()).count(op_type) < list(_types(before).values()).count(op_type)

    return is_taken


def _types(graph_def: Any) -> dict[str, str]:
    return {node.name: node.op for node in graph_def.node}


RULE_TRIALS: Mapping[ChanceRule, RuleTrial] = {
    "missed-fusion": RuleTrial(("remap",), "remapper", _is_fused),
    "duplicate-computation": RuleTrial(("common_subgraph_elimination",), "common_subgraph_elimination", _is_merged),
    "constant-computation": RuleTrial(("constfold",), "constant_folding", _is_folded),
    "cast-chain": RuleTrial(("arithmetic", "pruning"), "arithmetic_optimizer", _has_fewer("Cast")),
    "transpose-chain": RuleTrial(("arithmetic", "pruning"), "arithmetic_optimizer", _has_fewer("Transpose")),
}


def in_words(after: Any, names: TrialNames) -> str:
    """What a pass made of a pattern, as the end of a sentence that began with its name."""
    for node in after.node:
        if node.name == names.root and node.op.startswith("_"):
            fused = ", ".join(word.decode() for word in node.attr["fused_ops"].list.s)
            return f"makes it one {node.op}" + (f" with {fused}" if fused else "")
    left = [node.op for node in after.node if node.name in names.pattern]
    return f"leaves {', '.join(left)}" if left else "leaves nothing of it"
