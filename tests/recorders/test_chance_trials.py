"""Missed chances tried on the real optimizer: known programs, each with one blocker."""

from __future__ import annotations

import pytest

from tfgraphdbg.chances.contract import Chance, ChancesPart
from tfgraphdbg.recording import TargetInfo, Tracing, chances_part
from tfgraphdbg.recording_file import MemoryParts

pytestmark = pytest.mark.tensorflow

CONFIRMED = [
    ("second_consumer", "extra-consumer", "one _FusedConv2D with BiasAdd, Relu"),
    ("returned_inside", "fetched-op", "one _FusedMatMul with BiasAdd, Relu"),
    ("control_dependency", "control-dependency", "one _FusedMatMul with BiasAdd, Relu"),
    ("float64", "dtype", "in float32, remapper makes it one _FusedMatMul with BiasAdd, Relu"),
    ("batch_norm_in_training", "training-mode", "one _FusedConv2D with FusedBatchNorm, Relu"),
    ("bias_before_batch_norm", "bias-before-batch-norm", "one _FusedConv2D with FusedBatchNorm, Relu"),
    ("softsign", "unsupported-activation", "with Relu in its place, remapper makes it one _FusedMatMul"),
    ("plain_addition", "bias-by-add", "one _FusedMatMul with BiasAdd, Relu"),
    ("reshape_between", "reshape-between", "one _FusedMatMul with BiasAdd"),
    ("two_reads", "stateful", "with one read of the variable"),
    ("one_copy_waits", "control-inputs", "common_subgraph_elimination leaves MatMul, Tanh"),
    ("transposes_around_relu", "op-between", "arithmetic_optimizer leaves nothing of it"),
]


@pytest.fixture(scope="module")
def programs():
    from tests.recorders import chance_programs

    return chance_programs


@pytest.mark.parametrize(("program", "blocker", "trial"), CONFIRMED)
def test_grappler_takes_it_once_the_blocker_is_gone(programs, program, blocker, trial):
    (tried,) = programs.tried_chances(getattr(programs, program))
    assert tried.chance.blocker == blocker
    assert tried.proof == "confirmed", tried.trial
    assert trial in tried.trial
    assert 0 < tried.gain_us < 1000


@pytest.mark.parametrize(
    ("build", "chance", "trial"),
    [
        (
            "channels_first",
            Chance("missed-fusion", "", "layout", ("Conv2D", "BiasAdd", "Relu")),
            "with the channels last (NHWC), remapper makes it one _FusedConv2D with BiasAdd, Relu",
        ),
        (
            "copies_bound_apart",
            Chance("duplicate-computation", "", "colocation", ("Tanh", "Tanh_1"), (), "", "", {"copies": 2}),
            "without colocation, common_subgraph_elimination leaves Tanh",
        ),
        (
            "permutation_given",
            Chance("transpose-chain", "", "non-constant-permutation", ("transpose", "transpose_1")),
            "with constant permutations, arithmetic_optimizer leaves nothing of it",
        ),
    ],
)
def test_blockers_that_no_cpu_or_no_short_program_shows(programs, build, chance, trial):
    model, graph_def = programs.built_graph(getattr(programs, build))
    (tried,) = programs.try_chances([chance], model, graph_def, 30.0)
    assert (tried.proof, tried.trial) == ("confirmed", trial)
    # Where a permutation is known at run time only, so are the shapes.
    assert (tried.gain_us is None) == (build == "permutation_given")


@pytest.mark.parametrize(
    ("program", "blocker", "passes"),
    [("large_constant", "size-limit", "constant_folding"), ("cast_and_back", "no-rewrite", "arithmetic_optimizer")],
)
def test_what_nothing_can_be_taken_away_from_stays_a_rule_but_is_looked_at(programs, program, blocker, passes):
    (tried,) = [one for one in programs.tried_chances(getattr(programs, program)) if one.chance.blocker == blocker]
    assert tried.proof == "rule"
    assert tried.trial.startswith(f"{passes} leaves the same ops in a graph of their own; more was not tried: ")
    assert tried.gain_us > 0


def test_a_program_that_is_fused_has_no_chance(programs):
    assert programs.tried_chances(programs.fused) == ()


def _fusion(blocker, *ops):
    return Chance("missed-fusion", "", blocker, ops)


def _tried(programs, program, *chances, limit_s=30.0):
    model, graph_def = programs.graph_of(program)
    return programs.try_chances(chances, model, graph_def, limit_s)


def test_a_wrong_blocker_is_refuted(programs):
    (wrong,) = _tried(programs, programs.second_consumer, _fusion("different-device", "Conv2D", "BiasAdd", "Relu"))
    assert (wrong.proof, wrong.trial) == ("refuted", "on one device, remapper still leaves Conv2D, BiasAdd, Relu")


