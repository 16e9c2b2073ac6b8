"""A large graph -> a small one that holds each kind of op once, its inputs replaced by variables of their shapes.

Tens of thousands of ops are a few thousand kinds: of one type, device, attrs and shapes. A cost model need see no more.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from tfgraphdbg.graph_model import CONTROL, GraphModel, OpNode, OutputInfo
from tfgraphdbg.recorders.grappler_internals import dtype_enum

LEFT_OUT = frozenset(
    {
        *("_Arg", "_Retval", "_DeviceArg", "_DeviceRetval", "Placeholder", "_Send", "_Recv", "_HostSend", "_HostRecv"),
        *("Enter", "RefEnter", "Exit", "RefExit", "NextIteration", "RefNextIteration", "Switch", "RefSwitch"),
        *("_SwitchN", "Merge", "RefMerge", "LoopCond", "ControlTrigger", "NoOp"),
    }
)
"""Ops of arguments, transfers and loops: the cost model has nothing to say of them one by one."""

SMALL_CONSTANT = 64
"""Elements of a constant that may be a shape, an axis or a padding, which decide the shapes of results."""


PASSES_ON = frozenset(
    {
        *("Identity", "Enter", "RefEnter", "Exit", "RefExit", "NextIteration", "RefNextIteration", "Switch"),
        *("RefSwitch", "_SwitchN", "Merge", "RefMerge"),
    }
)
"""Ops whose results have the shape of their first input. TensorFlow keeps no shapes of a loop's ops."""

ELEMENTWISE = frozenset({"Add", "AddV2", "AddN", "Sub", "Mul"})
"""Ops that Grappler makes without their shapes: with equal inputs the result has their shape."""

MAX_STEPS = 50


class DistinctOps(NamedTuple):
    """The small graph, and which ops of the large one each of its ops stands for."""

    graph_def: Any
    names: dict[str, list[str]]


def distinct_ops(graph: GraphModel, graph_def: Any) -> DistinctOps:
    """Every kind of op of `graph`, whose GraphDef is `graph_def`; calls of functions and ops on references are not."""
    building = _Building(graph, graph_def)
    for op in graph.top_level_ops:
        if op.op_type not in LEFT_OUT and not building.calls_a_function(op.name):
            building.add(op)
    return DistinctOps(building.small, building.names)


class _Held(NamedTuple):
    """What a variable holds."""

    dtype: int
    shape: tuple[int | None, ...] | None


