"""The op names in HLO's metadata -> the traced ops that instructions were made for.

XLA writes the name of an op as its graph has it once calls are inlined: `PartitionedCall/mul` is `mul` in the function
that `PartitionedCall` calls. The body of a loop or branch stays a computation of its own, where names are those of that
library function; when XLA takes it apart later, the loop's name comes before them: `cond/cond/mul`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from tfgraphdbg.analyses.hlo_text import HloInstruction, HloModule, InstructionKey
from tfgraphdbg.graph_model import GraphModel, OpNode, op_id

Functions = tuple[str, ...]
"""The library functions whose code a computation may hold; the empty name is the graph itself."""

TOP_LEVEL: Functions = ("",)

CALLING_OPCODES = frozenset({"while", "conditional", "call", "async-start"})
"""Instructions that run another computation as it stands, not once for each element or as part of a loop of theirs."""

_ATTR_OF_ROLE = {
    "body": "body",
    "condition": "cond",
    "true_computation": "then_branch",
    "false_computation": "else_branch",
}


class Origin(NamedTuple):
    """Which traced ops an instruction was made for."""

    ops: tuple[str, ...] = ()
    """Their ids: one, or each op that may have been meant."""
    is_sure: bool = True
    """Whether its metadata names exactly one op, by name, type and place."""
    through: tuple[str, ...] = ()
    """Ids of the calls that its name leads through: they were inlined."""


NO_ORIGIN = Origin()

_COPIED = re.compile(r"^(?:wide\.)+|(?:\.(?:clone|sunk)(?:\.\d+)*)+$")


class _Match(NamedTuple):
    op: OpNode
    through: tuple[str, ...]


class OpNames:
    """Finds traced ops by the names that XLA knows them by."""

    def __init__(self, traced: GraphModel) -> None:
        self._ops = traced.by_id
        self._functions = frozenset(traced.functions)
        self._called: dict[str, dict[str, tuple[str, ...]]] = {}
        self._anywhere: dict[str, list[OpNode]] = {}
        for op in traced.ops:
            self._anywhere.setdefault(op.name, []).append(op)
            if self._functions and (called := dict(self._named_functions(traced, op))):
                self._called[op.id] = called
        self._found: dict[tuple[str, str, Functions], Origin] = {}

    def _named_functions(self, traced: GraphModel, op: OpNode) -> Iterator[tuple[str, tuple[str, ...]]]:
        for attr, value in traced.attrs_of(op).items():
            values = (value,) if isinstance(value, str) else value if isinstance(value, Sequence) else ()
            names = tuple(name for name in values if isinstance(name, str) and name in self._functions)
            if names:
                yield attr, names

    def functions_called_by(self, op: str, role: str = "") -> Functions:
        """The library functions that an op calls; those that an HLO attribute such as `body` stands for, if it says."""
        called = self._called.get(op, {})
        chosen = called.get(_ATTR_OF_ROLE.get(role, ""))
        return chosen or tuple(dict.fromkeys(name for names in called.values() for name in names))

    def origin_of(self, name: str, op_type: str, functions: Functions) -> Origin:
        """The traced ops that metadata means in a computation that holds the code of `functions`."""
        key = (name, op_type, functions)
        if key not in self._found:
            self._found[key] = self._find(name, op_type, functions) if name else NO_ORIGIN
        return self._found[key]

    def _find(self, name: str, op_type: str, functions: Functions) -> Origin:
        matches = [match for function in functions for match in self._matches(function, name)]
        of_type = [match for match in matches if op_type in ("", match.op.op_type)]
        is_sure = len(of_type) == 1
        chosen = of_type or matches
        if not chosen:
            # A computation whose library function is unknown: the name alone must do.
            chosen = [_Match(op, ()) for op in self._anywhere_named(name, op_type)]
        ops = tuple(dict.fromkeys(match.op.id for match in chosen))
        through = tuple(dict.fromkeys(call for match in chosen for call in match.through))
        return Origin(ops, is_sure, through)

    def _anywhere_named(self, name: str, op_type: str) -> list[OpNode]:
        """The ops of that name in any function; without its first scopes where no op has the whole name."""
        for tail in (name, *(tail for _, tail in _splits(name))):
            if named := [op for op in self._anywhere.get(tail, ()) if op_type in ("", op.op_type)]:
                return named
        return []

    def _matches(self, function: str, name: str) -> list[_Match]:
        """The op of that name in `function`, and those that it names through a call there."""
        found: list[_Match] = []
        # (function, name left, calls so far)
        waiting: list[tuple[str, str, tuple[str, ...]]] = [(function, name, ())]
        seen: set[tuple[str, str]] = set()
        while waiting:
            inside, rest, through = waiting.pop()
            if (inside, rest) in seen:
                continue
            seen.add((inside, rest))
            op = self._ops.get(op_id(inside, rest))
            if op is not None:
                found.append(_Match(op, through))
            if not self._called:
                continue
            for prefix, tail in _splits(rest):
                call = op_id(inside, prefix)
                if call in self._called:
                    waiting += [(called, tail, (*through, call)) for called in self.functions_called_by(call)]
        return found


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """`("a", "b/c")` and `("a/b", "c")` for `a/b/c`."""
    slash = name.find("/")
    while slash > 0:
        yield name[:slash], name[slash + 1 :]
        slash = name.find("/", slash + 1)


def callers_by_computation(module: HloModule, origins: Mapping[InstructionKey, Origin]) -> Mapping[str, Origin]:
    """The loop, branch or call that each computation belongs to, by what stays of the computation's name."""
    return {
        _first_name(called): origins[made.key]
        for made in module.instructions()
        if made.opcode in CALLING_OPCODES and origins[made.key].ops
        for _, called in made.calls
    }


