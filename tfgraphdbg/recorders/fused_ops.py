"""An op that Grappler fused already -> the ops that it was made of, so that a larger fusion can be tried."""

from __future__ import annotations

from typing import Any

from tfgraphdbg.recorders.trial_names import TrialNames

PLAIN_OF_FUSED = {
    "_FusedConv2D": "Conv2D",
    "_FusedMatMul": "MatMul",
    "_FusedDepthwiseConv2dNative": "DepthwiseConv2dNative",
}

ATTRS_OF_PLAIN = {
    "Conv2D": ("T", "strides", "padding", "explicit_paddings", "data_format", "dilations"),
    "DepthwiseConv2dNative": ("T", "strides", "padding", "explicit_paddings", "data_format", "dilations"),
    "MatMul": ("T", "transpose_a", "transpose_b"),
}


TAIL_OF_FUSED = {b"BiasAdd": ("BiasAdd", 1), b"FusedBatchNorm": ("FusedBatchNormV3", 4)}
"""The op type that was fused into the plain one, and how many inputs it brought along."""


def split_fused_op(graph_def: Any, names: TrialNames) -> TrialNames | str:
    """Split a first op that took one other op; returns the names with both, or the reason why it stays whole."""
    first = next(node for node in graph_def.node if node.name == names.pattern[0])
    if not first.op.startswith("_Fused"):
        return names
    plain_type = PLAIN_OF_FUSED.get(first.op)
    fused = list(first.attr["fused_ops"].list.s)
    tail_type, brought = TAIL_OF_FUSED.get(fused[0] if len(fused) == 1 else b"", ("", 0))
    if plain_type is None or not tail_type or len(first.input) != 2 + brought:
        words = ", ".join(word.decode() for word in fused)
        return f"it is fused already ({first.op} with {words}), and is not taken apart here"
    plain = graph_def.node.add(name=f"{first.name}_plain", op=plain_type, device=first.device, input=first.input[:2])
    for attr in ATTRS_OF_PLAIN[plain_type]:
        if attr in first.attr:
            plain.attr[attr].CopyFrom(first.attr[attr])
    _become(first, tail_type, plain.name)
    return names._replace(pattern=(plain.name, *names.pattern))


def _become(first: Any, tail_type: str, plain: str) -> None:
    """Turn a fused op into the op that it took, which reads the plain one."""
    dtype, layout, epsilon = first.attr["T"].type, first.attr["data_format"].s or b"NHWC", first.attr["epsilon"].f
    inputs = list(first.input[2:])
    first.op = tail_type
    first.attr.clear()
    first.attr["T"].type = dtype
    first.attr["data_format"].s = layout
    if tail_type == "FusedBatchNormV3":
        first.attr["U"].type = dtype
        first.attr["epsilon"].f = epsilon
        first.attr["is_training"].b = False
    del first.input[:]
    first.input.extend((plain, *inputs))
