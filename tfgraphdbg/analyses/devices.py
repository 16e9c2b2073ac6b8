"""TensorFlow's device names -> labels for people, and whether two of them name different places."""

from __future__ import annotations

import functools
from collections.abc import Mapping


@functools.lru_cache(maxsize=1024)
def device_label(device: str) -> str:
    """`/job:worker/replica:0/task:1/device:GPU:0` -> `worker task 1 GPU:0`; the local machine goes without saying."""
    parts = _parts(device)
    job = parts.get("job", "localhost")
    where = "" if job == "localhost" else f"{job} task {parts.get('task', '0')} "
    return where + parts.get("device", device)


@functools.lru_cache(maxsize=4096)
def devices_differ(before: str, after: str) -> bool:
    """Whether both say a place and not the same one: a device of fewer words, or none, leaves the rest open."""
    known, placed = _parts(before), _parts(after)
    return any(known[part] != placed[part] for part in known.keys() & placed.keys())


def _parts(device: str) -> Mapping[str, str]:
    parts = dict(part.partition(":")[::2] for part in device.strip("/").split("/") if part)
    # `/gpu:0` is how TensorFlow 1 wrote `/device:GPU:0`.
    for kind in ("cpu", "gpu", "tpu"):
        if kind in parts:
            parts["device"] = f"{kind.upper()}:{parts.pop(kind)}"
    return parts
