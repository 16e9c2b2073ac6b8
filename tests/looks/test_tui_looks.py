"""Pictures of the terminal UI, from recordings built by hand; `--snapshot-update` accepts new ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from tests.hand_built import (
    hostile_graph,
    packed_recording,
    small_optimized,
    small_traced,
)
from tests.pass_recordings import recording_with_passes
from tests.timed_recordings import packed_with_times
from tests.tui.driving import press, settled
from tests.tui.recordings import with_findings, with_hlo, with_meta, with_switches, with_two_tracings
from tfgraphdbg.recording import MissingEvidence, Recording
from tfgraphdbg.tui.app import DebuggerApp

NARROW, MEDIUM, PASSES, WIDE = (80, 24), (120, 36), (120, 40), (200, 60)

Snapshot = Callable[..., bool]


def small() -> Recording:
    return with_meta(packed_recording([small_traced(), small_optimized()]), versions={"tensorflow": "X.Y.Z"})


def partial() -> Recording:
    gaps = (
        MissingEvidence("stage-optimized", "the function never returned, so TensorFlow never optimized it"),
        MissingEvidence("op-times", "no steady runs"),
    )
    return with_meta(packed_recording([small_traced()], missing=gaps), versions={}, outcome="the program took too long")


def empty() -> Recording:
    gaps = (MissingEvidence("stages", "the program called no tf.function"),)
    return with_meta(packed_recording([], missing=gaps), tracings=(), main_tracing=None, versions={})


def damaged() -> Recording:
    packed = packed_recording([small_traced(), small_optimized()])
    packed["tracings/0/optimized.ops"] = b"damaged"
    return with_meta(packed, versions={})


def hostile() -> Recording:
    return with_meta(packed_recording([hostile_graph()]), versions={})


def with_passes() -> Recording:
    return without_versions(recording_with_passes())


def with_times() -> Recording:
    return with_meta(packed_with_times(), versions={})


def without_versions(recording: Recording) -> Recording:
    import msgspec

    recording.meta = msgspec.structs.replace(recording.meta, versions={})
    return recording


STEPS = {
    "start-narrow": (small, NARROW, []),
    "start-medium": (small, MEDIUM, []),
    "start-wide": (small, WIDE, ["j", "j", "j"]),
    "detail-narrow": (small, NARROW, ["j", "j", "j", "enter"]),
    "detail-medium": (small, MEDIUM, ["]", "j", "j", "j", "j", "enter", "j"]),
    "scopes-narrow": (small, NARROW, ["h", "j", "l", "G", "l"]),
    "search": (small, MEDIUM, ["/", *"dense type:re"]),
    "search-wrong": (small, NARROW, ["/", *"lin:42"]),
    "search-nothing": (small, MEDIUM, ["/", *"nothing", "enter"]),
    "help": (small, MEDIUM, ["?"]),
    "stages": (lambda: without_versions(with_hlo()), MEDIUM, ["s", "j"]),
    "tracings": (lambda: without_versions(with_two_tracings()), MEDIUM, ["t", "j"]),
    "text-stage": (lambda: without_versions(with_hlo()), MEDIUM, ["]", "/", *"add.19", "enter"]),
    "log": (small, MEDIUM, ["2"]),
    "partial": (partial, NARROW, ["m"]),
    "empty": (empty, NARROW, []),
    "damaged": (damaged, MEDIUM, ["]"]),
    "hostile": (hostile, MEDIUM, ["j", "j"]),
    "passes-narrow": (with_passes, NARROW, ["p", *"jjjjj"]),
    "passes-medium": (with_passes, PASSES, ["p", *"jjjjj", "enter", "j", "j"]),
    "passes-wide": (with_passes, WIDE, ["p", "j", "j", "G", "enter", "j"]),
    "passes-search": (with_passes, PASSES, ["p", *"jjjjj", "/", *"dense bias"]),
    "passes-missing": (small, NARROW, ["p"]),
    "passes-none": (lambda: with_meta(packed_recording([small_traced()]), versions={}, options={}), NARROW, ["p"]),
    "findings-narrow": (lambda: without_versions(with_findings()), NARROW, ["p", "g", "enter", "n"]),
    "findings-medium": (lambda: without_versions(with_findings()), PASSES, ["p", "g"]),
    "findings-search": (lambda: without_versions(with_findings()), PASSES, ["p", "g", "/", *"mul fused"]),
    "finding-of-op": (lambda: without_versions(with_findings()), PASSES, ["[", "j", "j", "j", "j", "enter"]),
    "options-narrow": (lambda: without_versions(with_switches()), NARROW, ["p", "g", "j", "enter", "n"]),
    "options-wide": (lambda: without_versions(with_switches()), WIDE, ["p", "g", "j"]),
    "life-narrow": (with_passes, NARROW, ["]", "]", "j", "j", "j", "enter", *"nnnnnn"]),
    "life-medium": (with_passes, PASSES, ["]", "]", "j", "j", "j"]),
    "life-stages": (with_passes, PASSES, ["j", "j", "j", "j", "j", "}", "}", "}", "s"]),
    "life-followed": (with_passes, PASSES, ["j", "j", "j", "}", "}", "}"]),
    "times-narrow": (with_times, NARROW, ["]", "c", *"jjjj"]),
    "times-medium": (with_times, MEDIUM, ["]", "c", *"jjjj", "enter"]),
    "times-wide": (with_times, WIDE, ["]", "c", *"jjjj"]),
    "bottlenecks-narrow": (with_times, NARROW, ["b", "j", "enter", "enter"]),
    "bottlenecks-medium": (with_times, MEDIUM, ["b"]),
    "bottlenecks-wide": (with_times, WIDE, ["b", "j", "j", "enter", "j"]),
    "bottlenecks-path": (with_times, MEDIUM, ["b", *"jjjj", "enter", "l"]),
    "bottlenecks-missing": (empty, NARROW, ["b"]),
    "eager-narrow": (with_times, NARROW, ["e", "enter", "j"]),
    "eager-medium": (with_times, MEDIUM, ["e", "enter", "j", "l"]),
    "eager-wide": (with_times, WIDE, ["e", "/", *"model.py:7"]),
    "light": (small, MEDIUM, ["T", "j", "j", "j", "enter"]),
}


@pytest.mark.parametrize("name", STEPS)
def test_looks(name: str, snap_compare: Snapshot) -> None:
    make, size, keys = STEPS[name]

    async def steps(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await press(pilot, *keys)

    run_before: Callable[[Pilot[None]], Awaitable[None]] = steps
    assert snap_compare(DebuggerApp(make()), terminal_size=size, run_before=run_before)


def test_looks_without_colours(snap_compare: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(DebuggerApp(small()), terminal_size=MEDIUM, run_before=settled)
