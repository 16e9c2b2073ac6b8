"""Numbers with a unit -> the words a person reads: `812 ms`, `1.2 GiB`, `37.1%`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_SECONDS_IN = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_TIME_STEPS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))
_SHARES = frozenset({"share", "percentage"})
_MAX_LISTED = 8


def unit_of_key(key: str) -> str:
    """The unit that a key's words name: `trace_ms` -> `ms`, `bytes_per_step` -> `bytes`, `share`; else empty."""
    words = key.split("_")
    if words[-1] in _SECONDS_IN:
        return words[-1]
    if "bytes" in words:
        return "bytes"
    return "share" if words[-1] in _SHARES else ""


def human_quantity(value: float, unit: str) -> str:
    """One number in the unit that suits its size."""
    if not math.isfinite(value):
        return human_number(value)
    if unit in _SECONDS_IN:
        return _human_seconds(value * _SECONDS_IN[unit])
    if unit == "bytes":
        return _human_bytes(value)
    if unit in _SHARES:
        return f"{value:.1%}"
    return f"{human_number(value)} {unit}".rstrip()


def human_span(first: float, last: float, unit: str) -> str:
    """From one number to another: `0.5 to 2 threads`, `812 ms to 1.2 s`."""
    start, end = human_quantity(first, unit), human_quantity(last, unit)
    # A unit that never changes with the size is said once.
    once = f" {unit}"
    return f"{start.removesuffix(once) if unit and end.endswith(once) else start} to {end}"


def human_number(value: float) -> str:
    """A bare number with thousands separators and as many decimals as matter."""
    if isinstance(value, int) or not math.isfinite(value):
        return f"{value:,}"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.{decimals_of(abs(value))}f}" if 1 <= abs(value) < 1e15 else f"{value:.3g}"


def decimals_of(largest: float) -> int:
    """Decimals that show three digits or more of numbers up to `largest`."""
    if not math.isfinite(largest) or largest >= 1000:
        return 0
    if largest >= 100:
        return 1
    return 2 if largest >= 1 else 4


def _human_seconds(seconds: float) -> str:
    unit, size = next((step for step in _TIME_STEPS if abs(seconds) >= step[1]), ("ns" if seconds else "s", 1e-9))
    amount = seconds / size
    if seconds and not 0.01 <= abs(amount) < 1e9:
        return f"{amount:.3g} {unit}"
    return f"{amount:,.{0 if not seconds or abs(amount) >= 100 else 1 if abs(amount) >= 10 else 2}f} {unit}"


def _human_bytes(amount: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if abs(amount) < 1024:
            return f"{human_number(amount)} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} TiB"


def human_evidence(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each piece of evidence as a label without its unit suffix, and its value in words."""
    return [(_label(key), _human_value(value, unit_of_key(key))) for key, value in evidence.items()]


def _label(key: str) -> str:
    name, _, suffix = key.rpartition("_")
    return name.replace("_", " ") if name and (suffix in _SECONDS_IN or suffix == "bytes") else key.replace("_", " ")


def _human_value(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return human_quantity(value, unit)
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_human_value(item, unit)}" for name, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        more = f" and {len(value) - _MAX_LISTED} more" if len(value) > _MAX_LISTED else ""
        return " ".join(_human_value(item, unit) for item in value[:_MAX_LISTED]) + more
    return str(value)
