"""What `import tfgraphdbg` offers: record in place, load, analyze and render."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from tfgraphdbg.errors import UsageError
from tfgraphdbg.recording import Recording
from tfgraphdbg.recording_file import is_plain_part, load, pack_bytes
from tfgraphdbg.recording_file import save as save_parts
from tfgraphdbg.report import Report

__all__ = ["Picture", "analyze", "as_text", "load", "record", "render", "save", "watch"]


def record(
    function: Callable[..., Any],
    /,
    *args: Any,
    without: str | Sequence[str] = (),
    only: str | Sequence[str] = (),
    passes: bool = True,
    steps: int = 10,
    eager: bool = False,
    **kwargs: Any,
) -> Recording:
    """Call `function(*args, **kwargs)` once, in this process, and record what TensorFlow made of it; then time it.

    `function` is a `tf.function`, or any Python function, which is then wrapped with one. The arguments are those of a
    normal call. The recording has the stages `traced`, `pre-optimization`, `optimized` and one `partition:N` a device;
    times are wall times in milliseconds. What a start after TensorFlow's import cannot have is in `recording.missing`.

    What each Grappler pass did is found out afterwards in a process of its own, which optimizes the same graph once
    more and never runs it. That takes the seconds of one more import of TensorFlow, which `passes=False` saves.

    To time its ops, the same call is made a few more times: 4 plainly, and `steps` under TensorFlow's profiler, fewer
    when they take more than 30 seconds. Variables and random generators are then put back to what they were after the
    first call, and seeded random ops go on as after it. A function that changes what cannot be put back is called only
    once: a queue, a hash table, a dataset's iterator, a file, whatever the Python code of a `tf.py_function` changes;
    `recording.missing` then says so, and how to measure it. `steps=0` makes one call only. `recording.times()` has the
    times, in microseconds.

    `eager=True` calls the Python function too, without a graph: `recording.eager()` has every op of such a call with
    its times, `recording.call_costs()` what eager and graph calls take side by side. The Python function is then
    called some 50 times, for about 15 seconds at most, or a little more when one call takes seconds: what its Python
    code changes beside variables, such as a list that it appends to, is changed at each call.

    `without=("remapper",)` switches Grappler passes off for this one call, `only=("remapper",)` all others; a function
    that has a parameter of one of these names needs a lambda around it.

    Raises MissingRequirementError without TensorFlow, UsageError for a pass that does not exist or cannot be switched,
    and for `steps` that is no whole number;
    what the function itself raises goes through unchanged.
    """
    from tfgraphdbg.pass_switches import parse_switches
    from tfgraphdbg.recorders import in_place

    switches = parse_switches(*([names] if isinstance(names, str) else names for names in (without, only)))
    return in_place.record(function, args, kwargs, in_place.Wanted(switches, passes, _checked(steps), eager))


def _checked(steps: object) -> int:
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise UsageError(
            f"steps={steps!r} is no number of steps", "give a whole number, such as 10; 0 measures nothing"
        )
    return steps


def save(recording: Recording, path: str | os.PathLike[str]) -> None:
    """Write a recording to one file, which `load` and every verb of the command line open; `.tfgdbg` is its ending.

    Raises UsageError when the place cannot be written; what was there before then stays.
    """
    parts = recording.parts
    packed = {name: parts.read(name) if is_plain_part(name) else pack_bytes(parts.read(name)) for name in parts.names()}
    save_parts(packed, path)


def watch(passes: bool = True, steps: int = 10) -> AbstractContextManager[Recording]:
    """A context manager that records every tf.function which is traced or called inside its block.

    The recording that it yields is complete when the block ends, also when the block raises. `passes=False` leaves out
    what each Grappler pass did, which takes one more import of TensorFlow in a process of its own.

    Nothing runs twice: of the block's own calls of each graph, `steps` are made under TensorFlow's profiler, which
    times the ops: from the second one on, never the first. A session of the profiler takes 1 to 130 ms beside the call;
    `steps=0` does without.
    """
    from tfgraphdbg.recorders import in_place

    return in_place.watch(in_place.Wanted(replayed=passes, steps=_checked(steps)))


def analyze(recording: Recording, analysis: str = "overview", **options: Any) -> Report:
    """Run one analysis (`overview`, `diff`, `passes`) on a recording and return its Report.

    `options` are those of AnalysisOptions, such as `stage="traced"` or `against=another_recording`. Raises UsageError
    for an analysis, an option or a stage that does not exist.
    """
    from tfgraphdbg.analyses import analysis_named
    from tfgraphdbg.analyses.contract import AnalysisOptions

    if not isinstance(recording, Recording):
        raise UsageError(
            f"analyze takes a recording, not {type(recording).__name__}", "open a saved one: tfgraphdbg.load(PATH)"
        )
    unknown = sorted(set(options) - set(AnalysisOptions._fields))
    if unknown:
        raise UsageError(f"no option {unknown[0]!r}", f"options: {', '.join(AnalysisOptions._fields)}")
    return analysis_named(analysis).run(recording, AnalysisOptions(**options))


def as_text(report: Report, width: int | None = None) -> str:
    """A report as the command line prints it; `width` in columns, None for as wide as its tables are."""
    from tfgraphdbg.views import report_view_for
    from tfgraphdbg.views.contract import TextOptions

    return report_view_for("text", None).render(report, TextOptions(width))


class Picture:
    """A graph as SVG text; shows itself in a notebook."""

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Picture: SVG of {len(self.svg):,} characters>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the SVG to a file."""
        from pathlib import Path

        Path(path).write_text(self.svg, encoding="utf-8")


def render(recording: Recording, stage: str | None = None, **options: Any) -> Picture:
    """Draw one stage of the main tracing (by default the one nearest to what ran) as a Picture.

    `options` are those of PictureOptions, such as `scope="dense"`, `focus="dense/MatMul"`, `hops=2`. Raises UsageError
    for a stage, an op or an option that does not exist.
    """
    from tfgraphdbg.views import graph_view_for
    from tfgraphdbg.views.contract import PictureOptions

    if not isinstance(recording, Recording):
        raise UsageError(
            f"analyze takes a recording, not {type(recording).__name__}", "open a saved one: tfgraphdbg.load(PATH)"
        )
    unknown = sorted(set(options) - set(PictureOptions._fields))
    if unknown:
        raise UsageError(f"no option {unknown[0]!r}", f"options: {', '.join(PictureOptions._fields)}")
    view = graph_view_for("svg", None)
    drawn = view.render(recording.graph(stage), PictureOptions(**{"stacks": recording.stacks, **options}))
    return Picture(drawn.decode("utf-8"))
