"""A GraphDef on disk (`graph.pb`, `graph.pbtxt`) -> a recording of its structure that says what else is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfgraphdbg.errors import UnreadableFileError
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recorders.graph_defs import graph_part_of
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recording import Tracing

GRAPH_STAGE = "graph"

ABSENT_FROM_A_GRAPH_DEF = ("stage-traced", "stage-optimized", "python-stacks", "output-shapes", "calls")

MAX_BYTES = 2 << 30
"""Protobuf reads no larger message."""


def record_graph_file(writer: RecordingWriter, path: Path) -> None:
    """Write the graph of a file as the stage `graph`. Raises UnreadableFileError when it is no consistent GraphDef."""
    raw = _read(path)
    graph_def = parse_graph_def(raw, path)
    part = graph_part_of(graph_def, path.name, GRAPH_STAGE)
    try:
        GraphModel(part.name, part.stage, part.ops, part.attr_sets, part.functions).check()
    except UnreadableFileError as error:
        raise UnreadableFileError(f"{path} is damaged: {error.message}", error.hint) from error
    index = writer.add_tracing(Tracing(-1, path.name, path.name, ""))
    writer.add_graph(index, part, graph_def.SerializeToString())
    for evidence in ABSENT_FROM_A_GRAPH_DEF:
        writer.miss(
            evidence, "a GraphDef on disk holds structure only; record the program that made it to have the rest"
        )
    writer.write_shared()


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableFileError(f"{path} is larger than the 2 GiB that a GraphDef can have")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(f"cannot read {path}: {error.strerror}", "check the file name") from error


def parse_graph_def(raw: bytes, path: Path) -> Any:
    """A GraphDef from its binary or text form. Raises UnreadableFileError, naming `path`, when it is neither."""
    from google.protobuf import message, text_format
    from tensorflow.core.framework import graph_pb2

    graph_def = graph_pb2.GraphDef()
    hint = "give a binary GraphDef as .pb or its text form as .pbtxt; for a SavedModel give its folder"
    try:
        if path.suffix == ".pbtxt":
            text_format.Parse(raw, graph_def)
        else:
            graph_def.ParseFromString(raw)
    except (message.DecodeError, text_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableFileError(f"{path} is not a GraphDef: {str(error) or type(error).__name__}", hint) from error
    if not graph_def.node:
        raise UnreadableFileError(f"{path} holds no ops: it is empty or not a GraphDef", hint)
    return graph_def
