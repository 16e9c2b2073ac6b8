"""Recordings for the terminal UI: texts, several tracings, other meta data."""

from __future__ import annotations

import msgspec

from tests.hand_built import (
    packed_recording,
    small_optimized,
    small_traced,
    stage_of,
)
from tests.pass_recordings import packed_with_passes
from tfgraphdbg.chances.contract import Chance, ChancesPart, TriedChance
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import (
    META_PART,
    GraphPart,
    Recording,
    RecordingMeta,
    Stage,
    Tracing,
    chances_part,
    graph_part,
    raw_part,
)
from tfgraphdbg.recording_file import MemoryParts, decode_part, encode_part

HLO = "\n".join(["HloModule jit_train_step", "", *(f"  %add.{n} = f32[] add(%p0, %p1)" for n in range(200)), "ROOT %r"])


def meta_of(packed: dict[str, bytes]) -> RecordingMeta:
    return decode_part(packed[META_PART], RecordingMeta, "meta")


def with_meta(packed: dict[str, bytes], **changes: object) -> Recording:
    return Recording(msgspec.structs.replace(meta_of(packed), **changes), MemoryParts(packed))


def with_hlo(text: str = HLO) -> Recording:
    packed = packed_recording([small_traced()])
    tracing = meta_of(packed).tracings[0]
    packed[raw_part(0, "hlo", "text")] = text.encode()
    stages = (*tracing.stages, Stage("hlo", "text", bytes=len(text)))
    return with_meta(packed, tracings=(msgspec.structs.replace(tracing, stages=stages),))


def with_two_tracings() -> Recording:
    """The main tracing comes second in time; a nested one has no stage of its own."""
    packed = packed_recording([small_traced(), small_optimized()])
    main = meta_of(packed).tracings[0]
    other = small_optimized()
    packed[graph_part(1, "traced")] = packed[graph_part(0, "traced")]
    packed[graph_part(1, "optimized")] = packed[graph_part(0, "optimized")]
    packed[graph_part(0, "traced")] = encode_part(GraphPart("p", "traced", other.ops, other.attr_sets, ()))
    tracings = (
        Tracing(0, "preprocess", "__inference_preprocess_3", "(x)", stages=(stage_of(small_optimized_as("traced")),)),
        msgspec.structs.replace(main, index=1),
        Tracing(2, "helper", "__inference_helper_4", "(y)", role="nested", calls=1),
    )
    return with_meta(packed, tracings=tracings, main_tracing=1)


def small_optimized_as(stage: str) -> GraphModel:
    return msgspec.structs.replace(small_optimized(), stage=stage)


CHANCES = (
    TriedChance(
        Chance(
            "missed-fusion",
            "MatMul + BiasAdd + Relu",
            "control-dependency",
            ("dense/Relu", "mul"),
            ("four",),
            "Mul 'mul' is waited for by Const 'four' by a control dependency",
            "move the tf.control_dependencies so that it waits for the end of the chain",
            {"device": "CPU"},
        ),
        "confirmed",
        "without its control edges, remapper makes it one _FusedMatMul",
        12.5,
    ),
    TriedChance(
        Chance("duplicate-computation", "Square", "stateful", ("ArithmeticOptimizer/Halve_sq",), (), "it reads a state")
    ),
)
"""Of the recording with passes: one that a trial confirmed, and one that the rules alone tell."""

OPTIONS = {
    "grappler": {
        "remapping": "False",
        "layout_optimizer": "True",
        "debug_stripper": "default",
        "shape_optimization": "default",
    },
    "grappler-from": {"remapping": "--without"},
    "grappler-switches": {"--without": "remapper"},
    "environment": {"TF_ENABLE_ONEDNN_OPTS": "0"},
}


def packed_with_findings(chances: tuple[TriedChance, ...] = CHANCES) -> dict[str, bytes]:
    packed = packed_with_passes()
    packed[chances_part(0)] = encode_part(ChancesPart(chances))
    return packed


def with_findings(chances: tuple[TriedChance, ...] = CHANCES) -> Recording:
    """A train step of which Grappler missed chances."""
    return with_meta(packed_with_findings(chances))


def with_switches() -> Recording:
    """A train step that was recorded without a pass; the program has set another one."""
    return with_meta(packed_with_passes(), options=OPTIONS)
