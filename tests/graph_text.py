"""Graphs as short text, one op a line, so that a test shows the graph that it is about.

    x = Placeholder -> float32[2,3]
    dense/MatMul = MatMul(x, w:1, ^init) {transpose_a=True} -> float32[2,4] @ /device:CPU:0 stack 1 from x, fn::y
    [fn]
    a = Placeholder

All after the op type may be left out. Ops below `[fn]` are the body of library function `fn`. `stack` is an index into
`hand_built.STACKS`; `from` lists origins. Names hold no spaces.
"""

from __future__ import annotations

import re

from tfgraphdbg.graph_model import AttrValue, GraphModel, OpNode, OutputInfo

_OP = re.compile(
    r"(?P<name>\S+) = (?P<op_type>\w+)"
    r"(?:\((?P<inputs>[^)]*)\))?"
    r"(?: \{(?P<attrs>[^}]*)\})?"
    r"(?: -> (?P<outputs>\w+\[\S*\](?: \w+\[\S*\])*))?"
    r"(?: @ (?P<device>\S+))?"
    r"(?: stack (?P<stack>\d+))?"
    r"(?: from (?P<origins>.+))?"
)


def graph_of(text: str, stage: str = "traced", name: str = "graph") -> GraphModel:
    """The graph that `text` describes."""
    ops: list[OpNode] = []
    attr_sets: list[dict[str, AttrValue]] = []
    functions: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            functions.append(line.strip("[]"))
            continue
        ops.append(_op(line, functions[-1] if functions else "", attr_sets))
    return GraphModel(name, stage, tuple(ops), tuple(attr_sets), tuple(functions))


def _op(line: str, function: str, attr_sets: list[dict[str, AttrValue]]) -> OpNode:
    found = _OP.fullmatch(line)
    assert found, f"not an op: {line}"
    attrs = -1
    if found["attrs"]:
        attr_sets.append(
            {name: value for name, _, value in (item.partition("=") for item in found["attrs"].split(", "))}
        )
        attrs = len(attr_sets) - 1
    return OpNode(
        found["name"],
        found["op_type"],
        tuple(filter(None, (found["inputs"] or "").split(", "))),
        found["device"] or "",
        attrs,
        tuple(map(_output, (found["outputs"] or "").split())),
        int(found["stack"] or -1),
        function,
        tuple(filter(None, (found["origins"] or "").split(", "))),
    )


def _output(text: str) -> OutputInfo:
    dtype, _, dims = text.rstrip("]").partition("[")
    if dims == "...":
        return OutputInfo(dtype, None)
    return OutputInfo(dtype, tuple(None if dim == "?" else int(dim) for dim in dims.split(",") if dim))
