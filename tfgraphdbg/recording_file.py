"""Recording <-> one file: a zip of lazily read parts. Opening executes nothing and needs no TensorFlow.

`meta` comes first. Texts and logs are deflated, for any unzip; all other parts are zstd frames, which take half the
space of deflated ones. `unzip -p run.tfgdbg graphs/0/optimized.pb.zst | zstd -d` is a GraphDef for Netron.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import zstandard

from tfgraphdbg.errors import UnreadableFileError, UsageError
from tfgraphdbg.graph_model import garbage_collection_paused
from tfgraphdbg.recording import FORMAT_VERSION, META_PART, PartSource, Recording, RecordingMeta

SUFFIX = ".tfgdbg"

MAX_PART_BYTES = 2 << 30
"""No part may unpack to more: protobuf itself ends at 2 GiB, so a larger one is an attack or damage."""

MAX_TOTAL_BYTES = 16 << 30
MAX_PARTS = 1_000_000

MAX_RATIO = 500
"""No part over `RATIO_FREE_BYTES` unpacks to more times its packed size: real graphs reach 30, printed lines 300."""

RATIO_FREE_BYTES = 256 << 20

_ZIP_MAGIC = b"PK\x03\x04"
_FORMAT_MARK = b"tfgraphdbg recording"

T = TypeVar("T")


def is_plain_part(name: str) -> bool:
    """Whether a part is kept as it is: compiler texts and logs."""
    return name.endswith(".txt")


def pack_bytes(raw: bytes) -> bytes:
    """Bytes, such as a raw GraphDef, as the compressed bytes of a part."""
    return zstandard.ZstdCompressor(level=3).compress(raw)


def encode_part(value: object) -> bytes:
    """A value as the compressed bytes of a msgpack part."""
    return pack_bytes(msgspec.msgpack.encode(value))


def decode_part(packed: bytes, kind: type[T], where: str) -> T:
    """The value of a compressed msgpack part. Raises UnreadableFileError, naming `where`, when it is damaged."""
    raw = _unpack_zstd(packed, where)
    try:
        with garbage_collection_paused():
            return msgspec.msgpack.decode(raw, type=kind)
    except (msgspec.MsgspecError, RecursionError, TypeError, ValueError, OverflowError, MemoryError) as error:
        raise UnreadableFileError(f"{where} is damaged: {error}", _DAMAGED_HINT) from error


_DAMAGED_HINT = "record it again: tfgraphdbg record TARGET -o run.tfgdbg"
_FOREIGN_HINT = "make one: tfgraphdbg record TARGET -o run.tfgdbg"
_BOMB_HINT = "open only recordings from people you trust"


def _is_bomb(size: int, packed_size: int) -> bool:
    return size > MAX_PART_BYTES or (size > RATIO_FREE_BYTES and size > MAX_RATIO * packed_size)


def _unpack_zstd(packed: bytes, where: str) -> bytes:
    try:
        size = zstandard.frame_content_size(packed)
        if size < 0:
            raise UnreadableFileError(f"{where} is damaged: it does not tell its size", _DAMAGED_HINT)
        if _is_bomb(size, len(packed)):
            raise UnreadableFileError(
                f"{where} claims to unpack to {size:,} bytes: more than any recording holds", _BOMB_HINT
            )
        return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompress(packed, max_output_size=max(size, 1))
    except (zstandard.ZstdError, MemoryError) as error:
        raise UnreadableFileError(f"{where} is damaged: {error}", _DAMAGED_HINT) from error


class MemoryParts:
    """Parts in memory, by name, as they would lie in a file; what recording in place makes."""

    def __init__(self, packed: dict[str, bytes] | None = None) -> None:
        self._packed = {} if packed is None else packed

    def write(self, name: str, packed: bytes) -> None:
        """Add or replace one part: plain bytes for a plain part, else what `encode_part` gave."""
        self._packed[name] = packed

    def names(self) -> frozenset[str]:
        """Every part that is there."""
        return frozenset(self._packed)

    def read(self, name: str) -> bytes:
        """The decompressed bytes of one part."""
        if name not in self._packed:
            raise UnreadableFileError(f"the recording has no part {name!r}", _DAMAGED_HINT)
        packed = self._packed[name]
        return packed if is_plain_part(name) else _unpack_zstd(packed, f"part {name!r}")

    def decode(self, name: str, kind: type[T]) -> T:
        """One msgpack part as `kind`."""
        if name not in self._packed:
            raise UnreadableFileError(f"the recording has no part {name!r}", _DAMAGED_HINT)
        return decode_part(self._packed[name], kind, f"part {name!r}")


class FolderParts:
    """Parts as files of a folder, each written whole or not at all, so that a crash keeps all earlier ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, packed: bytes) -> None:
        """Add or replace one part."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_bytes(packed)
        temporary.replace(path)

    def packed(self) -> dict[str, bytes]:
        """Every part that was written whole, compressed as it lies there."""
        paths = sorted(path for path in self._folder.rglob("*") if path.is_file() and path.suffix != ".tmp")
        return {path.relative_to(self._folder).as_posix(): path.read_bytes() for path in paths}


class ZipParts:
    """Parts as members of a recording file.

    The file stays open: another recording may take its place on disk, and its parts must never mix with these.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _damage_reported(path):
            self._archive = zipfile.ZipFile(path)
            try:
                self._names = self._checked_names()
            except BaseException:
                self._archive.close()
                raise

    def _checked_names(self) -> frozenset[str]:
        members = self._archive.infolist()
        _check_members(self._path, members)
        names = frozenset(member.filename for member in members)
        if META_PART in names and self._archive.comment != _FORMAT_MARK:
            raise UnreadableFileError(f"{self._path} is damaged or truncated: its end mark is missing", _DAMAGED_HINT)
        return names

    def names(self) -> frozenset[str]:
        """Every part that is there."""
        return self._names

    def read(self, name: str) -> bytes:
        """The decompressed bytes of one part."""
        packed = self._member(name)
        return packed if is_plain_part(name) else _unpack_zstd(packed, f"{self._path}: part {name!r}")

    def decode(self, name: str, kind: type[T]) -> T:
        """One msgpack part as `kind`."""
        return decode_part(self._member(name), kind, f"{self._path}: part {name!r}")

    def _member(self, name: str) -> bytes:
        if name not in self._names:
            raise UnreadableFileError(f"{self._path} has no part {name!r}: it is incomplete", _DAMAGED_HINT)
        with _damage_reported(self._path), self._archive.open(name) as member:
            limit = self._archive.getinfo(name).file_size
            # Not read(): a member may unpack to more than its directory entry claims.
            packed = member.read(limit + 1)
            if len(packed) != limit:
                raise UnreadableFileError(f"{self._path}: part {name!r} is damaged", _DAMAGED_HINT)
            return packed


