"""An optimized graph -> the chances that Grappler missed in it, tried and estimated, as one part of the recording."""

from __future__ import annotations

import time
from typing import Any

from tfgraphdbg.chances import ChancesPart, find_chances
from tfgraphdbg.graph_model import GraphModel, garbage_collection_paused
from tfgraphdbg.recorders.chance_trials import try_chances
from tfgraphdbg.recorders.op_costs import devices_in_words
from tfgraphdbg.recorders.recording_writer import RecordingWriter
from tfgraphdbg.recording import chances_part

SHARE_OF_FIRST_RUN = 0.05

SHORTEST_S = 1.0

LONGEST_S = 5.0


def record_chances(
    writer: RecordingWriter, index: int, optimized: GraphModel, lowered: GraphModel | None, graph_def: Any
) -> None:
    """Find the chances in `optimized`, of which `graph_def` is the GraphDef, try them for a while, and write them."""
    deadline = time.perf_counter() + _limit_s(writer.tracing(index).first_run_ms)
    try:
        # What is made here is gone at its end; without the pause it would set off a collection of the user's objects.
        with garbage_collection_paused():
            chances = find_chances(optimized, lowered)
            tried = try_chances(chances, optimized, graph_def, deadline - time.perf_counter())
            estimated = {optimized.by_id[one.chance.ops[0]].device for one in tried if one.gain_us is not None}
            part = ChancesPart(tried, devices_in_words(sorted(filter(None, estimated))))
    except Exception as error:
        # A graph that no rule foresaw costs this part alone.
        writer.miss("missed-chances", f"{writer.tracing(index).function}: {type(error).__name__}: {error}"[:300])
        return
    writer.add_part(chances_part(index), part)


def _limit_s(first_run_ms: float | None) -> float:
    return min(LONGEST_S, max(SHORTEST_S, SHARE_OF_FIRST_RUN * (first_run_ms or 0.0) / 1e3))
