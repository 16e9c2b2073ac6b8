"""Where the time of a first call went: by phase, and by source line."""

from __future__ import annotations

import msgspec
import pytest

from tests.hand_built import packed_recording, recording_of, small_traced
from tests.timed_recordings import packed_with_times
from tests.traced_by_hand import FILE, HandTracing
from tfgraphdbg.analyses.bottlenecks import first_call
from tfgraphdbg.analyses.bottlenecks.first_call import first_call_tables, tracing_findings
from tfgraphdbg.analyses.lost_tracings import lost_tracing_findings, lost_tracing_ms
from tfgraphdbg.measured_times import times_part
from tfgraphdbg.recording import CALLS_PART, CallRecord, Recording, rewrites_part
from tfgraphdbg.recording_file import encode_part
from tfgraphdbg.recording_meta import AFTER_LAST_OP, BEFORE_FIRST_LINE, THROWN_AWAY
from tfgraphdbg.report import Table
from tfgraphdbg.rewrites import RewriteHistory, RewritePart, RewriteStep


def tables_of(recording: Recording) -> dict[str, Table]:
    return {table.name: table for table in first_call_tables(recording, recording.main_tracing)}


def phases_of(packed: dict[str, bytes]) -> dict[str, tuple[object, ...]]:
    return {str(row[0]): row[1:] for row in tables_of(recording_of(packed))["first-call"].rows}


def with_passes(
    packed: dict[str, bytes], source: str = "run", timed_by: str = "log", ms: float = 2.0
) -> dict[str, bytes]:
    steps = (RewriteStep("remapper", 1, ops=17, ms=ms, timed_by=timed_by), RewriteStep("layout", 1, ops=17, ms=1.0))
    body = RewriteHistory("scale", "__inference_scale_9", (RewriteStep("remapper", 1, ms=0.5),))
    histories = (RewriteHistory("__inference_train_step_12", steps=steps, source=source), body)
    return {**packed, rewrites_part(0): encode_part(RewritePart(histories))}


REST = "instantiating the function, and the rest of the first run"


def test_phases_add_up_to_tracing_and_the_first_run():
    phases = phases_of(with_passes(packed_with_times()))
    assert phases["Python tracing"][:2] == (12.5, "measured")
    assert phases["Grappler's passes"][:2] == (3.0, "measured")
    assert phases["Grappler's passes on functions that stay calls"][0] == 0.5
    assert phases["the run itself"][:2] == (0.24, "measured")
    assert sum(row[0] for row in phases.values()) == pytest.approx(12.5 + 8.25)
    assert phases[REST][0] == pytest.approx(8.25 - 3.5 - 0.24)


def test_what_was_not_timed_is_said_to_be_in_the_rest():
    phases = phases_of(packed_recording([small_traced()]))
    assert phases[REST][:2] == (8.25, "measured")
    assert "Grappler's passes, which were not timed" in phases[REST][2]
    assert "the run itself" in phases[REST][2]
    assert "the run itself" not in phases


def test_later_calls_stand_in_for_steady_runs():
    packed = packed_with_times()
    del packed[times_part(0)]
    packed[CALLS_PART] = encode_part(tuple(CallRecord(0, 10.0 * call, ms) for call, ms in enumerate((9.0, 0.2, 0.4))))
    assert phases_of(packed)["the run itself"][0] == pytest.approx(0.3)
    assert "2" in phases_of(packed)["the run itself"][2]


def test_times_of_a_replay_are_estimates_of_the_run():
    assert phases_of(with_passes(packed_with_times(), source="replayed"))["Grappler's passes"][1] == "estimated"


def test_dump_times_are_marked():
    assert "writing one" in phases_of(with_passes(packed_with_times(), timed_by="dump times"))["Grappler's passes"][2]


def test_passes_that_took_longer_than_the_first_run_leave_no_number():
    phases = phases_of(with_passes(packed_with_times(), ms=20.0))
    assert phases[REST][:2] == (None, "")
    assert "longer than the first run" in phases[REST][2]


@pytest.mark.parametrize("fact", ["trace_ms", "first_run_ms"])
def test_a_phase_that_was_not_seen_has_no_number(fact):
    traced = HandTracing("")
    traced.add("Sin", ("f", 1))
    rows = tables_of(traced.recording(**{fact: None}))["first-call"].rows
    assert any(row[1] is None and row[2] == "" for row in rows)


def two_lines(slow_us: float) -> HandTracing:
    traced = HandTracing("a = 1\nb = 2\nc = 3\n")
    traced.add("Sin", ("f", 1), us=1_000.0)
    for _ in range(3):
        traced.add("Cos", ("f", 2), ("g", 3), us=slow_us)
    return traced


