"""An optimized graph -> what Grappler's cost model says of each of its ops, as one part of the recording."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tfgraphdbg.cost_estimates import (
    OPERATIONS_A_CYCLE,
    DeviceKind,
    DeviceSpeed,
    EstimatesPart,
    OpEstimate,
    estimates_part,
)
from tfgraphdbg.graph_model import GraphModel, garbage_collection_paused
from tfgraphdbg.recorders import grappler_internals
from tfgraphdbg.recorders.distinct_ops import DistinctOps, distinct_ops
from tfgraphdbg.recorders.op_costs import (
    CPU_BANDWIDTH,
    UNSAFE_OP_TYPES,
    OpCost,
    described,
    performance_on_slowed_devices,
)
from tfgraphdbg.recorders.recording_writer import RecordingWriter

GPU_BANDWIDTH = 100_000_000
"""KB/s that the cost model takes for a GPU of unknown bandwidth."""

MAX_REFUSED = 20
"""Kinds of ops that are left out, one by one, when the cost model refuses the graph because of them."""

_NAMED = re.compile(r"\{\{node (op\d+)\}\}|'(op\d+)'|\b(op\d+)\b")


def record_estimates(writer: RecordingWriter, index: int, optimized: GraphModel, graph_def: Any) -> None:
    """Ask the cost model about `optimized`, of which `graph_def` is the GraphDef, and write what it says."""
    try:
        with garbage_collection_paused():
            part = estimates_of(optimized, graph_def)
    except Exception as error:
        # A private API and any graph of a user: whatever it raises, the recording goes on without estimates.
        part = f"Grappler's cost model gave none: {type(error).__name__}: {error}"[:300]
    if isinstance(part, str):
        writer.miss_of(writer.tracing(index).function, "estimates", part)
    else:
        writer.add_part(estimates_part(index), part)


def estimates_of(graph: GraphModel, graph_def: Any) -> EstimatesPart | str:
    """The estimates of all ops that the cost model knows something of, or the reason why there are none."""
    devices = {
        name: grappler_internals.local_device_properties(name)
        for name in sorted({node.device for node in graph_def.node if node.device})
    }
    if not devices:
        return "no op of the graph is placed on a device"
    if not all(device.frequency > 0 and device.num_cores > 0 for device in devices.values()):
        return "TensorFlow does not know the frequency and the cores of this machine"
    distinct = distinct_ops(graph, graph_def)
    _leave_out(distinct, {node.name for node in distinct.graph_def.node if UNSAFE_OP_TYPES.fullmatch(node.op)})
    if not distinct.names:
        return "the graph has no op that the cost model knows"
    costs = _costs(distinct, devices)
    device_of = {node.name: node.device for node in distinct.graph_def.node}
    counts = Counter({device_of[kind]: 0 for kind in costs})
    for kind in costs:
        counts[device_of[kind]] += len(distinct.names[kind])
    places = [name for name, _ in counts.most_common()]
    speeds = [speed_of(devices[name]) for name in places]
    host = [] if any(speed.kind == "CPU" for speed in speeds) else [speed_of(_host(places[0]))]
    by_op = {
        name: OpEstimate(name, cost.compute_us, cost.memory_us, cost.shapes_known, places.index(device_of[kind]))
        for kind, cost in costs.items()
        for name in distinct.names[kind]
    }
    ops = tuple(by_op[op.name] for op in graph.top_level_ops if op.name in by_op)
    return EstimatesPart(speeds[0].name, speeds[0].gigaops, speeds[0].gb_per_s, ops, (*speeds, *host))


def speed_of(device: Any) -> DeviceSpeed:
    """What the cost model takes a device for, as OpLevelCostEstimator::GetDeviceInfo does."""
    is_gpu = device.type == "GPU"
    each = _cores_of_multiprocessor(device.environment["architecture"]) if is_gpu else 1
    kind: DeviceKind = "GPU" if is_gpu else "CPU"
    gigaops = device.num_cores * device.frequency * each * OPERATIONS_A_CYCLE[kind] / 1e3
    bandwidth = device.bandwidth or (GPU_BANDWIDTH if is_gpu else CPU_BANDWIDTH)
    return DeviceSpeed(described(device), kind, gigaops, bandwidth / 1e6, device.num_cores, device.frequency)


def _cores_of_multiprocessor(architecture: str) -> int:
    # It compares them as text, so that 10.0 and 12.0 count as older than 3.
    return next((cores for before, cores in (("3", 32), ("4", 192), ("6", 128)) if architecture < before), 64)


def _host(device: str) -> Any:
    return grappler_internals.local_device_properties(re.sub(r"device:\w+:\d+$", "device:CPU:0", device))


def _costs(distinct: DistinctOps, devices: Mapping[str, Any]) -> dict[str, OpCost]:
    """By kind; without kinds that the cost model refuses."""
    for _ in range(MAX_REFUSED):
        try:
            return _asked(distinct, devices)
        except Exception as error:
            named = {name for groups in _NAMED.findall(str(error)) for name in groups if name in distinct.names}
            if not named or len(named) == len(distinct.names):
                raise
            _leave_out(distinct, named)
    return _asked(distinct, devices)


def _asked(distinct: DistinctOps, devices: Mapping[str, Any]) -> dict[str, OpCost]:
    costs = performance_on_slowed_devices(distinct.graph_def, list(distinct.names), devices)
    return {kind: cost for kind, cost in costs.items() if kind in distinct.names}


def _leave_out(distinct: DistinctOps, kinds: set[str]) -> None:
    kept = [node for node in distinct.graph_def.node if node.name not in kinds]
    if kinds:
        copies = [type(node).FromString(node.SerializeToString()) for node in kept]
        del distinct.graph_def.node[:]
        distinct.graph_def.node.extend(copies)
    for kind in kinds:
        distinct.names.pop(kind, None)
