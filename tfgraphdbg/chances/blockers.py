"""What can stand in the way of a fusion, each with how to say it: ids, reasons and advice as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tfgraphdbg.chances.contract import Chance
from tfgraphdbg.chances.wiring import Wiring
from tfgraphdbg.message_words import listed, quoted

MAX_NAMES = 3
"""Names of ops in one sentence."""

MAX_TYPES = 4
"""Op types in the pattern of a computation of any form."""


class Blocker(NamedTuple):
    """One thing that stands in the way of one fusion."""

    id: str
    reason: str
    blocking: tuple[int, ...] = ()
    advice: str = ""
    """Empty: that of its id."""


ADVICE = {
    "extra-consumer": "let the other op read the end of the chain instead, or compute what it makes in a separate call",
    "gradient-consumer": (
        "where the model allows it, take Relu, Relu6 or Elu: their gradients need what comes after the activation, "
        "not what comes before it"
    ),
    "fetched-op": (
        "return the end of the chain only; a second tf.function, called when it is needed, can return the inner value"
    ),
    "control-dependency": (
        "move the tf.control_dependencies, tf.print or tf.debugging.assert_* so that it waits for the input or the end "
        "of the chain, not for an op inside it"
    ),
    "layout": 'build it with data_format="NHWC" (Keras: data_format="channels_last")',
    "bias-by-add": "write tf.nn.bias_add(y, bias) in place of y + bias",
    "training-mode": "call the model with training=False where no gradient is taken",
    "bias-before-batch-norm": (
        "build the convolution with use_bias=False: batch normalization adds an offset of its own"
    ),
    "reshape-between": (
        "flatten the input with tf.reshape(x, [-1, features]) before the layer, and give it its shape back after it"
    ),
    "onednn-off": "set TF_ENABLE_ONEDNN_OPTS=1 before TensorFlow is imported",
}


def names(wiring: Wiring, places: Sequence[int]) -> str:
    """Ops in a sentence: `Relu 'dense/Relu'`, cut after a few."""
    words = dict.fromkeys(f"{wiring.op_type(place)} {quoted(wiring.ops[place].name)}" for place in places)
    return listed(words, most=MAX_NAMES)


def op_type_list(wiring: Wiring, places: Sequence[int]) -> str:
    """The op types of a computation, each once: `Tile + Sin`, cut after a few."""
    types = list(dict.fromkeys(map(wiring.op_type, places)))
    more = f" + {len(types) - MAX_TYPES} more" if len(types) > MAX_TYPES else ""
    return " + ".join(types[:MAX_TYPES]) + more


def control_blockers(wiring: Wiring, chain: Sequence[int]) -> list[Blocker]:
    """A control edge into or out of an op of the chain, which Grappler's remapper never moves."""
    for place in chain:
        others = wiring.control_neighbours(place)
        if others:
            verb = "waits for" if wiring.controls[place] else "is waited for by"
            reason = f"{names(wiring, [place])} {verb} {names(wiring, others)} by a control dependency"
            return [Blocker("control-dependency", reason, tuple(others))]
    return []


def consumer_blockers(wiring: Wiring, place: int, next_op: int) -> list[Blocker]:
    """Readers of an inner op's result besides the next op of the chain: fusing would take it away from them."""
    others = [reader.op for reader in wiring.readers(place, 0) if reader.op != next_op]
    repeated = sum(reader.op == next_op for reader in wiring.readers(place, 0)) > 1
    if not others and not repeated:
        return []
    others = others or [next_op]
    if all(_is_returned(wiring, other) for other in others):
        reason = f"{names(wiring, [place])} is returned by the function, so it has to exist by itself"
        return [Blocker("fetched-op", reason, tuple(others))]
    reason = f"{names(wiring, [place])} is also read by {names(wiring, others)}, so it has to exist by itself"
    gradient = all(is_gradient(wiring, other) for other in others)
    return [Blocker("extra-consumer", reason, tuple(others), ADVICE["gradient-consumer"] if gradient else "")]


def _is_returned(wiring: Wiring, place: int) -> bool:
    if wiring.op_type(place) in ("Identity", "IdentityN"):
        readers = wiring.readers(place)
        return bool(readers) and all(wiring.op_type(reader.op) == "_Retval" for reader in readers)
    return wiring.op_type(place) == "_Retval"


def is_gradient(wiring: Wiring, place: int) -> bool:
    """Whether an op belongs to a gradient: TensorFlow names them so."""
    return wiring.op_type(place).endswith("Grad") or "gradient_tape/" in wiring.ops[place].name


def blocked_fusion(wiring: Wiring, chain: Sequence[int], blockers: Sequence[Blocker]) -> list[Chance]:
    """The chance that `chain` is, if one kind of thing alone stands in its way; else nothing."""
    if len({blocker.id for blocker in blockers}) != 1:
        return []
    first = blockers[0]
    blocking = tuple(place for blocker in blockers for place in blocker.blocking)
    return [
        Chance(
            rule="missed-fusion",
            pattern=" + ".join(_op_types(wiring, chain)),
            blocker=first.id,
            ops=wiring.ids(tuple(chain)),
            blocking=wiring.ids(blocking),
            reason=first.reason,
            advice=first.advice or ADVICE[first.id],
            detail={"device": wiring.device_kind(chain[0])},
        )
    ]


def _op_types(wiring: Wiring, chain: Sequence[int]) -> list[str]:
    """The op types of a chain; one that is fused in part is shown as what it was fused from."""
    words: list[str] = []
    for place in chain:
        fused = wiring.attr(place, "fused_ops")
        op_type = wiring.op_type(place)
        if op_type.startswith("_Fused") and isinstance(fused, (list, tuple)):
            words += [op_type.removeprefix("_Fused"), *map(str, fused)]
        else:
            words.append(op_type)
    return words
