"""The sample with an unrolled loop, recorded: it is told, and the same as a loop in the graph is not."""

from __future__ import annotations

import pytest

import tfgraphdbg
from tests.conftest import RecordedSample
from tfgraphdbg.analyses.bottlenecks.first_call import first_call_tables, tracing_findings

pytestmark = pytest.mark.tensorflow


def test_the_unrolled_loop_is_told_with_its_60_steps(recorded: RecordedSample):
    recording = tfgraphdbg.load(recorded("unrolled_loop.py:unrolled"))
    (found,) = tracing_findings(recording, recording.main_tracing)
    assert found.rule == "python-unrolled-loop"
    assert found.evidence["copies"] == 60
    assert 60 * 7 <= found.evidence["ops"] <= 60 * 8 + 2
    assert "`for time in tf.range(60):`" in found.suggestion
    line = recording.sources[found.sources[0].file].splitlines()[found.sources[0].line - 1]
    assert line.strip() == "for time in range(60):"


@pytest.mark.parametrize("function", ["while_loop", "scan"])
def test_the_same_as_a_loop_in_the_graph_has_no_copies(recorded: RecordedSample, function: str):
    recording = tfgraphdbg.load(recorded(f"unrolled_loop.py:{function}"))
    assert tracing_findings(recording, recording.main_tracing) == []


def test_phases_of_the_first_call_add_up(recorded: RecordedSample):
    recording = tfgraphdbg.load(recorded("unrolled_loop.py:unrolled"))
    tracing = recording.main_tracing
    phases, lines = first_call_tables(recording, tracing)
    assert sum(row[1] for row in phases.rows) == pytest.approx(tracing.trace_ms + tracing.first_run_ms, rel=1e-3)
    assert sum(row[2] or 0 for row in lines.rows) == len(recording.graph("traced"))
