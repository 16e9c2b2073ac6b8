"""A dumped GraphDef as the bytes of its nodes, so that nodes that a pass left alone are never parsed again.

The runtime writes equal nodes as equal bytes (seen on TensorFlow 2.16.2 as text, on 2.18.1 and 2.21.0 as binary).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NODE_TAG = 0x0A
"""Field 1 of a GraphDef, length-delimited: a NodeDef. The first field of a NodeDef, its name, has the same tag."""

_VERSIONS_TAG = 0x22
"""Field 4 of a GraphDef, its versions: the last that the runtime writes, so that a file without it was cut off."""

_CUT_OFF = "it ends before its versions, the last part of a graph"

_TEXT_NODE = re.compile(rb"^node \{\n(.*?)^\}\n", re.DOTALL | re.MULTILINE)
_TEXT_NAME = re.compile(rb'  name: "([^"]*)"')

NodeBytes = Mapping[str, bytes]
"""The serialized NodeDefs of a graph by name, in the order of the graph."""


def split_nodes(raw: bytes) -> dict[str, bytes]:
    """The nodes of a binary GraphDef. Raises ValueError when it is no whole GraphDef."""
    nodes: dict[str, bytes] = {}
    place, end = 0, len(raw)
    is_whole = False
    try:
        while place < end:
            tag, place = _varint(raw, place)
            wire_type = tag & 7
            if wire_type == 2:
                size, place = _varint(raw, place)
                after = place + size
                if after > end:
                    raise ValueError("it ends in the middle of a node")
                if tag == _NODE_TAG:
                    node = raw[place:after]
                    nodes[_name_of(node)] = node
                is_whole = is_whole or tag == _VERSIONS_TAG
                place = after
            elif wire_type == 0:
                _, place = _varint(raw, place)
            else:
                raise ValueError(f"byte {place:,} is no field of a GraphDef")
    except IndexError:
        raise ValueError("it ends in the middle of a field") from None
    if not is_whole:
        raise ValueError(_CUT_OFF)
    return nodes


def _varint(raw: bytes, place: int) -> tuple[int, int]:
    byte = raw[place]
    if byte < 0x80:
        return byte, place + 1
    value, shift = byte & 0x7F, 7
    while True:
        place += 1
        byte = raw[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7


def _name_of(node: bytes) -> str:
    if node[:1] != b"\x0a":
        raise ValueError("it has a node without a name")
    size, place = _varint(node, 1)
    return node[place : place + size].decode("utf-8", "replace")


def split_text_nodes(raw: bytes) -> dict[str, bytes]:
    """The nodes of a GraphDef in protobuf's text format, each as text. Raises ValueError when it is not whole."""
    nodes: dict[str, bytes] = {}
    for found in _TEXT_NODE.finditer(raw):
        name = _TEXT_NAME.match(found[1])
        if name is None:
            raise ValueError("it has a node without a name")
        nodes[name[1].decode("utf-8", "replace")] = found[1]
    if len(nodes) != raw.count(b"\nnode {\n") + raw.startswith(b"node {\n"):
        raise ValueError("it ends in the middle of a node")
    if b"\nversions {\n" not in raw or not raw.endswith(b"\n}\n"):
        raise ValueError(_CUT_OFF)
    return nodes


def parse_node(raw: bytes, is_text: bool) -> Any:
    """One NodeDef from the bytes that splitting gave. Raises ValueError when they are damaged."""
    from tensorflow.core.framework import node_def_pb2

    return _parsed(raw, is_text, node_def_pb2.NodeDef())


def parse_graph(raw: bytes, is_text: bool) -> Any:
    """A whole GraphDef. Raises ValueError when it is damaged."""
    from tensorflow.core.framework import graph_pb2

    return _parsed(raw, is_text, graph_pb2.GraphDef())


def _parsed(raw: bytes, is_text: bool, into: Any) -> Any:
    from google.protobuf import message, text_format

    try:
        if is_text:
            text_format.Parse(raw, into)
        else:
            into.ParseFromString(raw)
    except (message.DecodeError, text_format.ParseError) as error:
        raise ValueError(f"it could not be parsed: {error}") from error
    return into
