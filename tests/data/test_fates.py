"""Each case of `fixtures/fates`: graphs before and after passes, and the fates that their ops must have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fate_checks import broken_promises
from tests.fate_fixtures import FIXTURES, fate_case
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
