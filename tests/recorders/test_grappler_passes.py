"""What each Grappler pass did in real runs: exact edits, times, several functions, and dumps that go wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from tests.conftest import GRAPHS_ALONE, SAMPLES, run_tfgraphdbg
from tests.recorders.test_structure import SAMPLE_TARGETS
from tfgraphdbg.graph_model import AttrValue, OpNode
from tfgraphdbg.recorder_environment import recorder_environment
from tfgraphdbg.recorders.grappler_dumps import GrapplerDumps
from tfgraphdbg.recorders.grappler_passes import difference_of
from tfgraphdbg.recorders.pass_edits import PassEdits
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.recording_file import load
from tfgraphdbg.rewrites import META_OPTIMIZER, RewriteHistory, apply_steps, check_edits

pytestmark = pytest.mark.tensorflow

PROGRAMS = Path(__file__).parent / "programs"

TARGETS = tuple(target for target in SAMPLE_TARGETS if target != "xla_function.py:compiled")

TIMES = ("log", "dump times")


def shown(
    op: OpNode, attr_sets: tuple[dict[str, AttrValue], ...]
) -> tuple[str, tuple[str, ...], str, dict[str, AttrValue]]:
    """All of an op that Grappler may change; the runtime adds notes of its own, `_`, after it."""
    attrs = attr_sets[op.attrs] if op.attrs >= 0 else {}
    return op.op_type, op.inputs, op.device, {name: value for name, value in attrs.items() if name[0] != "_"}


def assert_history_is_exact(recording: Recording, tracing: Tracing) -> RewriteHistory:
    """The edits, applied in order, give the graph that ran, op by op, input by input."""
    history = recording.own_rewrites(tracing)
    assert history is not None, recording.missing
    assert history.difference == ""
    lowered, optimized = recording.graph("lowered", tracing), recording.graph("optimized", tracing)
    given = {op.name: op for op in lowered.top_level_ops}
    assert not list(check_edits(given, history.steps))
    attr_sets = (*lowered.attr_sets, *history.attr_sets)
    last = {name: shown(op, attr_sets) for name, op in apply_steps(given, history.steps).items()}
    assert last == {op.name: shown(op, optimized.attr_sets) for op in optimized.top_level_ops}
    return history


def record(folder: Path, source: str, *words: str, target: str = "program.py") -> Recording:
    """Record a program of a few lines."""
    (folder / "program.py").write_text("import tensorflow as tf\n" + textwrap.dedent(source))
    out = folder / "run.tfgdbg"
    done = run_tfgraphdbg("record", str(folder / target), "-o", str(out), *GRAPHS_ALONE, *words)
    assert out.exists(), done.stderr
    return load(out)


def tracings_of(recording: Recording, function: str) -> list[Tracing]:
    return [tracing for tracing in recording.tracings if tracing.function == function and tracing.calls]


def gaps(recording: Recording) -> list[str]:
    return [gap.reason for gap in recording.missing if gap.evidence == "grappler-passes"]


@pytest.mark.parametrize("target", TARGETS)
def test_edits_in_order_give_the_graph_that_ran(recorded, target):
    recording = load(recorded(target))
    assert not gaps(recording)
    for tracing in recording.tracings:
        if tracing.stage("lowered"):
            history = assert_history_is_exact(recording, tracing)
            assert history.source == "run"
            assert history.item == tracing.concrete_function
    assert recording.own_rewrites()


@pytest.mark.slow
@pytest.mark.parametrize("program", ["resnet50_train_step.py", "bert_train_step.py"])
def test_edits_of_large_models_give_the_graph_that_ran(recorded, program):
    recording = load(recorded(f"{PROGRAMS / program}:train_step"))
    assert not gaps(recording)
    assert_history_is_exact(recording, recording.main_tracing)


def test_passes_have_iterations_times_and_the_ops_that_they_leave(recorded):
    recording = load(recorded("keras_conv_train_step.py:train_step"))
    history = recording.own_rewrites()
    names = [step.short_name for step in history.steps]
    assert {"constant_folding", "remapper", "common_subgraph_elimination", "dependency_optimizer"} <= set(names)
    assert {1, 2} <= {step.iteration for step in history.steps}
    assert [step.iteration for step in history.steps] == sorted(step.iteration for step in history.steps)
    timed = [step for step in history.steps if step.pass_name != META_OPTIMIZER]
    assert all(step.timed_by in TIMES and step.ms >= 0 for step in timed)
    by_log = [step.ms for step in timed if step.timed_by == "log"]
    assert len(by_log) > len(timed) / 2
    assert sum(step.ms for step in timed) < recording.main_tracing.first_run_ms
    for stage, step in zip(history.stages, history.steps, strict=True):
        assert len(recording.graph(stage).top_level_ops) == step.ops


def test_what_is_known_of_a_fusion_is_in_its_edit(recorded):
    recording = load(recorded("matmul.py:matmul"))
    step = next(step for step in recording.own_rewrites().steps if step.short_name == "remapper")
    assert [op.op_type for op in step.changed] == ["_FusedMatMul"]
    before, after = recording.graph("after:layout"), recording.graph("after:remapper")
    assert before.op_type_counts()["MatMul"] == after.op_type_counts()["MatMul"] + 1
    assert after.attrs_of(after.by_id[step.changed[0].name])["fused_ops"]
    after.check()


FUNCTIONS = """
    import threading
    noinline = {"_noinline": True}
    called = tf.function(lambda x: tf.nn.relu(x) * 2.0 + tf.constant(3.0) * tf.constant(2.0),
                         experimental_attributes=noinline)

    @tf.function
    def caller(x):
        return called(called(x)) + 1.0

    @tf.function
    def retraced(x):
        return tf.nn.relu(x) * 2.0 + tf.constant(1.0) * tf.constant(5.0)

    @tf.function
    def tiny(x):
        return x

    @tf.function
    def left(x):
        for _ in range(20):
            x = tf.nn.relu(x) * 3.0 + tf.constant(1.0) * tf.constant(2.0)
        return x

    @tf.function
    def right(x):
        for _ in range(30):
            x = tf.nn.elu(x) * 4.0 - tf.constant(1.0) * tf.constant(2.0)
        return x

    caller(tf.ones([3]))
    for size in (1, 2, 3):
        retraced(tf.ones([size]))
    retraced(tf.ones([1]))
    tiny(tf.ones([2]))
    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = retraced(v * tf.ones([4]))
    tape.gradient(loss, v)
    threads = [threading.Thread(target=function, args=(tf.ones([2]),)) for function in (left, right)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A program of several functions."""
    return record(tmp_path_factory.mktemp("several"), FUNCTIONS)


def test_functions_that_stay_calls_have_a_history_of_their_own(several):
    (tracing,) = tracings_of(several, "caller")
    own, *others = several.rewrites(tracing)
    assert own.function == ""
    assert others
    functions = several.graph("optimized", tracing).functions
    for history in others:
        assert history.function in functions
        assert not list(check_edits({op.name: op for op in history.first_ops}, history.steps))
        assert "Relu" in {op.op_type for op in history.last_ops.values()}
        assert any(step.removed for step in history.steps if step.short_name == "constant_folding")


def test_each_tracing_has_its_own_history(several):
    tracings = tracings_of(several, "retraced")
    roles = [tracing.role for tracing in tracings]
    assert roles.count("inference") == 3
    assert {"forward", "backward"} <= set(roles)
    items = {assert_history_is_exact(several, tracing).item for tracing in tracings}
    assert items == {tracing.concrete_function for tracing in tracings}


def test_functions_in_two_threads_do_not_mix_their_passes(several):
    for function, op_type in (("left", "Relu"), ("right", "Elu")):
        (tracing,) = tracings_of(several, function)
        history = assert_history_is_exact(several, tracing)
        types = {op.op_type for step in history.steps for op in (*step.added, *step.changed)}
        assert not types & {"Relu", "Elu"} - {op_type}


def test_a_function_that_grappler_skips_says_so(several):
    (tracing,) = tracings_of(several, "tiny")
    (step,) = assert_history_is_exact(several, tracing).steps
    assert step.pass_name == META_OPTIMIZER
    assert step.is_empty
    assert "less than 4 nodes" in step.note


def test_a_switched_off_meta_optimizer_is_the_reason(tmp_path):
    recording = record(
        tmp_path,
        """
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        @tf.function
        def f(x):
            return tf.nn.relu(x) + 1.0 * 2.0
        f(tf.ones([3]))
        """,
    )
    assert recording.main_tracing.stage("optimized")
    (reason,) = gaps(recording)
    assert reason.startswith("f: ")
    assert "disable_meta_optimizer" in reason


def test_where_the_optimizer_runs_out_of_time_the_history_ends_with_the_graph_that_ran(tmp_path):
    recording = record(
        tmp_path,
        """
        from tensorflow.core.protobuf import config_pb2
        from tensorflow.python.eager import context

        @tf.function
        def f(x):
            for step in range(1000):
                x = tf.identity(tf.nn.relu(x)) * 2.0 + float(step % 7)
            return x

        eager = context.context()
        eager.ensure_initialized()
        config = config_pb2.ConfigProto.FromString(eager.function_call_options.config_proto_serialized)
        config.graph_options.rewrite_options.meta_optimizer_timeout_ms = 10
        eager.function_call_options = context.FunctionCallOptions(config_proto=config)
        f(tf.ones([3]))
        """,
    )
    history = assert_history_is_exact(recording, recording.main_tracing)
    assert history.steps[-1].pass_name == META_OPTIMIZER
    assert "DEADLINE_EXCEEDED" in history.steps[-1].note
    assert "memory_optimizer" not in {step.short_name for step in history.steps}


FOLDER_WATCH = """
    import os, threading, time
    folder = os.environ["TF_DUMP_GRAPH_PREFIX"]
    most = 0
    def look():
        global most
        while True:
            names = os.listdir(folder)
            most = max(most, len(names))
            time.sleep(0.001)
    threading.Thread(target=look, daemon=True).start()

    @tf.function
    def f(x):
        for step in range(700):
            x = tf.nn.relu(x) * 2.0 + float(step)
        return x
    f(tf.ones([3]))
    print("MOST", most)
"""


def test_the_disk_holds_a_few_dumps_at_a_time_and_none_afterwards(tmp_path):
    recording = record(tmp_path, FOLDER_WATCH + "    time.sleep(0.3)\n    print('LEFT', len(os.listdir(folder)))\n")
    said = dict(line.split() for line in recording.console.splitlines() if line[:4] in ("MOST", "LEFT"))
    steps = recording.own_rewrites().steps
    assert len(steps) > 20
    assert 0 < int(said["MOST"]) < len(steps) / 2
    assert int(said["LEFT"]) == 0


SMALL = """
    @tf.function
    def f(x):
        for _ in range(10):
            x = tf.nn.relu(x) * 2.0 + tf.constant(1.0) * tf.constant(2.0)
        return x
    print("result", float(tf.reduce_sum(f(tf.ones([3])))))
"""


def assert_only_passes_are_missing(recording: Recording, reason: str) -> None:
    assert recording.meta.outcome == "complete"
    assert {stage.name for stage in recording.main_tracing.stages} == {
        "traced",
        "pre-optimization",
        "optimized",
        "partition:0",
    }
    (said,) = gaps(recording)
    assert reason in said
    assert "result" in recording.console


def test_a_folder_that_cannot_be_written_costs_the_passes_alone(tmp_path):
    prelude = """
    import os, shutil
    shutil.rmtree(os.environ["TF_DUMP_GRAPH_PREFIX"])
    open(os.environ["TF_DUMP_GRAPH_PREFIX"], "w").close()
    """
    assert_only_passes_are_missing(record(tmp_path, prelude + SMALL), "the disk may be full")


def test_a_log_that_goes_elsewhere_costs_the_passes_alone(tmp_path):
    prelude = """
    import os
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    """
    assert_only_passes_are_missing(record(tmp_path, prelude + SMALL), "did not announce its dumps")


def test_a_log_that_is_taken_away_costs_the_passes_alone(tmp_path):
    prelude = """
    import os
    os.unlink(os.path.join(os.path.dirname(os.environ["TF_DUMP_GRAPH_PREFIX"]), "log.txt"))
    """
    assert_only_passes_are_missing(record(tmp_path, prelude + SMALL), "log could not be read")


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a file system")
@pytest.mark.parametrize("kilobytes", [4, 48])
def test_a_disk_that_fills_up_keeps_the_rest_of_the_recording(tmp_path, kilobytes):
    prelude = f"""
    import os, subprocess
    folder = os.environ["TF_DUMP_GRAPH_PREFIX"]
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size={kilobytes}k", "tmpfs", folder], check=True)
    """
    end = """
    print("result", len(os.listdir(folder)))
    subprocess.run(["umount", "-l", folder])
    """
    recording = record(tmp_path, prelude + SMALL + end)
    assert recording.meta.outcome == "complete"
    assert recording.main_tracing.stage("optimized")
    assert gaps(recording)
    history = recording.own_rewrites()
    if history is not None:
        given = {op.name: op for op in recording.graph("lowered").top_level_ops}
        assert not list(check_edits(given, history.steps))


class RealDumps:
    """The dumps and the log of one real run, laid out again for each test to damage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept = folder.with_name("kept")
        folder.mkdir()
        (folder / "dumps").mkdir()
        program = folder / "program.py"
        program.write_text(
            "import tensorflow as tf\n" + textwrap.dedent(SMALL) + "print(f._list_all_concrete_functions()[0].name)\n"
        )
        with (folder / "log.txt").open("w") as log:
            done = subprocess.run(
                [sys.executable, str(program)],
                stdout=subprocess.PIPE,
                stderr=log,
                env=recorder_environment(folder),
                text=True,
                check=True,
            )
        self.graph = done.stdout.split()[-1].removeprefix("b").strip("'")
        shutil.copytree(folder, self._kept)

    def again(self) -> GrapplerDumps:
        shutil.rmtree(self.folder)
        shutil.copytree(self._kept, self.folder)
        return GrapplerDumps(self.folder / "dumps", self.folder / "log.txt")

    def dump(self, name: str) -> Path:
        # A second run over the graph has a longer name.
        return min((self.folder / "dumps").glob(f"*{name}*"), key=lambda path: len(path.name))


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> RealDumps:
    return RealDumps(tmp_path_factory.mktemp("real") / "run")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def noise(path: Path) -> None:
    path.write_bytes(os.urandom(2000))


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: Iterable[Callable[[Path], None]] = (cut, noise, Path.unlink, folder_instead)


def last_nodes(edits: PassEdits) -> Mapping[str, bytes]:
    from tfgraphdbg.recorders.graph_def_bytes import split_nodes, split_text_nodes

    assert edits.first is not None
    nodes = (split_text_nodes if edits.is_text else split_nodes)(edits.first)
    for step in edits.steps:
        for name in step.removed:
            del nodes[name]
        nodes.update({**step.added, **step.changed})
    return nodes


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_dump_in_the_middle_keeps_the_end_exact(dumps, damage):
    whole = dumps.again().edits_of(dumps.graph)
    assert isinstance(whole, PassEdits)
    followed = dumps.again()
    damage(dumps.dump("iteration_0_constant_folding"))
    edits = followed.edits_of(dumps.graph)
    assert isinstance(edits, PassEdits)
    assert last_nodes(edits) == last_nodes(whole)
    assert len(edits.steps) == len(whole.steps) - 1
    assert any("constant_folding" in step.note for step in edits.steps)
    assert len(edits.gaps) == 1


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_first_dump_is_the_reason_for_no_history(dumps, damage):
    followed = dumps.again()
    damage(dumps.dump("before_MetaOptimizer_iteration_0"))
    reason = followed.edits_of(dumps.graph)
    assert isinstance(reason, str)
    assert "graph that Grappler was given" in reason


def relu(attrs: int) -> OpNode:
    return OpNode("relu", "_FusedConv2D", ("x",), "", attrs, (), -1, "", ())


def test_an_attr_that_only_one_side_spells_out_is_the_same_when_it_is_the_default():
    pytest.importorskip("tensorflow")
    filled: dict[str, AttrValue] = {"T": "float32", "num_host_args": 0, "filter_format": "HWIO", "_note": True}
    assert difference_of([relu(0)], [{"T": "float32"}], [relu(0)], [filled]) == ""
    assert difference_of([relu(0)], [filled], [relu(0)], [{"T": "float32"}]) == ""
    for changed in ({**filled, "num_host_args": 1}, {**filled, "unknown": 0}, {**filled, "T": "float64"}):
        assert difference_of([relu(0)], [{"T": "float32"}], [relu(0)], [changed]) == "1 op differs, 'relu'"


def test_only_the_remapper_gives_the_graph_that_ran(tmp_path):
    out = tmp_path / "run.tfgdbg"
    done = run_tfgraphdbg("record", str(SAMPLES / "missed_fusions.py:fused"), "--only", "remapper", "-o", str(out))
    assert out.exists(), done.stderr
    recording = load(out)
    history = recording.own_rewrites(recording.tracings[recording.meta.main_tracing or 0])
    assert history is not None, recording.missing
    assert history.steps
    assert history.difference == ""


PYTHON_OPS = """
    counter = tf.Variable(0.0)

    @tf.function
    def one_op(x):
        return tf.nn.relu(tf.py_function(lambda a: a + 1, [x], tf.float32) * 2.0)

    @tf.function
    def inner(x):
        return tf.nn.relu(x) * 3.0 + tf.reduce_sum(x)

    def body(a):
        counter.assign_add(1.0)
        return inner(a + tf.random.uniform([3])) * 2.0

    @tf.function
    def several(x):
        return tf.nn.relu(tf.py_function(body, [x], tf.float32) * 2.0)

    @tf.function
    def no_equal_names(values):
        def draw(a):
            tf.raw_ops.Exp(x=a)
            return a

        return tf.py_function(draw, [values], tf.float32) * 2.0

    @tf.function
    def fails(x):
        def bad(a):
            a + 1
            raise ValueError("no")

        return tf.py_function(bad, [x], tf.float32) * 2.0

    for function in (one_op, several, no_equal_names):
        function(tf.ones([3]))
    try:
        fails(tf.ones([3]))
    except tf.errors.OpError:
        pass
"""


def test_what_a_python_op_runs_does_not_hide_the_graphs_around_it(tmp_path):
    recording = record(tmp_path, PYTHON_OPS)
    for name in ("one_op", "several", "no_equal_names", "fails"):
        (tracing,) = tracings_of(recording, name)
        assert assert_history_is_exact(recording, tracing).steps
        assert recording.graph("partition:0", tracing).top_level_ops
        traced = len(recording.graph("traced", tracing).top_level_ops)
        for stage in ("pre-optimization", "optimized"):
            ops = recording.graph(stage, tracing).top_level_ops
            assert [op.op_type for op in ops].count("_Arg") == 1
            assert len(ops) <= traced + 1
