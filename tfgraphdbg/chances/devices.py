"""What Grappler's remapper fuses on which device (remapper.cc of TensorFlow 2.21), as data."""

from __future__ import annotations

from typing import NamedTuple

from tfgraphdbg.chances.blockers import Blocker, names
from tfgraphdbg.chances.wiring import Wiring

ACTIVATIONS = frozenset({"Relu", "Relu6", "Elu", "LeakyRelu"})
"""Fused after a contraction and its bias, everywhere."""

ONEDNN_ACTIVATIONS = frozenset({"Tanh", "Sigmoid"})
"""Fused after MatMul + BiasAdd where oneDNN is on."""

OTHER_ACTIVATIONS = frozenset({"Tanh", "Sigmoid", "Selu", "Softplus", "Softsign"})
"""Not fused on a CPU, or only where oneDNN is on."""

ADDITIONS = frozenset({"AddV2", "Add"})

BATCH_NORMS = frozenset({"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"})


class Contraction(NamedTuple):
    """An op type that sums products, and what the remapper wants of it on a CPU without oneDNN, and on a GPU."""

    cpu_dtypes: frozenset[str]
    layouts: frozenset[str] = frozenset()
    """Values of `data_format`; empty: it has none."""
    needs_onednn: bool = False
    gpu_dtypes: frozenset[str] = frozenset()
    """With an activation only; empty: not fused on a GPU by default."""


CONTRACTIONS = {
    "Conv2D": Contraction(
        frozenset({"float32", "float64"}), frozenset({"NHWC"}), gpu_dtypes=frozenset({"float32", "float16"})
    ),
    "MatMul": Contraction(frozenset({"float32"})),
    "DepthwiseConv2dNative": Contraction(frozenset({"float32"}), needs_onednn=True),
    "Conv3D": Contraction(frozenset({"float32"}), frozenset({"NDHWC", "NCDHW"}), needs_onednn=True),
}

GPU_LAYOUTS = frozenset({"NHWC", "NCHW"})

_ONEDNN_OP_TYPES = frozenset({"_FusedConv3D", "_FusedDepthwiseConv2dNative"})

_ONEDNN_FUSED = frozenset({"Add", "Tanh", "Sigmoid", "GeluExact", "GeluApproximate", "_MklSwish", "_FusedHardSwish"})


def onednn_seen(wiring: Wiring) -> bool:
    """Whether the graph shows by itself that oneDNN is on: a fusion that exists only there. No sign proves nothing."""
    for place, op in enumerate(wiring.ops):
        if not op.op_type.startswith("_"):
            continue
        if op.op_type.startswith("_Mkl") or op.op_type in _ONEDNN_OP_TYPES:
            return True
        if wiring.device_kind(place) != "CPU" or not op.op_type.startswith("_Fused"):
            continue
        fused = wiring.attr(place, "fused_ops")
        if op.op_type == "_FusedBatchNormEx" or (isinstance(fused, (list, tuple)) and _ONEDNN_FUSED & set(fused)):
            return True
    return False


def device_blockers(wiring: Wiring, contraction: int) -> list[Blocker] | None:
    """What the device has against fusing a contraction with its bias; None where it never does so."""
    wanted = CONTRACTIONS[wiring.op_type(contraction)]
    kind = wiring.device_kind(contraction)
    dtypes = {"CPU": wanted.cpu_dtypes, "GPU": wanted.gpu_dtypes, "": frozenset[str]()}[kind]
    if not dtypes:
        return None
    found: list[Blocker] = []
    dtype = wiring.dtype(contraction)
    where = names(wiring, [contraction])
    if dtype not in dtypes:
        fused = " and ".join(sorted(dtypes))
        advice = f"compute it in {sorted(dtypes)[0]} on this device: tf.cast its input, or give the layer that dtype"
        found.append(Blocker("dtype", f"{where} computes in {dtype}, and a {kind} fuses it in {fused}", (), advice))
    layout = wiring.attr(contraction, "data_format")
    layouts = wanted.layouts if kind == "CPU" else GPU_LAYOUTS
    if wanted.layouts and isinstance(layout, str) and layout not in layouts:
        fused = " and ".join(sorted(layouts))
        found.append(Blocker("layout", f"{where} has data_format {layout}, and a {kind} fuses it in {fused}"))
    if kind == "CPU" and wanted.needs_onednn:
        found.append(Blocker("onednn-off", f"{where} is fused on a CPU only where oneDNN is on, and it is off here"))
    if kind == "GPU" and not _is_spatial(wiring, contraction):
        return None
    return found


def _is_spatial(wiring: Wiring, contraction: int) -> bool:
    """Whether the filter is larger than 1x1: smaller ones are left alone on a GPU because fusing makes them slower."""
    inputs = wiring.inputs[contraction]
    shape = wiring.shape(inputs[1]) if len(inputs) > 1 else None
    if shape is None or len(shape) != 4:
        return False
    return None not in shape[:2] and 1 not in shape[:2]
