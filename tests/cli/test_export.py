"""`export` and `--device-model` as scripts meet them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.conftest import run_tfgraphdbg
from tests.hand_built import packed_recording, small_optimized, small_traced
from tests.timed_recordings import packed_with_times
from tests.trace_checks import checked
from tfgraphdbg.recording_file import save


@pytest.fixture
def timed(tmp_path: Path) -> str:
    path = tmp_path / "timed.tfgdbg"
    save(packed_with_times(), path)
    return str(path)


def test_a_trace_as_a_file_packed_and_on_stdout(timed, tmp_path):
    path = tmp_path / "trace.json.gz"
    done = run_tfgraphdbg("export", timed, "--to", "perfetto", "-o", str(path))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"wrote {path}\n"
    piped = run_tfgraphdbg("export", timed, "--to", "perfetto")
    assert piped.stderr == ""
    assert piped.stdout.encode() == gzip.decompress(path.read_bytes())
    assert any(event["name"] == "dense/Relu" for event in checked(piped.stdout.encode()))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "prefetto"], "invalid choice: 'prefetto'"),
        ([], "the following arguments are required: --to"),
        (["--to", "perfetto", "-o", "trace.svg"], "'trace.svg' does not end as a file for perfetto does"),
        (["--to", "perfetto", "-o", "gone/trace.json"], "its folder does not exist"),
        (["--to", "perfetto", "--steps", "3"], "is a recording already"),
        (["--to", "perfetto", "--function", "other"], "other"),
    ],
)
def test_wrong_words_are_told(timed, words, message):
    done = run_tfgraphdbg("export", timed, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_recording_without_times_is_told_how_to_have_them(tmp_path):
    path = tmp_path / "graphs.tfgdbg"
    save(packed_recording([small_traced(), small_optimized()]), path)
    done = run_tfgraphdbg("export", str(path), "--to", "perfetto", "-o", str(tmp_path / "t.json"))
    assert done.returncode == 2
    assert "there are no times of train_step to export" in done.stderr
    assert "--steps 10" in done.stderr
    assert not (tmp_path / "t.json").exists()


def test_a_what_if_on_the_command_line(timed, tmp_path):
    (tmp_path / "mine.toml").write_text("peak = 1000\nbandwidth = 100\n")
    for model in ("gpu:a100", str(tmp_path / "mine.toml")):
        done = run_tfgraphdbg("bottlenecks", timed, "--device-model", model)
        assert done.returncode == 0, done.stderr
    wrong = run_tfgraphdbg("bottlenecks", "no_such_program.py:f", "--device-model", "gpu:a1000")
    assert wrong.returncode == 2
    assert "there is no device model 'gpu:a1000'" in wrong.stderr
    assert "did you mean gpu:a100" in wrong.stderr


def test_only_verbs_that_can_tell_take_a_device_model(timed):
    assert run_tfgraphdbg("passes", timed, "--device-model", "gpu:a100").returncode == 2
