"""Recording -> what was measured of each op, beside its place in the graph, its source line and its estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from tfgraphdbg.analyses.bottlenecks.slack import Slack
from tfgraphdbg.cost_estimates import OpEstimate
from tfgraphdbg.device_models import estimates_for
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.measured_times import OpTime, StepTime, TimesPart
from tfgraphdbg.recording import Frame, Recording, StackTable, Tracing
from tfgraphdbg.report import SourceLine

FUSED = "_Fused"
"""Begin of the types of ops that Grappler's remapper makes of several ones."""


MAX_SOURCES = 3
"""Source lines that a finding names."""


class MeasuredOp(NamedTuple):
    """One op that ran. Times are microseconds of a step."""

    time: OpTime
    node: OpNode
    line: Frame | None
    """The user's source line; None when it has none."""
    position: int
    """In the optimized graph; -1 when it is not there."""
    estimated_us: float | None
    """What Grappler's cost model says; None where it has no rule for the op, or did not know its shapes."""
    what_if_us: float | None
    """The estimate for the device that the user named."""
    slack_us: float | None
    shares_lines: bool
    """Whether ops of other source lines may have gone into it."""

    @property
    def each_us(self) -> float:
        """Self time of one execution."""
        return self.time.self_us / self.time.calls if self.time.calls else self.time.self_us


class StepSummary(NamedTuple):
    """Medians over the profiled steps, in microseconds."""

    steps: int
    wall_us: float
    low_us: float
    high_us: float
    plain_us: float | None
    """The wall time without the profiler."""
    busy_us: float
    op_us: float
    executor_us: float
    unjoined_us: float

    @property
    def distortion_us(self) -> float:
        """What the profiler adds to a step, nearly all of it beside the ops."""
        return max(0.0, self.wall_us - self.plain_us) if self.plain_us else 0.0

    def share(self, us: float) -> float:
        """Of the busy time of all threads."""
        return us / self.busy_us if self.busy_us > 0 else 0.0

    def wall_share(self, us: float) -> float:
        """Of the step's wall time."""
        return us / self.wall_us if self.wall_us > 0 else 0.0


def step_summary(times: TimesPart) -> StepSummary:
    """What a step took."""

    def middle(*values: float) -> float:
        return median(values) if values else 0.0

    steps: tuple[StepTime, ...] = times.steps
    walls = [step.wall_us for step in steps]
    return StepSummary(
        len(steps),
        middle(*walls),
        min(walls, default=0.0),
        max(walls, default=0.0),
        median(times.plain_us) if times.plain_us else None,
        middle(*(step.busy_us for step in steps)),
        middle(*(step.op_us for step in steps)),
        middle(*(step.executor_us for step in steps)),
        middle(*(step.unjoined_us for step in steps)),
    )


def measured_ops(
    recording: Recording, tracing: Tracing, times: TimesPart, slack: Slack | None, device_model: str
) -> tuple[MeasuredOp, ...]:
    """Every op that was timed, the one with the most time first."""
    graph = recording.graph("optimized", tracing)
    ops = graph.ops
    positions = {op.id if op.function else op.name: position for position, op in enumerate(ops)}
    own, other = _estimates(recording, tracing, device_model)
    lines = _Lines(recording.stacks)
    rooms = slack.of_op if slack is not None else {}
    found = []
    # Tens of thousands of turns, so this does without a call for each wherever it can.
    for time in sorted(times.ops, key=_self_us, reverse=True):
        name, calls = time.op, time.calls
        position = positions.get(name, -1)
        node = ops[position] if position >= 0 else OpNode(name, "")
        stack = node.stack
        line = lines.known[stack] if stack in lines.known else lines.of(stack)
        estimate = own[name] * calls if name in own else None
        what_if = other[name] * calls if name in other else None
        room = rooms[position] / 1e3 if position in rooms else None
        shares = node.op_type[:6] == FUSED or (len(node.origins) > 1 and lines.differ(graph, node))
        found.append(MeasuredOp(time, node, line, position, estimate, what_if, room, shares))
    return tuple(found)


def _self_us(time: OpTime) -> float:
    return time.self_us


def _estimates(
    recording: Recording, tracing: Tracing, device_model: str
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Microseconds of one execution of each op on the device that ran, and on the one that the user named."""
    part = recording.estimates(tracing)
    if part is None:
        return {}, {}
    if not device_model:
        return _trusted(part.ops), {}
    return _trusted(part.ops), _trusted(estimates_for(part, device_model).ops)


def _trusted(estimates: Sequence[OpEstimate]) -> dict[str, float]:
    """Estimates that say something: without compute time, the cost model has no rule for what an op computes."""
    return {op.op: op.compute_us + op.memory_us for op in estimates if op.compute_us > 0 and op.shapes_known}


class _Lines:
    """The user's lines of stacks, looked up once each: tens of thousands of ops share a few thousand."""

    def __init__(self, stacks: StackTable) -> None:
        self._stacks = stacks
        self.known: dict[int, Frame | None] = {}

    def of(self, stack: int) -> Frame | None:
        if stack not in self.known:
            self.known[stack] = self._stacks.user_frame(stack)
        return self.known[stack]

    def differ(self, graph: GraphModel, node: OpNode) -> bool:
        """Whether an op of several origins has one that still is in the graph and stands on another line."""
        own = self.of(node.stack)
        others = [self.of(graph.by_id[origin].stack) for origin in node.origins if origin in graph.by_id]
        return len(others) < len(node.origins) or any(line != own for line in others)


def sources_of(ops: Sequence[MeasuredOp]) -> tuple[SourceLine, ...]:
    """The source lines of these ops, each once."""
    frames = {id(op.line): op.line for op in ops if op.line is not None}
    lines = dict.fromkeys(SourceLine(frame.file, frame.line, frame.function) for frame in frames.values())
    return tuple(lines)[:MAX_SOURCES]
