"""What is known of how long an op took -> rows of the detail panel."""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.measured_times import OpTime
from tfgraphdbg.tui.detail_row import DetailRow, Part, heading
from tfgraphdbg.tui.heat import heat, share_words
from tfgraphdbg.tui.op_facts import OpFacts
from tfgraphdbg.tui.op_times import OpTimes, SlackTimes, are_of_stage
from tfgraphdbg.views.human_units import human_number, human_quantity

LABEL_WIDTH = 10


def time_rows(facts: OpFacts, stage: str) -> Iterator[DetailRow]:
    """Measured and estimated times of an op that ran; nothing where no times were recorded."""
    times = facts.times
    if times is None or not are_of_stage(stage):
        return
    op_id = facts.op.id
    time = times.by_op.get(op_id)
    if time is None:
        yield from heading("Times", "no event: the executor does not time it")
        return
    yield from heading("Times", f"measured, {times.steps:,} step{'s' * (times.steps != 1)}")
    share = times.share(op_id)
    yield _row("self", _us(time.self_us), f"{_us(time.low_us)} to {_us(time.high_us)}", heat(share))
    yield _row("share", share_words(share).strip(), "of the busy time of all threads", heat(share))
    yield from _calls(time)
    if times.worker_known:
        yield _row("workers", _us(time.worker_us), "of other threads, beside its own")
    yield from _estimate(times, time)
    yield from _slack(facts.slack, op_id)


def edge_share(facts: OpFacts, op_id: str) -> tuple[Part, str]:
    """What to say of a neighbour's time, and the style of its name; nothing while ops have other colours."""
    if facts.times is None or not facts.by_time:
        return Part(""), "link"
    share = facts.times.share(op_id)
    style = heat(share)
    return Part(f"  {share_words(share)}" if share is not None else "", style), style


def _calls(time: OpTime) -> Iterator[DetailRow]:
    each = f"{_us(time.self_us / time.calls)} each" if time.calls else ""
    yield _row("calls", human_number(time.calls), f"a step{', ' if each else ''}{each}")


def _estimate(times: OpTimes, time: OpTime) -> Iterator[DetailRow]:
    estimate = times.estimates.get(time.op)
    if estimate is None:
        return
    parts = f"compute {_us(estimate.compute_us)}, memory {_us(estimate.memory_us)}"
    guess = "" if estimate.shapes_known else "; a size was not known, 1 is taken for it"
    yield _row("estimate", parts, f"a call, by Grappler's cost model{guess}")


def _slack(slack: SlackTimes | None, op_id: str) -> Iterator[DetailRow]:
    if slack is None:
        return
    if op_id in slack.critical:
        yield _row("slack", "none", "it is on the critical path", "warning")
    elif op_id in slack.slack_us:
        yield _row("slack", _us(slack.slack_us[op_id]), "longer would not make the step longer")


def _row(label: str, value: str, note: str, style: str = "") -> DetailRow:
    return DetailRow((Part(f"  {label:<{LABEL_WIDTH}}", "dim"), Part(value, style), Part(f"  {note}", "dim")))


def _us(amount: float) -> str:
    return human_quantity(amount, "us")
