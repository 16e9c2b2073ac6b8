"""A recording with times -> what is known of how long each op of a tracing's optimized graph took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tfgraphdbg.cost_estimates import OpEstimate
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.measured_times import OpTime, times_part
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.tui.scope_keys import FUNCTIONS, function_key

RAN = ("optimized", "partition:")
"""How the names of the stages begin that hold the ops that ran."""


@dataclass(frozen=True)
class OpTimes:
    """Times by op id, measured over several steps; estimates where the cost model was asked."""

    by_op: Mapping[str, OpTime]
    estimates: Mapping[str, OpEstimate]
    steps: int
    busy_us: float
    """Time of all threads in a step, which shares are of."""
    worker_known: bool
    """Whether the runtime tells what worker threads did for an op."""

    def share(self, op_id: str) -> float | None:
        """The share of an op in the busy time of all threads; None when it has no event."""
        time = self.by_op.get(op_id)
        return time.self_us / self.busy_us if time and self.busy_us else None


@dataclass(frozen=True)
class SlackTimes:
    """What the analysis of bottlenecks tells of single ops, by op id."""

    slack_us: Mapping[str, float]
    critical: frozenset[str]
    """The ops of the critical path."""


def has_times(recording: Recording, tracing: Tracing) -> bool:
    """Whether times of a tracing were measured; answers at once."""
    return times_part(tracing.index) in recording.parts.names()


def read_op_times(recording: Recording, tracing: Tracing) -> OpTimes | None:
    """Read the times of a tracing's ops; None when none were measured. Raises DebuggerError when a part is damaged."""
    times = recording.times(tracing)
    if times is None:
        return None
    from statistics import median

    estimates = recording.estimates(tracing)
    return OpTimes(
        {time.op: time for time in times.ops},
        {estimate.op: estimate for estimate in estimates.ops} if estimates else {},
        len(times.steps),
        median(step.busy_us for step in times.steps) if times.steps else 0.0,
        any(time.worker_us for time in times.ops),
    )


def are_of_stage(stage: str) -> bool:
    """Whether the ops of a stage are those that ran, which times are of."""
    return stage.startswith(RAN)


def scope_shares(graph: GraphModel, times: OpTimes) -> Mapping[str, float | None]:
    """For each row of the scope tree: the share of all ops in it together; None where none of them has a time."""
    direct: dict[str, float] = {}
    for op in graph.ops:
        time = times.by_op.get(op.id)
        if time is not None:
            key = function_key(op.function) if op.function else op.scope
            direct[key] = direct.get(key, 0.0) + time.self_us
    summed: dict[str, float] = {}
    for key, spent in direct.items():
        for place in _with_parents(key):
            summed[place] = summed.get(place, 0.0) + spent
    return {key: spent / times.busy_us if times.busy_us else 0.0 for key, spent in summed.items()}


def _with_parents(key: str) -> list[str]:
    """The rows that an op of this row counts to: all scopes around it, and the row of all ops."""
    if key.startswith(FUNCTIONS):
        return [key, FUNCTIONS, ""]
    places = [key]
    while key:
        key = key.rpartition("/")[0]
        places.append(key)
    return places
