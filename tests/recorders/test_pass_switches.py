"""Grappler passes that are switched off stay off in real runs, whatever the program says; the recording tells it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tfgraphdbg
from tests.conftest import GRAPHS_ALONE, SAMPLES, run_tfgraphdbg
from tests.recorders.loading import environment
from tfgraphdbg.analyses.pass_options import pass_option_findings, pass_options_table
from tfgraphdbg.errors import UsageError
from tfgraphdbg.pass_switches import PASSES
from tfgraphdbg.recording_file import load

pytestmark = pytest.mark.tensorflow

SWITCHES_EACH_PASS = Path(__file__).parent / "programs" / "pass_switches.py"

NOT_HERE = {"auto_mixed_precision_onednn_bfloat16", "auto_mixed_precision_mkl", "plugin_optimizers"}
"""Passes of other builds of TensorFlow, or of other devices."""

DENSE = """
import tensorflow as tf

def dense(x):
    weights = tf.ones([8, 8])
    return tf.nn.relu(x @ weights) + tf.nn.relu(x @ weights) * (2.0 * 3.0)
"""


def ran_with_each(option: str, folder: Path) -> dict[str, set[str]]:
    """The passes of a run with each pass given to `without` or `only`; of one without a choice first and last."""
    logging = {"TF_CPP_VMODULE": "meta_optimizer=4", "TF_CPP_MIN_LOG_LEVEL": "0", "TF_DUMP_GRAPH_FMT": "BIN"}
    done = subprocess.run(
        [sys.executable, str(SWITCHES_EACH_PASS), str(folder / "log.txt"), option],
        stdout=subprocess.PIPE,
        env={**environment(), **logging, "TF_DUMP_GRAPH_PREFIX": str(folder)},
        timeout=240,
        check=True,
    )
    return {name: set(ran) for name, ran in json.loads(done.stdout).items()}


def test_a_pass_that_is_switched_off_is_never_run_and_all_others_are(tmp_path):
    ran = ran_with_each("without", tmp_path)
    usual = {known.name for known in PASSES if known.is_on} - NOT_HERE
    assert ran[""] == ran["after"] == usual
    assert {name: passes for name, passes in ran.items() if name} == {
        **{known.name: usual - {known.name} for known in PASSES},
        "after": usual,
    }


def test_a_pass_that_is_left_on_alone_is_the_only_one_that_runs(tmp_path):
    ran = ran_with_each("only", tmp_path)
    for known in PASSES:
        if known.name not in NOT_HERE | {"autoparallel"}:
            assert known.name in ran[known.name], known.name
            assert ran[known.name] <= {known.name, *known.also}
    assert ran["auto_mixed_precision_onednn_bfloat16"] == ran["plugin_optimizers"] == set()


def test_a_recording_without_a_pass_has_no_step_of_it_and_says_so(recorded):
    usual = load(recorded("matmul.py:matmul"))
    without = load(recorded("matmul.py:matmul", "--without", "remapper,dependency_optimization"))
    assert usual.graph("optimized").op_type_counts()["_FusedMatMul"] == 1
    assert "_FusedMatMul" not in without.graph("optimized").op_type_counts()
    steps = {step.short_name for step in without.own_rewrites().steps}
    assert steps == {step.short_name for step in usual.own_rewrites().steps} - {"remapper", "dependency_optimizer"}
    rows = {row[0]: row[1:3] for row in pass_options_table(without).rows}
    assert rows["remapper"] == rows["dependency_optimizer"] == ("off", "--without")
    assert rows["layout"] == ("on", "default")
    assert [finding.rule for finding in pass_option_findings(without)] == ["passes-switched-off"]
    assert pass_option_findings(usual) == ()
    assert {row[2] for row in pass_options_table(usual).rows} == {"default"}


def recorded_program(folder: Path, source: str, *words: str, code: int = 0) -> tfgraphdbg.recording.Recording:
    program, out = folder / "program.py", folder / "run.tfgdbg"
    program.write_text(DENSE + source)
    done = run_tfgraphdbg("record", str(program), "-o", str(out), *GRAPHS_ALONE, *words)
    assert done.returncode == code, done.stderr
    return load(out)


SETS_OPTIONS = """
tf.config.optimizer.set_experimental_options({"remapping": True, "layout_optimizer": False, "remaping": False})
tf.function(dense)(tf.ones([8, 8]))
tf.config.optimizer.set_experimental_options({"constant_folding": False})
assert not tf.config.optimizer.get_experimental_options().get("remapping")
"""


def test_a_program_cannot_undo_a_switch_and_is_told_of_it(tmp_path):
    recording = recorded_program(tmp_path, SETS_OPTIONS, "--without", "remapper")
    steps = {step.short_name for step in recording.own_rewrites().steps}
    assert "remapper" not in steps
    assert "layout" not in steps
    assert "constant_folding" in steps
    rows = {row[0]: row[1:3] for row in pass_options_table(recording).rows}
    assert rows["remapper"] == ("off", "--without")
    assert rows["layout"] == rows["constant_folding"] == ("off", "tf.config.optimizer")
    findings = {finding.rule: finding.evidence for finding in pass_option_findings(recording)}
    assert findings == {
        "passes-switched-off": {"option": "--without", "passes": ["remapper"]},
        "pass-option-undone": {"option": "remapping", "program": "True", "in_force": "False"},
        "pass-option-changed": {"constant_folding": "default, then False"},
        "pass-option-ignored": {"options": ["remaping"]},
    }


TURNS_GRAPPLER_OFF = """
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True, "arithmetic_optimization": False})
tf.function(dense)(tf.ones([8, 8]))
"""


def test_the_passes_that_are_asked_for_run_even_where_the_program_has_none(tmp_path):
    recording = recorded_program(tmp_path, TURNS_GRAPPLER_OFF, "--only", "cse")
    assert {step.short_name for step in recording.own_rewrites().steps} <= {
        "common_subgraph_elimination",
        "meta_optimizer",
    }
    assert recording.graph("optimized").op_type_counts()["MatMul"] == 1
    rows = {row[0]: row[1:3] for row in pass_options_table(recording).rows}
    assert rows["common_subgraph_elimination"] == ("on", "--only")
    assert rows["arithmetic_optimizer"] == rows["remapper"] == ("off", "--only")


def test_what_the_program_switches_off_takes_the_pass_along_that_needs_it(tmp_path):
    source = TURNS_GRAPPLER_OFF.replace('"disable_meta_optimizer": True, ', "")
    recording = recorded_program(tmp_path, source)
    rows = {row[0]: row[1:3] for row in pass_options_table(recording).rows}
    assert rows["common_subgraph_elimination"] == rows["arithmetic_optimizer"] == ("off", "tf.config.optimizer")
    assert recording.graph("optimized").op_type_counts()["MatMul"] == 2


def test_a_recording_that_a_crash_ended_still_tells_its_switches(tmp_path):
    crash = "\ntf.function(dense)(tf.ones([8, 8]))\nimport os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"
    recording = recorded_program(tmp_path, crash, "--without", "remapper", code=3)
    assert "SIGSEGV" in recording.meta.outcome
    assert [finding.rule for finding in pass_option_findings(recording)] == ["passes-switched-off"]


def test_a_recording_in_the_cache_is_kept_apart_from_the_ordinary_one(tmp_path):
    for words in (GRAPHS_ALONE, (*GRAPHS_ALONE, "--only", "remapper")):
        done = run_tfgraphdbg("overview", "matmul.py:matmul", *words, cwd=SAMPLES, XDG_CACHE_HOME=str(tmp_path))
        assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "tfgraphdbg").iterdir()}
    assert names == {"matmul.py-matmul.tfgdbg", "matmul.py-matmul-only-remapper.tfgdbg"}


def test_in_place_one_call_runs_without_a_pass_and_the_next_one_with_it():
    import tensorflow as tf

    @tf.function
    def dense(x):
        return tf.nn.relu(tf.nn.bias_add(x @ tf.ones([8, 8]), tf.ones([8])))

    x = tf.random.normal([4, 8])
    dense(x)
    without = tfgraphdbg.record(dense, x, without="remapper")
    assert "_FusedMatMul" not in without.graph("optimized").op_type_counts()
    assert without.meta.options["grappler-from"]["remapping"] == "--without"
    usual = tfgraphdbg.record(dense, x)
    assert usual.graph("optimized").op_type_counts()["_FusedMatMul"] == 1
    assert "remapping" not in tf.config.optimizer.get_experimental_options()
    with pytest.raises(UsageError, match="remaper"):
        tfgraphdbg.record(dense, x, only=["remaper"])
