"""Chances that rules found -> the same with a trial: does the real optimizer take them once the blocker is gone?

Each is tried in a small graph of its own, once for all of equal structure: Grappler's pass must leave it as it is, and
take it after a function of `blocker_removals` has changed that graph.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tfgraphdbg.chances.contract import Chance, ChanceRule, Proof, TriedChance
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recorders import tensorflow_internals
from tfgraphdbg.recorders.blocker_removals import REMOVALS, UNTRIED, Removal, TrialNames
from tfgraphdbg.recorders.chance_gains import estimated_gain
from tfgraphdbg.recorders.fused_ops import split_fused_op
from tfgraphdbg.recorders.small_graphs import LargeGraph, SmallGraph, fetches_of, small_graph

MAX_OPS = 64
"""Ops of a chance together with what blocks it; more are no small graph."""


class Verdict(NamedTuple):
    """What all chances of equal structure share."""

    proof: Proof = "rule"
    trial: str = ""
    gain_us: float | None = None


class Trial(NamedTuple):
    """How the chances of a rule are tried."""

    optimizer: str
    """As RewriterConfig names the pass."""
    pass_name: str
    """As the pass names itself."""
    is_taken: Callable[[Any, Any, TrialNames], bool]
    """From the graphs before and after the pass."""


def _is_fused(before: Any, after: Any, names: TrialNames) -> bool:
    """One op, which is internal to TensorFlow, is left in the place of all."""
    left = {node.name: node.op for node in after.node}
    return left.get(names.root, "").startswith("_") and not any(name in left for name in names.pattern[:-1])


def _is_merged(before: Any, after: Any, names: TrialNames) -> bool:
    left = {node.name for node in after.node}
    return any(name not in left for name in names.pattern)


def _is_folded(before: Any, after: Any, names: TrialNames) -> bool:
    left = {node.name: node.op for node in after.node}
    return all(left.get(name, "Const") == "Const" for name in names.pattern)


def _is_shorter(before: Any, after: Any, names: TrialNames) -> bool:
    types = {node.op for node in before.node if node.name in names.pattern}
    return sum(node.op in types for node in after.node) < sum(node.op in types for node in before.node)


TRIALS: Mapping[ChanceRule, Trial] = {
    "missed-fusion": Trial("remap", "remapper", _is_fused),
    "duplicate-computation": Trial("common_subgraph_elimination", "common_subgraph_elimination", _is_merged),
    "constant-computation": Trial("constfold", "constant_folding", _is_folded),
    "cast-chain": Trial("arithmetic", "arithmetic_optimizer", _is_shorter),
    "transpose-chain": Trial("arithmetic", "arithmetic_optimizer", _is_shorter),
}


def try_chances(
    chances: Sequence[Chance], optimized: GraphModel, graph_def: Any, limit_s: float
) -> tuple[TriedChance, ...]:
    """Try chances on the real optimizer; `graph_def` is that of `optimized`. Those after `limit_s` stay untried."""
    trials = _Trials(chances, optimized, graph_def, limit_s)
    return tuple(TriedChance(chance, *trials.verdict(chance)) for chance in chances)


class _Trials:
    """Trials of one graph and their verdicts so far."""

    def __init__(self, chances: Sequence[Chance], optimized: GraphModel, graph_def: Any, limit_s: float) -> None:
        self._limit_s = limit_s
        self._deadline = time.perf_counter() + limit_s
        self._verdicts: dict[tuple[str, str, bytes, TrialNames], Verdict] = {}
        self._devices: dict[str, Any] = {}
        self._large = LargeGraph(optimized, graph_def, {name for chance in chances for name in _names_of(chance)})

    def verdict(self, chance: Chance) -> Verdict:
        """That of its structure, if it was tried; a reason if it cannot be."""
        unknown = next((name for name in _names_of(chance) if name not in self._large.nodes), None)
        if unknown is not None:
            return Verdict(trial="not tried: it lies in a library function, which Grappler optimizes on its own")
        if len(_names_of(chance)) > MAX_OPS:
            return Verdict(trial=f"not tried: {len(_names_of(chance))} ops take part, and {MAX_OPS} are tried at most")
        if time.perf_counter() > self._deadline:
            return Verdict(trial=f"not tried: the {self._limit_s:.1f} s for trials were used up")
        try:
            small = small_graph(self._large, self._taken_along(chance))
            names = TrialNames(
                tuple(small.names[name] for name in chance.ops),
                tuple(small.names[name] for name in chance.blocking if name in small.names),
            )
            key = (chance.rule, chance.blocker, small.graph_def.SerializeToString(deterministic=True), names)
            if key not in self._verdicts:
                self._verdicts[key] = self._new_verdict(chance, small, names)
            return self._verdicts[key]
        except Exception as error:
            # Private APIs and any graph of a user: whatever they raise, the chance itself stands.
            return Verdict(trial=f"not tried: {type(error).__name__}: {error}"[:300])

    def _taken_along(self, chance: Chance) -> tuple[str, ...]:
        """Its ops, and those in the way that read them: which op it is counts for a reader alone."""
        readers = {reader for name in chance.ops for reader, _ in self._large.readers[name]}
        return (*chance.ops, *(name for name in chance.blocking if name in readers))

    def _new_verdict(self, chance: Chance, small: SmallGraph, names: TrialNames) -> Verdict:
        removal = REMOVALS.get(chance.blocker)
        after = None
        if removal is None:
            verdict = Verdict(trial=UNTRIED.get(chance.blocker, f"not tried: no trial for {chance.blocker}"))
        else:
            verdict, after = self._tried(TRIALS[chance.rule], removal, small.graph_def, names)
        gain = estimated_gain(chance.rule, small.graph_def, names, after)
        return verdict._replace(gain_us=None if gain is None else round(gain, 3))

    def _tried(self, trial: Trial, removal: Removal, before: Any, names: TrialNames) -> tuple[Verdict, Any | None]:
        """The verdict, and the graph with the chance taken when it was."""
        if trial.is_taken(before, self._optimized(before, trial), names):
            return Verdict("refuted", f"{trial.pass_name} takes it in a graph of its own, blocker and all"), None
        changed = type(before)()
        changed.CopyFrom(before)
        split = split_fused_op(changed, names) if trial.optimizer == "remap" else names
        if isinstance(split, str):
            return Verdict(trial=f"not tried: {split}"), None
        refused = removal.change(changed, split)
        if refused:
            return Verdict(trial=f"not tried: {refused}"), None
        after = self._optimized(changed, trial)
        if trial.is_taken(changed, after, split):
            return Verdict("confirmed", f"{removal.words}, {trial.pass_name} {_taken(after, split)}"), after
        return Verdict("refuted", f"{removal.words}, {trial.pass_name} still leaves {_left(after, split)}"), None

    def _optimized(self, graph_def: Any, trial: Trial) -> Any:
        for name in {node.device for node in graph_def.node if node.device} - self._devices.keys():
            self._devices[name] = tensorflow_internals.local_device_properties(name)
        return tensorflow_internals.grappler_result(graph_def, fetches_of(graph_def), [trial.optimizer], self._devices)


def _names_of(chance: Chance) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*chance.ops, *chance.blocking)))


def _taken(after: Any, names: TrialNames) -> str:
    for node in after.node:
        if node.name == names.root and node.op.startswith("_"):
            fused = ", ".join(word.decode() for word in node.attr["fused_ops"].list.s)
            return f"makes it one {node.op}" + (f" with {fused}" if fused else "")
    left = _left(after, names)
    return f"leaves {left}" if left else "leaves nothing of it"


def _left(after: Any, names: TrialNames) -> str:
    return ", ".join(node.op for node in after.node if node.name in names.pattern)
