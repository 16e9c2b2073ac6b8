"""GraphModel -> where ops run more than once: the frames of lowered while loops, and the bodies of functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tfgraphdbg.graph_model import LOOP_BACK_OP_TYPES, GraphModel

ENTER = frozenset({"Enter", "RefEnter"})
EXIT = frozenset({"Exit", "RefExit"})
MERGE = frozenset({"Merge", "RefMerge", "_XlaMerge"})

ROOT = 0
"""The frame of ops that run once a step."""


class LoopFrame(NamedTuple):
    """A while loop, or the body of a library function, and what is around it."""

    name: str
    parent: int
    caller: int = -1
    """Position of the op that calls the function; -1 for a loop, and for a function with several callers."""
    is_loop: bool = True


class Frames(NamedTuple):
    """The frame of each op of a graph: where it runs, and where the readers of its outputs do."""

    frames: tuple[LoopFrame, ...]
    of_op: Sequence[int]
    """Ops that enter or leave a loop run in the frame around it."""
    of_output: Sequence[int]


def frames_of(graph: GraphModel) -> Frames:
    """The frames of every op; only the root when the graph has neither loops nor library functions."""
    if not graph.functions and not any(op.op_type in ENTER for op in graph.ops):
        only_root = bytes(len(graph.ops))
        return Frames((LoopFrame("", ROOT, is_loop=False),), only_root, only_root)
    finder = _FrameFinder(graph)
    finder.place_all()
    finder.connect_functions()
    return Frames(tuple(finder.frames), finder.of_op, finder.of_output)


def topological_order(before: Sequence[Sequence[int]]) -> list[int]:
    """Nodes, each after all that it waits for; those on a cycle, and all behind it, are left out."""
    waiting = [len(sources) for sources in before]
    after: list[list[int]] = [[] for _ in before]
    for node, sources in enumerate(before):
        for source in sources:
            after[source].append(node)
    order = [node for node, count in enumerate(waiting) if not count]
    for node in order:
        for target in after[node]:
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    return order


class _FrameFinder:
    """Carries frames from producers to consumers, as TensorFlow's executor does."""

    def __init__(self, graph: GraphModel) -> None:
        self._graph = graph
        self.frames = [LoopFrame("", ROOT, is_loop=False)]
        self._depth = [0]
        self._function_frame: dict[str, int] = {"": ROOT}
        for name in graph.functions:
            self._function_frame[name] = self._add(LoopFrame(name, ROOT, is_loop=False), 1)
        self._loops: dict[tuple[int, str], int] = {}
        self.of_op = [self._function_frame.get(op.function, ROOT) for op in graph.ops]
        self.of_output = list(self.of_op)

    def _add(self, frame: LoopFrame, depth: int) -> int:
        self.frames.append(frame)
        self._depth.append(depth)
        return len(self.frames) - 1

    def place_all(self) -> None:
        ops = self._graph.ops
        forward = [
            [source for source in sources if source >= 0 and ops[source].op_type not in LOOP_BACK_OP_TYPES]
            for sources in self._graph.input_positions
        ]
        for position in topological_order(forward):
            self._place(position, forward[position])

    def _place(self, position: int, sources: Sequence[int]) -> None:
        op = self._graph.ops[position]
        around = max(
            [self.of_op[position], *(self.of_output[source] for source in sources)], key=self._depth.__getitem__
        )
        if op.op_type in EXIT:
            around = self.frames[around].parent
        self.of_op[position] = self.of_output[position] = around
        if op.op_type in ENTER:
            name = str(self._graph.attrs_of(op).get("frame_name", op.scope))
            if (around, name) not in self._loops:
                self._loops[around, name] = self._add(LoopFrame(name, around), self._depth[around] + 1)
            self.of_output[position] = self._loops[around, name]

    def connect_functions(self) -> None:
        """A body that one op calls runs where that op does."""
        callers: dict[str, list[int]] = {}
        for position, op in enumerate(self._graph.ops if self._graph.functions else ()):
            for value in set(map(str, self._graph.attrs_of(op).values())) & self._function_frame.keys():
                callers.setdefault(value, []).append(position)
        for name, positions in callers.items():
            frame = self._function_frame[name]
            if name and len(positions) == 1 and not self._is_inside(self.of_op[positions[0]], frame):
                self.frames[frame] = self.frames[frame]._replace(parent=self.of_op[positions[0]], caller=positions[0])

    def _is_inside(self, inner: int, outer: int) -> bool:
        while inner not in (ROOT, outer):
            inner = self.frames[inner].parent
        return inner == outer
