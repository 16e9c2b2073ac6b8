"""What a user calls a device -> its speeds, and the estimates of a recording for it: a what-if without TensorFlow.

Grappler's cost model takes compute time as operations / gigaops and memory time as bytes / bandwidth
(OpLevelCostEstimator::PredictOpCountBasedCost), so estimates for one device tell those for every other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from tfgraphdbg.cost_estimates import OPERATIONS_A_CYCLE, DeviceKind, DeviceSpeed, EstimatesPart, OpEstimate
from tfgraphdbg.device_files import device_from_file
from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import close_matches, quoted

MAX_CORES = 4096


class _DataSheet(NamedTuple):
    name: str
    multiprocessors: int
    cores_each: int
    mhz: int
    """The boost clock."""
    gb_per_s: int


# What NVIDIA publishes of these products; they serve estimates, and not each was looked up again. Multiprocessors x
# cores x boost clock x 2 is the peak for float32 without tensor cores: 19.5 TFLOPS of an A100, 66.9 of an H100 SXM.
# Grappler itself takes 64 cores a multiprocessor for all of compute capability 6 to 9, which halves those with 128.
NAMED_DEVICES: Mapping[str, _DataSheet] = {
    "gpu:p100": _DataSheet("NVIDIA P100 SXM2", 56, 64, 1480, 732),
    "gpu:v100": _DataSheet("NVIDIA V100 SXM2", 80, 64, 1530, 900),
    "gpu:t4": _DataSheet("NVIDIA T4", 40, 64, 1590, 320),
    "gpu:a10": _DataSheet("NVIDIA A10", 72, 128, 1695, 600),
    "gpu:a30": _DataSheet("NVIDIA A30", 56, 64, 1440, 933),
    "gpu:a100": _DataSheet("NVIDIA A100 SXM 40 GB", 108, 64, 1410, 1555),
    "gpu:a100-80gb": _DataSheet("NVIDIA A100 SXM 80 GB", 108, 64, 1410, 2039),
    "gpu:l4": _DataSheet("NVIDIA L4", 58, 128, 2040, 300),
    "gpu:l40s": _DataSheet("NVIDIA L40S", 142, 128, 2520, 864),
    "gpu:h100": _DataSheet("NVIDIA H100 SXM", 132, 128, 1980, 3350),
    "gpu:h100-pcie": _DataSheet("NVIDIA H100 PCIe", 114, 128, 1755, 2039),
    "gpu:h200": _DataSheet("NVIDIA H200 SXM", 132, 128, 1980, 4800),
    "gpu:rtx3090": _DataSheet("NVIDIA GeForce RTX 3090", 82, 128, 1695, 936),
    "gpu:rtx4090": _DataSheet("NVIDIA GeForce RTX 4090", 128, 128, 2520, 1008),
    "gpu:rtx5090": _DataSheet("NVIDIA GeForce RTX 5090", 170, 128, 2407, 1792),
}


def estimates_for(estimates: EstimatesPart, device_model: str) -> EstimatesPart:
    """The estimates for a device as `--device-model` names it; empty: as they are. Raises UsageError."""
    return scaled(estimates, device_named(device_model, estimates)) if device_model else estimates


def require_device_model(device_model: str) -> None:
    """Raise UsageError for a device model that no recording could be asked about."""
    stand_in = DeviceSpeed("CPU", "CPU", 1.0, 1.0, 1, 1.0)
    estimates_for(EstimatesPart(stand_in.name, 1.0, 1.0, (), (stand_in,)), device_model)


def device_named(device_model: str, estimates: EstimatesPart) -> DeviceSpeed:
    """`gpu:a100`, `cpu:8` (cores like those of the recording), or a TOML file -> its speeds. Raises UsageError."""
    name = device_model.strip().lower()
    if name in NAMED_DEVICES:
        return _of_data_sheet(NAMED_DEVICES[name])
    if name.endswith(".toml"):
        return device_from_file(device_model.strip())
    kind, _, cores = name.partition(":")
    if kind == "cpu" and (cores.isdecimal() or cores[1:].isdecimal()):
        return _cpu_of(cores, estimates)
    close = close_matches(name, NAMED_DEVICES)
    meant = f"did you mean {' or '.join(close)}? " if close else ""
    known = f"{', '.join(NAMED_DEVICES)}, cpu:N for N cores, or a TOML file with clock, cores, bandwidth, peak"
    raise UsageError(f"there is no device model {quoted(device_model)}", f"{meant}known: {known}")


def scaled(estimates: EstimatesPart, device: DeviceSpeed) -> EstimatesPart:
    """The same ops on `device`. With a GPU for a GPU, what the recording ran on the host stays there."""
    sources = devices_of(estimates)
    was_gpu = any(sources[op.device].kind == "GPU" for op in estimates.ops)

    def moved(op: OpEstimate) -> OpEstimate:
        source = sources[op.device]
        if was_gpu and device.kind == "GPU" and source.kind == "CPU":
            return msgspec.structs.replace(op, device=op.device + 1)
        compute = op.compute_us * source.gigaops / device.gigaops
        memory = op.memory_us * source.gb_per_s / device.gb_per_s
        return OpEstimate(op.op, compute, memory, op.shapes_known, 0)

    ops = tuple(map(moved, estimates.ops))
    return EstimatesPart(device.name, device.gigaops, device.gb_per_s, ops, (device, *sources))


def devices_of(estimates: EstimatesPart) -> tuple[DeviceSpeed, ...]:
    """The devices that ops of the estimates point to."""
    kind: DeviceKind = "GPU" if estimates.device.startswith("GPU") else "CPU"
    return estimates.devices or (DeviceSpeed(estimates.device, kind, estimates.gigaops, estimates.gb_per_s),)


def _of_data_sheet(sheet: _DataSheet) -> DeviceSpeed:
    gigaops = sheet.multiprocessors * sheet.cores_each * sheet.mhz * OPERATIONS_A_CYCLE["GPU"] / 1e3
    words = f"GPU {sheet.name}: {sheet.multiprocessors} multiprocessors at {sheet.mhz} MHz"
    return DeviceSpeed(words, "GPU", gigaops, sheet.gb_per_s, sheet.multiprocessors, sheet.mhz)


def _cpu_of(number: str, estimates: EstimatesPart) -> DeviceSpeed:
    cores = int(number) if number.isdecimal() and len(number) < 9 else 0
    if not 1 <= cores <= MAX_CORES:
        hint = f"N in cpu:N is a number of cores from 1 to {MAX_CORES}, as in cpu:8"
        raise UsageError(f"there is no device model {quoted('cpu:' + number)}", hint)
    own = next((one for one in devices_of(estimates) if one.kind == "CPU" and one.mhz > 0), None)
    if own is None:
        raise UsageError(
            f"cpu:{cores} has cores like those of the recording, which does not tell their clock",
            "record again, or describe the CPU in a TOML file: clock, cores, bandwidth",
        )
    gigaops = cores * own.mhz * OPERATIONS_A_CYCLE["CPU"] / 1e3
    return DeviceSpeed(f"CPU: {cores} cores at {own.mhz:g} MHz", "CPU", gigaops, own.gb_per_s, cores, own.mhz)
