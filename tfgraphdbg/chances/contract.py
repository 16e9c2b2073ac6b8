"""What a missed chance is, and what a trial of it on the real optimizer found."""

from __future__ import annotations

from typing import Literal

import msgspec

from tfgraphdbg.graph_model import AttrScalar

ChanceRule = Literal["missed-fusion", "duplicate-computation", "constant-computation", "cast-chain", "transpose-chain"]

Proof = Literal["rule", "confirmed", "refuted"]
"""`rule`: known from the rules alone. `confirmed`: Grappler takes it without the blocker. `refuted`: it does not."""


class Chance(msgspec.Struct, frozen=True):
    """One thing that the optimizer could have done to a graph and did not."""

    rule: ChanceRule
    pattern: str
    """What it would have made or saved, in op types: `Conv2D + BiasAdd + Relu`."""
    blocker: str
    """A stable kebab-case id of what stood in its way: `extra-consumer`, `control-dependency`, `dtype` ..."""
    ops: tuple[str, ...]
    """Ids of the ops of the pattern in the optimized graph, in order of computation."""
    blocking: tuple[str, ...] = ()
    """Ids of the ops that stand in the way: the second consumer, the control input ..."""
    reason: str = ""
    """One sentence of why, with the names and numbers of this case."""
    advice: str = ""
    """One sentence of what to write instead."""
    detail: dict[str, AttrScalar] = {}
    """Numbers and names for scripts; a key's unit is its suffix."""


class TriedChance(msgspec.Struct, frozen=True):
    """A chance with what was found out about it while TensorFlow was at hand."""

    chance: Chance
    proof: Proof = "rule"
    trial: str = ""
    """What was tried and seen, or why nothing was tried."""
    gain_us: float | None = None
    """Estimated by Grappler's own cost model: what one run would save; None when it gives no number."""


class ChancesPart(msgspec.Struct, frozen=True):
    """The missed chances of one tracing as one part of a file."""

    chances: tuple[TriedChance, ...]
    costs: str = ""
    """Of which device the cost model's estimates are."""