class _Building:
    """The small graph in the making."""

    def __init__(self, graph: GraphModel, graph_def: Any) -> None:
        self._ops = graph.by_id
        self._nodes = {node.name: node for node in graph_def.node}
        self._device = next((node.device for node in graph_def.node if node.device), "")
        self._functions = {function.signature.name for function in graph_def.library.function}
        self._kinds: dict[tuple[Any, ...], str] = {}
        self._sources: dict[tuple[Any, ...], str] = {}
        self.small = type(graph_def)()
        self.small.versions.CopyFrom(graph_def.versions)
        self.names: dict[str, list[str]] = {}

    def calls_a_function(self, name: str) -> bool:
        """Whether the op runs a function: its cost is that of the function's ops."""
        node = self._nodes[name]
        if node.op in self._functions:
            return True
        return any(value.WhichOneof("value") == "func" or value.list.func for value in node.attr.values())

    def add(self, op: OpNode) -> None:
        """Count an op to its kind, a new one if it is the first."""
        inputs = self._inputs_of(op)
        if inputs is None:
            return
        node = self._nodes[op.name]
        key = (op.op_type, node.device, op.attrs, *inputs)
        if key not in self._kinds:
            name = f"op{len(self._kinds)}"
            copy = self.small.node.add()
            copy.CopyFrom(node)
            copy.name, copy.device = name, node.device or self._device
            for attr in [attr for attr in copy.attr if attr.startswith("_")]:
                del copy.attr[attr]
            del copy.input[:]
            # Its own: shape inference takes what one op writes into a variable for what all others read from it.
            copy.input.extend(
                self._new_handle(copy.device, source) if isinstance(source, _Held) else source for source in inputs
            )
            self._kinds[key] = name
        self.names.setdefault(self._kinds[key], []).append(op.name)

    def _inputs_of(self, op: OpNode) -> list[str | _Held] | None:
        """The ops of the small graph that give inputs of the same shapes; None when there is no way."""
        inputs: list[str | _Held] = []
        for reference in op.input_refs():
            if reference.output == CONTROL:
                continue
            producer = self._ops.get(reference.name)
            if producer is None or reference.output >= len(producer.outputs):
                return None
            output = self._known(producer, reference.output)
            if output.dtype.endswith("_ref"):
                return None
            inputs.append(self._source(op, producer, output))
        return inputs

    def _known(self, op: OpNode, index: int, steps: int = 0) -> OutputInfo:
        """An output with its shape, which ops before it may tell when the graph itself does not."""
        output = op.outputs[index]
        if output.shape is not None or steps == MAX_STEPS:
            return output
        references = [reference for reference in op.input_refs() if reference.output != CONTROL]
        if op.op_type in PASSES_ON and (index == 0 or "Switch" in op.op_type):
            references = references[:1]
        elif op.op_type not in ELEMENTWISE:
            return output
        shapes = set()
        for name, place in references:
            producer = self._ops.get(name)
            if producer is None or place >= len(producer.outputs):
                return output
            shapes.add(self._known(producer, place, steps + 1).shape)
            if len(shapes) > 1:
                return output
        return OutputInfo(output.dtype, shapes.pop()) if shapes else output

    def _source(self, reader: OpNode, producer: OpNode, output: OutputInfo) -> str | _Held:
        device = self._nodes[reader.name].device or self._device
        if producer.op_type == "Const" and _size(output) <= SMALL_CONSTANT:
            value = self._nodes[producer.name].attr["value"]
            key: tuple[Any, ...] = ("constant", device, value.SerializeToString())
            return self._sources.get(key) or self._new_constant(key, producer.name, device)
        if output.dtype == "resource":
            return _held_by(self._nodes[reader.name], reader)
        key = (device, output)
        if key not in self._sources:
            handle = self._new_handle(device, _Held(dtype_enum(output.dtype), output.shape))
            name = f"value{len(self._sources)}"
            node = self.small.node.add(name=name, op="ReadVariableOp", device=device, input=[handle])
            node.attr["dtype"].type = dtype_enum(output.dtype)
            self._sources[key] = name
        return self._sources[key]

    def _new_constant(self, key: tuple[Any, ...], name: str, device: str) -> str:
        node = self.small.node.add()
        node.CopyFrom(self._nodes[name])
        del node.input[:]
        node.name, node.device = f"constant{len(self._sources)}", device
        self._sources[key] = node.name
        return str(node.name)

    def _new_handle(self, device: str, held: _Held) -> str:
        name = f"handle{len(self.small.node)}"
        node = self.small.node.add(name=name, op="VarHandleOp", device=device)
        node.attr["dtype"].type = held.dtype
        shape = node.attr["shape"].shape
        shape.unknown_rank = held.shape is None
        for size in held.shape or ():
            shape.dim.add(size=-1 if size is None else size)
        return name


def _held_by(node: Any, reader: OpNode) -> _Held:
    """What a variable holds, as far as an op that gets its handle tells."""
    dtype = next((node.attr[attr].type for attr in ("dtype", "T") if attr in node.attr), dtype_enum("float32"))
    return _Held(dtype, reader.outputs[0].shape if node.op == "ReadVariableOp" and reader.outputs else None)


def _size(output: OutputInfo) -> float:
    if output.shape is None or None in output.shape:
        return math.inf
    return math.prod(size or 0 for size in output.shape)
