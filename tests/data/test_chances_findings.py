"""Findings on missed chances: how they are grouped, worded, ordered, and when one is a warning."""

from __future__ import annotations

import pytest

from tests.graph_text import graph_of
from tests.hand_built import STACKS
from tfgraphdbg.analyses.missed_chances import MAX_GROUPS, MAX_OPS, WORTH_A_WARNING_US, chance_findings
from tfgraphdbg.chances import Chance, Proof, TriedChance
from tfgraphdbg.chances.contract import ChanceRule
from tfgraphdbg.report import Finding

GRAPH = graph_of(
    """
    conv = Conv2D stack 1
    bias = BiasAdd(conv) stack 1
    exp = Exp(conv) stack 2
    conv2 = Conv2D stack 1
    bias2 = BiasAdd(conv2) stack 1
    conv3 = Conv2D stack 2
    bias3 = BiasAdd(conv3) stack 2
    bare = Conv2D
    """,
    "optimized",
)

FUSION = Chance(
    "missed-fusion",
    "Conv2D + BiasAdd",
    "bias-by-add",
    ("conv", "bias"),
    ("exp",),
    "AddV2 'bias' adds the bias",
    "write tf.nn.bias_add",
    {"device": "CPU"},
)


def other(*ops: str, **changes: str) -> Chance:
    values = {"rule": FUSION.rule, "pattern": FUSION.pattern, "blocker": FUSION.blocker, "reason": FUSION.reason}
    values.update(changes)
    return Chance(ops=ops, **values)  # type: ignore[arg-type]


def tried(chance: Chance = FUSION, proof: Proof = "rule", gain_us: float | None = None, trial: str = "") -> TriedChance:
    return TriedChance(chance, proof, trial, gain_us)


def findings_on(*members: TriedChance) -> list[Finding]:
    return chance_findings(members, GRAPH, STACKS)


def test_one_chance_is_one_finding_with_its_line_and_advice() -> None:
    (finding,) = findings_on(tried())
    assert finding.rule == "missed-fusion"
    assert finding.severity == "info"
    assert finding.basis == "guessed"
    assert finding.message == "Conv2D + BiasAdd was not fused into one op: AddV2 'bias' adds the bias"
    assert finding.suggestion == "write tf.nn.bias_add"
    assert finding.ops == ("conv", "bias")
    assert [(line.file, line.line) for line in finding.sources] == [
        ("/home/user/model.py", 6),
        ("/home/user/model.py", 7),
    ]
    assert finding.evidence == {
        "pattern": "Conv2D + BiasAdd",
        "blocker": "bias-by-add",
        "device": "CPU",
        "count": 1,
        "proof": "rule",
        "blocking": ["exp"],
    }


def test_equal_chances_of_one_line_are_one_finding() -> None:
    same, on_another_line = other("conv2", "bias2"), other("conv3", "bias3")
    findings = findings_on(tried(), tried(same), tried(on_another_line))
    assert [finding.evidence["count"] for finding in findings] == [2, 1]
    assert findings[0].ops == ("conv", "bias", "conv2", "bias2")
    assert ", 2 times on this line; one of them: AddV2" in findings[0].message
    assert findings[1].sources[0].line == 7


@pytest.mark.parametrize("change", [{"pattern": "MatMul + BiasAdd"}, {"blocker": "dtype"}])
def test_another_pattern_or_blocker_is_another_finding(change: dict[str, str]) -> None:
    assert len(findings_on(tried(), tried(other("conv2", "bias2", **change)))) == 2


def test_gains_add_up_and_are_called_estimates() -> None:
    (finding,) = findings_on(tried(gain_us=1234.25), tried(other("conv2", "bias2"), gain_us=1.0), tried(other("bias2")))
    assert finding.evidence["gain_us"] == 1235.25
    assert finding.message.endswith("(estimated gain: about 1.2 ms a run)")
    assert finding.basis == "estimated"
    assert finding.severity == "info"


def test_what_was_confirmed_and_costs_something_is_a_warning() -> None:
    (finding,) = findings_on(
        tried(), tried(other("conv2", "bias2"), "confirmed", WORTH_A_WARNING_US, "fused without the blocker")
    )
    assert finding.severity == "warning"
    assert finding.evidence["proof"] == "confirmed"
    assert finding.evidence["confirmed"] == 1
    assert finding.evidence["trial"] == "fused without the blocker"
    assert finding.basis == "estimated"


@pytest.mark.parametrize(
    "member",
    [
        tried(proof="confirmed", gain_us=WORTH_A_WARNING_US - 1),
        tried(proof="confirmed"),
        tried(proof="rule", gain_us=1e6),
        tried(other("conv", blocker="unsupported-activation"), "confirmed", 1e6),
        tried(other("conv", blocker="extra-consumer"), "confirmed", 1e6),
    ],
)
def test_anything_less_is_no_warning(member: TriedChance) -> None:
    assert [finding.severity for finding in findings_on(member)] == ["info"]


def test_what_a_trial_refuted_is_not_told() -> None:
    assert findings_on(tried(proof="refuted", gain_us=5.0)) == []
    (finding,) = findings_on(tried(proof="refuted"), tried(other("conv2", "bias2")))
    assert finding.evidence["count"] == 1


def test_without_chances_there_is_nothing_to_say() -> None:
    assert findings_on() == []


def test_the_most_severe_and_then_the_most_costly_come_first() -> None:
    findings = findings_on(
        tried(gain_us=1.0),
        tried(other("conv3", blocker="dtype"), gain_us=1e6),
        tried(other("conv3", rule="cast-chain", blocker="no-rewrite"), "confirmed", 20.0),
    )
    assert [finding.rule for finding in findings] == ["cast-chain", "missed-fusion", "missed-fusion"]
    assert [finding.cost for finding in findings] == [20.0, 1e6, 1.0]


def test_many_groups_of_a_rule_end_in_one_more_finding() -> None:
    many = [tried(other("bare", pattern=f"pattern {number}")) for number in range(MAX_GROUPS + 3)]
    findings = findings_on(*many)
    assert len(findings) == MAX_GROUPS + 1
    assert findings[-1].message == "3 more: what was not fused into one op, in 3 other ways or on other lines"
    assert findings[-1].evidence == {"count": 3, "ways": 3}


def test_many_ops_of_a_group_are_cut() -> None:
    (finding,) = findings_on(*(tried(other(f"op{number}")) for number in range(MAX_OPS + 5)))
    assert len(finding.ops) == MAX_OPS
    assert finding.evidence["count"] == MAX_OPS + 5
    assert finding.sources == ()
    assert f", {MAX_OPS + 5} times; one of them" in finding.message


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("duplicate-computation", "is computed more than once"),
        ("constant-computation", "is computed from constants in every run"),
        ("transpose-chain", "transposes more often than needed"),
    ],
)
def test_each_rule_has_words_of_its_own(rule: ChanceRule, words: str) -> None:
    (finding,) = findings_on(tried(other("conv", rule=rule)))
    assert words in finding.message


def test_copies_and_their_reason_are_evidence() -> None:
    chance = Chance(
        "duplicate-computation", "MatMul", "stateful", ("conv", "conv2"), detail={"copies": 2, "reason": "stateful"}
    )
    (finding,) = findings_on(tried(chance))
    assert (finding.evidence["copies"], finding.evidence["reason"]) == (2, "stateful")
