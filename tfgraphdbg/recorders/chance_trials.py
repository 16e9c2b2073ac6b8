"""Chances that rules found -> the same with a trial: does the real optimizer take them once the blocker is gone?

Each is tried in a small graph of its own, once for all of equal structure: Grappler's pass must leave it as it is, and
take it after a function of `blocker_removals` has changed that graph.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tfgraphdbg.chances.contract import Chance, Proof, TriedChance
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recorders import grappler_internals
from tfgraphdbg.recorders.blocker_removals import LEFT_ALONE, REMOVALS, UNTRIED, Removal
from tfgraphdbg.recorders.chance_gains import estimated_gain
from tfgraphdbg.recorders.duplicate_copies import ops_of_copies
from tfgraphdbg.recorders.fused_ops import split_fused_op
from tfgraphdbg.recorders.rule_trials import RULE_TRIALS, RuleTrial, in_words
from tfgraphdbg.recorders.small_graphs import LargeGraph, fetches_of, small_graph
from tfgraphdbg.recorders.trial_names import TrialNames

MAX_OPS = 64
"""Ops of a chance that are tried; more are no small graph."""


class Verdict(NamedTuple):
    """What all chances of equal structure share."""

    proof: Proof = "rule"
    trial: str = ""
    gain_us: float | None = None


def try_chances(
    chances: Sequence[Chance], optimized: GraphModel, graph_def: Any, limit_s: float
) -> tuple[TriedChance, ...]:
    """Try chances on the real optimizer; `graph_def` is that of `optimized`. Those after `limit_s` stay untried."""
    deadline = time.perf_counter() + limit_s
    patterns = [_pattern_of(chance, optimized) for chance in chances]
    near = {name for pattern in patterns if not isinstance(pattern, str) for name in pattern}
    near |= {name for chance in chances for name in chance.blocking}
    large = LargeGraph(optimized, graph_def, near)
    trials = _Trials(large, deadline, f"not tried: the {max(0.0, limit_s):.1f} s for trials were used up")
    return tuple(
        TriedChance(chance, *(Verdict(trial=pattern) if isinstance(pattern, str) else trials.verdict(chance, pattern)))
        for chance, pattern in zip(chances, patterns, strict=True)
    )


def _pattern_of(chance: Chance, optimized: GraphModel) -> tuple[str, ...] | str:
    """All ops that a trial of it is about, in order of computation, or why there is none."""
    ops = chance.ops
    if chance.rule == "duplicate-computation" and len(ops) > 1:
        try:
            pairs = ops_of_copies(optimized, ops[0], ops[1])
        except (ValueError, KeyError) as error:
            return f"not tried: {error}"
        ops = (*(one for one, _ in pairs), *(other for _, other in pairs))
    if len(ops) > MAX_OPS:
        return f"not tried: {len(ops)} ops take part, and {MAX_OPS} are tried at most"
    if any(name not in optimized.by_id or optimized.by_id[name].function for name in ops):
        return "not tried: it lies in a library function, which Grappler optimizes on its own"
    return ops


class _Trials:
    """Trials of one graph and their verdicts so far."""

    def __init__(self, large: LargeGraph, deadline: float, too_late: str) -> None:
        self._large = large
        self._deadline = deadline
        self._too_late = too_late
        self._verdicts: dict[tuple[object, ...], Verdict] = {}

    def verdict(self, chance: Chance, pattern: tuple[str, ...]) -> Verdict:
        """That of its structure, tried now if it is the first of it."""
        try:
            readers = {reader for name in pattern for reader, _ in self._large.readers[name]}
            # Of what stands in the way only a reader comes along: which op it is may count.
            blocking = tuple(name for name in chance.blocking if name in readers)
            graph_def, own_names = small_graph(self._large, (*pattern, *blocking))
            names = TrialNames(tuple(own_names[name] for name in pattern), tuple(own_names[name] for name in blocking))
            detail = tuple(chance.detail.items())
            key = (chance.rule, chance.blocker, graph_def.SerializeToString(deterministic=True), names, detail)
            if key not in self._verdicts:
                if time.perf_counter() > self._deadline:
                    return Verdict(trial=self._too_late)
                self._verdicts[key] = _new_verdict(chance, graph_def, names)
            return self._verdicts[key]
        except Exception as error:
            # Private APIs and any graph of a user: whatever they raise, the chance itself stands.
            return Verdict(trial=f"not tried: {type(error).__name__}: {error}"[:300])


def _new_verdict(chance: Chance, graph_def: Any, names: TrialNames) -> Verdict:
    removal = REMOVALS.get(chance.blocker)
    if removal is not None:
        verdict = _tried(RULE_TRIALS[chance.rule], removal, graph_def, names)
    elif chance.blocker in LEFT_ALONE:
        verdict = _left_alone(RULE_TRIALS[chance.rule], chance.blocker, graph_def, names)
    else:
        verdict = Verdict(trial=f"not tried: {UNTRIED.get(chance.blocker, f'there is no trial of {chance.blocker}')}")
    gain = estimated_gain(chance, graph_def, names)
    return verdict._replace(gain_us=None if gain is None else round(gain, 3))


def _left_alone(trial: RuleTrial, blocker: str, before: Any, names: TrialNames) -> Verdict:
    """For what cannot be taken away: that the pass leaves the ops alone is seen, and the reason stays a rule."""
    after = _optimized(before, trial)
    if trial.is_taken(before, after, names):
        return _TAKEN_ALL_THE_SAME
    seen = f"{trial.pass_name} leaves the same ops in a graph of their own"
    return Verdict(trial=f"{seen}; more was not tried: {LEFT_ALONE[blocker]}")


_TAKEN_ALL_THE_SAME = Verdict("refuted", "Grappler takes it in a graph of its own, blocker and all")


def _tried(trial: RuleTrial, removal: Removal, before: Any, names: TrialNames) -> Verdict:
    if trial.is_taken(before, _optimized(before, trial), names):
        return _TAKEN_ALL_THE_SAME
    changed = type(before)()
    changed.CopyFrom(before)
    split = split_fused_op(changed, names) if trial.pass_name == "remapper" else names
    if isinstance(split, str):
        return Verdict(trial=f"not tried: {split}")
    refused = removal.change(changed, split)
    if refused:
        return Verdict(trial=f"not tried: {refused}")
    after = _optimized(changed, trial)
    taken = trial.is_taken(changed, after, split)
    seen = f"{removal.words}, {trial.pass_name} {'' if taken else 'still '}{in_words(after, split)}"
    return Verdict("confirmed" if taken else "refuted", seen)


def _optimized(graph_def: Any, trial: RuleTrial) -> Any:
    devices: Mapping[str, Any] = {
        name: grappler_internals.local_device_properties(name)
        for name in {node.device for node in graph_def.node if node.device}
    }
    return grappler_internals.grappler_result(graph_def, fetches_of(graph_def), trial.optimizers, devices)
