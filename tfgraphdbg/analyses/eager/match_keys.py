"""Where in Python an op was made, as keys under which an eager op and the graph's op of the same place meet.

The graph was traced through AutoGraph and `tf.function`, whose frames an eager run lacks; TensorFlow's own functions
take other lines in the two modes. So user frames and those of other packages count with their line, TensorFlow's own
by function alone, and the machinery of either mode not at all.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import NamedTuple

from tfgraphdbg.graph_model import OutputInfo
from tfgraphdbg.recording import Frame, StackTable, Tracing

TENSORFLOW = "/tensorflow/"

_AUTOGRAPH_OPERATORS = "/tensorflow/python/autograph/operators/"

_MACHINERY = (
    "/tensorflow/python/autograph/",
    "/tensorflow/python/eager/polymorphic_function/",
    "/tensorflow/python/framework/",
    "/tensorflow/python/util/",
    "/tensorflow/python/ops/gen_",
    "/keras/src/utils/traceback_utils.py",
)


class Place(NamedTuple):
    """Keys of one stack, the most exact first: equal numbers for equal frames, and 0 for none."""

    stack: int = 0
    """The user's frames and the library's."""
    user_stack: int = 0
    line: int = 0
    """The innermost line of the user's."""


class Places:
    """The keys of each stack of a recording, each made once."""

    def __init__(self, stacks: StackTable, tracing: Tracing) -> None:
        self._stacks = stacks
        self._file, self._function = tracing.file, tracing.function.rpartition(".")[2]
        self._known: dict[int, Place] = {-1: Place()}
        # Frames are compared once a stack, not once an op.
        self._numbers: dict[Hashable, int] = {(): 0}

    def of(self, stack: int) -> Place:
        """The keys of stack number `stack`."""
        known = self._known.get(stack)
        if known is None:
            known = self._known[stack] = self._place(self._stacks.frames_of(stack))
        return known

    def _place(self, frames: tuple[Frame, ...]) -> Place:
        inside: list[Frame] = []
        for frame in frames[self._first(frames) :]:
            path = frame.file.replace("\\", "/")
            # AutoGraph makes functions of loop bodies: the line of the loop calls them, in a graph alone.
            if _AUTOGRAPH_OPERATORS in path and inside and not inside[-1].library:
                inside.pop()
            if not (frame.library and any(part in path for part in _MACHINERY)):
                inside.append(frame)
        user = tuple([(frame.file, frame.line) for frame in inside if not frame.library])
        return Place(*map(self._number, (tuple(map(_token, inside)), user, user[-1:])))

    def _number(self, frames: Hashable) -> int:
        return self._numbers.setdefault(frames, len(self._numbers))

    def _first(self, frames: tuple[Frame, ...]) -> int:
        """Where the function itself begins: what called it differs from run to run."""
        for position, frame in enumerate(frames):
            if frame.function == self._function and frame.file == self._file:
                return position
        return 0


def _token(frame: Frame) -> tuple[str, int | str]:
    by_function = frame.library and TENSORFLOW in frame.file.replace("\\", "/")
    return frame.file, frame.function if by_function else frame.line


@functools.lru_cache(maxsize=4096)
def ranks(outputs: tuple[OutputInfo, ...]) -> Hashable:
    """Dtypes and ranks: what is left of a signature when the graph doesn't know all sizes."""
    return tuple([(output.dtype, None if output.shape is None else len(output.shape)) for output in outputs])


def could_be(eager: tuple[OutputInfo, ...], traced: tuple[OutputInfo, ...]) -> bool:
    """Whether the graph's outputs allow those of the eager op, as far as both are known."""
    if not eager or eager == traced:
        return True
    return len(eager) == len(traced) and all(map(_is_one_of, eager, traced))


def _is_one_of(eager: OutputInfo, traced: OutputInfo) -> bool:
    if eager.dtype != traced.dtype:
        return False
    # An empty output was not asked for, as Svd's without compute_uv: the kernel gives it any shape.
    if eager.shape is None or traced.shape is None or 0 in traced.shape:
        return True
    return len(eager.shape) == len(traced.shape) and all(
        size is None or wanted is None or size == wanted for size, wanted in zip(eager.shape, traced.shape, strict=True)
    )
