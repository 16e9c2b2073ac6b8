"""Recording <-> file: written whole or not at all, and one clear error for each file that is no sound recording."""

from __future__ import annotations

import errno
import io
import os
import stat
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import zstandard

from tests.hand_built import hostile_graph, packed_recording, small_optimized, small_traced
from tfgraphdbg import recording_file
from tfgraphdbg.errors import ExitCode, UnreadableFileError, UsageError
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.recording import FORMAT_VERSION, META_PART, RecordingMeta
from tfgraphdbg.recording_file import FolderParts, MemoryParts, decode_part, encode_part, load, save, write_atomically


@pytest.fixture
def packed() -> dict[str, bytes]:
    return packed_recording([small_traced(), small_optimized()])


@pytest.fixture
def saved(tmp_path: Path, packed: dict[str, bytes]) -> Path:
    save(packed, tmp_path / "run.tfgdbg")
    return tmp_path / "run.tfgdbg"


def refusal(path: Path) -> UnreadableFileError:
    """The error that opening the file, or reading all of its parts, gives."""
    with pytest.raises(UnreadableFileError) as raised:
        read_all(path)
    assert raised.value.exit_code == ExitCode.UNREADABLE_INPUT
    assert "\n" not in raised.value.message
    return raised.value


def refuse(*place: object, **how: object) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def read_all(path: Path) -> None:
    recording = load(path)
    for name in recording.parts.names():
        recording.parts.read(name)


