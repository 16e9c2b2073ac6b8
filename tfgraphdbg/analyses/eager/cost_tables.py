"""A compared run -> what a call costs in both modes, and what the difference consists of."""

from __future__ import annotations

from tfgraphdbg.analyses.eager.call_cost import CallCost
from tfgraphdbg.analyses.eager.compared_run import ComparedRun
from tfgraphdbg.analyses.eager.gap_shares import GapPart
from tfgraphdbg.analyses.eager.spreads import SPREAD_WORDS
from tfgraphdbg.report import Cell, Column, Table

COST_COLUMNS = (
    Column("eager_us", "us", "measured"),
    Column("graph_us", "us", "measured"),
    Column("ratio", None, "measured"),
    Column("python_share", "share", "estimated"),
    Column("dispatch_share", "share", "estimated"),
    Column("kernel_share", "share", "estimated"),
    Column("trace_ms", "ms", "measured"),
    Column("break_even_calls", None, "measured"),
    Column("eager_low_us", "us", "measured"),
    Column("eager_high_us", "us", "measured"),
    Column("graph_low_us", "us", "measured"),
    Column("graph_high_us", "us", "measured"),
    Column("samples"),
    Column("calls_a_sample"),
)

_GAP_COLUMNS = (
    Column("part"),
    Column("us", "us", "estimated"),
    Column("share", "share", "estimated"),
    Column("known"),
    Column("how"),
)


def cost_row(cost: CallCost) -> tuple[Cell, ...]:
    """The one row of table `cost`."""
    parts = cost.parts
    return (
        cost.eager.median,
        cost.graph.median,
        cost.ratio,
        cost.share(parts.python_us if parts else None),
        cost.share(parts.dispatch_us if parts else None),
        cost.share(parts.kernel_us if parts else None),
        cost.trace_ms,
        cost.break_even_calls,
        cost.eager.low,
        cost.eager.high,
        cost.graph.low,
        cost.graph.high,
        cost.samples,
        cost.calls_a_sample,
    )


def cost_evidence(cost: CallCost) -> dict[str, Cell]:
    """The same by name, as the evidence of a finding; what is not known is left out."""
    named = zip((column.name for column in COST_COLUMNS), cost_row(cost), strict=True)
    return {name: cell for name, cell in named if cell is not None}


def cost_table(run: ComparedRun) -> Table:
    """What a call costs; without a row when calls were not timed."""
    title = f"One call eagerly and as a graph, on the same inputs, taken in turns: medians; {SPREAD_WORDS}"
    return Table("cost", title, COST_COLUMNS, (cost_row(run.cost),) if run.cost else ())


def gap_table(run: ComparedRun, parts: tuple[GapPart, ...]) -> Table:
    """The parts of the difference, which add up to it."""
    cost = run.cost
    # A share of what may be noise says nothing.
    gap = cost.gap_us if cost and cost.is_beyond_spread else 0.0
    rows: list[tuple[Cell, ...]] = [
        (part.name, part.us, part.us / gap if gap else None, part.known, part.how) for part in parts
    ]
    if parts and cost:
        rows.append(
            ("eager less graph", cost.gap_us, 1.0 if gap else None, "measured", "the difference of the medians")
        )
    return Table(
        "gap",
        "What an eager call takes more than a graph call; what a graph adds is negative",
        _GAP_COLUMNS,
        tuple(rows),
    )
