"""XLA's accounting over texts written by hand: `fixtures/hlo/` holds one case a file.

A case is `# title:`, then sections: `== graph` (the traced graph, as `graph_text` reads it), `== hlo`,
`== optimized-hlo`, `== fates` (every traced op: op, fate, pass, into, basis, `-` for none), and where a case is about
them `== reasons`, `== new` (every instruction without an op, and why), `== fusions`, `== clusters` and `== unread`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.graph_text import graph_of
from tfgraphdbg.analyses.hlo_fates import XlaAccount, xla_fates
from tfgraphdbg.analyses.hlo_tables import NEW, summary_of, tables_of
from tfgraphdbg.report import Table

FIXTURES = Path(__file__).parent / "fixtures" / "hlo"

VOCABULARY = {"kept", "changed", "folded", "merged", "fused", "inlined", "removed", "moved"}


class Case(NamedTuple):
    title: str
    sections: dict[str, str]

    @property
    def account(self) -> XlaAccount:
        return xla_fates(graph_of(self.sections["graph"]), self.sections["hlo"], self.sections["optimized-hlo"])


def cases() -> Iterator[Case]:
    for path in sorted(FIXTURES.glob("*.hlo")):
        title, _, rest = path.read_text().removeprefix("# title: ").partition("\n")
        sections = [part.partition("\n")[::2] for part in ("\n" + rest).split("\n== ")[1:]]
        yield Case(f"{path.stem}: {title}", {head: body.strip() for head, body in sections})


def rows_of(table: Table, *columns: str) -> list[list[str]]:
    places = [[column.name for column in table.columns].index(name) for name in columns]
    return [["-" if row[place] is None else str(row[place]) for place in places] for row in table.rows]


def rows_in(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split(" |")] for line in text.splitlines()]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_a_case_gives_what_its_file_says(case: Case) -> None:
    account = case.account
    fates, fusions, clusters = tables_of(account)
    rows = rows_of(fates, "op", "fate", "pass", "into", "basis", "reason")
    assert [row[:5] for row in rows if row[1] != NEW] == rows_in(case.sections["fates"])
    reasons = {row[0]: row[5] for row in rows}
    for op, reason in rows_in(case.sections.get("reasons", "")):
        assert reasons[op] == reason
    if "new" in case.sections:
        assert [[row[0], row[5]] for row in rows if row[1] == NEW] == rows_in(case.sections["new"])
    for table, section in ((fusions, "fusions"), (clusters, "clusters")):
        if section in case.sections:
            assert rows_of(table, *(column.name for column in table.columns)) == rows_in(case.sections[section])
    assert account.unread_lines == int(case.sections.get("unread", "0"))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_every_op_has_one_fate_and_every_instruction_origins_or_a_row(case: Case) -> None:
    assert_exact(case.account, {op.id for op in graph_of(case.sections["graph"]).ops})


def assert_exact(account: XlaAccount, traced: set[str]) -> None:
    """The accounting leaves nothing out and names nothing that is not there."""
    assert sorted(fate.op for fate in account.fates) == sorted(traced)
    assert {fate.fate for fate in account.fates} <= VOCABULARY
    instructions = list(account.places.module.instructions())
    labels = {account.places.label_of(made) for made in instructions}
    assert len(labels) == len(instructions)
    for fate in account.fates:
        assert set(fate.into) <= labels
        assert len(set(fate.into)) == len(fate.into)
        assert (fate.seam == "") == (fate.fate == "kept")
        assert fate.reason or fate.basis == "measured"
    for made in instructions:
        assert set(account.origins[made.key].ops) <= traced
    fates = rows_of(tables_of(account)[0], "op", "fate")
    new = [op for op, fate in fates if fate == NEW]
    assert sorted(new) == sorted(
        account.places.name_of(made) for made in instructions if not account.origins[made.key].ops
    )
    summary = summary_of(account)
    assert sum(summary.fates.values()) == len(traced)
    assert summary.new == len(new)
    assert summary.fusions + summary.instructions == len(instructions)


def test_a_thousand_equal_ops_take_no_longer_each() -> None:
    count = 3000
    traced = graph_of("x = Placeholder\n" + "\n".join(f"s{i} = Sin(x)" for i in range(count)))
    lines = [
        f'  %s{i} = f32[4]{{0}} sine(f32[4]{{0}} %x.1), metadata={{op_type="Sin" op_name="s{i}"}}' for i in range(count)
    ]
    text = "ENTRY %f (x.1: f32[4]) -> f32[4] {\n  %x.1 = f32[4]{0} parameter(0)\n"
    root = f"  ROOT %t = () tuple({', '.join(f'%s{i}' for i in range(count))})\n"
    account = xla_fates(traced, text + "\n".join((*lines, root, "}")), text + lines[0] + "\n}")
    assert summary_of(account).fates == {"merged": count - 1, "kept": 2}