def test_a_blocker_that_is_not_there_is_not_taken_away(programs):
    (wrong,) = _tried(programs, programs.second_consumer, _fusion("dtype", "Conv2D", "BiasAdd", "Relu"))
    assert (wrong.proof, wrong.trial) == ("rule", "not tried: its dtype is float32 already")


def test_what_grappler_takes_all_the_same_is_refuted(programs):
    model, graph_def = programs.graph_of(programs.fused, stage="pre-optimization")
    for node in graph_def.node:
        # The runtime places ops after this stage.
        node.device = "/job:localhost/replica:0/task:0/device:CPU:0"
    chance = _fusion("extra-consumer", "matmul", "BiasAdd", "Relu")
    (tried,) = programs.try_chances([chance], model, graph_def, 30.0)
    assert (tried.proof, tried.trial) == ("refuted", "Grappler takes it in a graph of its own, blocker and all")


def test_equal_structures_are_tried_once(programs, monkeypatch):
    from tfgraphdbg.recorders import chance_trials

    tf = pytest.importorskip("tensorflow")
    counted = []
    run = chance_trials.grappler_internals.grappler_result
    monkeypatch.setattr(
        chance_trials.grappler_internals, "grappler_result", lambda *args: counted.append(1) or run(*args)
    )

    def optimizer_runs(height):
        kernels = [tf.Variable(tf.ones((3, 3, 8, 8))) for _ in range(height)]

        def tower(x):
            sums = []
            for kernel in kernels:
                convolved = tf.nn.conv2d(x, kernel, 1, "SAME")
                sums.append(tf.reduce_sum(convolved))
                x = tf.nn.relu(tf.nn.bias_add(convolved, tf.ones(8)))
            return x, sums

        counted.clear()
        model, graph_def = programs.graph_of(tower, programs.image)
        tried = programs.try_chances(programs.find_chances(model), model, graph_def, 30.0)
        assert [one.proof for one in tried] == ["confirmed"] * height
        return len(counted)

    assert optimizer_runs(height=4) == optimizer_runs(height=1) > 0


def test_no_time_leaves_chances_untried(programs):
    (late,) = programs.tried_chances(programs.second_consumer, limit_s=0.0)
    assert (late.proof, late.gain_us) == ("rule", None)
    assert late.trial == "not tried: the 0.0 s for trials were used up"


def test_what_has_no_trial_says_so(programs):
    ops = ("Conv2D", "BiasAdd", "Relu")
    unheard, gone, many = _tried(
        programs,
        programs.second_consumer,
        _fusion("unheard-of", *ops),
        _fusion("dtype", "Conv2D", "no/such/op"),
        _fusion("dtype", *ops * 30),
    )
    assert unheard.trial == "not tried: there is no trial of unheard-of"
    assert "library function" in gone.trial
    assert many.trial == "not tried: 90 ops take part, and 64 are tried at most"


def test_an_error_of_the_optimizer_costs_one_trial_alone(programs, monkeypatch):
    from tfgraphdbg.recorders import chance_trials

    def broken(*args):
        raise ValueError("no such pass")

    monkeypatch.setattr(chance_trials.grappler_internals, "grappler_result", broken)
    (tried,) = programs.tried_chances(programs.second_consumer)
    assert (tried.proof, tried.trial) == ("rule", "not tried: ValueError: no such pass")


def test_the_part_of_a_recording(programs):
    from tfgraphdbg.recorders.missed_chances import record_chances
    from tfgraphdbg.recorders.python_stacks import LibraryPaths
    from tfgraphdbg.recorders.recording_writer import RecordingWriter

    parts = MemoryParts()
    writer = RecordingWriter(TargetInfo("f", "function"), parts, LibraryPaths(()))
    index = writer.add_tracing(Tracing(0, "f", "__inference_f_1", "()"))
    model, graph_def = programs.graph_of(programs.second_consumer)
    record_chances(writer, index, model, None, graph_def)
    part = parts.decode(chances_part(index), ChancesPart)
    assert [one.proof for one in part.chances] == ["confirmed"]
    assert part.costs.startswith("CPU ")
    assert " MHz" in part.costs


def test_trials_leave_the_running_program_alone(programs):
    tf = pytest.importorskip("tensorflow")
    devices = tf.config.list_logical_devices()
    before = float(programs.counter)
    programs.tried_chances(programs.second_consumer)
    assert tf.config.list_logical_devices() == devices
    assert float(programs.counter) == before
    assert tf.executing_eagerly()
