"""What a chance would save, by Grappler's cost model: estimated for this machine's devices, never measured."""

from __future__ import annotations

from typing import Any

from tfgraphdbg.chances.contract import Chance
from tfgraphdbg.recorders.op_costs import OpCost, estimated_costs
from tfgraphdbg.recorders.trial_names import TrialNames

CHAIN_OPS = {"cast-chain": ("Cast", "casts_saved"), "transpose-chain": ("Transpose", "transposes_saved")}
"""The op type that a chain has too many of, and where a chance says how many."""


def estimated_gain(chance: Chance, graph_def: Any, names: TrialNames) -> float | None:
    """Microseconds that one run would save; None when the cost model or the shapes give no number."""
    costs = estimated_costs(graph_def)
    if isinstance(costs, str):
        return None
    ops = [costs.by_op[name] for name in names.pattern if name in costs.by_op]
    if len(ops) < len(names.pattern) or not all(cost.shapes_known for cost in ops):
        return None
    if chance.rule == "missed-fusion":
        # The arithmetic stays the same inside the fused op; what the later ops read and write between them is saved.
        return sum(cost.memory_us for cost in ops[1:])
    if chance.rule == "duplicate-computation":
        copies = chance.detail.get("copies", 2)
        return sum(cost.us for cost in ops[: len(ops) // 2]) * (int(copies or 2) - 1)
    if chance.rule == "constant-computation":
        return sum(cost.us for cost in ops)
    return _of_chain(chance, graph_def, dict(zip(names.pattern, ops, strict=True)))


def _of_chain(chance: Chance, graph_def: Any, costs: dict[str, OpCost]) -> float:
    """The cheapest of its casts or transposes, as many as could go."""
    op_type, key = CHAIN_OPS[chance.rule]
    saved = int(chance.detail.get(key, 1) or 1)
    every = sorted(costs[node.name].us for node in graph_def.node if node.name in costs and node.op == op_type)
    return sum(every[:saved])
