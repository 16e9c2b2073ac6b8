"""Each case of `fixtures/fates`: graphs before and after passes, and the fates that their ops must have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fate_checks import broken_promises
from tests.fate_fixtures import FIXTURES, fate_case, fate_recording
from tests.fate_words import found_fates
from tfgraphdbg.analyses.fates import pass_fates
from tfgraphdbg.analyses.fates.rules import FATE_RULES, rule_of
from tfgraphdbg.graph_model import OpNode

CASES = sorted(FIXTURES.glob("*.txt"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_each_op_has_the_fate_that_the_case_tells(path: Path):
    case = fate_case(path)
    tracing = case.recording.main_tracing
    fates = pass_fates(case.recording, tracing)
    found = found_fates(fates)
    told = {op: found.pop(op) for op in case.expected.fates if op in found}
    assert told == case.expected.fates
    if case.expected.others_kept:
        assert found == {op: ("kept", "-", op) for op in found}
    assert {op: fates.origins.get(op) for op in case.expected.origins} == case.expected.origins
    assert broken_promises(case.recording, tracing) == []


def test_each_rule_decides_in_some_case():
    decided = set()
    for path in CASES:
        case = fate_case(path)
        callees = case.recording.graph("traced").functions
        fates = pass_fates(case.recording, case.recording.main_tracing)
        for events in fates.events.values():
            for event in events:
                rule = rule_of(event.seen, event.pass_name, OpNode("op", event.was), callees)
                assert rule.fate == event.fate
                decided.add(rule)
    assert [rule for rule in FATE_RULES if rule not in decided] == []


def test_no_rule_is_hidden_by_an_earlier_one():
    for place, rule in enumerate(FATE_RULES):
        for earlier in FATE_RULES[:place]:
            takes_all = earlier.seen == rule.seen and earlier.of in ("any", rule.of)
            assert not (takes_all and (not earlier.passes or (rule.passes and rule.passes <= earlier.passes))), rule


def fates_of(*graphs: str) -> dict[str, tuple[str, str, str]]:
    """The fates of the ops of the first graph, with `== PASS ITERATION` lines before the others."""
    recording = fate_recording("".join(graphs))
    return found_fates(pass_fates(recording, recording.main_tracing))


def tower(name: str, op_type: str, first: str, count: int) -> tuple[str, str]:
    """`count` ops in a row, and the name of the last."""
    lines = [f"{name}_{place} = {op_type}({f'{name}_{place - 1}' if place else first})\n" for place in range(count)]
    return "".join(lines), f"{name}_{count - 1}"


@pytest.mark.parametrize("count", [10, 5000])
def test_long_rows_of_ops_are_followed_to_their_end(count):
    a, last_a = tower("a", "Exp", "x", count)
    b, last_b = tower("b", "Exp", "x", count)
    c, last_c = tower("c", "Exp", "k", count)
    d, _ = tower("d", "Exp", "x", count)
    begin = "x = Placeholder\nk = Const\n"
    found = fates_of(
        f"== given\n{begin}{a}{b}{c}{d}sum = AddN({last_a}, {last_b}, {last_c})\n",
        f"== common_subgraph_elimination 1\n{begin}{a}{c}sum = AddN({last_a}, {last_a}, {last_c})\n",
        f"== constant_folding 1\n{begin}{a}{last_c} = Const\nsum = AddN({last_a}, {last_a}, {last_c})\n",
    )
    for place in range(count):
        assert found[f"a_{place}"] == ("kept", "-", f"a_{place}")
        assert found[f"b_{place}"] == ("merged", "common_subgraph_elimination 1", f"a_{place}")
        assert found[f"c_{place}"] == ("folded", "constant_folding 1", last_c)
        assert found[f"d_{place}"] == ("removed", "common_subgraph_elimination 1", "-")


@pytest.mark.parametrize("op_type", ["AddN", "ConcatV2", "Pack"])
def test_ops_of_thousands_of_inputs_are_followed(op_type):
    names = [f"c_{place}" for place in range(3000)]
    kept, folded = names[::3], {name for place, name in enumerate(names) if place % 3}
    lines = {name: f"{name} = {'Const' if name in folded else 'Exp(x)'}\n" for name in names}
    parts = [text for name in kept for text in (name, f"part_{name}")]
    found = fates_of(
        f"== given\nx = Placeholder\n{''.join(lines.values())}all = {op_type}({', '.join(names)})\n",
        "== constant_folding 1\nx = Placeholder\n",
        "".join(lines[name] + f"part_{name} = Const\n" for name in kept),
        f"all = {op_type}({', '.join(parts)})\n",
    )
    assert found["all"] == ("changed", "constant_folding 1", "all")
    for place, name in enumerate(names):
        if name in folded:
            fate, run, into = found[name]
            assert (fate, run) == ("folded", "constant_folding 1")
            assert into == f"part_{names[place - place % 3]}" or op_type == "AddN"
        else:
            assert found[name] == ("kept", "-", name)
