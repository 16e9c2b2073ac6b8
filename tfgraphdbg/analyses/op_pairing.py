"""Two graphs -> which ops of the earlier one each op of the later one descends from, likeliest first."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tfgraphdbg.graph_model import GraphModel, op_id

TRACED = "traced"

Ancestors = Mapping[str, tuple[str, ...]]
"""Op id in the later graph -> op ids in the earlier one; an op that is new has no entry."""

_FUNCTION_NUMBER = re.compile(r"_\d+$")


def ancestors_by_origin(before: GraphModel, after: GraphModel) -> Ancestors:
    """Pair two stages of one tracing: by recorded origins, then by equal id, then by a common origin.

    Origins name traced ops. So they come first when `before` is the traced graph; between later stages an equal id
    says more, since a loop's machinery shares one origin.
    """
    known = before.by_id
    by_origin = {} if before.stage == TRACED else _first_by_origin(before)
    found: dict[str, tuple[str, ...]] = {}
    for id_, op in after.by_id.items():
        origins = op.origins
        if by_origin:
            if id_ in known:
                found[id_] = (id_,)
                continue
            ancestors = tuple(dict.fromkeys(by_origin[origin] for origin in origins or (id_,) if origin in by_origin))
        else:
            ancestors = tuple([origin for origin in origins if origin in known])
            if len(ancestors) > 1 and id_ in ancestors:
                ancestors = (id_, *(origin for origin in ancestors if origin != id_))
        if ancestors:
            found[id_] = ancestors
        elif id_ in known:
            found[id_] = (id_,)
    return found


def _first_by_origin(graph: GraphModel) -> dict[str, str]:
    first: dict[str, str] = {}
    for op in graph.ops:
        for origin in op.origins:
            first.setdefault(origin, op.id)
    return first


def ancestors_by_name(before: GraphModel, after: GraphModel) -> Ancestors:
    """Pair one stage of two recordings: by op name, in library functions of the same name but for its number."""
    functions = {"": "", **_paired_functions(before.functions, after.functions)}
    known = before.by_id
    found: dict[str, tuple[str, ...]] = {}
    for id_, op in after.by_id.items():
        function = functions.get(op.function)
        if function is not None:
            ancestor = op_id(function, op.name)
            if ancestor in known:
                found[id_] = (ancestor,)
    return found


def _paired_functions(before: tuple[str, ...], after: tuple[str, ...]) -> dict[str, str]:
    """Later name -> earlier name: TensorFlow numbers each function it makes, `__inference_scale_9`, run by run."""
    unpaired: dict[str, list[str]] = {}
    for name in reversed(before):
        unpaired.setdefault(_FUNCTION_NUMBER.sub("", name), []).append(name)
    paired = {}
    for name in after:
        alike = unpaired.get(_FUNCTION_NUMBER.sub("", name))
        if alike:
            paired[name] = alike.pop()
    return paired
