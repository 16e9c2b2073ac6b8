"""The words of `--without` and `--only`, and the table of passes: which are on, and who decided."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import HOSTILE_NAMES, small_recording
from tfgraphdbg.analyses.pass_options import pass_option_findings, pass_options_table
from tfgraphdbg.errors import UsageError
from tfgraphdbg.pass_switches import META_OPTION, NUMBER_OPTIONS, PASSES, PassSwitches, parse_switches, pass_named
from tfgraphdbg.recording import Recording

DEFAULTS = dict.fromkeys([*(known.option for known in PASSES), META_OPTION, *NUMBER_OPTIONS], "default")


def recording_with(grappler: dict[str, str] | None = None, **groups: dict[str, str]) -> Recording:
    """A recording with these options; `_` in a group's name stands for `-`."""
    recording = small_recording()
    options = {name.replace("_", "-"): group for name, group in groups.items()}
    now = DEFAULTS | (grappler or {})
    origins = {name: "default" if value == "default" else "tf.config.optimizer" for name, value in now.items()}
    origins |= options.pop("grappler-from", {})
    recording.meta = msgspec.structs.replace(
        recording.meta, options={"grappler": now, "grappler-from": origins, **options}
    )
    return recording


def rows_of(recording: Recording) -> dict[str, tuple[object, ...]]:
    return {str(row[0]): row[1:] for row in pass_options_table(recording).rows}


@pytest.mark.parametrize(
    ("without", "only", "expected"),
    [
        ([], [], PassSwitches()),
        (["remapper"], [], PassSwitches(("remapper",))),
        (["remapper,layout", " constant_folding "], [], PassSwitches(("constant_folding", "layout", "remapper"))),
        (["remapping", "remapper", "remap"], [], PassSwitches(("remapper",))),
        (["tfg_optimizer{any(tfg-toposort)}", "REMAPPER"], [], PassSwitches(("tfg_optimizer", "remapper"))),
        ([], ["disable_model_pruning", "cse"], PassSwitches(only=("model_pruner", "common_subgraph_elimination"))),
        (["autoparallel"], [], PassSwitches(("autoparallel",))),
    ],
)
def test_words_name_passes_by_any_of_their_names(without, only, expected):
    assert parse_switches(without, only) == expected


@pytest.mark.parametrize(
    ("without", "only", "message", "hint"),
    [
        (["remaper"], [], "no Grappler pass 'remaper'", "did you mean --without remapper?"),
        ([], ["folding"], "no Grappler pass 'folding'", "did you mean --only constant_folding?"),
        (["nonsense"], [], "no Grappler pass 'nonsense'", "passes: model_pruner, "),
        (["layout"], ["remapper"], "contradict", "use one: --without PASS"),
        (["meta_optimizer"], [], "it runs the passes", "passes: "),
        (["placer"], [], "before Grappler begins", "passes: "),
        ([], ["autoparallel"], "cannot be switched on", "passes: "),
        ([""], [], "--without needs the name of a pass", "passes: "),
        ([], ["layout,,remapper"], "--only needs the name of a pass", "passes: "),
    ],
)
def test_wrong_words_are_wrong_usage_and_say_what_to_type(without, only, message, hint):
    with pytest.raises(UsageError, match=message) as caught:
        parse_switches(without, only)
    assert hint in caught.value.hint


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_foreign_words_are_named_on_one_printable_line(name):
    with pytest.raises(UsageError) as caught:
        parse_switches([name.replace(",", "")], [])
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 120


def test_every_name_of_a_pass_means_one_pass():
    names = [name for known in PASSES for name in {known.name, known.option, *known.also}]
    assert len(names) == len(set(names))
    assert all(pass_named(known.name) == pass_named(known.option) == known for known in PASSES)


def test_without_a_choice_each_pass_is_as_tensorflow_has_it():
    rows = rows_of(recording_with())
    assert list(rows) == ["meta_optimizer", *(known.name for known in PASSES)]
    assert {row[1] for row in rows.values()} == {"default"}
    assert rows["remapper"][0] == rows["meta_optimizer"][0] == rows["model_pruner"][0] == "on"
    assert rows["debug_stripper"][0] == rows["auto_mixed_precision"][0] == "off"
    assert pass_option_findings(recording_with()) == ()


