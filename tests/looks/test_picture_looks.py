"""How pictures look: SVG files that a person has seen and found good, laid out by one pinned engine.

To see and accept a changed look: `TFGRAPHDBG_ACCEPT_LOOKS=1 pytest tests/looks`, then open the files in a browser.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hand_built import STACKS, hostile_graph, small_optimized, small_traced
from tests.view_samples import layered_graph
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.recording import OpMetric
from tfgraphdbg.views import graph_view_for
from tfgraphdbg.views.contract import PictureOptions

LOOKS = Path(__file__).parent / "pictures"

ENGINE = "0.2.2"
"""Coordinates differ from version to version."""

TIMES = OpMetric(
    "self time", "us", "optimized", {"dense/Relu": 900.0, "sub": 120.0, "pow": 40.0, "Mean": 5.0}, "estimated"
)

CHANGES = {"dense/MatMul": "removed", "dense/Relu": "changed", "pow": "changed", "pow/y": "removed", "NoOp": "removed"}

PICTURES: dict[str, tuple[Callable[[], GraphModel], PictureOptions]] = {
    "small-traced": (small_traced, PictureOptions(stacks=STACKS)),
    "small-focus": (small_traced, PictureOptions(focus="sub", hops=2)),
    "small-scopes-folded": (small_traced, PictureOptions(depth=0)),
    "small-difference": (small_traced, PictureOptions(color="diff", changes=CHANGES)),
    "small-times": (small_optimized, PictureOptions(color="time", metric=TIMES)),
    "small-devices": (small_optimized, PictureOptions(color="device")),
    "hostile-names": (hostile_graph, PictureOptions()),
    "layers-folded": (lambda: layered_graph(12, 20), PictureOptions()),
}


@pytest.mark.skipif(importlib.metadata.version("graphviz-pure") != ENGINE, reason=f"made by graphviz-pure {ENGINE}")
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_it_was_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TFGRAPHDBG_DOT", raising=False)
    graph, options = PICTURES[name]
    svg = graph_view_for("svg", None).render(graph(), options).decode()
    accepted = LOOKS / f"{name}.svg"
    if os.environ.get("TFGRAPHDBG_ACCEPT_LOOKS"):
        accepted.write_text(svg, encoding="utf-8")
    assert svg == accepted.read_text(encoding="utf-8"), "the look has changed: see the top of this file"
