"""The parser of HLO text: what it reads, and that no text makes it fail or take long."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tfgraphdbg.analyses.hlo_fates import xla_fates
from tfgraphdbg.analyses.hlo_tables import tables_of
from tfgraphdbg.analyses.hlo_text import parse_hlo
from tfgraphdbg.graph_model import GraphModel, OpNode

FIXTURES = Path(__file__).parent / "fixtures" / "hlo"

HEAD = "%a (x: f32[]) -> f32[] {\n"


def only(line: str):
    module = parse_hlo(f"{HEAD}  {line}\n}}")
    assert module.unread_lines == 0
    (made,) = module.instructions()
    return made


def test_an_instruction_is_read_with_all_its_parts() -> None:
    made = only(
        "ROOT %while.39 = (s32[], f32[4,16]{1,0}, /*index=5*/f32[5]{0}) while((s32[], f32[4,16]{1,0}, "
        "/*index=5*/f32[5]{0}) %while.38), condition=%cond_wrapper.4, body=%while_body.5, "
        'metadata={op_type="While" op_name="a/while" source_file="/x.py" source_line=3}, '
        'backend_config={"known_trip_count":{"n":"5"}}'
    )
    assert (made.name, made.opcode, made.is_root) == ("while.39", "while", True)
    assert made.shape == "(s32[], f32[4,16]{1,0}, /*index=5*/f32[5]{0})"
    assert made.operands == ("while.38",)
    assert made.calls == (("condition", "cond_wrapper.4"), ("body", "while_body.5"))
    assert (made.op_type, made.op_name) == ("While", "a/while")
    assert made.settings == "condition=%cond_wrapper.4, body=%while_body.5"


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("%p = f32[2]{0} parameter(3)", "literal", "3"),
        ("%c = f32[2,2]{1,0} constant({ { 1, (2) }, { 3, 4 } })", "literal", "{ { 1, (2) }, { 3, 4 } }"),
        ('%c = s8[3]{0} constant("a)\\"(b")', "literal", '"a)\\"(b"'),
        ("%f = f32[2]{0} fusion(%a, %b.1), kind=kOutput, calls=%fused", "fusion_kind", "kOutput"),
        ("%c = f32[] conditional(%i, %a), branch_computations={%b.1, %b.2}", "calls", (
            ("branch_computations", "b.1"), ("branch_computations", "b.2"))),
        ("c = f32[2]{0} add(f32[2]{0} a, f32[2]{0} b-1)", "operands", ("a", "b-1")),
        ("c = f32[2,3]{1,0} add(f32[2,3]{1,0} a, f32[2,3]{1,0} b)", "operands", ("a", "b")),
        ('%s = f32[] add(%a, %b), metadata={op_name="x\\", to_apply=%y}\\\\"}', "op_name", 'x", to_apply=%y}\\'),
        ('%s = f32[] add(%a, %b), metadata={op_name="to_apply=%y"}', "calls", ()),
    ],
)  # fmt: skip
def test_one_part_of_an_instruction(line: str, field: str, value: object) -> None:
    assert getattr(only(line), field) == value


def test_entry_names_and_unread_lines() -> None:
    module = parse_hlo(
        f"HloModule m.1, is_scheduled=true\n\nFileNames\n1 \"a.py\"\n\nnoise\n{HEAD}  noise\n"
        "  ROOT %r = f32[] parameter(0)\n}\n\nENTRY %main.2 (x: f32[]) -> f32[] {\n  ROOT %r = f32[] parameter(0)"
    )  # fmt: skip
    assert (module.name, module.unread_lines) == ("m.1", 2)
    assert [computation.name for computation in module.computations] == ["a", "main.2"]
    assert module.entry is not None
    assert module.entry.name == "main.2"
    assert parse_hlo("").entry is None


def damaged_texts() -> list[str]:
    dice = random.Random(5)
    texts = [path.read_text() for path in sorted(FIXTURES.glob("*.hlo"))]
    damaged = []
    for _ in range(300):
        letters = list(dice.choice(texts))
        for _ in range(30):
            letters[dice.randrange(len(letters))] = dice.choice('"(){}[]%=,\\ \n/0')
        damaged.append("".join(letters))
    return damaged


def test_no_damage_makes_reading_or_accounting_fail() -> None:
    ops = tuple(OpNode(name, "Sin") for name in ("x", "mul", "Sin", "cond", "while"))
    graph = GraphModel("f", "traced", ops)
    for text in damaged_texts():
        before, _, after = text.partition("== optimized-hlo")
        account = xla_fates(graph, before, after)
        assert len(account.fates) == len(ops)
        assert len(tables_of(account)) == 3


@pytest.mark.parametrize(
    "line",
    [
        "(" * 300_000,
        "f32[] add(" + '"' * 300_001,
        "f32[] add(" + '"\\' * 150_001,
        "f32[] add(), " + "metadata={" * 60_000,
        'f32[] add(), metadata={op_name="' + "\\" * 300_001,
        "f32[] add(), " + "calls={" * 60_000,
        "f32[] add(), x," + " " * 300_000 + "y",
        "f32[] add(" + "%" * 300_000,
        " " * 300_000 + "f32[]",
    ],
    ids=lambda line: line[:30],
)
def test_a_long_odd_line_takes_no_longer_than_another(line: str) -> None:
    start = time.process_time()
    parse_hlo(f"{HEAD}  %x = {line}\n}}")
    assert time.process_time() - start < 2
