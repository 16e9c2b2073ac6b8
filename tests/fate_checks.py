"""What the accounting of fates promises of any recording, as a list of what breaks it: empty when it is exact."""

from __future__ import annotations

from collections.abc import Iterator

from tfgraphdbg.analyses.fates import FATES, PassFates, pass_fates
from tfgraphdbg.analyses.fates.rewrite_fates import RewriteFates
from tfgraphdbg.analyses.fates.same_values import SameValues
from tfgraphdbg.graph_model import FUNCTION_SEPARATOR, GraphModel, OpNode, op_id
from tfgraphdbg.recording import Recording, Tracing
from tfgraphdbg.rewrites import RewriteHistory, apply_steps, check_edits


def broken_promises(recording: Recording, tracing: Tracing) -> list[str]:
    """Everything that is not exact in the accounting of a tracing and in the edits that it rests on."""
    fates = pass_fates(recording, tracing)
    assert fates is not None
    return [
        *_wrong_rows(recording, tracing, fates),
        *_wrong_origins(recording, tracing, fates),
        *_wrong_edits(recording, tracing),
        *_wrong_rewiring(recording, tracing),
    ]


def ended_ops(recording: Recording, tracing: Tracing) -> set[str]:
    """Ids of every op of the optimized graph, and of the last graph of every function that stayed a call."""
    called = recording.rewrites(tracing)
    return {*recording.graph("optimized", tracing).by_id} | {
        op_id(history.item, name) for history in called if history.function for name in history.last_ops
    }


def _wrong_rows(recording: Recording, tracing: Tracing, fates: PassFates) -> Iterator[str]:
    lowered = recording.graph("lowered", tracing)
    expected = {*recording.graph("traced", tracing).by_id, *(op.id for op in lowered.top_level_ops)}
    for history in recording.rewrites(tracing):
        expected.update(op_id(history.function, op.name) for op in history.first_ops if history.function)
    rows = {id_ for id_, row in fates.fates.items() if row.fate != "new"}
    yield from (f"{id_} has no fate" for id_ in sorted(expected - rows))
    yield from (f"{id_} has a fate and was never there" for id_ in sorted(rows - expected))
    ended = ended_ops(recording, tracing)
    for id_, row in fates.fates.items():
        if row.op != id_:
            yield f"the row of {id_} is called {row.op}"
        if row.fate not in FATES:
            yield f"{id_} has the unknown fate {row.fate}"
        if row.into is not None and row.into not in ended:
            yield f"{id_} ended in {row.into}, which is not there"
        if row.into is None and row.fate in ("kept", "changed", "moved", "new"):
            yield f"{id_} is {row.fate} and ended in nothing"
        if row.into is None and row.fate in ("merged", "fused") and not _ends_removed(id_, fates):
            yield f"{id_} is {row.fate} into something that is not removed, and ended in nothing"
        if (row.pass_name is None) != (row.fate == "kept"):
            yield f"{id_} is {row.fate} by {row.pass_name}"


def _ends_removed(id_: str, fates: PassFates) -> bool:
    """Whether what an op went into was removed later, or went into something that was."""
    function, separator, name = id_.rpartition(FUNCTION_SEPARATOR)
    for _ in range(100):
        events = fates.events.get(function + separator + name, ())
        if not events:
            return False
        if not events[-1].into:
            return events[-1].fate == "removed"
        name = events[-1].into
    return False


def _wrong_origins(recording: Recording, tracing: Tracing, fates: PassFates) -> Iterator[str]:
    ended = ended_ops(recording, tracing)
    new = {id_ for id_, row in fates.fates.items() if row.fate == "new"}
    for id_ in sorted(ended):
        if bool(fates.origins.get(id_)) == (id_ in new):
            yield f"{id_} has {'origins and is new' if id_ in new else 'neither origins nor a row of its own'}"
    yield from (f"{id_} has origins and is not there" for id_ in sorted(set(fates.origins) - ended))
    yield from (f"{id_} is new and not there" for id_ in sorted(new - ended))
    for id_, origins in fates.origins.items():
        yield from (f"the origin {origin} of {id_} has no row" for origin in origins if origin not in fates.fates)
        if len(set(origins)) != len(origins):
            yield f"{id_} has an origin twice"


def _wrong_edits(recording: Recording, tracing: Tracing) -> Iterator[str]:
    for history in recording.rewrites(tracing):
        lowered, optimized = recording.graph("lowered", tracing), recording.graph("optimized", tracing)
        first = {op.name: op for op in history.first_ops or lowered.top_level_ops}
        yield from check_edits(first, history.steps)
        if not history.function:
            if history.difference != "":
                yield f"the recorder says of the edits: {history.difference}"
            yield from _differences(history, lowered, optimized, first)


def _differences(
    history: RewriteHistory, lowered: GraphModel, optimized: GraphModel, first: dict[str, OpNode]
) -> Iterator[str]:
    """Between the graph with all edits applied and the one that ran, op by op, input by input, attr by attr."""
    last, ran = apply_steps(first, history.steps), {op.name: op for op in optimized.top_level_ops}
    attr_sets = (*lowered.attr_sets, *history.attr_sets)
    if missing := set(last) ^ set(ran):
        yield f"in one of the two only: {sorted(missing)[:5]}"
    for name in set(last) & set(ran):
        was, now = last[name], ran[name]
        if (was.op_type, was.inputs, was.device) != (now.op_type, now.inputs, now.device):
            yield f"{name} is {was.op_type}{was.inputs} {was.device} and ran as {now.op_type}{now.inputs} {now.device}"
        before, after = (attr_sets[was.attrs] if was.attrs >= 0 else {}), optimized.attrs_of(now)
        for key in before.keys() | after.keys():
            if key[:1] != "_" and before.get(key) != after.get(key):
                yield f"{name} has the attr {key} {before.get(key)!r} and ran with {after.get(key)!r}"


def _wrong_rewiring(recording: Recording, tracing: Tracing) -> Iterator[str]:
    """Ops that are kept because only rewiring passes touched them, and that read other values in the end."""
    own = recording.own_rewrites(tracing)
    assert own is not None
    lowered = recording.graph("lowered", tracing)
    given = {op.name: op for op in lowered.top_level_ops}
    traced = {op.name: op for op in recording.graph("traced", tracing).top_level_ops}
    followed = RewriteFates(traced, (*lowered.attr_sets, *own.attr_sets), recording.graph("traced", tracing).functions)
    followed.follow(given, own.steps)
    values = SameValues(followed, lambda name: given.get(name) or traced.get(name))
    names = {name for _, ops in followed.rewired for name, _ in ops if name not in followed.events and name in given}
    for name in sorted(names & followed.now.keys()):
        if not values.reads_the_same(given[name], followed.now[name]):
            yield f"{name} was only rewired and reads {followed.now[name].inputs} for {given[name].inputs}"
