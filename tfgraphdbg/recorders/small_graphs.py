"""A few ops of a GraphDef -> a small graph of their own, with stand-ins for what they read and for what reads them.

Names in it are its own (`op_0`, `reader_1`): chances of equal structure give equal bytes, and foreign names stay out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tfgraphdbg.graph_model import CONTROL, GraphModel, InputRef, OutputInfo, parse_input
from tfgraphdbg.recorders import grappler_internals

MAX_CONSTANT = 4096
"""Bytes of a constant that is taken along; of a larger one the dtype and shape are."""

CLASS = "_tfgraphdbg_class"

SOURCE = "source"
"""The op whose outputs stand for all inputs: it may give any dtypes and shapes, and no pass can fold it away."""


class SmallGraph(NamedTuple):
    """A graph for one trial."""

    graph_def: Any
    names: Mapping[str, str]
    """The name in it of each op that was taken along, by its id in the large graph."""


class LargeGraph:
    """A graph, with the NodeDefs and readers of those ops alone that small graphs are made of.

    Ops of library functions are left out: a GraphDef holds them in another form.
    """

    def __init__(self, model: GraphModel, graph_def: Any, ids: Iterable[str]) -> None:
        self.model = model
        wanted = {name for name in ids if name in model.by_id and not model.by_id[name].function}
        self.readers: dict[str, list[tuple[str, InputRef]]] = {name: [] for name in wanted}
        for op in model.top_level_ops if wanted else ():
            for text in op.inputs:
                read = parse_input(text)
                if read.name in wanted:
                    self.readers[read.name].append((op.name, read))
        near = {parse_input(text).name for name in wanted for text in model.by_id[name].inputs}
        near = {name for name in near if model.by_id[name].op_type == "Const"}
        wanted |= near
        self.nodes = {node.name: node for node in graph_def.node if node.name in wanted} if wanted else {}

    def output(self, read: InputRef) -> OutputInfo:
        """Dtype and shape of what is read. Raises KeyError when the dtype is unknown."""
        outputs = self.model.by_id[read.name].outputs
        if not 0 <= read.output < len(outputs):
            raise KeyError(f"the dtype of {read.name}:{read.output} is unknown")
        return outputs[read.output]


def fetches_of(graph_def: Any) -> list[str]:
    """The stand-ins for readers in a small graph: what the optimizer must keep."""
    return [node.name for node in graph_def.node if node.name.startswith("reader_")]


def small_graph(large: LargeGraph, ids: Sequence[str]) -> SmallGraph:
    """The ops `ids` as they are in the large graph, and stand-ins. Raises KeyError when a dtype is unknown."""
    return _Extraction(large, ids).extract()


class _Extraction:
    def __init__(self, large: LargeGraph, ids: Sequence[str]) -> None:
        from tensorflow.core.framework import graph_pb2

        self._large = large
        self._names = {name: f"op_{place}" for place, name in enumerate(dict.fromkeys(ids))}
        self._inputs: dict[str, str] = {}
        self._device = next((large.nodes[name].device for name in ids if large.nodes[name].device), "")
        self._graph = graph_pb2.GraphDef()

    def extract(self) -> SmallGraph:
        for name, own_name in self._names.items():
            self._take(name, own_name)
        for name in self._names:
            self._add_readers(name)
        return SmallGraph(self._graph, self._names)

    def _take(self, name: str, own_name: str) -> None:
        outputs = self._large.model.by_id[name].outputs
        variable = outputs[0] if self._large.nodes[name].op == "ReadVariableOp" and outputs else None
        inputs = [self._input(text, variable) for text in self._large.nodes[name].input]
        node = self._graph.node.add()
        node.CopyFrom(self._large.nodes[name])
        node.name = own_name
        node.ClearField("experimental_debug_info")
        _drop_notes(node)
        del node.input[:]
        node.input.extend(inputs)

    def _input(self, text: str, variable: OutputInfo | None) -> str:
        read = parse_input(text)
        if read.name in self._names:
            own_name = self._names[read.name]
            return reference(own_name, read.output)
        if text not in self._inputs:
            self._inputs[text] = self._stand_in(read, variable)
        return self._inputs[text]

    def _stand_in(self, read: InputRef, variable: OutputInfo | None) -> str:
        number = len(self._inputs)
        if read.output == CONTROL:
            self._graph.node.add(name=f"control_{number}", op="NoOp", device=self._device)
            return f"^control_{number}"
        constant = self._large.nodes.get(read.name)
        if constant is not None and constant.op == "Const" and constant.ByteSize() <= MAX_CONSTANT:
            node = self._graph.node.add(name=f"constant_{number}", op="Const", device=constant.device)
            for attr in ("dtype", "value"):
                node.attr[attr].CopyFrom(constant.attr[attr])
            return str(node.name)
        given = self._large.output(read)
        if variable is not None and given.dtype == "resource":
            return self._variable(variable, number)
        return add_source(self._graph, grappler_internals.dtype_enum(given.dtype), given.shape, self._device)

    def _variable(self, read: OutputInfo, number: int) -> str:
        """A variable that gives what an op reads: a handle from elsewhere would tell no shape."""
        node = self._graph.node.add(name=f"variable_{number}", op="VarHandleOp", device=self._device)
        node.attr["dtype"].type = grappler_internals.dtype_enum(read.dtype)
        set_shape(node.attr["shape"].shape, read.shape)
        return str(node.name)

    def _add_readers(self, name: str) -> None:
        readers = self._large.readers[name]
        outside = [read for reader, read in readers if reader not in self._names]
        if not readers:
            self._add_reader(InputRef(name, CONTROL))
        # One stands for all readers outside of one output: with the next op of the chance there are two.
        for read in dict.fromkeys(outside):
            self._add_reader(read)

    def _add_reader(self, read: InputRef) -> None:
        own_name = self._names[read.name]
        name = f"reader_{sum(node.name.startswith('reader_') for node in self._graph.node)}"
        if read.output == CONTROL:
            self._graph.node.add(name=name, op="NoOp", input=[reference(own_name, CONTROL)], device=self._device)
            return
        node = self._graph.node.add(name=name, op="Identity", device=self._device)
        node.input.append(reference(own_name, read.output))
        node.attr["T"].type = grappler_internals.dtype_enum(self._large.output(read).dtype)


def add_source(graph_def: Any, dtype: int, shape: Sequence[int | None] | None, device: str) -> str:
    """One more input of this dtype and shape; returns how a node reads it."""
    source = next((node for node in graph_def.node if node.name == SOURCE), None)
    if source is None:
        arguments = graph_def.node.add(name="arguments", op="_Arg", device=device)
        arguments.attr["T"].type = grappler_internals.dtype_enum("resource")
        arguments.attr["index"].i = 0
        source = graph_def.node.add(name=SOURCE, op="IteratorGetNext", input=["arguments"], device=device)
    types, shapes = source.attr["output_types"].list.type, source.attr["output_shapes"].list.shape
    types.append(dtype)
    set_shape(shapes.add(), shape)
    return reference(SOURCE, len(types) - 1)


def reference(name: str, output: int) -> str:
    """GraphDef notation, which passes compare as text: output 0 is the bare name."""
    if output == CONTROL:
        return f"^{name}"
    return f"{name}:{output}" if output else name


def set_shape(proto: Any, shape: Sequence[int | None] | None) -> None:
    """Fill a new TensorShapeProto."""
    proto.unknown_rank = shape is None
    for size in shape or ():
        proto.dim.add(size=-1 if size is None else size)


def _drop_notes(node: Any) -> None:
    """Attrs that say where a node came from; the runtime's own begin with an underscore.

    Colocation with ops that did not come along is kept under another name: it tells equal ops apart.
    """
    if "_class" in node.attr:
        node.attr[CLASS].CopyFrom(node.attr["_class"])
    for attr in [attr for attr in node.attr if attr.startswith("_") and attr != CLASS]:
        del node.attr[attr]


def data_inputs(node: Any) -> Iterator[tuple[int, InputRef]]:
    """Its inputs without control inputs, with their place."""
    for place, text in enumerate(node.input):
        if text[:1] != "^":
            yield place, parse_input(text)
