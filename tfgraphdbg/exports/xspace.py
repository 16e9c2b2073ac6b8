"""A serialized XSpace, the profiler's own trace -> its planes, lines and events, read without TensorFlow.

Field numbers are those of tsl/profiler/protobuf/xplane.proto; TensorFlow alone installs a reader for it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tfgraphdbg.errors import UnreadableFileError

Value = int | float | str

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class TraceEvent(NamedTuple):
    """One event of a line; times are picoseconds since the line's beginning."""

    name: str
    offset_ps: int
    duration_ps: int
    stats: Mapping[str, Value]


class TraceLine(NamedTuple):
    """A thread, or a device's stream."""

    name: str
    timestamp_ns: int
    events: tuple[TraceEvent, ...]


class TracePlane(NamedTuple):
    """A device, or the host."""

    name: str
    lines: tuple[TraceLine, ...]


def planes_of(serialized: bytes) -> tuple[TracePlane, ...]:
    """Every plane of an XSpace. Raises UnreadableFileError when it is damaged."""
    try:
        return tuple(_plane(value) for number, value in _fields(serialized) if number == 1 and isinstance(value, bytes))
    except (ValueError, IndexError, struct.error) as error:
        raise UnreadableFileError(f"the profiler's trace in the recording is damaged: {error}") from error


def _plane(message: bytes) -> TracePlane:
    name, lines = "", []
    events: dict[int, str] = {}
    stats: dict[int, str] = {}
    for number, value in _fields(message):
        if not isinstance(value, bytes):
            continue
        if number == 2:
            name = _text(value)
        elif number == 3:
            lines.append(value)
        elif number in {4, 5}:
            key, named = _named(value)
            (events if number == 4 else stats)[key] = named
    return TracePlane(name, tuple(_line(line, events, stats) for line in lines))


def _named(entry: bytes) -> tuple[int, str]:
    """An entry of the map of names: `name`, since the `display_name` of an op is its type alone."""
    key, name, shown = 0, "", ""
    for number, value in _fields(entry):
        if number == 1 and isinstance(value, int):
            key = value
        elif number == 2 and isinstance(value, bytes):
            for inner, text in _fields(value):
                if isinstance(text, bytes) and inner == 2:
                    name = _text(text)
                elif isinstance(text, bytes) and inner == 4:
                    shown = _text(text)
    return key, name or shown


def _line(message: bytes, names: Mapping[int, str], stats: Mapping[int, str]) -> TraceLine:
    name, shown, began, events = "", "", 0, []
    for number, value in _fields(message):
        if number == 3 and isinstance(value, int):
            began = value
        elif isinstance(value, bytes):
            if number == 4:
                events.append(_event(value, names, stats))
            elif number == 2:
                name = _text(value)
            elif number == 11:
                shown = _text(value)
    return TraceLine(shown or name, began, tuple(events))


def _event(message: bytes, names: Mapping[int, str], stat_names: Mapping[int, str]) -> TraceEvent:
    numbers = [0, 0, 0, 0]
    stats: dict[str, Value] = {}
    for number, value in _fields(message):
        if isinstance(value, int):
            if number <= 3:
                numbers[number] = value
        elif number == 4:
            name, told = _stat(value, stat_names)
            stats[name] = told
    return TraceEvent(names.get(numbers[1], ""), _signed(numbers[2]), _signed(numbers[3]), stats)


def _stat(message: bytes, names: Mapping[int, str]) -> tuple[str, Value]:
    name, told = "", 0  # type: tuple[str, Value]
    for number, value in _fields(message):
        if number == 1 and isinstance(value, int):
            name = names.get(value, str(value))
        elif isinstance(value, int):
            told = _signed(value) if number == 4 else names.get(value, str(value)) if number == 7 else value
        elif number == 2:
            told = float(struct.unpack("<d", value)[0])
        elif number == 5:
            told = _text(value)
        else:
            told = f"{len(value)} bytes"
    return name, told


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Every field of a message: its number, and a number or its bytes."""
    place, end = 0, len(message)
    while place < end:
        key, place = _varint(message, place)
        kind = key & 7
        if kind == VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        if kind == BYTES:
            size, place = _varint(message, place)
        elif kind in {FIXED64, FIXED32}:
            size = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if place + size > end:
            raise ValueError("it ends in the middle of a field")
        yield key >> 3, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    byte = message[place]
    if byte < 0x80:
        return byte, place + 1
    number, shift = byte & 0x7F, 7
    while True:
        place += 1
        byte = message[place]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place + 1
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than ten bytes")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