def test_lines_are_those_of_the_innermost_frames_with_the_most_expensive_first():
    table = tables_of(two_lines(2_000.0).recording(trace_ms=14.0))["tracing-lines"]
    assert table.rows == ((FILE, 3, 3, 6.0, 0.4286), (FILE, 1, 1, 1.0, 0.0714))


def test_time_of_no_op_has_rows_of_its_own():
    traced = two_lines(2_000.0)
    traced.of_no_op = {BEFORE_FIRST_LINE: 7_000.0, AFTER_LAST_OP: 500.0, THROWN_AWAY: 0.0}
    tables = tables_of(traced.recording(trace_ms=14.5))
    assert tables["tracing-lines"].rows[0] == (BEFORE_FIRST_LINE, None, None, 7.0, 0.4828)
    assert tables["tracing-lines"].rows[-1] == (AFTER_LAST_OP, None, None, 0.5, 0.0345)
    assert len(tables["tracing-lines"].rows) == 4
    phases = {row[0]: row[1] for row in tables["first-call"].rows}
    assert (phases[BEFORE_FIRST_LINE], phases["Python tracing"]) == (7.0, 7.5)


def test_without_measured_times_lines_have_ops_alone():
    table = tables_of(two_lines(2_000.0).recording(timed=False))["tracing-lines"]
    assert table.rows == ((FILE, 3, 3, None, None), (FILE, 1, 1, None, None))
    assert "tracing time by line not recorded" in table.title


def test_ops_without_a_line_of_the_users_have_a_row():
    traced = HandTracing("")
    traced.add("Sin")
    assert tables_of(traced.recording())["tracing-lines"].rows[0][:3] == ("(no line of yours)", None, 1)


def test_a_recording_without_a_traced_graph_has_no_lines():
    recording = two_lines(1.0).recording(stages=())
    assert set(tables_of(recording)) == {"first-call"}
    assert tracing_findings(recording, recording.main_tracing) == []


def test_the_line_that_makes_most_of_a_long_tracing_is_told():
    recording = two_lines(800_000.0).recording(trace_ms=3_000.0)
    (found,) = tracing_findings(recording, recording.main_tracing)
    assert (found.rule, found.severity, found.sources[0].line) == ("slow-tracing-line", "info", 3)
    assert found.evidence["share"] == 0.8
    assert "2.4 s" in found.message


@pytest.mark.parametrize(("slow_us", "trace_ms"), [(800_000.0, 1_900.0), (400_000.0, 3_000.0)])
def test_a_short_tracing_or_one_without_a_slow_line_is_fine(slow_us, trace_ms):
    recording = two_lines(slow_us if trace_ms > 2_000 else 100.0).recording(trace_ms=trace_ms)
    assert tracing_findings(recording, recording.main_tracing) == []


def after_a_lost_tracing(lost_ms: float, **facts: object) -> Recording:
    """A recording whose main tracing came after another one of the same function, of which no graph is left."""
    recording = two_lines(2_000.0).recording(trace_ms=14.0, first_run_ms=6.0)
    main = msgspec.structs.replace(recording.main_tracing, index=1)
    facts = {"stages": (), "calls": 0, "trace_ms": lost_ms, "first_run_ms": None, **facts}
    meta = msgspec.structs.replace(
        recording.meta, tracings=(msgspec.structs.replace(main, index=0, **facts), main), main_tracing=1
    )
    return Recording(meta, recording.parts)


def test_a_tracing_that_was_thrown_away_is_a_phase_and_a_finding():
    recording = after_a_lost_tracing(980.0)
    assert lost_tracing_ms(recording, recording.main_tracing) == 980.0
    phases = list(first_call._phases(recording, recording.main_tracing))
    assert phases[0][:3] == ("a first tracing, for nothing", 980.0, "measured")
    assert first_call._title(recording, recording.main_tracing) == "Where the 1,000.0 ms of the first call went"
    (found,) = lost_tracing_findings(recording, recording.main_tracing)
    assert (found.rule, found.cost) == ("traced-for-nothing", 980.0)
    assert found.evidence == {"lost_ms": 980.0, "trace_ms": 14.0, "share": 0.98}
    assert [source.line for source in found.sources] == [recording.main_tracing.line]


@pytest.mark.parametrize("fact", [{"signature": "(x: another)"}, {"calls": 1}, {"line": 99}, {"trace_ms": None}])
def test_another_tracing_was_not_for_nothing(fact):
    recording = after_a_lost_tracing(980.0, **fact)
    assert lost_tracing_ms(recording, recording.main_tracing) == 0.0
    assert not list(lost_tracing_findings(recording, recording.main_tracing))


def test_a_short_tracing_for_nothing_is_not_worth_a_word():
    recording = after_a_lost_tracing(499.0)
    assert not list(lost_tracing_findings(recording, recording.main_tracing))
