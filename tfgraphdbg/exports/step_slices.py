"""The timeline of one step -> a thread for each of its threads, and arrows from what each op waited for last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tfgraphdbg.exports.op_arguments import OpArguments
from tfgraphdbg.exports.trace_events import Place, Slice, TraceEvents
from tfgraphdbg.graph_model import GraphModel
from tfgraphdbg.measured_times import TimesPart

MAX_ARROWS = 100_000


def add_step(trace: TraceEvents, times: TimesPart, graph: GraphModel, arguments: OpArguments) -> None:
    """Add the step of the timeline as a process of its own."""
    timeline = times.timeline
    process = trace.add_process(f"one step, op by op (step {times.timeline_step + 1} of {len(times.steps)})")
    if times.timeline_step < len(times.steps):
        wall_ns = round(times.steps[times.timeline_step].wall_us * 1e3)
        trace.add_thread(process, "the call", [Slice("step", 0, wall_ns)])
    slices = _slices(times, arguments)
    places: list[Place | None] = [None] * len(slices)
    for thread, info in enumerate(times.threads):
        own = [number for number, ran_on in enumerate(timeline.thread) if ran_on == thread]
        for number, place in zip(own, trace.add_thread(process, info.name, [slices[n] for n in own]), strict=True):
            places[number] = place
    _add_arrows(trace, times, graph, places)


def _slices(times: TimesPart, arguments: OpArguments) -> list[Slice]:
    timeline = times.timeline
    ids = [op.op for op in times.ops]
    calls = Counter(timeline.op)
    seen: Counter[int] = Counter()
    slices = []
    columns = zip(timeline.op, timeline.start_ns, timeline.end_ns, timeline.self_ns, strict=True)
    for op, start, end, self_ns in columns:
        told = {**arguments.of(ids[op]), "self_us": self_ns / 1e3}
        if calls[op] > 1:
            told["iteration"] = seen[op]
            seen[op] += 1
        slices.append(Slice(ids[op], start, end, told))
    return slices


def _add_arrows(trace: TraceEvents, times: TimesPart, graph: GraphModel, places: Sequence[Place | None]) -> None:
    """Of ops that ran once: in a loop the trace does not tell which iteration an op waited for."""
    timeline = times.timeline
    calls = Counter(timeline.op)
    once = {times.ops[op].op: number for number, op in enumerate(timeline.op) if calls[op] == 1}
    for name, number in list(once.items())[:MAX_ARROWS]:
        op = graph.by_id.get(name)
        if op is None or op.function:
            continue
        before = [
            once[reference.name]
            for reference in op.input_refs()
            if reference.name in once and timeline.end_ns[once[reference.name]] <= timeline.start_ns[number]
        ]
        source = places[max(before, key=lambda other: timeline.end_ns[other])] if before else None
        target = places[number]
        if source is not None and target is not None:
            trace.add_arrow("last input", source, target)