def test_who_decided_is_told():
    recording = recording_with(
        {"remapping": "False", "disable_model_pruning": "True", "debug_stripper": "True", "layout_optimizer": "False"},
        grappler_from={"layout_optimizer": "--without"},
        grappler_switches={"--without": "layout"},
    )
    rows = rows_of(recording)
    assert rows["remapper"][:2] == ("off", "tf.config.optimizer")
    assert rows["model_pruner"][:2] == ("off", "tf.config.optimizer")
    assert rows["debug_stripper"][:2] == ("on", "tf.config.optimizer")
    assert rows["layout"][:2] == ("off", "--without")
    (finding,) = pass_option_findings(recording)
    assert (finding.rule, finding.severity) == ("passes-switched-off", "info")
    assert "switched off: layout" in finding.message


def test_no_pass_is_on_where_grappler_is_off():
    rows = rows_of(recording_with({META_OPTION: "True", "debug_stripper": "True"}))
    assert {row[:2] for row in rows.values()} == {("off", "tf.config.optimizer")}


def test_numbers_are_told_with_the_meta_optimizer():
    note = rows_of(recording_with({"min_graph_nodes": "-1", "memory_optimization": "manual"}))
    assert "min_graph_nodes=-1" in str(note["meta_optimizer"][2])
    assert note["memory_optimizer"][0] == "on: manual"


@pytest.mark.parametrize(
    ("flags", "jit", "state", "origin"),
    [
        ("--tf_xla_auto_jit=2", False, "off", "environment"),
        ("--tf_xla_cpu_global_jit --tf_xla_auto_jit=fusible", False, "off", "environment"),
        ("--tf_xla_auto_jit=single-gpu(2)", False, "on", "default"),
        ("--tf_xla_auto_jit=-1", True, "on", "default"),
        ("--tf_xla_auto_jit=2 --tf_xla_auto_jit=-1", False, "on", "default"),
        ("--tf_xla_cpu_global_jit", False, "on", "default"),
        ("", True, "off", "tf.config.optimizer"),
        ("", False, "on", "default"),
    ],
)
def test_the_memory_optimizer_is_off_where_xla_compiles_what_it_can(flags, jit, state, origin):
    recording = recording_with(environment={"TF_XLA_FLAGS": flags}, execution={"jit": str(jit)})
    assert rows_of(recording)["memory_optimizer"][:2] == (state, origin)


def test_variables_that_passes_read_are_told_where_they_are_set():
    variables = {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_LEVEL": "2",
        "TF_CPP_MIN_LOG_LEVEL": "0",
    }
    rows = rows_of(recording_with(environment=variables))
    assert "TF_ENABLE_ONEDNN_OPTS=1" in str(rows["remapper"][2])
    assert "GRAPH_REWRITE_LEVEL=2" in str(rows["auto_mixed_precision"][2])
    assert "TF_" not in str(rows["layout"][2])


def test_a_setting_that_a_switch_undoes_is_found():
    recording = recording_with(
        {"remapping": "False", "layout_optimizer": "False"},
        grappler_from={"remapping": "--without", "layout_optimizer": "--without"},
        grappler_program={"remapping": "True", "layout_optimizer": "False", "constant_folding": "True"},
    )
    (finding,) = pass_option_findings(recording)
    assert finding.rule == "pass-option-undone"
    assert finding.evidence == {"option": "remapping", "program": "True", "in_force": "False"}


def test_a_change_after_the_first_run_is_found():
    recording = recording_with({"remapping": "False"}, grappler_first_run={"remapping": "default"})
    (finding,) = pass_option_findings(recording)
    assert finding.rule == "pass-option-changed"
    assert finding.evidence == {"remapping": "default, then False"}
    assert "default when functions first ran" in str(rows_of(recording)["remapper"][2])


def test_options_that_tensorflow_does_not_know_are_found():
    recording = recording_with(grappler_program={"remaping": "False", "common_subgraph_elimination": "False"})
    (finding,) = pass_option_findings(recording)
    assert finding.rule == "pass-option-ignored"
    assert finding.evidence == {"options": ["remaping", "common_subgraph_elimination"]}


def test_a_recording_without_options_has_no_rows_and_an_older_one_what_it_has():
    recording = small_recording()
    rows = rows_of(recording)
    assert rows["constant_folding"][:2] == ("on", "default")
    assert rows["remapper"][:2] == (None, None)
    recording.meta = msgspec.structs.replace(recording.meta, options={})
    assert pass_options_table(recording).rows == ()
    assert pass_option_findings(recording) == ()
