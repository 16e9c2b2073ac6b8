"""An optimized graph -> the chances in it that Grappler missed, rule by rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tfgraphdbg.chances.batch_norm_fusions import missed_batch_norm_fusions
from tfgraphdbg.chances.cast_chains import cast_chains
from tfgraphdbg.chances.constants import constant_computations
from tfgraphdbg.chances.contract import Chance
from tfgraphdbg.chances.duplicates import duplicate_computations
from tfgraphdbg.chances.fusions import missed_fusions
from tfgraphdbg.chances.transpose_chains import transpose_chains
from tfgraphdbg.chances.wiring import Wiring
from tfgraphdbg.graph_model import GraphModel, garbage_collection_paused

RULES: tuple[Callable[[Wiring], Iterable[Chance]], ...] = (
    missed_fusions,
    missed_batch_norm_fusions,
    duplicate_computations,
    constant_computations,
    cast_chains,
    transpose_chains,
)
"""Every rule; their order is that of the answer."""


def find_chances(graph: GraphModel, lowered: GraphModel | None = None) -> tuple[Chance, ...]:
    """What Grappler could have done to `graph`, its last one, had nothing stood in the way.

    With `lowered`, the graph that it was given, only ops that the user's program has are blamed: a chance that stands
    on ops of Grappler's own making alone is left out. A chance is told when one thing alone stands in its way.
    """
    with garbage_collection_paused():
        wiring = Wiring(graph)
        found = [chance for rule in RULES for chance in rule(wiring)]
    if lowered is None:
        return tuple(found)
    given = lowered.by_id
    return tuple(chance for chance in found if any(op in given for op in chance.ops))