def _first_name(computation: str) -> str:
    """Its name before XLA's passes, which put words around it: `wide.body.5.clone.sunk.clone.1` was `body.5`."""
    return _COPIED.sub("", computation)


def instruction_origins(
    module: HloModule, names: OpNames, callers: Mapping[str, Origin] = MappingProxyType({})
) -> Mapping[InstructionKey, Origin]:
    """The origin of every instruction of a module: its own metadata's; a fusion's is that of what it holds.

    `callers` finds the op of a loop that lost its metadata, as TensorFlow 2.16's do, by the computation that it calls.
    """
    functions_in: dict[str, Functions] = {}
    if module.entry:
        functions_in[module.entry.name] = TOP_LEVEL
    origins: dict[InstructionKey, Origin] = {}
    # A computation stands before those that call it.
    for computation in reversed(module.computations):
        functions = functions_in.get(computation.name, TOP_LEVEL)
        for made in computation.instructions:
            origin = names.origin_of(made.op_name, made.op_type, functions)
            if not origin.ops and made.opcode in CALLING_OPCODES:
                known_callers = (callers.get(_first_name(called)) for _, called in made.calls)
                origin = next(filter(None, known_callers), origin)
            origins[made.key] = origin
            for role, called in made.calls:
                inner = _functions_of_called(names, made, origin, role) or functions
                known = functions_in.get(called, ())
                functions_in[called] = tuple(dict.fromkeys((*known, *inner)))
    return origins | _origins_of_wrappers(module, origins)


def _functions_of_called(names: OpNames, made: HloInstruction, origin: Origin, role: str) -> Functions:
    """The library functions whose code a computation holds that an instruction calls as its `role`.

    None for a fusion or the function of a reduction: these hold code of the same function as their caller.
    """
    if made.opcode not in CALLING_OPCODES:
        return ()
    return tuple(dict.fromkeys(name for op in origin.ops for name in names.functions_called_by(op, role)))


def _origins_of_wrappers(module: HloModule, origins: Mapping[InstructionKey, Origin]) -> dict[InstructionKey, Origin]:
    """A fusion carries the metadata of its root alone: here it gets the ops of everything that it holds."""
    inside: dict[str, list[HloInstruction]] = {}
    found: dict[InstructionKey, Origin] = {}
    for computation in module.computations:
        inside[computation.name] = list(computation.instructions)
        for made in computation.instructions:
            if made.opcode != "fusion":
                continue
            held = [
                found.get(inner.key) or origins[inner.key] for _, name in made.calls for inner in inside.get(name, ())
            ]
            own = origins[made.key]
            ops = tuple(dict.fromkeys(op for origin in held for op in origin.ops)) or own.ops
            through = tuple(dict.fromkeys(call for origin in held for call in origin.through))
            found[made.key] = Origin(ops, all(origin.is_sure for origin in held if origin.ops), through)
    return found
