"""Recordings for the terminal UI: texts, several tracings, other meta data."""

from __future__ import annotations

import msgspec

from tests.hand_built import (
    packed_recording,
    small_optimized,
    small_traced,
    stage_of,
)
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import (
    META_PART,
    GraphPart,
    Recording,
    RecordingMeta,
    Stage,
    Tracing,
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
