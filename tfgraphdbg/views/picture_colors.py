"""PictureOptions -> the colour of each node and the legend that explains it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tfgraphdbg.errors import UsageError
from tfgraphdbg.foreign_text import visible
from tfgraphdbg.recording import OpMetric
from tfgraphdbg.views.contract import PictureOptions
from tfgraphdbg.views.folding import DrawnItem
from tfgraphdbg.views.human_units import human_quantity
from tfgraphdbg.views.op_categories import category_of, is_in_gradient_scope
from tfgraphdbg.views.paint import (
    CATEGORY_PAINTS,
    DEVICE_PAINTS,
    DIFF_PAINTS,
    HEAT_PAINTS,
    NO_VALUE,
    SCOPE,
    SEVERAL_DEVICES,
    Paint,
)


class Coloring(NamedTuple):
    """How nodes are coloured: `paint_of` a node; `note_of` adds what the colour stands for to its label."""

    words: str
    """Heads the legend; empty when the legend needs no words."""
    paint_of: Callable[[DrawnItem], Paint]
    note_of: Callable[[DrawnItem], str]
    order: tuple[Paint, ...]
    """Of the legend; only those that occur are shown."""


_METRIC_COLORS = {"time": "op times", "memory": "op memory", "health": "op health"}

_MOST = 0.75

COLORS = ("op", "device", "diff", *_METRIC_COLORS)


def coloring(options: PictureOptions, nodes: Sequence[DrawnItem]) -> Coloring:
    """The colouring that `options.color` names. Raises UsageError when what it shows was not recorded."""
    if options.color == "op":
        return _by_category()
    if options.color == "device":
        return _by_device(nodes)
    if options.color == "diff":
        if options.changes is None:
            raise UsageError("nothing to colour by diff: only one graph is drawn", "name a second stage or recording")
        return _by_change(options.changes)
    if options.metric is not None and options.metric.values:
        return _by_metric(options.metric, nodes)
    if options.color in _METRIC_COLORS:
        raise UsageError(
            f"this recording has no {_METRIC_COLORS[options.color]} for --color {options.color}",
            "draw with --color op, or record again with that evidence",
        )
    raise UsageError(f"unknown colouring {visible(options.color)!r}", f"colourings: {', '.join(COLORS)}")


def _no_note(item: DrawnItem) -> str:
    return ""


def _by_category() -> Coloring:
    def paint_of(item: DrawnItem) -> Paint:
        ops = item.main_ops
        name, count = Counter(map(category_of, ops)).most_common(1)[0]
        # A folded layer is none of its ops, but one of a thousand constants is.
        if count >= _MOST * len(ops):
            return CATEGORY_PAINTS[name]
        return CATEGORY_PAINTS["gradient"] if sum(map(is_in_gradient_scope, ops)) >= _MOST * len(ops) else SCOPE

    return Coloring("", paint_of, _no_note, (*CATEGORY_PAINTS.values(), SCOPE))


def short_device(device: str) -> str:
    """`/job:worker/replica:0/task:1/device:GPU:0` -> `worker task 1 GPU:0`; the local machine goes without saying."""
    parts = dict(part.partition(":")[::2] for part in device.strip("/").split("/"))
    where = "" if parts.get("job", "localhost") == "localhost" else f"{parts['job']} task {parts.get('task', '0')} "
    return where + parts.get("device", device)


def _by_device(nodes: Sequence[DrawnItem]) -> Coloring:
    names = sorted({op.device for node in nodes for op in node.ops if op.device})
    if not names:
        raise UsageError("no op of this stage is placed on a device", "draw --stage optimized or --stage partition:0")
    unplaced = NO_VALUE._replace(css_class="device-none", words="no device")
    paints = {
        name: DEVICE_PAINTS[place % len(DEVICE_PAINTS)]._replace(
            css_class=f"device-{place}", words=visible(short_device(name))
        )
        for place, name in enumerate(names)
    }
    paints[""] = unplaced

    def paint_of(item: DrawnItem) -> Paint:
        devices = {op.device for op in item.ops}
        return paints[devices.pop()] if len(devices) == 1 else SEVERAL_DEVICES

    return Coloring("device", paint_of, _no_note, (*paints.values(), SEVERAL_DEVICES))


def _by_change(changes: Mapping[str, str]) -> Coloring:
    changed = DIFF_PAINTS["changed"]

    def counts_of(item: DrawnItem) -> Counter[str]:
        return Counter(changes.get(op.id, "kept") for op in item.ops)

    def paint_of(item: DrawnItem) -> Paint:
        kinds = set(counts_of(item))
        return DIFF_PAINTS.get(kinds.pop(), changed) if len(kinds) == 1 else changed

    def note_of(item: DrawnItem) -> str:
        counts = counts_of(item)
        if len(item.ops) == 1 or not counts.keys() - {"kept"}:
            return ""
        return ", ".join(f"{counts[kind]:,} {kind}" for kind in DIFF_PAINTS if counts[kind])

    return Coloring("difference", paint_of, note_of, tuple(DIFF_PAINTS.values()))


_ADDED_UP = frozenset({"ns", "us", "ms", "s", "bytes", "calls", "flops"})


def _by_metric(metric: OpMetric, nodes: Sequence[DrawnItem]) -> Coloring:
    def value_of(item: DrawnItem) -> float | None:
        found = [value for op in item.ops if not math.isnan(value := metric.values.get(op.id, math.nan))]
        if not found:
            return None
        return sum(found) if metric.unit in _ADDED_UP else max(found)

    top = max((value for node in nodes if math.isfinite(value := value_of(node) or 0.0)), default=0.0)
    bounds = [
        human_quantity(top * ((step + 1) / len(HEAT_PAINTS)) ** 2, metric.unit) for step in range(len(HEAT_PAINTS))
    ]
    paints = [paint._replace(words=visible(f"up to {bound}")) for paint, bound in zip(HEAT_PAINTS, bounds, strict=True)]

    def paint_of(item: DrawnItem) -> Paint:
        value = value_of(item)
        return NO_VALUE if value is None else paints[heat_step(value, top)]

    def note_of(item: DrawnItem) -> str:
        value = value_of(item)
        return "" if value is None else visible(human_quantity(value, metric.unit))

    known = "" if metric.basis == "measured" else f", {metric.basis}"
    return Coloring(f"{metric.name}{known}", paint_of, note_of, (*paints, NO_VALUE))


def heat_step(value: float, top: float) -> int:
    """The colour step of a value from 0 to `top`; steps grow by the square, since few ops cost most."""
    if value <= 0 or top <= 0:
        return len(HEAT_PAINTS) - 1 if value == math.inf else 0
    return max(0, math.ceil(math.sqrt(min(value / top, 1.0)) * len(HEAT_PAINTS)) - 1)
