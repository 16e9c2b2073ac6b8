"""The recorded structure of real programs: stages, library functions, Python lines, origins, partitions, HLO."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import GRAPHS_ALONE, SAMPLES, run_tfgraphdbg
from tfgraphdbg.recording import Recording
from tfgraphdbg.recording_file import load

pytestmark = pytest.mark.tensorflow

PROGRAMS = Path(__file__).parent / "programs"

SAMPLE_TARGETS = (
    "matmul.py:matmul",
    "small_gradient.py:gradient",
    "large_tensors.py:with_del",
    "large_tensors.py:without_del",
    "dense_train_step.py:train_step",
    "keras_conv_train_step.py:train_step",
    "keras_conv_train_step.py:model",
    "control_flow.py:while_loop",
    "control_flow.py:cond",
    "control_flow.py:autograph",
    "control_flow.py:unrolled",
    "nested_functions.py:distance_gradient",
    "two_devices.py:trainer.step",
    "xla_function.py:compiled",
    "xla_function.py:interpreted",
)


def rows_of(report: dict, table: str) -> list[dict]:
    """A table of a JSON report as one dictionary a row."""
    found = next(candidate for candidate in report["tables"] if candidate["name"] == table)
    names = [column["name"] for column in found["columns"]]
    return [dict(zip(names, row, strict=True)) for row in found["rows"]]


@pytest.mark.slow
@pytest.mark.parametrize("program", ["resnet50_train_step.py", "bert_train_step.py"])
def test_counts_equal_tensorflows_own(program, recorded):
    path = PROGRAMS / program
    out = recorded(f"{path}:train_step")
    done = run_tfgraphdbg("overview", str(out), "-f", "json")
    assert done.returncode == 0, done.stderr
    direct = subprocess.run(
        [sys.executable, str(PROGRAMS / "direct_counts.py"), str(path)], capture_output=True, text=True, check=True
    )
    expected = json.loads(direct.stdout.splitlines()[-1])
    stages = {row["stage"]: row for row in rows_of(json.loads(done.stdout), "stages")}
    assert {stage: stages[stage]["ops"] for stage in expected["ops"]} == expected["ops"]
    assert {stage: stages[stage]["edges"] for stage in expected["edges"]} == expected["edges"]
    recording = load(out)
    traced = recording.graph("traced").top_level_ops
    frames = {op.name: recording.stacks.user_frame(op.stack) for op in traced}
    assert all(frame and frame.file == str(path) for frame in frames.values())
    assert {name: frames[name].line for name in expected["user_lines"]} == expected["user_lines"]
    assert_origins_are_traced_or_new(recording)


def assert_origins_are_traced_or_new(recording: Recording) -> None:
    """Every op of every later stage names traced ops that exist, or none, which marks it as new."""
    traced = recording.graph("traced").by_id
    for stage in recording.main_tracing.stages:
        if stage.kind == "graph" and stage.name != "traced":
            ops = recording.graph(stage.name).ops
            assert all(origin in traced for op in ops for origin in op.origins)
            unexplained = [op.id for op in ops if not op.origins and op.id in traced]
            assert not unexplained, (stage.name, unexplained[:3])


@pytest.mark.parametrize("target", SAMPLE_TARGETS)
def test_every_sample_is_recorded_whole(recorded, target):
    recording = load(recorded(target))
    assert recording.meta.outcome == "complete"
    assert not [gap for gap in recording.missing if gap.evidence.startswith("stage-")]
    for tracing in recording.tracings:
        for stage in tracing.stages:
            if stage.kind == "graph":
                graph = recording.graph(stage.name, tracing)
                graph.check()
                assert len(graph.topological_order) == len(graph.ops)
                assert len(graph.top_level_ops) == stage.ops
                assert recording.graph_def(stage.name, tracing)
    assert_origins_are_traced_or_new(recording)


@pytest.mark.parametrize("target", ["dense_train_step.py:train_step", "control_flow.py:autograph"])
def test_every_op_that_python_made_has_its_line_in_the_users_file(recorded, target):
    recording = load(recorded(target))
    frames = [recording.stacks.user_frame(op.stack) for op in recording.graph("traced").ops if op.stack >= 0]
    assert frames
    assert {frame and frame.file for frame in frames} == {str(SAMPLES / target.split(":")[0])}
    assert "tf.function" in recording.sources[str(SAMPLES / target.split(":")[0])]


def test_a_loop_is_followed_through_inlining_and_lowering(recorded):
    recording = load(recorded("control_flow.py:autograph"))
    traced, lowered = recording.graph("traced"), recording.graph("lowered")
    loop = next(op for op in traced.top_level_ops if "While" in op.op_type)
    body = str(traced.attrs_of(loop)["body"])
    assert body in traced.functions
    machinery = [op for op in lowered.ops if op.op_type in ("Enter", "NextIteration", "Exit", "LoopCond")]
    assert machinery
    assert all(op.origins == (loop.id,) for op in machinery if op.name.startswith(loop.name + "/"))
    inlined = [op for op in lowered.ops if any(origin.startswith(body + "::") for origin in op.origins)]
    assert inlined
    assert all(op.stack >= 0 for op in inlined if traced.by_id[op.origins[0]].stack >= 0)


def test_nested_functions_are_kept_with_their_bodies(recorded):
    traced = load(recorded("nested_functions.py:distance_gradient")).graph("traced")
    assert traced.functions
    assert {op.function for op in traced.ops} == {"", *traced.functions}


def test_two_devices_give_two_partitions_that_talk_to_each_other(recorded):
    recording = load(recorded("two_devices.py:trainer.step"))
    partitions = [stage for stage in recording.main_tracing.stages if stage.name.startswith("partition:")]
    assert [stage.device.rpartition("/")[2] for stage in partitions] == ["device:CPU:0", "device:CPU:1"]
    types = [recording.graph(stage.name).op_type_counts() for stage in partitions]
    assert all(counts["_Send"] + counts["_Recv"] + counts["CollectiveReduceV2"] for counts in types)
    assert [device.name for device in recording.meta.devices] == ["CPU:0", "CPU:1"]


def test_a_jit_compiled_function_has_its_hlo_before_and_after_xla(recorded):
    recording = load(recorded("xla_function.py:compiled"))
    assert recording.main_tracing.jit_compile
    assert recording.text("hlo").startswith("HloModule")
    assert "fus" in recording.text("optimized-hlo")


def test_a_program_has_all_its_functions_and_each_tracing(tmp_path):
    out = tmp_path / "program.tfgdbg"
    program = str(SAMPLES / "train_program.py")
    done = run_tfgraphdbg("record", program, "-o", str(out), "--function", "share_correct", "--", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    recording = load(out)
    assert recording.main_tracing.function == "share_correct"
    of_function = [tracing for tracing in recording.tracings if tracing.function == "share_correct"]
    assert len(of_function) == 2
    assert len({tracing.signature for tracing in of_function}) == 2
    assert sum(tracing.calls for tracing in of_function) == len(
        [call for call in recording.calls if recording.tracings[call.tracing].function == "share_correct"]
    )
    assert any("on_iterator" in tracing.function for tracing in recording.tracings)


def test_options_versions_and_signature_are_kept(recorded):
    recording = load(recorded("keras_conv_train_step.py:train_step"))
    meta = recording.meta
    assert meta.versions["tensorflow"].startswith("2.")
    assert meta.options["grappler"]["constant_folding"] == "default"
    assert meta.options["keras"]["dtype_policy"] == "float32"
    assert meta.options["function"]["jit_compile"] in ("None", "False")
    assert "TensorSpec" in recording.main_tracing.signature
    assert recording.main_tracing.trace_ms > 0
    assert recording.main_tracing.first_run_ms > 0


def test_threads_that_run_functions_for_the_first_time_at_once_do_not_mix_their_graphs(tmp_path):
    program = tmp_path / "threads.py"
    program.write_text(
        "import threading\n"
        "import tensorflow as tf\n"
        "@tf.function\n"
        "def helper(values):\n"
        "    return tf.reduce_sum(tf.nn.relu(values) * 2 + 1)\n"
        "def work():\n"
        "    for size in range(1, 5):\n"
        "        helper(tf.ones([size]))\n"
        "threads = [threading.Thread(target=work) for _ in range(4)]\n"
        "for thread in threads:\n"
        "    thread.start()\n"
        "for thread in threads:\n"
        "    thread.join()\n"
    )
    out = tmp_path / "threads.tfgdbg"
    done = run_tfgraphdbg("record", str(program), "-o", str(out), *GRAPHS_ALONE)
    assert done.returncode == 0, done.stderr
    recording = load(out)
    assert [tracing.calls for tracing in recording.tracings] == [4, 4, 4, 4]
    for tracing in recording.tracings:
        assert {stage.name for stage in tracing.stages} >= {"traced", "pre-optimization", "optimized", "partition:0"}
        for stage in tracing.stages:
            recording.graph(stage.name, tracing).check()
            assert stage.ops <= tracing.stage("traced").ops + 1
