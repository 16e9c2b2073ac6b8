"""Advice that is true of the target."""

from __future__ import annotations

import pytest

from tests.graph_text import graph_of
from tests.hand_built import packed_recording, recording_of
from tfgraphdbg.analyses.known_target import graph_advice
from tfgraphdbg.graph_model import GraphModel


@pytest.mark.parametrize(("op_type", "advised"), [("Mul", True), ("EagerPyFunc", False)])
def test_xla_is_advised_where_it_can_compile_the_graph(op_type: str, advised: bool) -> None:
    made = graph_of(f"op = {op_type} -> float32[2]")
    graph = GraphModel("f", "traced", made.ops, made.attr_sets)
    recording = recording_of(packed_recording([graph]))
    advice = graph_advice(recording, recording.main_tracing, 20.0, 5)
    assert ("jit_compile" in advice) is advised
    assert "tracing (20.0 ms) pays back after 5 calls" in advice
