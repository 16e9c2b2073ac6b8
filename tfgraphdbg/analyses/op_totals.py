"""Changes of ops -> numbers that add up: ops before, less the gone ones, and the new ones, are ops after."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tfgraphdbg.analyses.op_changes import Changes
from tfgraphdbg.graph_model import GraphModel


class OpTotals(NamedTuple):
    """Ops of the whole graphs, those of function bodies counted once: `before - gone + new == after`."""

    before: int
    before_in_functions: int
    """Of `before`, those in function bodies, the parameters of the functions among them."""
    removed: int
    merged: int
    replaced: int
    dissolved: int
    gone: int
    """`removed + merged + replaced + dissolved`."""
    added: int
    copied: int
    """Ops that are one more copy of an op of a function that was inlined more than once."""
    new: int
    """`added + copied`."""
    after: int
    after_in_functions: int
    changed: int
    """Of the later graph, ops that are neither new nor as they were."""

    @property
    def before_words(self) -> str:
        """Words that follow `897 ops`."""
        return _inside(self.before_in_functions)

    @property
    def after_words(self) -> str:
        """The same of the later graph."""
        return _inside(self.after_in_functions)


def _inside(in_functions: int) -> str:
    return f" ({in_functions:,} of them in functions)" if in_functions else ""


def op_totals(before: GraphModel, after: GraphModel, changes: Changes) -> OpTotals:
    """Count the ops of both graphs, and what became of them."""
    kinds = Counter(change.kind for change in changes.ops)
    gone = kinds["removed"] + kinds["merged"] + kinds["replaced"] + kinds["dissolved"]
    return OpTotals(
        before=len(before),
        before_in_functions=len(before) - len(before.top_level_ops),
        removed=kinds["removed"],
        merged=kinds["merged"],
        replaced=kinds["replaced"],
        dissolved=kinds["dissolved"],
        gone=gone,
        added=kinds["added"],
        copied=changes.copied,
        new=kinds["added"] + changes.copied,
        after=len(after),
        after_in_functions=len(after) - len(after.top_level_ops),
        changed=sum(status == "changed" for status in changes.of_after.values()),
    )
