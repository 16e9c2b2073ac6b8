"""What Grappler's cost model says that each op of an optimized graph would take: estimated, never measured."""

from __future__ import annotations

from typing import Literal

import msgspec

DeviceKind = Literal["CPU", "GPU"]

OPERATIONS_A_CYCLE = {"CPU": 1, "GPU": 2}
"""Of one core, as OpLevelCostEstimator::GetDeviceInfo takes it; a GPU's core does a multiplication and an addition."""


class DeviceSpeed(msgspec.Struct, frozen=True, array_like=True):
    """What the cost model takes a device for."""

    name: str
    """In words."""
    kind: DeviceKind
    gigaops: float
    """Billions of operations a second."""
    gb_per_s: float
    cores: int = 0
    """A GPU's multiprocessors; 0: not known."""
    mhz: float = 0.0


class OpEstimate(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Microseconds of one execution of an op on the device that its estimate is for."""

    op: str
    """Its id in the optimized graph."""
    compute_us: float
    memory_us: float
    shapes_known: bool = True
    """False: the cost model took 1 for a dimension that is not known."""
    device: int = 0
    """Position in `EstimatesPart.devices`."""


class EstimatesPart(msgspec.Struct, frozen=True):
    """The estimates of one tracing's optimized graph, and the speeds of the device that they were made with.

    Compute time is inverse to `gigaops`, memory time to `gb_per_s`: so they scale to any other device.
    """

    device: str
    """The device of most ops, in words."""
    gigaops: float
    """Billions of operations a second that the cost model takes for the device."""
    gb_per_s: float
    ops: tuple[OpEstimate, ...]
    devices: tuple[DeviceSpeed, ...] = ()
    """Every device that an op is estimated for, the one of most ops first, and the host's CPU; empty: only `device`."""


def estimates_part(tracing: int) -> str:
    """Name of the part that holds the estimates of a tracing's optimized graph."""
    return f"tracings/{tracing}/estimates"
