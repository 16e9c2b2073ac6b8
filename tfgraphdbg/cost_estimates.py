"""What Grappler's cost model says that each op of an optimized graph would take: estimated, never measured."""

from __future__ import annotations

import msgspec


class OpEstimate(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Microseconds of one execution of an op on the device that the estimates are for."""

    op: str
    """Its id in the optimized graph."""
    compute_us: float
    memory_us: float
    shapes_known: bool = True
    """False: the cost model took 1 for a dimension that is not known."""


class EstimatesPart(msgspec.Struct, frozen=True):
    """The estimates of one tracing's optimized graph, and the speeds of the device that they were made with.

    Compute time is inverse to `gigaops`, memory time to `gb_per_s`: so they scale to any other device.
    """

    device: str
    """The device in words."""
    gigaops: float
    """Billions of operations a second that the cost model takes for the device."""
    gb_per_s: float
    ops: tuple[OpEstimate, ...]


def estimates_part(tracing: int) -> str:
    """Name of the part that holds the estimates of a tracing's optimized graph."""
    return f"tracings/{tracing}/estimates"