@contextlib.contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    """Turn whatever a damaged zip raises into one clear error: zipfile has no error root of its own."""
    try:
        yield
    except UnreadableFileError:
        raise
    except Exception as error:
        # A damaged offset makes zipfile seek to where no file can be: EINVAL.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise UnreadableFileError(f"cannot read {path}: {error.strerror}", "check the file name") from error
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnreadableFileError(f"{path} is damaged or truncated: {reason}", _DAMAGED_HINT) from error


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuse a zip that no recorder wrote: a bomb, or members that hide one another or point out of the file."""
    total = sum(member.file_size for member in members)
    bombs = any(_is_bomb(member.file_size, member.compress_size) for member in members)
    if bombs or total > MAX_TOTAL_BYTES or len(members) > MAX_PARTS:
        raise UnreadableFileError(
            f"{path} claims to unpack to {total:,} bytes in {len(members):,} parts: more than any recording holds",
            _BOMB_HINT,
        )
    if sum(member.compress_size for member in members) > path.stat().st_size:
        raise UnreadableFileError(f"{path} is damaged: its parts overlap", _DAMAGED_HINT)
    names = {member.filename for member in members}
    if len(names) != len(members):
        raise UnreadableFileError(f"{path} is damaged: it holds two parts of one name", _DAMAGED_HINT)
    outside = next((name for name in names if _points_outside(name)), None)
    if outside is not None:
        raise UnreadableFileError(f"{path} has a part that points outside of it: {outside!r}", _BOMB_HINT)


def _points_outside(name: str) -> bool:
    return "\\" in name or name[1:2] == ":" or name.startswith("/") or ".." in name.split("/")


def load(path: str | os.PathLike[str]) -> Recording:
    """Open a recording file. Reads only its `meta` part; the rest is read when asked for.

    Raises UnreadableFileError when the file is absent, foreign, truncated, damaged, or of a newer version.
    """
    path = Path(path)
    head = _first_bytes(path)
    if head != _ZIP_MAGIC:
        what = "is not a tfgraphdbg recording" if head else "is empty"
        raise UnreadableFileError(f"{path} {what}", _FOREIGN_HINT)
    parts = ZipParts(path)
    if META_PART not in parts.names():
        raise UnreadableFileError(f"{path} is a zip file, but not a tfgraphdbg recording", _FOREIGN_HINT)
    return Recording(_read_meta(parts, path), parts)


def _first_bytes(path: Path) -> bytes:
    try:
        # Opening a pipe would wait for its writer, so the kind of file is asked first.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableFileError(f"{path} is {'a folder' if path.is_dir() else 'not a file'}", _FOREIGN_HINT)
        with path.open("rb") as file:
            return file.read(len(_ZIP_MAGIC))
    except OSError as error:
        raise UnreadableFileError(f"cannot read {path}: {error.strerror}", "check the file name") from error
    except ValueError as error:
        raise UnreadableFileError(f"cannot read {str(path)!r}: {error}", "check the file name") from error


class _VersionOnly(msgspec.Struct):
    format_version: int


def _read_meta(parts: PartSource, path: Path) -> RecordingMeta:
    # The version is read alone first: a newer meta may hold fields that this version cannot decode.
    version = parts.decode(META_PART, _VersionOnly).format_version
    if version < 1:
        raise UnreadableFileError(f"{path} is damaged: it has no format version", _DAMAGED_HINT)
    if version > FORMAT_VERSION:
        raise UnreadableFileError(
            f"{path} has format version {version}; this tfgraphdbg reads up to {FORMAT_VERSION}",
            "upgrade: pip install --upgrade tfgraphdbg",
        )
    meta = parts.decode(META_PART, RecordingMeta)
    in_order = all(tracing.index == position for position, tracing in enumerate(meta.tracings))
    main_exists = meta.main_tracing is None or 0 <= meta.main_tracing < len(meta.tracings)
    stages_differ = all(
        len({stage.name for stage in tracing.stages}) == len(tracing.stages) for tracing in meta.tracings
    )
    if not in_order or not main_exists or not stages_differ:
        raise UnreadableFileError(f"{path} is damaged: its tracings do not fit together", _DAMAGED_HINT)
    return meta


def save(packed: dict[str, bytes], path: str | os.PathLike[str]) -> None:
    """Write parts (as `encode_part` or plain) to one file, whole or not at all.

    Raises UsageError when the place cannot be written; a file that was there before is then untouched.
    """
    path = Path(path)

    def write(file_path: str) -> None:
        with zipfile.ZipFile(file_path, "w") as archive:
            archive.comment = _FORMAT_MARK
            for name in sorted(packed, key=lambda name: (name != META_PART, name)):
                method = zipfile.ZIP_DEFLATED if is_plain_part(name) else zipfile.ZIP_STORED
                archive.writestr(name, packed[name], compress_type=method)

    write_atomically(path, write)


def write_atomically(path: Path, write: Callable[[str], None]) -> None:
    """Let `write` fill a temporary file, then rename it. Raises UsageError when `path` cannot be written.

    A link is followed; a device or a pipe, such as `/dev/stdout`, gets the bytes instead of being replaced.
    """
    place = Path(os.path.realpath(path))
    special = place.exists() and not place.is_file()
    try:
        # A name may be as long as a file system allows, so only its beginning goes into the temporary one.
        handle, name = tempfile.mkstemp(
            dir=None if special else place.parent, prefix=f".{place.name[:40]}.", suffix=".tmp"
        )
        os.close(handle)
        try:
            write(name)
            _put(Path(name), place, special)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}", "choose another place with -o PATH"
        ) from error


def _put(temporary: Path, path: Path, special: bool) -> None:
    if special:
        with temporary.open("rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        return
    # mkstemp makes private files; a result should be as readable as any other new file.
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)
    temporary.replace(path)
