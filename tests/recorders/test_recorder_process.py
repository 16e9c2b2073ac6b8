"""How a recording ends when the user's program does not end well: message, exit code, and what is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import GRAPHS_ALONE, SAMPLES, run_tfgraphdbg
from tfgraphdbg.recording_file import load

CRASHING = """
import os, signal, sys, time
import tensorflow as tf

@tf.function
def good(x):
    return tf.nn.relu(x) * 2

def after_one_call():
    good(tf.ones([4]))
    {what}

def after_one_call_inputs():
    yield ()
"""


@pytest.fixture
def program(tmp_path: Path):
    def write(what: str, name: str = "crashing.py") -> Path:
        path = tmp_path / name
        path.write_text(what)
        return path

    return write


def record(
    program: Path, tmp_path: Path, *words: str, target: str = ""
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run `record` on a program and give the file it should have kept."""
    out = tmp_path / "run.tfgdbg"
    return run_tfgraphdbg("record", str(program) + target, "-o", str(out), *GRAPHS_ALONE, *words), out


WITH_TENSORFLOW = """
import tensorflow as tf, os, signal, sys

@tf.function
def good(x):
    return tf.nn.relu(x) * 2

good(tf.ones([4]))
print("printed before the end")
"""


@pytest.mark.tensorflow
def test_an_exception_is_shown_with_the_users_frames_and_keeps_what_ran_before(program, tmp_path):
    done, out = record(
        program(WITH_TENSORFLOW + "\n\ndef fails():\n    raise ValueError('my own mistake')\n\nfails()\n"), tmp_path
    )
    assert done.returncode == 3
    assert "my own mistake" in done.stderr
    assert "in fails" in done.stderr
    assert "recorders" not in done.stderr
    kept = load(out)
    assert "my own mistake" in kept.meta.outcome
    assert kept.graph("optimized").op_type_counts()["Relu"] == 1
    assert "printed before the end" in kept.console


@pytest.mark.tensorflow
def test_a_segmentation_fault_names_the_line_and_keeps_what_ran_before(program, tmp_path):
    done, out = record(
        program(WITH_TENSORFLOW + "\n\ndef dies():\n    os.kill(os.getpid(), signal.SIGSEGV)\n\ndies()\n"), tmp_path
    )
    assert done.returncode == 3
    assert "SIGSEGV" in done.stderr
    assert "in dies" in done.stderr
    kept = load(out)
    assert "SIGSEGV" in kept.meta.outcome
    assert kept.graph("optimized").op_type_counts()["Relu"] == 1


@pytest.mark.tensorflow
def test_a_program_that_never_returns_is_stopped_and_what_ran_before_is_kept(program, tmp_path):
    spinning = "\n\ndef spins():\n    while True:\n        pass\n\nspins()\n"
    endless = WITH_TENSORFLOW + "\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + spinning
    done, out = record(program(endless), tmp_path, "--timeout", "12")
    assert done.returncode == 124
    assert "12 s" in done.stderr
    assert "in spins" in done.stderr
    assert "recorders" not in done.stderr
    assert load(out).graph("optimized").op_type_counts()["Relu"] == 1


@pytest.mark.tensorflow
def test_ctrl_c_ends_the_recording_and_keeps_what_ran_before(program, tmp_path):
    waiting = WITH_TENSORFLOW + "\nopen('ready', 'w').close()\nimport time\ntime.sleep(600)\n"
    path, out = program(waiting), tmp_path / "run.tfgdbg"
    command = [sys.executable, "-m", "tfgraphdbg", "record", str(path), "-o", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(SAMPLES.parent)}
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 60
    while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "interrupted" in stderr
    assert load(out).graph("optimized").op_type_counts()["Relu"] == 1


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("import sys\nsys.exit(7)\n", 3, "exited with code 7"),
        (
            "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('size')\nparser.parse_args()\n",
            3,
            "size",
        ),
        ("import os\nos._exit(9)\n", 3, "exit code 9"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", 3, "out of memory"),
        ("raise MemoryError('no more')\n", 3, "MemoryError"),
        ("def broken(:\n    pass\n", 3, "SyntaxError"),
        ("import no_such_module_anywhere\n", 3, "no_such_module_anywhere"),
        ("print(input())\n", 3, "EOFError"),
        ("def f():\n    f()\nf()\n", 3, "RecursionError"),
    ],
)
def test_each_way_to_fail_has_its_message_and_its_exit_code(program, tmp_path, code, exit_code, words):
    done, out = record(program(code), tmp_path)
    assert done.returncode == exit_code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr or "tfgraphdbg/" not in done.stderr
    assert load(out).meta.outcome != "complete"


def test_a_failed_run_does_not_replace_a_recording_that_is_there(program, tmp_path):
    whole = record(program("print('fine')\n", "fine.py"), tmp_path)[1]
    before = whole.read_bytes()
    done, _ = record(program("raise ValueError('later')\n"), tmp_path)
    assert done.returncode == 3
    assert whole.read_bytes() == before
    assert "later" in load(tmp_path / "run.partial.tfgdbg").meta.outcome
    assert "run.partial.tfgdbg" in done.stderr


def test_what_a_program_prints_is_kept_and_stays_off_stdout(program, tmp_path):
    done, out = record(
        program("import os, sys\nprint('to stdout')\nprint('to stderr', file=sys.stderr)\nos.write(1, b'raw\\n')\n"),
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert load(out).console == "to stdout\nto stderr\nraw\n"


def test_the_recorder_ends_with_its_parent(program, tmp_path):
    path = program(
        "import os, time\n"
        "open('folder', 'w').write(os.path.dirname(os.environ['TF_DUMP_GRAPH_PREFIX']))\n"
        "open('pid', 'w').write(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-m", "tfgraphdbg", "record", str(path), "-o", str(tmp_path / "run.tfgdbg")]
    environment = {**os.environ, "PYTHONPATH": str(SAMPLES.parent)}
    parent = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, env=environment)
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child = int((tmp_path / "pid").read_text())
    parent.kill()
    parent.wait()
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not Path((tmp_path / "folder").read_text()).exists()
