"""The command line as scripts meet it: exit codes, streams, formats and messages."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import SAMPLES, run_tfgraphdbg
from tests.hand_built import HOSTILE_NAMES, hostile_graph, packed_recording, small_optimized, small_traced
from tests.pass_recordings import packed_with_passes
from tests.timed_recordings import packed_with_times
from tfgraphdbg.analyses import ANALYSES
from tfgraphdbg.recording_file import load, save

NO_TENSORFLOW = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, path=None, target=None: None if name == "tensorflow" else find(name, path, target)
"""


@pytest.fixture
def recording(tmp_path: Path) -> str:
    path = tmp_path / "small.tfgdbg"
    save(packed_recording([small_traced(), small_optimized()]), path)
    return str(path)


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    path = tmp_path_factory.mktemp("timed") / "timed.tfgdbg"
    save(packed_with_times(), path)
    return str(path)


@pytest.fixture
def with_passes(tmp_path: Path) -> str:
    path = tmp_path / "passes.tfgdbg"
    save(packed_with_passes(), path)
    return str(path)


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    path = tmp_path / "hostile.tfgdbg"
    save(packed_recording([hostile_graph()], name="a[red]<b>&\x1b[31m.py:f"), path)
    return str(path)


@pytest.fixture
def without_tensorflow(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "no_tensorflow"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(NO_TENSORFLOW)
    return {"PYTHONPATH": f"{folder}{os.pathsep}{SAMPLES.parent}"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, "no verb"),
        (("frobnicate", "x"), 2, "invalid choice"),
        (("overview",), 2, "TARGET"),
        (("overview", "no_such_file.py:f"), 2, "no_such_file.py"),
        (("overview", "no_such_file.tfgdbg"), 2, "no_such_file.tfgdbg"),
        (("overview", "{recording}", "-f", "yaml"), 2, "text, json, csv"),
        (("overview", "{recording}", "-o", "x.yaml"), 2, ".json"),
        (("overview", "{recording}", "-o", "no/such/folder/x.json"), 2, "folder does not exist"),
        (("overview", "{recording}", "--function", "nope"), 2, "train_step"),
        (("overview", "{recording}", "--fail-on", "sometimes"), 2, "invalid choice"),
        (("overview", "{recording}", "--", "--epochs", "1"), 2, "only a program takes arguments"),
        (("diff", "{recording}", "--stage", "nope"), 2, "traced, optimized"),
        (("render", "{recording}", "--focus", "dense/MatMull"), 2, "dense/MatMul"),
        (("record", "{recording}"), 2, "-o"),
        (("record", "{recording}", "-o", "other.tfgdbg"), 2, "is a recording already"),
        (("overview", "{recording}", "--timeout", "-1"), 2, "seconds above 0"),
        (("overview", "{recording}", "--batch", "0"), 2, "1 or more"),
        (("overview", "{recording}", "--input", "float32[2]"), 2, "leave --input out"),
        (("overview", "{recording}", "--without", "remapper"), 2, "leave --without out"),
        (("overview", "{recording}", "--steps", "0"), 2, "leave --steps out"),
        (("overview", "{recording}", "--no-eager"), 2, "leave --no-eager out"),
        (("overview", "{recording}", "--steps", "-1"), 2, "0 or more"),
        (("overview", "{recording}", "--only", "remapper"), 2, "leave --only out"),
        (("overview", "{program}", "--without", "remaper"), 2, "did you mean --without remapper?"),
        (("overview", "{program}", "--without", "meta_optimizer"), 2, "it runs the passes"),
        (("overview", "{program}", "--only", "layout", "--without", "remapper"), 2, "use one: --without PASS"),
        (("overview", "{graph}", "--only", "layout"), 2, "leave --only out"),
        (("overview", "train.py", "--epochs", "1"), 2, "come after --"),
        (("overview", "{foreign}"), 4, "is not a tfgraphdbg recording"),
        (("overview", "{truncated}"), 4, "damaged or truncated"),
    ],
)
def test_bad_input_gives_one_message_a_hint_and_its_exit_code(recording, tmp_path, words, code, message):
    (tmp_path / "foreign.tfgdbg").write_text("hello")
    (tmp_path / "truncated.tfgdbg").write_bytes(Path(recording).read_bytes()[:900])
    names = {name: str(tmp_path / f"{name}.tfgdbg") for name in ("foreign", "truncated")}
    names |= {"program": str(tmp_path / "program.py"), "graph": str(tmp_path / "graph.pb")}
    for name in ("program", "graph"):
        Path(names[name]).touch()
    done = run_tfgraphdbg(*(word.format(recording=recording, **names) for word in words), cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    first, *hints = done.stderr.splitlines()
    assert first.startswith("tfgraphdbg: ")
    assert message in done.stderr
    assert hints
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", [*(analysis.name for analysis in ANALYSES), "inspect"])
@pytest.mark.parametrize("format_", ["text", "json", "csv"])
def test_every_report_comes_in_every_format(recording, with_passes, timed, verb, format_):
    fitting = {"passes": with_passes, "bottlenecks": timed, "eager": timed}
    done = run_tfgraphdbg(verb, fitting.get(verb, recording), "-f", format_)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    if format_ == "json":
        report = json.loads(done.stdout)
        assert report["schema"] == 1
        assert report["target"]["name"] == "model.py:train_step"
    elif format_ == "csv":
        assert len(list(csv.reader(io.StringIO(done.stdout)))) > 5
    else:
        assert "MatMul" in done.stdout


def test_the_extension_chooses_the_format_and_an_old_file_is_replaced_whole(recording, tmp_path):
    out = tmp_path / "report.json"
    out.write_text("old")
    done = run_tfgraphdbg("overview", recording, "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert json.loads(out.read_text())["analysis"] == "overview"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "small.tfgdbg"]


def test_two_recordings_are_compared(recording, tmp_path):
    other = tmp_path / "other.tfgdbg"
    save(packed_recording([small_traced(), small_traced_as_optimized()]), other)
    done = run_tfgraphdbg("diff", recording, str(other), "-f", "json")
    assert done.returncode == 0, done.stderr
    assert {finding["rule"] for finding in json.loads(done.stdout)["findings"]} >= {"op-count-changed"}


def small_traced_as_optimized():
    import msgspec

    return msgspec.structs.replace(small_traced(), stage="optimized")


def test_a_gate_fails_only_when_a_finding_is_severe_enough(recording):
    assert run_tfgraphdbg("diff", recording, "-q").returncode == 0
    assert run_tfgraphdbg("diff", recording, "-q", "--fail-on", "info").returncode == 1
    assert run_tfgraphdbg("diff", recording, "-q", "--fail-on", "error").returncode == 0


@pytest.mark.parametrize(
    ("words", "colored"), [(("--color", "always"), True), (("--color", "never"), False), ((), False)]
)
def test_color_is_only_where_it_is_wanted(recording, words, colored):
    assert ("\x1b[" in run_tfgraphdbg("overview", recording, *words).stdout) is colored


@pytest.mark.parametrize("format_", ["text", "json", "csv"])
@pytest.mark.parametrize("verb", ["overview", "diff"])
def test_hostile_names_cannot_break_a_report(hostile, verb, format_):
    words = () if verb == "overview" else ("--stage", "traced", "--against", "traced")
    done = run_tfgraphdbg(verb, hostile, "-f", format_, *words)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_hostile_names_come_through_pictures_whole(hostile, tmp_path):
    out = tmp_path / "graph.svg"
    done = run_tfgraphdbg("render", hostile, "--stage", "traced", "-o", str(out))
    assert done.returncode == 0, done.stderr
    words = " ".join(ElementTree.parse(out).getroot().itertext())
    assert "<&>" in words
    assert "[red]bold[/red]" in words
    assert HOSTILE_NAMES[0].encode() not in out.read_bytes()
    dot = run_tfgraphdbg("render", hostile, "--stage", "traced", "-f", "dot")
    assert dot.returncode == 0
    assert "digraph" in dot.stdout


def test_without_tensorflow_a_recording_opens_and_recording_says_what_to_install(
    recording, tmp_path, without_tensorflow
):
    assert run_tfgraphdbg("overview", recording, **without_tensorflow).returncode == 0
    done = run_tfgraphdbg(
        "record", str(SAMPLES / "matmul.py:matmul"), "-o", str(tmp_path / "x.tfgdbg"), **without_tensorflow
    )
    assert done.returncode == 5
    assert "pip install 'tfgraphdbg[tensorflow]'" in done.stderr
    assert not (tmp_path / "x.tfgdbg").exists()


def test_a_reader_that_stops_early_is_no_error(recording):
    command = [sys.executable, "-m", "tfgraphdbg", "diff", recording, "-f", "csv"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(SAMPLES.parent)}
    )
    process.stdout.close()
    stderr = process.stderr.read()
    assert process.wait() == 0
    assert stderr == b""


def test_the_console_script_and_the_module_are_the_same_command():
    script = Path(sysconfig.get_path("scripts")) / "tfgraphdbg"
    version = run_tfgraphdbg("--version").stdout
    assert version.startswith("tfgraphdbg 0.")
    if script.exists():
        assert subprocess.run([script, "--version"], capture_output=True, text=True, check=True).stdout == version


@pytest.mark.tensorflow
def test_the_main_job_prints_the_overview_and_keeps_the_recording(tmp_path):
    out = tmp_path / "kept.tfgdbg"
    target = str(SAMPLES / "dense_train_step.py:train_step")
    done = run_tfgraphdbg("inspect", target, "-f", "json", "--save", str(out), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["analysis"] == "overview"
    assert f"tfgraphdbg inspect {out}" in done.stderr
    assert load(out).meta.outcome == "complete"


@pytest.mark.tensorflow
def test_a_recording_goes_to_the_users_cache_when_no_place_is_named(tmp_path):
    folder = tmp_path / "tfgraphdbg"
    folder.mkdir()
    for age in range(25):
        (folder / f"{age}.tfgdbg").write_bytes(b"old")
        os.utime(folder / f"{age}.tfgdbg", (age, age))
    done = run_tfgraphdbg("overview", "matmul.py:matmul", "-v", cwd=SAMPLES, XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert load(folder / "matmul.py-matmul.tfgdbg").target.name == "matmul.py:matmul"
    assert len(list(folder.iterdir())) == 21
    assert "TensorFlow's log" in done.stderr
