"""A measured step -> the one sentence that says how long it takes and where that goes."""

from __future__ import annotations

from tfgraphdbg.analyses.bottlenecks.step import MeasuredStep
from tfgraphdbg.analyses.time_words import counted, duration, percent

TOP_LINES = 3
NOTABLE_DIFFERENCE = 0.10
"""From there on the title also says what a step takes without the profiler."""


def title_of(target: str, step: MeasuredStep) -> str:
    """`model.py:train_step: 1.84 s a step (median of 10, 1.80 s to 1.93 s), 71% of it in 3 lines, ...`."""
    summary = step.summary
    spread = f"median of {summary.steps}, {duration(summary.low_us)} to {duration(summary.high_us)}"
    words = [f"{target}: {duration(summary.wall_us)} a step ({spread})"]
    plain = summary.plain_us
    if plain is not None and abs(plain - summary.wall_us) > NOTABLE_DIFFERENCE * summary.wall_us:
        words.append(f"{duration(plain)} without the profiler")
    top = [line for line in step.lines if line.file][:TOP_LINES]
    if top and summary.op_us > 0:
        share = summary.share(sum(line.self_us for line in top))
        words.append(f"{percent(share)} of the busy time in {counted(len(top), 'line')}")
    if step.parallelism.span_ns:
        words.append(f"ops on {step.parallelism.mean:.1f} threads at once")
    return ", ".join(words)
