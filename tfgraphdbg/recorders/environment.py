"""Versions, devices and the options in force, as TensorFlow itself reports them."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from importlib import metadata
from typing import Any

from tfgraphdbg.recorders import tensorflow_internals
from tfgraphdbg.recording import DeviceInfo

PACKAGES = ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "keras", "keras-hub", "tf_keras", "numpy", "protobuf")

ENVIRONMENT_PREFIXES = ("TF_", "XLA_", "CUDA_", "KERAS_", "OMP_", "MKL_", "NCCL_")


def versions() -> dict[str, str]:
    """Versions of Python, TensorFlow and the packages that shape graphs; only those that are installed."""
    import tensorflow

    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    # The imported module is what ran, whatever wheel it came from.
    found["tensorflow"] = str(tensorflow.__version__)
    return found


def devices() -> tuple[DeviceInfo, ...]:
    """Every logical device, with what TensorFlow says of the hardware behind it."""
    import tensorflow

    described = []
    for device in tensorflow.config.list_logical_devices():
        kind = str(device.device_type)
        described.append(DeviceInfo(_short_device(device.name), kind, _hardware(kind, device.name)))
    return tuple(described)


def _short_device(name: str) -> str:
    return name.rpartition("device:")[2] or name


def _hardware(kind: str, name: str) -> str:
    import tensorflow

    if kind != "GPU":
        return _processor() if kind == "CPU" else ""
    physical = tensorflow.config.list_physical_devices("GPU")
    number = int(name.rpartition(":")[2] or 0)
    if number >= len(physical):
        return ""
    details = tensorflow.config.experimental.get_device_details(physical[number])
    return str(details.get("device_name", ""))


def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def options() -> dict[str, dict[str, str]]:
    """Options in force by group: execution, Keras, environment variables; see `grappler_options` for Grappler's."""
    import tensorflow

    execution = {
        "functions_run_eagerly": str(tensorflow.config.functions_run_eagerly()),
        "jit": str(tensorflow.config.optimizer.get_jit()),
        "soft_device_placement": str(tensorflow.config.get_soft_device_placement()),
        "deterministic_ops": str(tensorflow_internals.op_determinism()),
        "tensor_float_32": str(tensorflow.config.experimental.tensor_float_32_execution_enabled()),
        "intra_op_threads": str(tensorflow.config.threading.get_intra_op_parallelism_threads()),
        "inter_op_threads": str(tensorflow.config.threading.get_inter_op_parallelism_threads()),
    }
    environment = {name: value for name, value in os.environ.items() if name.startswith(ENVIRONMENT_PREFIXES)}
    groups = {"execution": execution, "environment": environment, "keras": _keras_options()}
    return {name: group for name, group in groups.items() if group}


def _keras_options() -> dict[str, str]:
    # Only when the program uses Keras: importing it here would cost seconds and say nothing of the run.
    keras: Any = sys.modules.get("keras")
    if keras is None or not hasattr(keras, "config"):
        return {}
    return {
        "backend": str(keras.config.backend()),
        "dtype_policy": str(keras.config.dtype_policy().name),
        "floatx": str(keras.config.floatx()),
        "image_data_format": str(keras.config.image_data_format()),
    }


def function_options(function: Any) -> dict[str, str]:
    """The options of one `tf.function`: jit_compile, autograph, reduce_retracing, input signature."""
    names = {
        "jit_compile": ("_jit_compile", "jit_compile"),
        "autograph": ("_autograph",),
        "reduce_retracing": ("_reduce_retracing",),
        "input_signature": ("_input_signature", "input_signature"),
    }
    found = {}
    for option, attributes in names.items():
        for attribute in attributes:
            if hasattr(function, attribute):
                found[option] = str(getattr(function, attribute))
                break
    return found
