"""Two graphs -> which ops of the earlier one each op of the later one descends from, likeliest first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from tfgraphdbg.graph_model import GraphModel, OpNode, op_id

TRACED = "traced"

_FUNCTION_NUMBER = re.compile(r"_\d+$")

_ROLES = {"_Arg": "Placeholder", "_DeviceArg": "Placeholder", "_DeviceRetval": "_Retval"}
"""Op types that the runtime puts in place of others, for the same value."""


def role(op: OpNode) -> str:
    """Its op type, or the one that the runtime put it in place of."""
    return _ROLES.get(op.op_type, op.op_type)


class Pairing(NamedTuple):
    """The ops of both graphs by id, and `ancestors`: later id -> earlier ids; an op that is new has no entry."""

    before: Mapping[str, OpNode]
    after: Mapping[str, OpNode]
    ancestors: Mapping[str, tuple[str, ...]]

    def is_same_op(self, before: OpNode, after: OpNode) -> bool:
        """Whether `after`, which descends from `before`, still is that op: under its name, or as its op type."""
        if before.name == after.name:
            return True
        if before.function != after.function and after.name.endswith("/" + before.name):
            return True
        if role(before) != role(after):
            return False
        # While the op itself lives on under its own name, another one of its type is a copy of it.
        return before.function != after.function or before.id not in self.after


def pair_stages(before: GraphModel, after: GraphModel) -> Pairing:
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
        elif len(origins) <= 1:
            ancestors = origins if origins and origins[0] in known else ()
        else:
            # Of several origins, the one whose name it keeps is what it is; the others were merged into it.
            ancestors = tuple(
                sorted((origin for origin in origins if origin in known), key=lambda origin: origin != id_)
            )
        if ancestors:
            found[id_] = ancestors
        elif id_ in known:
            found[id_] = (id_,)
    return Pairing(known, after.by_id, found)


def _first_by_origin(graph: GraphModel) -> dict[str, str]:
    first: dict[str, str] = {}
    for id_, op in graph.by_id.items():
        for origin in op.origins:
            first.setdefault(origin, id_)
    return first


def pair_recordings(before: GraphModel, after: GraphModel) -> Pairing:
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
    return Pairing(known, after.by_id, found)


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
