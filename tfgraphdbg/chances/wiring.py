"""The edges of a graph's own ops as plain integers, with the small questions that every rule asks of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal, NamedTuple

from tfgraphdbg.graph_model import (
    CONTROL,
    LOOP_BACK_OP_TYPES,
    AttrValue,
    GraphModel,
    OpNode,
    parse_input,
)

DeviceKind = Literal["CPU", "GPU", ""]

SMALL_ELEMENTS = 64
"""An op that makes no more elements than this costs next to nothing: what is repeated of it is not worth a word."""


class Reader(NamedTuple):
    """One data edge out of an op: which op reads which of its outputs."""

    op: int
    output: int


class Wiring:
    """The top-level ops of a graph, numbered in its order. Bodies of library functions are optimized on their own."""

    def __init__(self, graph: GraphModel) -> None:
        self.graph = graph
        self.ops: tuple[OpNode, ...] = graph.top_level_ops
        self.inputs: list[tuple[tuple[int, int], ...]] = []
        """For each op: (producer, its output) of each data input; -1 for an unknown producer."""
        self.controls: list[tuple[int, ...]] = []
        """For each op: those that it waits for by a control edge."""
        self._connect()

    def _connect(self) -> None:
        number = {op.name: place for place, op in enumerate(self.ops)}
        nothing: tuple[int, ...] = ()
        for op in self.ops:
            data: list[tuple[int, int]] = []
            waits: list[int] = []
            for text in op.inputs:
                place = number.get(text)
                if place is not None:
                    data.append((place, 0))
                    continue
                name, output = parse_input(text)
                if output == CONTROL:
                    waits.append(number.get(name, -1))
                else:
                    data.append((number.get(name, -1), output))
            self.inputs.append(tuple(data))
            self.controls.append(tuple(waits) if waits else nothing)

    @functools.cached_property
    def _readers(self) -> list[list[int]]:
        """For each op: those that read it, once for each data edge."""
        readers: list[list[int]] = [[] for _ in self.ops]
        for place, data in enumerate(self.inputs):
            for source, _ in data:
                if source >= 0:
                    readers[source].append(place)
        return readers

    @functools.cached_property
    def _waiting(self) -> dict[int, list[int]]:
        waiting: dict[int, list[int]] = {}
        for place, sources in enumerate(self.controls):
            for source in sources:
                waiting.setdefault(source, []).append(place)
        return waiting

    def readers(self, place: int, output: int | None = None) -> list[Reader]:
        """The data edges out of an op; with `output`, those that read it."""
        edges = [
            Reader(reader, index)
            for reader in dict.fromkeys(self._readers[place])
            for source, index in self.inputs[reader]
            if source == place
        ]
        return edges if output is None else [edge for edge in edges if edge.output == output]

    def waiting(self, place: int) -> list[int]:
        """The ops that wait for this one by a control edge."""
        return self._waiting.get(place, [])

    def control_neighbours(self, place: int) -> list[int]:
        """The ops at the other end of every control edge into or out of an op."""
        return [source for source in self.controls[place] if source >= 0] + self.waiting(place)

    @functools.cached_property
    def order(self) -> Sequence[int]:
        """Every op after its producers; edges that close a loop are ignored."""
        loops = {place for place, op in enumerate(self.ops) if op.op_type in LOOP_BACK_OP_TYPES}
        left = [len(data) + len(waits) for data, waits in zip(self.inputs, self.controls, strict=True)]
        readers, waiting = self._readers, self._waiting
        for place, data in enumerate(self.inputs):
            for source, _ in data:
                left[place] -= source < 0 or source in loops
        for place in (*loops, -1):
            for other in waiting.get(place, ()):
                left[other] -= 1
        order = [place for place, count in enumerate(left) if not count]
        for place in order:
            if place in loops:
                continue
            below = readers[place] + waiting[place] if place in waiting else readers[place]
            for other in below:
                left[other] -= 1
                if not left[other]:
                    order.append(other)
        return order

    def op_type(self, place: int) -> str:
        """The op type of an op; empty for an unknown producer."""
        return self.ops[place].op_type if place >= 0 else ""

    def ids(self, places: list[int] | tuple[int, ...]) -> tuple[str, ...]:
        """The ids of ops, each once."""
        return tuple(dict.fromkeys(self.ops[place].id for place in places))

    def attr(self, place: int, name: str) -> AttrValue:
        """One attr of an op; None when it has none of that name."""
        return self.graph.attrs_of(self.ops[place]).get(name)

    def dtype(self, place: int) -> str:
        """What an op computes in: its attr `T`, else the dtype of its first output."""
        value = self.attr(place, "T")
        if isinstance(value, str):
            return value
        outputs = self.ops[place].outputs
        return outputs[0].dtype if outputs else ""

    def shape(self, source: tuple[int, int]) -> tuple[int | None, ...] | None:
        """The shape of one output; None when it is unknown."""
        place, output = source
        if place < 0 or output >= len(self.ops[place].outputs):
            return None
        return self.ops[place].outputs[output].shape

    def device_kind(self, place: int) -> DeviceKind:
        """`CPU` or `GPU` from the op's device string; empty for another one, or none."""
        device = self.ops[place].device.rpartition("/")[2].upper()
        return "CPU" if "CPU" in device else "GPU" if "GPU" in device else ""

    def elements(self, place: int) -> int | None:
        """How many elements an op makes at most in one output; None when a size is unknown."""
        most = 0
        for output in self.ops[place].outputs:
            if output.shape is None:
                return None
            count = 1
            for size in output.shape:
                if size is None:
                    return None
                count *= size
            most = max(most, count)
        return most

    def is_small(self, place: int) -> bool:
        """Whether it is known to make few elements only."""
        count = self.elements(place)
        return count is not None and count <= SMALL_ELEMENTS
