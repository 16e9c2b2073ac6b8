"""Instructions that lost their op's name when XLA rewrote them -> the vanished op whose work they most likely do.

XLA's rewrite of a convolution's layout, seen with TensorFlow 2.21 on a CPU, makes a new one without metadata. It is
told by what it is, by the size of its result, and by the named ops that use that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tfgraphdbg.analyses.hlo_origins import Origin
from tfgraphdbg.analyses.hlo_places import MOVES_DATA, HloPlaces
from tfgraphdbg.analyses.hlo_text import HloInstruction, HloModule, InstructionKey

Origins = Mapping[InstructionKey, Origin]

Users = Mapping[InstructionKey, tuple[HloInstruction, ...]]

OpsOf = Callable[[HloInstruction], set[str]]

_SIZES = re.compile(r"^(\w+)\[([\d,]*)\]")


def unnamed_work(
    hlo: HloModule, hlo_origins: Origins, places: HloPlaces, origins: Origins
) -> dict[str, HloInstruction]:
    """For each op whose name is gone: the one unnamed instruction that does its work, where just one fits just one."""
    present = {op for made in places.module.instructions() for op in origins[made.key].ops}
    unnamed = [
        made
        for made in places.module.instructions()
        if places.is_running(made.computation) and _is_unnamed_work(made, origins)
    ]
    if not unnamed:
        return {}
    inside = {computation.name: computation.instructions for computation in places.module.computations}

    def ops_before(made: HloInstruction) -> set[str]:
        return set(hlo_origins[made.key].ops) & present

    def ops_after(made: HloInstruction) -> set[str]:
        held = [inner for _, called in made.calls for inner in inside.get(called, ())] if made.calls else [made]
        return {op for inner in held if inner.opcode not in MOVES_DATA for op in origins[inner.key].ops}

    lost = _vanished_by_user(hlo, hlo_origins, present, ops_before)
    users = _users(places.module)
    chosen: dict[str, list[HloInstruction]] = {}
    for made in unnamed:
        fitting = {op for user in _named_users(made, users, ops_after) for op in lost.get((_kind(made), user), ())}
        if len(fitting) == 1:
            chosen.setdefault(fitting.pop(), []).append(made)
    return {op: found[0] for op, found in chosen.items() if len(found) == 1}


def _vanished_by_user(
    hlo: HloModule, origins: Origins, present: set[str], ops_of: OpsOf
) -> Mapping[tuple[str, str], set[str]]:
    """The ops whose name is gone, by what they were and by each op that used them and is still there."""
    users = _users(hlo)
    found: dict[tuple[str, str], set[str]] = {}
    for made in hlo.instructions():
        gone = set(origins[made.key].ops) - present
        if gone and made.opcode not in MOVES_DATA:
            for user in _named_users(made, users, ops_of):
                found.setdefault((_kind(made), user), set()).update(gone)
    return found


def _is_unnamed_work(made: HloInstruction, origins: Origins) -> bool:
    return not made.op_name and not made.calls and made.opcode not in MOVES_DATA and not origins[made.key].ops


def _kind(made: HloInstruction) -> str:
    """What it is and the size of its result, whatever the order of its dimensions."""
    found = _SIZES.match(made.shape)
    if found is None:
        return f"{made.opcode} {made.shape}"
    sizes = sorted(size for size in found[2].split(",") if size != "1")
    return f"{made.opcode} {found[1]} {','.join(sizes)}"


def _users(module: HloModule) -> Users:
    found: dict[InstructionKey, list[HloInstruction]] = {}
    for made in module.instructions():
        for name in made.operands:
            found.setdefault((made.computation, name), []).append(made)
    return {key: tuple(users) for key, users in found.items()}


def _named_users(made: HloInstruction, users: Users, ops_of: OpsOf) -> set[str]:
    """The ops that use its result, directly or through instructions that carry no op's name."""
    found: set[str] = set()
    waiting = [made]
    seen = {made.key}
    while waiting:
        for user in users.get(waiting.pop().key, ()):
            if user.key in seen:
                continue
            seen.add(user.key)
            ops = ops_of(user)
            found |= ops
            if not ops and user.opcode != "tuple":
                waiting.append(user)
    return found
