"""Every op that a run makes eagerly, kept in the cheapest form while it runs, and told as EagerOps afterwards."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any, NamedTuple

import msgspec

from tfgraphdbg.eager_run import EagerOp
from tfgraphdbg.graph_model import AttrValue, OutputInfo
from tfgraphdbg.recorders import eager_internals, grappler_internals, tensorflow_internals
from tfgraphdbg.recorders.function_names import text_of
from tfgraphdbg.recorders.python_stacks import StackCollector

MAX_OPS = 200_000
"""A longer run is cut here: each op takes about a kilobyte while it waits to be told."""

RESOURCE = "resource"

Output = tuple[int, int, tuple[int | None, ...] | None]
"""Tensor number, dtype and shape. The tensor itself is let go, so that the run's memory stays as it is."""


class RawOp(NamedTuple):
    """One op as the callback met it."""

    op_type: str | bytes
    """TensorFlow gives names of functions as bytes."""
    inputs: list[int]
    attrs: tuple[Any, ...]
    outputs: list[Output]
    device: str
    frames: list[Any]
    """Code and last instruction of each frame, innermost first, in turns."""
    thread: int


class FramePlace(NamedTuple):
    """A frame, as `StackCollector` reads it."""

    filename: str
    lineno: int
    name: str


class EagerOpLog:
    """The callback of `observed_eager_ops`."""

    def __init__(self) -> None:
        self.raw: list[RawOp] = []
        self.threads: dict[int, str] = {threading.get_native_id(): threading.current_thread().name}
        self.resources: set[int] = set()
        self.first_id = eager_internals.next_tensor_id()
        self.cut = False
        self._caller = sys._getframe(1).f_code
        # Numbers of dtypes are compared in the callback, their names are not.
        self._resource_dtype = grappler_internals.dtype_enum(RESOURCE)

    def __call__(
        self, op_type: str | bytes, inputs: Any, attrs: Any, outputs: Any, op_name: str | None = None, graph: Any = None
    ) -> None:
        if graph is not None or self.cut:
            return
        thread = threading.get_native_id()
        if thread not in self.threads:
            self.threads[thread] = threading.current_thread().name
        frames: list[Any] = []
        frame: FrameType | None = sys._getframe(1)
        caller = self._caller
        while frame is not None and frame.f_code is not caller:
            frames.append(frame.f_code)
            frames.append(frame.f_lasti)
            frame = frame.f_back
        ids = []
        for tensor in inputs:
            ids.append(tensor._id)
            if tensor._datatype_enum() == self._resource_dtype:
                self.resources.add(tensor._id)
        made: list[Output] = [(out._id, out._datatype_enum(), out._shape_tuple()) for out in outputs]
        device = outputs[0].device if made else ""
        self.raw.append(RawOp(op_type, ids, attrs, made, device, frames, thread))
        self.cut = len(self.raw) >= MAX_OPS


class ToldOps(NamedTuple):
    """The ops of a log, told."""

    ops: list[EagerOp]
    attr_sets: tuple[dict[str, AttrValue], ...]
    threads: tuple[str, ...]


def told(log: EagerOpLog, arguments: Mapping[int, str], stacks: StackCollector) -> ToldOps:
    """The log as EagerOps; `arguments` names the tensors that the call was given, by their numbers."""
    variables = eager_internals.variable_names() if log.resources else {}
    sources = {number: f"variable:{name}" for number, name in variables.items() if number in log.resources}
    sources.update({number: f"argument:{name}" for number, name in arguments.items()})
    attrs = _AttrSets()
    indices = _stack_indices(log.raw, stacks)
    threads = list(log.threads)
    ops = []
    for index, raw in enumerate(log.raw):
        inputs = tuple([sources.get(number) or _unmade(number, log.first_id) for number in raw.inputs])
        sources.update({output[0]: f"{index}:{place}" for place, output in enumerate(raw.outputs)})
        outputs = tuple([_output(output) for output in raw.outputs])
        thread = threads.index(raw.thread)
        op_type = text_of(raw.op_type)
        ops.append(
            EagerOp(index, op_type, inputs, outputs, attrs.index(raw), raw.device, indices[tuple(raw.frames)], thread)
        )
    return ToldOps(ops, tuple(attrs.sets), tuple(log.threads.values()))


def _unmade(number: int, first_id: int) -> str:
    """A tensor that no op made is older than the run, or was a Python value a moment before."""
    return "outside" if number < first_id else "constant"


def _output(output: Output) -> OutputInfo:
    return OutputInfo(tensorflow_internals.dtype_name(output[1]), output[2])


class _AttrSets:
    """Equal attrs are kept once."""

    def __init__(self) -> None:
        self.sets: list[dict[str, AttrValue]] = []
        self._known: dict[tuple[str, str], int] = {}

    def index(self, raw: RawOp) -> int:
        if not raw.attrs:
            return -1
        op_type = text_of(raw.op_type)
        key = (op_type, repr(raw.attrs))
        if key not in self._known:
            self._known[key] = len(self.sets)
            self.sets.append(eager_internals.op_attrs(op_type, raw.attrs))
        return self._known[key]


def _stack_indices(raw: list[RawOp], stacks: StackCollector) -> dict[tuple[Any, ...], int]:
    distinct = list(dict.fromkeys(tuple(op.frames) for op in raw))
    lines: dict[CodeType, list[tuple[int, int, int | None]]] = {}
    places = {str(at): _places(frames, lines) for at, frames in enumerate(distinct)}
    indices = stacks.indices_of(places.items())
    return {frames: indices[str(at)] for at, frames in enumerate(distinct)}


def _places(
    frames: tuple[Any, ...], lines: dict[CodeType, list[tuple[int, int, int | None]]]
) -> tuple[FramePlace, ...]:
    """Outermost first, as a traceback."""
    found = []
    for code, instruction in zip(frames[-2::-2], frames[::-2], strict=True):
        if code not in lines:
            lines[code] = list(code.co_lines())
        line = next((line for start, end, line in lines[code] if start <= instruction < end), None)
        found.append(FramePlace(code.co_filename, line or code.co_firstlineno, code.co_name))
    return tuple(found)


def names_of_arguments(arguments: Mapping[str, Any]) -> dict[int, str]:
    """The tensors in the arguments of a call, nested ones too, by tensor number: `x`, `batch.0`, `batch.label`."""
    import tensorflow

    found: dict[int, str] = {}
    for name, value in arguments.items():
        with_paths = eager_internals.leaves_with_paths(value)
        for path, leaf in with_paths:
            if tensorflow.is_tensor(leaf) and hasattr(leaf, "_id"):
                found.setdefault(leaf._id, ".".join([name, *path]))
    return found


def renumbered(ops: list[EagerOp], places: list[int]) -> list[EagerOp]:
    """The same ops at other places of a list, their inputs pointing there; `places[i]` is where op i goes."""
    changed = []
    for op in ops:
        inputs = tuple([_moved(source, places) for source in op.inputs])
        changed.append(msgspec.structs.replace(op, index=places[op.index], inputs=inputs))
    return changed


def _moved(source: str, places: list[int]) -> str:
    producer, colon, output = source.partition(":")
    return f"{places[int(producer)]}:{output}" if colon and producer.isdecimal() else source
