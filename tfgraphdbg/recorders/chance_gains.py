"""What a chance would save, by Grappler's cost model: an estimate for this machine's devices, never measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tfgraphdbg.chances.contract import ChanceRule
from tfgraphdbg.recorders.blocker_removals import TrialNames
from tfgraphdbg.recorders.op_costs import OpCost, estimated_costs


def estimated_gain(rule: ChanceRule, graph_def: Any, names: TrialNames, after: Any | None) -> float | None:
    """Microseconds that one run would save; None when the cost model or the shapes give no number.

    `after` is the graph with the chance taken, where a trial made one.
    """
    costs = estimated_costs(graph_def)
    if isinstance(costs, str):
        return None
    ops = [costs.by_op[name] for name in names.pattern if name in costs.by_op]
    if len(ops) < len(names.pattern) or not all(cost.shapes_known for cost in ops):
        return None
    if rule == "missed-fusion":
        # The arithmetic is the same inside the fused op; what the later ops read and write between them is saved.
        return sum(cost.memory_us for cost in ops[1:])
    if rule == "duplicate-computation":
        return _without_one_of_each(graph_def, names, ops)
    if rule == "constant-computation":
        return sum(cost.us for cost in ops)
    return _difference(costs.by_op, after)


def _without_one_of_each(graph_def: Any, names: TrialNames, ops: list[OpCost]) -> float:
    types = {node.name: node.op for node in graph_def.node}
    counts = Counter(types[name] for name in names.pattern)
    shares = (cost.us * (1 - 1 / counts[types[name]]) for name, cost in zip(names.pattern, ops, strict=True))
    return sum(shares)


def _difference(before: Mapping[str, OpCost], after: Any | None) -> float | None:
    costs = estimated_costs(after) if after is not None else ""
    if isinstance(costs, str) or not all(cost.shapes_known for cost in costs.by_op.values()):
        return None
    return max(0.0, sum(cost.us for cost in before.values()) - sum(cost.us for cost in costs.by_op.values()))
