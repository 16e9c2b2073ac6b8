"""Wall times of both modes and a profiled eager run -> what a call costs, and what of it is Python and kernels.

The profiler makes Python and dispatch slower, and leaves kernels nearly as they are. So kernels are taken as measured,
and the other two are scaled to fill what a plain eager call took beside its kernels: their shares are estimated.
"""

from __future__ import annotations

import math
from statistics import median
from typing import NamedTuple

from tfgraphdbg.analyses.eager.spreads import Spread, spread_of
from tfgraphdbg.eager_run import CallCosts, EagerPart


class EagerTimes(NamedTuple):
    """Sums over one eager run, in microseconds."""

    python_us: float
    """Python time after the last op included."""
    dispatch_us: float
    kernel_us: float
    wall_us: float
    untimed_ops: int = 0
    kernel_factor: float = 1.0
    """What kernels were scaled by; 1 unless the profiled kernels alone took longer than a plain call."""

    @property
    def attributed_us(self) -> float:
        """Time that is known to be one of the three."""
        return self.python_us + self.dispatch_us + self.kernel_us

    def scaled_to(self, wall_us: float) -> EagerTimes:
        """The same run as if it took `wall_us`: kernels as they are, when they fit, the rest in proportion."""
        whole = max(self.wall_us, self.attributed_us)
        beside_kernels = whole - self.kernel_us
        if beside_kernels > 0 and wall_us > self.kernel_us:
            factor, kernel_factor = (wall_us - self.kernel_us) / beside_kernels, 1.0
        else:
            factor = kernel_factor = wall_us / whole if whole else 1.0
        return EagerTimes(
            self.python_us * factor,
            self.dispatch_us * factor,
            self.kernel_us * kernel_factor,
            wall_us,
            self.untimed_ops,
            kernel_factor,
        )


class CallCost(NamedTuple):
    """The row of table `cost`."""

    eager: Spread
    graph: Spread
    trace_ms: float
    samples: int
    calls_a_sample: int
    parts: EagerTimes | None = None
    """What a plain eager call consists of; None when no op was timed."""

    @property
    def ratio(self) -> float:
        """Eager time by graph time."""
        return self.eager.median / self.graph.median if self.graph.median else math.inf

    @property
    def gap_us(self) -> float:
        """What a call as a graph saves; negative when it costs more."""
        return self.eager.median - self.graph.median

    @property
    def is_beyond_spread(self) -> bool:
        """Whether the two modes differ by more than their spread."""
        return self.eager.is_above(self.graph) or self.graph.is_above(self.eager)

    @property
    def break_even_calls(self) -> int | None:
        """Calls after which tracing has paid back; None: never, as far as can be told beyond the spread."""
        if not self.eager.is_above(self.graph):
            return None
        return max(1, math.ceil(self.trace_ms * 1000 / self.gap_us))

    def share(self, us: float | None) -> float | None:
        """A part of an eager call."""
        return None if us is None or not self.eager.median else us / self.eager.median


def eager_times(part: EagerPart) -> EagerTimes | None:
    """The sums of a run's ops; None when none of them was timed."""
    timed = [op for op in part.ops if op.kernel_us is not None]
    if not timed:
        return None
    python = math.fsum(op.python_us or 0.0 for op in timed) + part.after_us
    dispatch = math.fsum(op.dispatch_us or 0.0 for op in timed)
    kernel = math.fsum(op.kernel_us or 0.0 for op in timed)
    wall = median(part.wall_us) if part.wall_us else python + dispatch + kernel
    return EagerTimes(python, dispatch, kernel, wall, len(part.ops) - len(timed))


def call_cost(costs: CallCosts | None, times: EagerTimes | None) -> CallCost | None:
    """What a call costs in both modes; None when one of them was not timed."""
    if costs is None or not costs.eager_us or not costs.graph_us:
        return None
    eager = spread_of(costs.eager_us)
    return CallCost(
        eager,
        spread_of(costs.graph_us),
        costs.trace_ms,
        min(len(costs.eager_us), len(costs.graph_us)),
        costs.calls_a_sample,
        times.scaled_to(eager.median) if times else None,
    )
