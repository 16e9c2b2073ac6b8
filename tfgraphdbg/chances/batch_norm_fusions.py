"""Batch normalizations in inference mode that stayed apart from their convolution, and what kept them so."""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.chances.blockers import Blocker, blocked_fusion, consumer_blockers, control_blockers, names
from tfgraphdbg.chances.contract import Chance
from tfgraphdbg.chances.devices import ACTIVATIONS, BATCH_NORMS, device_blockers
from tfgraphdbg.chances.wiring import Wiring


def missed_batch_norm_fusions(wiring: Wiring) -> Iterator[Chance]:
    """Every batch norm after a convolution on a CPU that could be part of it, and is not for one reason."""
    norms = [place for place, op in enumerate(wiring.ops) if op.op_type in BATCH_NORMS]
    if not norms:
        return
    has_gradient = any(op.op_type.startswith("FusedBatchNormGrad") for op in wiring.ops)
    for place in norms:
        yield from _left_apart(wiring, place, has_gradient)


def _left_apart(wiring: Wiring, norm: int, has_gradient: bool) -> Iterator[Chance]:
    source, output = wiring.inputs[norm][0] if wiring.inputs[norm] else (-1, 0)
    if output or wiring.device_kind(source) != "CPU" or not _computes_alike(wiring, norm, source):
        return
    blockers = _convolution_blockers(wiring, source)
    if blockers is None:
        return
    extra = [reader.op for reader in wiring.readers(norm) if reader.output]
    if wiring.attr(norm, "is_training") is True:
        if has_gradient or any(reader.output > 2 for reader in wiring.readers(norm)):
            # The outputs from the third on serve the gradient alone: this normalization trains.
            return
        reason = f"{names(wiring, [norm])} runs with is_training=True in a graph that takes no gradient of it"
        blockers.append(Blocker("training-mode", reason, (norm,)))
    elif extra:
        reason = f"the mean or variance that {names(wiring, [norm])} gives is read by {names(wiring, extra)}"
        blockers.append(Blocker("extra-consumer", reason, tuple(extra)))
    chain = _with_activation(wiring, [source, norm])
    blockers += control_blockers(wiring, chain)
    blockers += consumer_blockers(wiring, source, norm)
    yield from blocked_fusion(wiring, chain, blockers)


def _computes_alike(wiring: Wiring, norm: int, source: int) -> bool:
    statistics = wiring.attr(norm, "U")
    return wiring.dtype(norm) == wiring.dtype(source) and statistics in (None, "float32")


def _convolution_blockers(wiring: Wiring, source: int) -> list[Blocker] | None:
    """What the input of a batch norm has against taking it; None when it is no convolution."""
    if wiring.op_type(source) == "Conv2D":
        return device_blockers(wiring, source)
    if wiring.op_type(source) == "_FusedConv2D" and wiring.attr(source, "fused_ops") == ["BiasAdd"]:
        reason = f"{names(wiring, [source])} adds a bias between the convolution and the batch normalization"
        return [Blocker("bias-before-batch-norm", reason, (source,))]
    return None


def _with_activation(wiring: Wiring, chain: list[int]) -> list[int]:
    readers = wiring.readers(chain[-1], 0)
    after = readers[0].op if len(readers) == 1 else -1
    fusable = wiring.op_type(after) in ACTIVATIONS and not wiring.control_neighbours(after)
    return [*chain, after] if fusable else chain
