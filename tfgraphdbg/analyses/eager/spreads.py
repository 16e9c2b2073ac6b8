"""Samples of wall time -> a median with its spread, so that a difference within the noise is never told as a win."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median, quantiles
from typing import NamedTuple

SAMPLES_FOR_QUARTILES = 5

SPREAD_WORDS = f"low and high are quartiles (with fewer than {SAMPLES_FOR_QUARTILES} samples, all of them lie between)"


class Spread(NamedTuple):
    """Microseconds. `low` to `high` holds the middle half of the samples; all of them when there are few."""

    median: float
    low: float
    high: float

    def is_above(self, other: Spread) -> bool:
        """Whether it is larger beyond the spread of both."""
        return self.low > other.high


def spread_of(samples: Sequence[float]) -> Spread:
    """The spread of at least one sample."""
    if len(samples) < SAMPLES_FOR_QUARTILES:
        return Spread(median(samples), min(samples), max(samples))
    low, middle, high = quantiles(samples, n=4, method="inclusive")
    return Spread(middle, low, high)
