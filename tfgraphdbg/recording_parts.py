"""The parts of a recording: their names, the graph as a part, and where parts lie."""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from tfgraphdbg.graph_model import AttrValue, OpNode
from tfgraphdbg.recording_meta import StageKind

T = TypeVar("T")


class PartSource(Protocol):
    """Where a recording's parts lie. Names are those of the members of the file."""

    def names(self) -> frozenset[str]:
        """Every part that is there."""
        ...

    def read(self, name: str) -> bytes:
        """The decompressed bytes of one part. Raises UnreadableFileError when it is damaged or absent."""
        ...

    def decode(self, name: str, kind: type[T]) -> T:
        """One msgpack part as `kind`. Raises UnreadableFileError when it does not fit."""
        ...


class GraphPart(msgspec.Struct, frozen=True, array_like=True):
    """A GraphModel as one part of a file."""

    name: str
    stage: str
    ops: tuple[OpNode, ...]
    attr_sets: tuple[dict[str, AttrValue], ...]
    functions: tuple[str, ...]


META_PART = "meta"
STACKS_PART = "stacks"
CALLS_PART = "calls"
SOURCES_PART = "sources"
LOG_PART = "log.txt"
CONSOLE_PART = "console.txt"


def graph_part(tracing: int, stage: str) -> str:
    """Name of the part that holds a stage's ops."""
    return f"tracings/{tracing}/{stage.replace(':', '-')}.ops"


def rewrites_part(tracing: int) -> str:
    """Name of the part that holds what Grappler did to a tracing's graph, pass by pass."""
    return f"tracings/{tracing}/rewrites"


def chances_part(tracing: int) -> str:
    """Name of the part that holds the chances that Grappler missed, as tried while TensorFlow was at hand."""
    return f"tracings/{tracing}/chances"


def raw_part(tracing: int, stage: str, kind: StageKind = "graph") -> str:
    """Name of the part that holds a stage's raw GraphDef, or its text."""
    return f"graphs/{tracing}/{stage.replace(':', '-')}.{'pb.zst' if kind == 'graph' else 'txt'}"
