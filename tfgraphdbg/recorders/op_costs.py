"""A GraphDef -> what each op would cost, by Grappler's own cost model for this machine: estimated, never measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tfgraphdbg.graph_model import parse_input
from tfgraphdbg.recorders import grappler_internals

CPU_BANDWIDTH = 32_000_000
"""KB/s that the cost model takes for a CPU of unknown bandwidth (OpLevelCostEstimator::GetDeviceInfo)."""


UNSAFE_OP_TYPES = re.compile(
    "BoostedTrees.*|CropAndResize|XlaSparseGradientsStack|_?(Fused)?Quantized.*|_FusedQuantized.*"
)
"""Ops with a rule in the cost model, or a shape function, that ends the process when a rank is not as it expects."""


class OpCost(NamedTuple):
    """Estimated microseconds of one run of an op. One without a rule in the cost model has no compute time."""

    compute_us: float
    memory_us: float
    shapes_known: bool
    """Whether the shapes of all its inputs are; the cost model takes 1 for a dimension that it does not know."""

    @property
    def us(self) -> float:
        """Both together, as the cost model adds them."""
        return self.compute_us + self.memory_us


class OpCosts(NamedTuple):
    """The estimates of a graph's ops by name."""

    by_op: Mapping[str, OpCost]
    device: str
    """Which devices they are for, in words."""


def estimated_costs(graph_def: Any) -> OpCosts | str:
    """What Grappler's cost model says of each op of a graph that has run, or the reason why it says nothing.

    Takes 0.1 to 0.2 ms an op. Times come cut to whole microseconds, so the cost model is asked about a machine that is
    slower by its own frequency in MHz, and the answers are divided by that.
    """
    names = sorted({node.device for node in graph_def.node if node.device})
    refused = _danger(graph_def) if names else "no op of the graph is placed on a device"
    if refused:
        return refused
    try:
        devices = {name: grappler_internals.local_device_properties(name) for name in names}
        if not all(device.frequency > 0 and device.num_cores > 0 for device in devices.values()):
            return "TensorFlow does not know the frequency and the cores of this machine"
        asked = _with_shapes_of_arguments(graph_def, names[0])
        by_op = performance_on_slowed_devices(asked, _last_ops(asked), devices)
    except Exception as error:
        # A private API and any graph of a user: whatever it raises, the recording goes on without estimates.
        return f"Grappler's cost model gave none: {type(error).__name__}: {error}"[:300]
    return OpCosts(by_op, devices_in_words(names))


def performance_on_slowed_devices(graph_def: Any, fetches: list[str], devices: Mapping[str, Any]) -> dict[str, OpCost]:
    """The cost model's words on every op that fetches need, each placed on one of `devices`."""
    slowed = {name: _slowed(device) for name, device in devices.items()}
    frequencies = {node.name: devices[node.device].frequency for node in graph_def.node}
    performances = grappler_internals.estimated_performance(graph_def, fetches, slowed)
    return {found.node: _cost(found, frequencies[found.node]) for found in performances if found.node in frequencies}


def devices_in_words(names: Iterable[str]) -> str:
    """What the cost model takes for the devices of these full names: `CPU AuthenticAMD: 2 cores at 2445 MHz`."""
    return "; ".join(dict.fromkeys(described(grappler_internals.local_device_properties(name)) for name in names))


def _danger(graph_def: Any) -> str:
    """What would end the process instead of raising an error; empty for nothing."""
    if len({node.name for node in graph_def.node}) < len(graph_def.node):
        return "two ops of the graph have the same name"
    unsafe = next((node.op for node in graph_def.node if UNSAFE_OP_TYPES.fullmatch(node.op)), "")
    return f"Grappler's cost model can crash on {unsafe}, so it was not asked" if unsafe else ""


def _slowed(device: Any) -> Any:
    slowed = type(device)()
    slowed.CopyFrom(device)
    slowed.frequency = 1
    slowed.bandwidth = max(1, (device.bandwidth or CPU_BANDWIDTH) // device.frequency)
    return slowed


def _cost(found: Any, frequency: int) -> OpCost:
    known = all(
        not tensor.shape.unknown_rank and all(dim.size >= 0 for dim in tensor.shape.dim) for tensor in found.op.inputs
    )
    return OpCost(found.compute_time / 1e3 / frequency, found.memory_time / 1e3 / frequency, known)


def described(device: Any) -> str:
    """A device's properties in words."""
    cores = f"{device.num_cores} cores" if device.type == "CPU" else f"{device.num_cores} multiprocessors"
    # A CPU's model is a mere number here.
    maker = device.vendor if device.type == "CPU" else f"{device.vendor} {device.model}"
    return f"{device.type} {maker}: {cores} at {device.frequency} MHz"


def _with_shapes_of_arguments(graph_def: Any, device: str) -> Any:
    """A copy in which every argument of known shape reads a variable of that shape, and every op has a device.

    The cost model takes `_Arg` for a feed, and forgets the shapes of feeds.
    """
    changed = type(graph_def)()
    changed.CopyFrom(graph_def)
    handles = []
    for node in changed.node:
        node.device = node.device or device
        if node.op == "_Arg" and node.attr["_output_shapes"].list.shape:
            handle = f"{node.name}/tfgraphdbg_variable"
            handles.append((handle, node.device, node.attr["T"].type, node.attr["_output_shapes"].list.shape[0]))
            dtype = node.attr["T"].type
            node.attr.clear()
            node.op = "ReadVariableOp"
            node.input.append(handle)
            node.attr["dtype"].type = dtype
    for name, place, dtype, shape in handles:
        variable = changed.node.add(name=name, op="VarHandleOp", device=place)
        variable.attr["dtype"].type = dtype
        variable.attr["shape"].shape.CopyFrom(shape)
    return changed


def _last_ops(graph_def: Any) -> list[str]:
    """The ops that nobody reads: together they need every op. A graph of nothing but loops has none."""
    read = {parse_input(text).name for node in graph_def.node for text in node.input}
    return [node.name for node in graph_def.node if node.name not in read]
