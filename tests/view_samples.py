"""Reports and graphs with everything that a view may meet, in plain and in hostile words."""

from __future__ import annotations

import math

from tests.hand_built import HOSTILE_NAMES
from tfgraphdbg.graph_model import GraphModel, OpNode, OutputInfo
from tfgraphdbg.recording import MissingEvidence
from tfgraphdbg.report import Column, Finding, Report, ReportTarget, Series, SourceLine, Table

EXTREME_FLOATS = (math.nan, math.inf, -math.inf, 1e300, -1e-300, 0.0, -0.0, 123456.789)


def full_report() -> Report:
    """Every severity, basis, cell type and unit."""
    return Report(
        analysis="bottlenecks",
        title="Where the time goes",
        target=ReportTarget("model.py:train_step", "2.21.0", ("CPU:0", "CPU:1")),
        findings=(
            Finding(
                "hot-line",
                "error",
                "one line costs most of the time",
                {"share": 0.371, "self_us": 123456.7, "peak_bytes": 123456789, "ops": ["a", "b"], "fused": True},
                tuple(f"dense_{place}/MatMul" for place in range(9)),
                (SourceLine("model.py", 42, "train_step"), SourceLine("model.py", 7)),
                "move it out of the loop",
            ),
            Finding("tiny-ops", "warning", "many ops are small", {"calls": 12345}, basis="estimated", cost=7.0),
            Finding("serial-graph", "info", "one op after the other", basis="guessed"),
        ),
        tables=(
            Table(
                "ops",
                "Ops by self time",
                (
                    Column("op"),
                    Column("calls"),
                    Column("self_us", "us", "measured"),
                    Column("share"),
                    Column("memory", "bytes", "estimated"),
                    Column("fused"),
                ),
                tuple(
                    (f"scope/layer_{place}/MatMul", place, place * 1234.5, place / 100, None, place % 2 == 0)
                    for place in range(100)
                ),
            ),
            Table("nothing", "Nothing here", (Column("op"), Column("us", "us", "guessed")), ()),
            Table("extremes", "Extreme numbers", (Column("number"),), tuple((number,) for number in EXTREME_FLOATS)),
        ),
        series=(
            Series("live-bytes", "bytes", "us", tuple((float(place), 4096.0 * place) for place in range(200))),
            Series("flat", "", "step", ((0.0, 1.0), (1.0, 1.0))),
            Series("gaps", "ms", "step", tuple(enumerate(EXTREME_FLOATS))),
            Series("empty", "bytes", "us", ()),
        ),
        missing=(MissingEvidence("op-times", "the profiler was not started"),),
    )


def empty_report() -> Report:
    """A healthy program of which nothing else is known."""
    return Report("numerics", "Numbers", ReportTarget("model.py:f", ""))


def one_table_report() -> Report:
    """What most analyses give."""
    return Report("overview", "Stages", ReportTarget("f", "2.21.0"), tables=(full_report().tables[0],))


def hostile_report() -> Report:
    """Every foreign word is a name that tries to break some format."""
    names = HOSTILE_NAMES
    evidence = {"argument": names[0], "inner": {names[1]: names[2]}, "worst": math.nan, names[3]: [names[4], math.inf]}
    source = SourceLine(names[2], 1, names[6])
    return Report(
        names[1],
        names[2],
        ReportTarget(names[3], names[6], names),
        tuple(Finding(name, "warning", name, evidence, names, (source,), name) for name in names),
        tuple(
            Table(name, name, (Column(name, name), Column("self_us", "us", "guessed")), tuple((n, 1.5) for n in names))
            for name in names
        ),
        tuple(Series(name, name, name, ((0.0, 1.0), (1.0, 2.0))) for name in names),
        tuple(MissingEvidence(name, name) for name in names),
    )


REPORTS = {
    "full": full_report,
    "empty": empty_report,
    "one-table": one_table_report,
    "hostile": hostile_report,
}


def layered_graph(layers: int = 24, variables: int = 50) -> GraphModel:
    """Layers in scopes, convolutions named flat beside them, a gradient and a flat optimizer, as Keras 3 makes them."""
    tensor = (OutputInfo("float32", (8, 4)),)
    ops = [OpNode("images", "Placeholder", outputs=tensor)]
    last = "images"
    for place in range(layers):
        convolution, block = f"net/conv_{place}", f"net/stage{place // 6}_layer{place % 6}"
        ops.append(OpNode(f"{convolution}/ReadVariableOp", "ReadVariableOp", (), outputs=tensor))
        ops.append(OpNode(convolution, "Conv2D", (last, f"{convolution}/ReadVariableOp"), outputs=tensor))
        last = convolution
        for step in range(9):
            ops.append(OpNode(f"{block}/step{step}", "Mul", (last,), outputs=tensor))
            last = f"{block}/step{step}"
        ops.append(OpNode(f"gradient_tape/net/layer{place}/Mul", "Mul", (last, last), outputs=tensor))
    for place in range(variables):
        number = f"_{place}" if place else ""
        ops += (
            OpNode(f"adam/Const{number}", "Const", outputs=tensor),
            OpNode(f"adam/Mul{number}", "Mul", (f"adam/Const{number}", last), outputs=tensor),
            OpNode(f"adam/Assign{number}", "AssignAddVariableOp", (f"adam/Mul{number}",)),
        )
    ops.append(OpNode("NoOp", "NoOp", tuple(f"^{op.name}" for op in ops if op.name.startswith("adam/Assign"))))
    return GraphModel("layered", "traced", tuple(ops))


def odd_names_graph() -> GraphModel:
    """A chain of ops whose names mean something to DOT, to HTML or to a path."""
    names = (
        "<b>bold</b>",
        "<table>",
        "\\N",
        "ends with \\",
        'quo"te',
        "node",
        "a:b:c",
        "&amp;",
        "",
        "/",
        "a//b",
        "x\u0000y",
        "\ud800",
        "]]>",
        "-->",
    )
    ops = tuple(
        OpNode(name, f"Type<{place}>", (f"{names[place - 1]}:0",) if place else (), outputs=(OutputInfo("<i>", (1,)),))
        for place, name in enumerate(names)
    )
    ops += (OpNode("scope\\/x", ""), OpNode("scope\\/y", "\\"), OpNode("no type", ""))
    return GraphModel("<odd> & names", "traced", ops)
