"""Tracings -> the time of those whose graphs TensorFlow threw away, and how to save it.

A tf.function that makes variables in its first call is traced twice, since a graph may only use variables that exist.
"""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.report import Finding, SourceLine

WORTH_A_WORD_MS = 500.0

WHY = "it made variables, so TensorFlow threw its graph away and traced again"


def lost_tracing_ms(recording: Recording, tracing: Tracing) -> float:
    """How long the tracings took that were thrown away for this one; 0 when it was the first."""
    lost = 0.0
    for other in reversed(recording.tracings[: tracing.index]):
        if (other.function, other.file, other.line) == (tracing.function, tracing.file, tracing.line):
            if other.stages or other.calls or other.signature != tracing.signature:
                break
            lost += other.trace_ms or 0.0
    return lost


def lost_tracing_findings(recording: Recording, tracing: Tracing) -> Iterator[Finding]:
    """One that says what was lost, where it is worth a word."""
    lost = lost_tracing_ms(recording, tracing)
    if lost < WORTH_A_WORD_MS or tracing.trace_ms is None:
        return
    all_ms = lost + tracing.trace_ms + (tracing.first_run_ms or 0.0)
    yield Finding(
        rule="traced-for-nothing",
        severity="info",
        message=f"the first call traced {tracing.function} twice: {lost / 1e3:,.1f} s went into a graph that "
        f"TensorFlow threw away, {lost / all_ms:.0%} of the first call",
        evidence={"lost_ms": round(lost, 1), "trace_ms": tracing.trace_ms, "share": round(lost / all_ms, 3)},
        sources=(SourceLine(tracing.file, tracing.line, tracing.function),) if tracing.file else (),
        suggestion="make the variables before the first call: optimizer.build(model.trainable_variables) for a Keras "
        "optimizer, model.build(...) or one eager call for layers, and your own tf.Variables outside of the function",
        cost=lost,
    )
