"""Contractions with a bias and an activation that stayed apart, and what kept Grappler's remapper from fusing them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tfgraphdbg.chances.blockers import Blocker, blocked_fusion, consumer_blockers, control_blockers, names
from tfgraphdbg.chances.contract import Chance
from tfgraphdbg.chances.devices import (
    ACTIVATIONS,
    ADDITIONS,
    CONTRACTIONS,
    ONEDNN_ACTIVATIONS,
    OTHER_ACTIVATIONS,
    device_blockers,
    onednn_seen,
)
from tfgraphdbg.chances.wiring import Wiring

_FUSED_CONTRACTIONS = frozenset({"_FusedConv2D", "_FusedMatMul"})

_BETWEEN = {"Squeeze": "Conv2D", "Reshape": "MatMul"}
"""Ops that may lie between a contraction and its bias. The remapper looks through a Squeeze alone."""


def missed_fusions(wiring: Wiring) -> Iterator[Chance]:
    """Every contraction whose bias or activation could be part of it, and is not for one reason."""
    onednn = onednn_seen(wiring)
    for place, op in enumerate(wiring.ops):
        if op.op_type == "BiasAdd" or op.op_type in ADDITIONS:
            yield from _left_apart(wiring, place, onednn)
        elif op.op_type in _FUSED_CONTRACTIONS:
            yield from _left_without_activation(wiring, place)
        elif op.op_type == "StringToHashBucketFast":
            yield from _hash_bucket(wiring, place)


def _left_apart(wiring: Wiring, bias_add: int, onednn: bool) -> Iterator[Chance]:
    chain = _chain_to(wiring, bias_add)
    if not chain:
        return
    contraction, between = chain[0], chain[1:-1]
    if wiring.dtype(contraction) != wiring.dtype(bias_add):
        return
    blockers = device_blockers(wiring, contraction)
    if blockers is None:
        return
    if between and wiring.op_type(between[0]) == "Reshape":
        reason = f"{names(wiring, between)} lies between {names(wiring, [contraction])} and its bias"
        blockers.append(Blocker("reshape-between", reason, tuple(between)))
    if wiring.op_type(bias_add) != "BiasAdd" and (between or not onednn):
        reason = f"{names(wiring, [bias_add])} adds the bias, and the remapper looks for a BiasAdd"
        blockers.append(Blocker("bias-by-add", reason, (bias_add,)))
    blockers += control_blockers(wiring, chain)
    for place, next_op in itertools.pairwise(chain):
        blockers += consumer_blockers(wiring, place, next_op)
    yield from _with_activation(wiring, chain, blockers)


def _chain_to(wiring: Wiring, bias_add: int) -> list[int]:
    """The contraction, what lies between, and the op that adds a bias to it; empty when this op does not."""
    data = wiring.inputs[bias_add]
    if len(data) != 2:
        return []
    if wiring.op_type(bias_add) == "BiasAdd":
        return _contraction_under(wiring, data[0], bias_add)
    for value, bias in (data, data[::-1]):
        chain = _contraction_under(wiring, value, bias_add)
        if chain and wiring.op_type(chain[0]) in ("Conv2D", "MatMul") and _is_bias(wiring, value, bias, chain[0]):
            return chain
    return []


def _contraction_under(wiring: Wiring, value: tuple[int, int], bias_add: int) -> list[int]:
    place, output = value
    if output or place < 0:
        return []
    if wiring.op_type(place) in CONTRACTIONS:
        return [place, bias_add]
    under = _BETWEEN.get(wiring.op_type(place))
    if under is None or not wiring.inputs[place]:
        return []
    source, output = wiring.inputs[place][0]
    return [source, place, bias_add] if wiring.op_type(source) == under and not output else []


def _is_bias(wiring: Wiring, value: tuple[int, int], bias: tuple[int, int], contraction: int) -> bool:
    """Whether an addend is a vector along the last dimension of a channels-last value: BiasAdd then does the same."""
    wanted, shape = wiring.shape(value), wiring.shape(bias)
    if not wanted or not shape or len(wanted) < 2 or len(shape) > len(wanted) or wanted == shape:
        return False
    if wiring.attr(contraction, "data_format") not in (None, "NHWC", "NDHWC"):
        return False
    return shape[-1] is not None and shape[-1] == wanted[-1] and all(size == 1 for size in shape[:-1])


def _with_activation(wiring: Wiring, chain: list[int], blockers: list[Blocker]) -> Iterator[Chance]:
    """The chance of a bias that stayed apart, with the activation after it where that would be fused along."""
    readers = wiring.readers(chain[-1], 0)
    after = readers[0].op if len(readers) == 1 and len(chain) == 2 else -1
    fusable = wiring.op_type(after) in ACTIVATIONS and wiring.dtype(after) == wiring.dtype(chain[-1])
    if fusable and not blockers:
        # What holds back the activation alone also held the bias when Grappler ran: later passes move control edges.
        yield from blocked_fusion(wiring, [*chain, after], control_blockers(wiring, [after]))
    elif fusable and not control_blockers(wiring, [after]):
        if wiring.device_kind(chain[0]) != "GPU" or wiring.op_type(after) == "Relu":
            yield from blocked_fusion(wiring, [*chain, after], blockers)
    elif wiring.device_kind(chain[0]) == "CPU":
        yield from blocked_fusion(wiring, chain, blockers)


def _left_without_activation(wiring: Wiring, fused: int) -> Iterator[Chance]:
    """A contraction that took its bias or batch norm, with an activation that it did not take."""
    if wiring.attr(fused, "fused_ops") not in (["BiasAdd"], ["FusedBatchNorm"]) or wiring.device_kind(fused) != "CPU":
        return
    readers = wiring.readers(fused, 0)
    for after in dict.fromkeys(reader.op for reader in readers):
        op_type = wiring.op_type(after)
        if op_type not in ACTIVATIONS | OTHER_ACTIVATIONS or wiring.dtype(after) != wiring.dtype(fused):
            continue
        blockers = control_blockers(wiring, [fused, after]) + consumer_blockers(wiring, fused, after)
        if op_type in OTHER_ACTIVATIONS:
            blockers.append(_unsupported(wiring, fused, after))
        yield from blocked_fusion(wiring, [fused, after], blockers)


def _unsupported(wiring: Wiring, fused: int, activation: int) -> Blocker:
    taken = "Relu, Relu6, Elu and LeakyRelu"
    reason = f"on this device the remapper takes {taken} into a fused op, not {names(wiring, [activation])}"
    advice = f"if the model allows it, use one of {taken}"
    if wiring.op_type(fused) == "_FusedMatMul" and wiring.op_type(activation) in ONEDNN_ACTIVATIONS:
        advice = "set TF_ENABLE_ONEDNN_OPTS=1 before TensorFlow is imported: oneDNN takes Tanh and Sigmoid too"
    return Blocker("unsupported-activation", reason, (activation,), advice)


_INTEGERS = frozenset({"int8", "int16", "int32", "int64"})


def _hash_bucket(wiring: Wiring, place: int) -> Iterator[Chance]:
    """AsString + StringToHashBucketFast, which becomes one op that never makes the strings."""
    source, output = wiring.inputs[place][0] if wiring.inputs[place] else (-1, 0)
    if wiring.op_type(source) != "AsString" or output or wiring.dtype(source) not in _INTEGERS:
        return
    if wiring.attr(source, "width") not in (-1, None) or wiring.attr(source, "fill") not in ("", None):
        return
    chain = [source, place]
    yield from blocked_fusion(wiring, chain, control_blockers(wiring, chain) + consumer_blockers(wiring, source, place))
