"""A recording of a function that XLA compiled -> tables: the fate of each op, the fusions, the computations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tfgraphdbg.analyses.hlo_fates import OPTIMIZATION, XlaAccount, XlaFate, xla_fates
from tfgraphdbg.analyses.hlo_origins import CALLING_OPCODES
from tfgraphdbg.analyses.hlo_places import callers_of
from tfgraphdbg.analyses.hlo_text import HloComputation, HloInstruction
from tfgraphdbg.message_words import quoted
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.report import Cell, Column, Table

NEW = "new"
"""The fate of an instruction of the optimized HLO that stands for no traced op."""

_REASONS_FOR_NEW = {
    "parameter": "a value that its computation is given",
    "tuple": "packs values together",
    "get-tuple-element": "takes a value out of a tuple",
    "copy": "a copy that XLA's layout or buffers need",
    "bitcast": "the same bytes in another shape",
    "constant": "a constant without an op name",
}

_ROLES = {
    "condition": "loop condition",
    "body": "loop body",
    "true_computation": "branch",
    "false_computation": "branch",
    "branch_computations": "branch",
    "to_apply": "call",
}


class XlaSummary(NamedTuple):
    """What the tables say, counted."""

    fates: Mapping[str, int]
    """How many traced ops have each fate."""
    guessed: int
    """How many of them are guessed."""
    fusions: int
    instructions: int
    """Of the optimized HLO, fusions counted by what they hold."""
    new: int
    """Instructions that stand for no traced op."""
    unread_lines: int
    """Lines of both texts that could not be read."""


def xla_account(recording: Recording, tracing: Tracing) -> XlaAccount | None:
    """What XLA made of a tracing; None when its traced graph or its optimized HLO was not recorded."""
    if tracing.stage("traced") is None or tracing.stage("optimized-hlo") is None:
        return None
    hlo = recording.text("hlo", tracing) if tracing.stage("hlo") else ""
    return xla_fates(recording.graph("traced", tracing), hlo, recording.text("optimized-hlo", tracing))


def xla_report_tables(recording: Recording, tracing: Tracing) -> tuple[Table, ...]:
    """The tables `fates`, `fusions` and `clusters` of a tracing that XLA compiled; none for any other tracing."""
    account = xla_account(recording, tracing)
    return tables_of(account) if account else ()


def tables_of(account: XlaAccount) -> tuple[Table, ...]:
    """The tables `fates`, `fusions` and `clusters`."""
    return fates_table(account), fusions_table(account), clusters_table(account)


def summary_of(account: XlaAccount) -> XlaSummary:
    """The counts of what became of the traced ops, and of the instructions."""
    every = list(account.places.module.instructions())
    return XlaSummary(
        dict(Counter(fate.fate for fate in account.fates).most_common()),
        sum(fate.basis == "guessed" for fate in account.fates),
        sum(made.opcode == "fusion" for made in every),
        sum(made.opcode != "fusion" for made in every),
        sum(not account.origins[made.key].ops for made in every),
        account.unread_lines,
    )


def fates_table(account: XlaAccount) -> Table:
    """One row for each traced op, then one for each instruction that stands for none."""
    rows = [_fate_row(fate) for fate in account.fates]
    places = account.places
    rows += [
        (places.name_of(made), made.opcode, NEW, OPTIMIZATION, None, places.label_of(made), "measured", reason)
        for made, reason in new_instructions(account)
    ]
    names = ("op", "op_type", "fate", "pass", "iteration", "into", "basis", "reason")
    return Table("fates", "What XLA made of each op", tuple(map(Column, names)), tuple(rows))


def _fate_row(fate: XlaFate) -> tuple[Cell, ...]:
    into = ", ".join(fate.into)
    return (fate.op, fate.op_type, fate.fate, fate.seam or None, None, into or None, fate.basis, fate.reason)


def new_instructions(account: XlaAccount) -> Iterator[tuple[HloInstruction, str]]:
    """Every instruction of the optimized HLO without a traced op, and why it is there."""
    callers = callers_of(account.places.module)
    for made in account.places.module.instructions():
        if not account.origins[made.key].ops:
            _, caller = callers.get(made.computation, ("", None))
            yield made, _reason_for_new(made, caller)


def _reason_for_new(made: HloInstruction, caller: HloInstruction | None) -> str:
    if caller is not None and caller.opcode not in (*CALLING_OPCODES, "fusion"):
        return f"what each step of a {caller.opcode} computes"
    if made.opcode in _REASONS_FOR_NEW:
        return _REASONS_FOR_NEW[made.opcode]
    if made.op_name:
        return f"made for {quoted(made.op_name)}, which is no traced op"
    return "made by XLA, without an op name"


def fusions_table(account: XlaAccount) -> Table:
    """One row for each fusion, with its traced ops in order of computation."""
    inside = {computation.name: computation for computation in account.places.module.computations}
    rows: list[tuple[Cell, ...]] = []
    for made in account.places.module.instructions():
        if made.opcode == "fusion":
            held = sum(_size(inside[called]) for _, called in made.calls if called in inside)
            ops = account.origins[made.key].ops
            name = account.places.name_of(made)
            rows.append((name, made.fusion_kind, made.computation, held, len(ops), ", ".join(ops)))
    names = ("fusion", "kind", "computation", "instructions", "op_count", "ops")
    return Table("fusions", "Instructions that XLA runs as one", tuple(map(Column, names)), tuple(rows))


def _size(computation: HloComputation) -> int:
    return sum(made.opcode != "parameter" for made in computation.instructions)


def clusters_table(account: XlaAccount) -> Table:
    """One row for each computation that runs as it stands: the compiled function, its loops and branches."""
    callers = callers_of(account.places.module)
    rows: list[tuple[Cell, ...]] = []
    for computation in account.places.running_computations():
        role, caller = callers.get(computation.name, ("", None))
        made = computation.instructions
        ops = {op: None for each in made for op in account.origins[each.key].ops}
        rows.append(
            (
                computation.name,
                "entry" if caller is None else _ROLES.get(role, role),
                account.places.name_of(caller) if caller else "",
                len(made),
                sum(each.opcode == "fusion" for each in made),
                len(ops),
                ", ".join(ops),
            )
        )
    names = ("computation", "role", "caller", "instructions", "fusions", "op_count", "ops")
    title = f"Computations of {account.places.module.name or 'the compiled function'}"
    return Table("clusters", title, tuple(map(Column, names)), tuple(rows))


__all__ = [
    "XlaSummary",
    "clusters_table",
    "fates_table",
    "fusions_table",
    "summary_of",
    "tables_of",
    "xla_account",
    "xla_report_tables",
]