def zip_of(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.comment = b"tfgraphdbg recording"
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def test_a_recording_comes_back_as_it_was(tmp_path: Path) -> None:
    graphs = [small_traced(), small_optimized()]
    save(packed_recording(graphs, name="model.py:<&>\n🦊"), tmp_path / "a.tfgdbg")
    recording = load(tmp_path / "a.tfgdbg")
    assert recording.target.name == "model.py:<&>\n🦊"
    for graph in graphs:
        loaded = recording.graph(graph.stage)
        loaded.check()
        assert (loaded.ops, loaded.attr_sets, loaded.functions) == (graph.ops, graph.attr_sets, graph.functions)
    assert recording.graph_def("traced") == b"not a real GraphDef"


def test_hostile_names_come_back_as_they_were(tmp_path: Path) -> None:
    save(packed_recording([hostile_graph()]), tmp_path / "a.tfgdbg")
    assert load(str(tmp_path / "a.tfgdbg")).graph("traced").ops == hostile_graph().ops


def test_other_tools_find_raw_graphs_and_logs_in_the_zip(saved: Path) -> None:
    with zipfile.ZipFile(saved) as archive:
        assert archive.namelist()[0] == META_PART
        packed = archive.read("graphs/0/traced.pb.zst")
        assert zstandard.ZstdDecompressor().decompress(packed) == b"not a real GraphDef"
        assert archive.read("console.txt") == b"loss 0.5\n"
        assert archive.testzip() is None


def test_parts_in_memory_and_in_a_folder_are_those_of_a_file(tmp_path: Path, packed: dict[str, bytes]) -> None:
    folder, memory = FolderParts(tmp_path / "parts"), MemoryParts()
    for name, content in packed.items():
        folder.write(name, content)
        memory.write(name, content)
    (tmp_path / "parts" / "graphs" / "0" / "half.pb.zst.tmp").write_bytes(b"cut off by a crash")
    assert folder.packed() == packed
    assert memory.names() == packed.keys()
    assert memory.read("console.txt") == b"loss 0.5\n"
    assert memory.decode(META_PART, RecordingMeta).main_tracing == 0
    with pytest.raises(UnreadableFileError, match="has no part 'gone'"):
        memory.read("gone")
    with pytest.raises(UnreadableFileError, match="has no part 'gone'"):
        memory.decode("gone", RecordingMeta)


class TestWriting:
    def test_a_failing_write_leaves_the_old_file_and_no_other(self, saved: Path) -> None:
        before = saved.read_bytes()

        def fail(place: str) -> None:
            Path(place).write_bytes(b"half")
            raise OSError(28, "No space left on device")

        with pytest.raises(UsageError) as raised:
            write_atomically(saved, fail)
        assert raised.value.message == f"cannot write {saved}: No space left on device"
        assert saved.read_bytes() == before
        assert os.listdir(saved.parent) == [saved.name]

    def test_an_interrupt_while_writing_leaves_no_trace(self, tmp_path: Path) -> None:
        def interrupt(place: str) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_atomically(tmp_path / "a", interrupt)
        assert os.listdir(tmp_path) == []

    def test_a_folder_that_is_absent_or_a_file_is_a_usage_error(self, packed: dict[str, bytes], saved: Path) -> None:
        for place in (saved.parent / "gone" / "a.tfgdbg", saved / "a.tfgdbg"):
            with pytest.raises(UsageError, match="cannot write") as raised:
                save(packed, place)
            assert raised.value.exit_code == ExitCode.WRONG_USAGE
            assert raised.value.hint

    def test_a_folder_in_place_of_the_file_is_a_usage_error(self, packed: dict[str, bytes], tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="Is a directory"):
            save(packed, tmp_path)
        assert os.listdir(tmp_path) == []

    def test_a_folder_without_permission_is_a_usage_error(
        self, packed: dict[str, bytes], saved: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Root may write everywhere, so the refusal is played.
        monkeypatch.setattr("tempfile.mkstemp", refuse)
        with pytest.raises(UsageError, match="Permission denied"):
            save(packed, saved)
        assert load(saved).tracings

    def test_the_file_is_as_readable_as_any_new_file(self, saved: Path) -> None:
        plain = saved.parent / "plain"
        plain.touch()
        assert stat.S_IMODE(saved.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)

    def test_a_link_is_followed(self, packed: dict[str, bytes], tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "latest.tfgdbg").symlink_to(tmp_path / "real" / "a.tfgdbg")
        save(packed, tmp_path / "latest.tfgdbg")
        assert (tmp_path / "latest.tfgdbg").is_symlink()
        assert load(tmp_path / "real" / "a.tfgdbg").target.name == "model.py:train_step"

    def test_a_name_of_the_greatest_length_works(self, packed: dict[str, bytes], tmp_path: Path) -> None:
        save(packed, tmp_path / ("n" * 255))
        assert load(tmp_path / ("n" * 255)).tracings

    def test_a_pipe_gets_the_bytes_and_stays_a_pipe(self, packed: dict[str, bytes], tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        received: list[bytes] = []
        reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
        reader.start()
        save(packed, pipe)
        reader.join(10)
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        (tmp_path / "copy").write_bytes(received[0])
        assert load(tmp_path / "copy").tracings


class TestReplacedFiles:
    def test_an_open_recording_stays_what_it_was_when_its_file_is_replaced(
        self, packed: dict[str, bytes], tmp_path: Path
    ) -> None:
        path = tmp_path / "run.tfgdbg"
        save(packed, path)
        recording = load(path)
        save(packed_recording([hostile_graph()]), path)
        assert len(recording.graph("optimized").ops) == 12
        assert load(path).graph("traced").ops[0].op_type == "Relu"

    def test_an_open_recording_survives_the_removal_of_its_file(self, packed: dict[str, bytes], tmp_path: Path) -> None:
        path = tmp_path / "run.tfgdbg"
        save(packed, path)
        recording = load(path)
        path.unlink()
        assert recording.graph("traced").ops


class TestForeignFiles:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "is empty"),
            (b"P", "is not a tfgraphdbg recording"),
            (b"import tensorflow as tf\n", "is not a tfgraphdbg recording"),
            (b"\x89PNG\r\n\x1a\n" + bytes(100), "is not a tfgraphdbg recording"),
            (zip_of({"mimetype": b"application/epub+zip"}), "is a zip file, but not a tfgraphdbg recording"),
            (zip_of({}), "is not a tfgraphdbg recording"),
            (zip_of({META_PART: b"format: 1"})[:-1], "its end mark is missing"),
            (zip_of({META_PART: b"format: 1"}), "part 'meta' is damaged"),
            (zip_of({META_PART: b""}), "part 'meta' is damaged"),
            (zip_of({META_PART: encode_part([1, 2])}), "part 'meta' is damaged"),
            (zip_of({META_PART: encode_part({"format_version": 1})}), "part 'meta' is damaged"),
            (zip_of({META_PART: encode_part({"format_version": 0})}), "has no format version"),
        ],
        # A zip holds the time of day: workers that make their own must still agree on the tests' names.
        ids=[
            "empty",
            "one byte",
            "Python",
            "PNG",
            "EPUB",
            "empty zip",
            "no end mark",
            "plain meta",
            "empty meta",
            "list as meta",
            "meta of a version alone",
            "version 0",
        ],
    )
    def test_each_is_told_what_it_is(self, tmp_path: Path, content: bytes, words: str) -> None:
        path = tmp_path / "file"
        path.write_bytes(content)
        error = refusal(path)
        assert words in error.message
        assert str(path) in error.message
        assert "tfgraphdbg record" in error.hint

    def test_what_is_no_file(self, tmp_path: Path) -> None:
        assert refusal(tmp_path).message == f"{tmp_path} is a folder"
        assert "No such file" in refusal(tmp_path / "gone").message
        assert "Not a directory" in refusal(Path(__file__) / "gone").message
        os.mkfifo(tmp_path / "pipe")
        assert refusal(tmp_path / "pipe").message.endswith("is not a file")
        assert "null" in refusal(Path("a\0b")).message

    def test_a_file_without_permission(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Path, "open", refuse)
        assert "Permission denied" in refusal(saved).message

    def test_a_newer_version_asks_to_upgrade(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        packed[META_PART] = encode_part({"format_version": FORMAT_VERSION + 1, "target": "unlike any before"})
        save(packed, tmp_path / "new.tfgdbg")
        error = refusal(tmp_path / "new.tfgdbg")
        assert f"has format version {FORMAT_VERSION + 1}" in error.message
        assert error.hint == "upgrade: pip install --upgrade tfgraphdbg"


ODD_MSGPACK = {
    "deep lists": b"\x91" * 100_000 + b"\xc0",
    "deep maps": b"\x81\xa1a" * 100_000 + b"\xc0",
    "huge list": b"\xdd\xff\xff\xff\xff",
    "huge map": b"\xdf\xff\xff\xff\xff",
    "huge text": b"\xdb\xff\xff\xff\xff",
    "reserved byte": b"\xc1",
    "text that is not UTF-8": b"\xa2\xff\xfe",
    "map as key": b"\x81\x80\x01",
    "map in a key": b"\x81\x91\x80\x01",
    "time": b"\xd6\xff\x00\x00\x00\x00",
    "nothing": b"",
}


class TestDamage:
    def test_every_truncation_is_refused(self, tmp_path: Path) -> None:
        packed = packed_recording([GraphModel("f", "traced", (OpNode("x", "Placeholder"),))])
        saved = tmp_path / "a.tfgdbg"
        save({name: packed[name] for name in (META_PART, "tracings/0/traced.ops", "console.txt")}, saved)
        read_all(saved)
        whole = saved.read_bytes()
        for length in range(len(whole)):
            saved.write_bytes(whole[:length])
            refusal(saved)

    def test_a_part_that_is_gone_is_told_when_asked_for(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        del packed["tracings/0/traced.ops"]
        save(packed, tmp_path / "a.tfgdbg")
        recording = load(tmp_path / "a.tfgdbg")
        with pytest.raises(UnreadableFileError, match=r"has no part 'tracings/0/traced\.ops': it is incomplete"):
            recording.graph("traced")

    @pytest.mark.parametrize("main_tracing", [-1, 1, 7])
    def test_a_main_tracing_that_does_not_exist(
        self, tmp_path: Path, packed: dict[str, bytes], main_tracing: int
    ) -> None:
        meta = decode_part(packed[META_PART], RecordingMeta, "meta")
        packed[META_PART] = encode_part(msgspec.structs.replace(meta, main_tracing=main_tracing))
        save(packed, tmp_path / "a.tfgdbg")
        assert "tracings do not fit together" in refusal(tmp_path / "a.tfgdbg").message

    def test_a_directory_that_points_before_the_file(self, saved: Path) -> None:
        content = saved.read_bytes()
        saved.write_bytes(content[:100] + content[104:])
        assert "is damaged or truncated" in refusal(saved).message

    def test_two_stages_of_one_name(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        meta = decode_part(packed[META_PART], RecordingMeta, "meta")
        doubled = tuple(msgspec.structs.replace(tracing, stages=tracing.stages * 2) for tracing in meta.tracings)
        packed[META_PART] = encode_part(msgspec.structs.replace(meta, tracings=doubled))
        save(packed, tmp_path / "a.tfgdbg")
        assert "tracings do not fit together" in refusal(tmp_path / "a.tfgdbg").message

    def test_tracings_out_of_order(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        meta = decode_part(packed[META_PART], RecordingMeta, "meta")
        moved = tuple(msgspec.structs.replace(tracing, index=4) for tracing in meta.tracings)
        packed[META_PART] = encode_part(msgspec.structs.replace(meta, tracings=moved))
        save(packed, tmp_path / "a.tfgdbg")
        assert "tracings do not fit together" in refusal(tmp_path / "a.tfgdbg").message

    def test_two_parts_of_one_name(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        with zipfile.ZipFile(tmp_path / "a.tfgdbg", "w") as archive:
            archive.writestr(META_PART, packed[META_PART])
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr(META_PART, packed[META_PART])
        assert "two parts of one name" in refusal(tmp_path / "a.tfgdbg").message

    @pytest.mark.parametrize("name", ["../../etc/cron.d/job", "/etc/passwd", "a/../../b", "C:/autoexec", "..\\b"])
    def test_parts_that_point_outside(self, tmp_path: Path, packed: dict[str, bytes], name: str) -> None:
        (tmp_path / "a.tfgdbg").write_bytes(zip_of({**packed, name: b""}))
        assert "points outside of it" in refusal(tmp_path / "a.tfgdbg").message

    def test_an_encrypted_or_unknown_member(self, saved: Path) -> None:
        whole = saved.read_bytes()
        for offset, value in ((6, 1), (8, 99)):
            # Both headers tell: the local one at the start, and the first of the directory.
            local, central = bytearray(whole), whole.index(b"PK\x01\x02")
            local[offset] = local[central + offset + 2] = value
            saved.write_bytes(local)
            refusal(saved)

    @pytest.mark.parametrize("raw", ODD_MSGPACK.values(), ids=ODD_MSGPACK.keys())
    def test_msgpack_bombs_and_oddities(self, raw: bytes) -> None:
        parts = zstandard.ZstdCompressor().compress(raw)
        kinds: tuple[type[object], ...] = (RecordingMeta, dict[str, object], tuple[RecordingMeta, ...])
        for kind in kinds:
            with pytest.raises(UnreadableFileError, match="meta is damaged"):
                decode_part(parts, kind, "meta")


class TestBombs:
    def bomb(self, path: Path, packed: dict[str, bytes], forge: Callable[[zipfile.ZipInfo], None]) -> str:
        """What is said of a recording whose directory was forged for its log."""
        with zipfile.ZipFile(path, "w") as archive:
            archive.comment = b"tfgraphdbg recording"
            for name, content in packed.items():
                archive.writestr(name, content, zipfile.ZIP_DEFLATED)
            forge(archive.getinfo("log.txt"))
        return refusal(path).message

    def test_a_member_that_claims_too_much(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        def claim(info: zipfile.ZipInfo) -> None:
            info.file_size = (2 << 30) + 1

        assert "more than any recording holds" in self.bomb(tmp_path / "a", packed, claim)

    def test_a_small_member_that_claims_much(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        def claim(info: zipfile.ZipInfo) -> None:
            info.file_size = 300 << 20

        assert "more than any recording holds" in self.bomb(tmp_path / "a", packed, claim)

    def test_a_member_that_lies_about_its_size(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        packed["log.txt"] = b"long " * 1000

        def shorten(info: zipfile.ZipInfo) -> None:
            info.file_size = 100

        def lengthen(info: zipfile.ZipInfo) -> None:
            info.file_size = 100_000

        for lie in (shorten, lengthen):
            self.bomb(tmp_path / "a", packed, lie)

    def test_members_that_overlap(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        path = tmp_path / "a"
        packed["kernel.txt"] = os.urandom(2000)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in packed.items():
                archive.writestr(name, content)
            kernel = archive.getinfo("kernel.txt")
            for place in range(100):
                copy = zipfile.ZipInfo(f"{place}.txt")
                for field in ("header_offset", "CRC", "compress_size", "file_size"):
                    setattr(copy, field, getattr(kernel, field))
                archive.filelist.append(copy)
        assert "parts overlap" in refusal(path).message

    def test_a_part_that_is_too_large(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recording_file, "MAX_PART_BYTES", 100)
        assert "more than any recording holds" in refusal(saved).message

    def test_too_many_parts(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recording_file, "MAX_PARTS", 5)
        assert "more than any recording holds" in refusal(saved).message

    def test_too_much_in_all(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recording_file, "MAX_TOTAL_BYTES", 100)
        assert "more than any recording holds" in refusal(saved).message

    def test_a_zstd_frame_that_claims_too_much(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        magic, single_segment_8_byte_size = b"\x28\xb5\x2f\xfd", b"\xe0"
        for size in ((2 << 30) + 1, 300 << 20, (1 << 64) - 3):
            frame = magic + single_segment_8_byte_size + size.to_bytes(8, "little") + b"\x01\x00\x00"
            (tmp_path / "a").write_bytes(zip_of({**packed, META_PART: frame}))
            assert "more than any recording holds" in refusal(tmp_path / "a").message

    def test_a_zstd_frame_that_unpacks_to_more_than_it_claims(self, packed: dict[str, bytes]) -> None:
        frame = bytearray(zstandard.ZstdCompressor(write_checksum=False).compress(b"\xc0" * 200))
        frame[5] = 100
        with pytest.raises(UnreadableFileError, match="meta is damaged"):
            decode_part(bytes(frame), RecordingMeta, "meta")

    def test_a_frame_that_does_not_tell_its_size(self) -> None:
        frame = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1000))
        with pytest.raises(UnreadableFileError, match="does not tell its size"):
            decode_part(frame, RecordingMeta, "meta")

    def test_a_zip_in_a_zip_stays_packed(self, tmp_path: Path, packed: dict[str, bytes]) -> None:
        packed["inner.txt"] = zlib.compress(bytes(10 << 20))
        (tmp_path / "a").write_bytes(zip_of(packed))
        assert len(load(tmp_path / "a").parts.read("inner.txt")) < 20_000
