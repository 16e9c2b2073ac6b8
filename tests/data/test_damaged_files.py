"""Fuzz: thousands of damaged recording files, each of which opens or is refused in one line, at once.

Half of them are damaged as files are: bytes flipped, cut, inserted, blanked, moved. The other half are whole zips with
right checksums whose msgpack was damaged inside, as a faulty or hostile writer would leave them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from tests.hand_built import packed_recording, small_optimized, small_traced
from tfgraphdbg.analyses import ANALYSES
from tfgraphdbg.analyses.contract import AnalysisOptions
from tfgraphdbg.errors import DebuggerError, ExitCode
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import CALLS_PART, CallRecord
from tfgraphdbg.recording_file import encode_part, load, save

FILES = 2000
BATCHES = 8
MAX_SECONDS = 1.0

ODD_VALUES: tuple[object, ...] = (
    *(None, True, -1, -2, 3, 7, 99, 1 << 31, -(1 << 63), (1 << 64) - 1, 0.5, float("nan"), float("inf")),
    *("", "a", "traced", "::", "a:1", "^a", "two\nlines", "\x00", "\u202e", b"\xff", "x" * 10_000),
    *([], [[]], {}, {"a": 1}, [[[[[[1]]]]]], [None] * 1000),
)


def whole_recording() -> dict[str, bytes]:
    optimized = small_optimized()
    partition = GraphModel(optimized.name, "partition:0", optimized.ops, optimized.attr_sets)
    packed = packed_recording([small_traced(), optimized, partition])
    packed[CALLS_PART] = encode_part(tuple(CallRecord(0, float(place), 1.0) for place in range(3)))
    return packed


def flip_bytes(chance: random.Random, content: bytearray) -> None:
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def cut_off(chance: random.Random, content: bytearray) -> None:
    del content[chance.randrange(len(content)) :]


def cut_out(chance: random.Random, content: bytearray) -> None:
    start = chance.randrange(len(content))
    del content[start : start + chance.choice((1, 4, 100))]


def insert_bytes(chance: random.Random, content: bytearray) -> None:
    start = chance.randrange(len(content))
    content[start:start] = chance.randbytes(chance.choice((1, 4, 100)))


def blank_block(chance: random.Random, content: bytearray) -> None:
    start, length = chance.randrange(len(content)), chance.choice((4, 64, 512))
    content[start : start + length] = bytes(len(content[start : start + length]))


def swap_blocks(chance: random.Random, content: bytearray) -> None:
    length = chance.choice((4, 16, 128))
    first, second = sorted(chance.sample(range(max(len(content) - length, 2)), 2))
    block = content[first : first + length]
    content[first : first + length] = content[second : second + length]
    content[second : second + len(block)] = block


BYTE_DAMAGE: tuple[Callable[[random.Random, bytearray], None], ...] = (
    flip_bytes,
    cut_off,
    cut_out,
    insert_bytes,
    blank_block,
    swap_blocks,
)


def damage_value(chance: random.Random, value: Any) -> Any:
    """A copy of a msgpack value with one place of it, however deep, replaced, removed, doubled or exchanged."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not keys or chance.random() < 0.1:
        return chance.choice(ODD_VALUES)
    key, copy = chance.choice(keys), value.copy()
    what = chance.random()
    if what < 0.7:
        copy[key] = damage_value(chance, copy[key])
    elif what < 0.8:
        del copy[key]
    elif what < 0.9 and isinstance(copy, list):
        copy.insert(key, copy[key])
    else:
        other = chance.choice(keys)
        copy[key], copy[other] = copy[other], copy[key]
    return copy


def damage_part(chance: random.Random, packed: bytes) -> bytes:
    """A msgpack part damaged inside: its value, or its bytes after or before compression."""
    raw = zstandard.ZstdDecompressor().decompress(packed)
    what = chance.random()
    if what < 0.1:
        content = bytearray(packed)
        chance.choice(BYTE_DAMAGE)(chance, content)
        return bytes(content)
    if what < 0.7:
        value = msgspec.msgpack.decode(raw)
        for _ in range(chance.choice((1, 1, 1, 3))):
            value = damage_value(chance, value)
        return encode_part(value)
    content = bytearray(raw)
    chance.choice(BYTE_DAMAGE)(chance, content)
    return zstandard.ZstdCompressor().compress(bytes(content))


def write_damaged(chance: random.Random, whole: dict[str, bytes], path: Path) -> None:
    if chance.random() < 0.5:
        save(whole, path)
        content = bytearray(path.read_bytes())
        chance.choice(BYTE_DAMAGE)(chance, content)
        path.write_bytes(content)
        return
    name = chance.choice([name for name in sorted(whole) if not name.endswith((".txt", ".zst"))])
    save({**whole, name: damage_part(chance, whole[name])}, path)


def use_all_of(path: Path) -> None:
    """Everything that a user of a recording may ask of it."""
    recording = load(path)
    for analysis in ANALYSES:
        msgspec.json.encode(analysis.run(recording, AnalysisOptions()))
    _ = recording.calls, recording.sources, recording.log, recording.console
    for tracing in recording.tracings:
        for stage in tracing.stages:
            if stage.kind == "graph":
                recording.graph_def(stage.name, tracing)
                graph = recording.graph(stage.name, tracing)
                for op in graph.ops:
                    recording.stacks.user_frame(op.stack)
                    graph.attrs_of(op)
                _ = graph.scopes, graph.consumers, graph.edge_count


def refusal_of(path: Path) -> Exception | None:
    try:
        use_all_of(path)
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_files_open_or_are_refused(batch: int, tmp_path: Path) -> None:
    whole, path, refused = whole_recording(), tmp_path / "damaged.tfgdbg", 0
    for number in range(batch * FILES // BATCHES, (batch + 1) * FILES // BATCHES):
        write_damaged(random.Random(number), whole, path)
        start = time.thread_time()
        error = refusal_of(path)
        assert time.thread_time() - start < MAX_SECONDS, f"file {number}"
        if error is not None:
            refused += 1
            assert isinstance(error, DebuggerError), f"file {number}: {error!r}"
            assert error.exit_code == ExitCode.UNREADABLE_INPUT, f"file {number}: {error.message}"
            assert len(error.message.splitlines()) == 1, f"file {number}: {error.message}"
    assert FILES // BATCHES * 0.5 < refused < FILES // BATCHES * 0.95, "the damage is too weak or too strong to tell"


def test_the_undamaged_file_opens(tmp_path: Path) -> None:
    save(whole_recording(), tmp_path / "whole.tfgdbg")
    use_all_of(tmp_path / "whole.tfgdbg")
