"""GraphDef -> GraphPart: plain ops with shared attr sets, output dtypes and shapes, stacks and origins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tfgraphdbg.graph_model import AttrValue, OpNode, OutputInfo, garbage_collection_paused, op_id
from tfgraphdbg.recorders import tensorflow_internals
from tfgraphdbg.recording import GraphPart

MAX_TEXT = 400
"""Longest attr text kept; the raw GraphDef beside it has the whole."""

MAX_ITEMS = 64
"""Longest attr list kept."""

OUTPUT_SHAPES = "_output_shapes"

Outputs = tuple[OutputInfo, ...]


class OpFacts:
    """What a GraphDef does not say of its ops: stacks, origins and shapes, by op id. The base knows nothing."""

    def stack(self, op_id: str) -> int:
        """Index of the Python stack, -1 for none."""
        return -1

    def origins(self, node: Any, function: str) -> tuple[str, ...]:
        """Ids of the traced ops that a node came from."""
        return ()

    def enter_function(self, function: str, arguments: Sequence[str]) -> None:
        """The ops that follow are those of a library function's body; `arguments` are its placeholders in order."""

    def shapes(self, node: Any, origins: tuple[str, ...]) -> Outputs:
        """Its outputs as they were traced, where that still holds; empty when unknown."""
        return ()


def graph_part_of(
    graph_def: Any, name: str, stage: str, facts: OpFacts | None = None, bodies: Mapping[str, Any] | None = None
) -> GraphPart:
    """Turn a GraphDef into plain data. `bodies` gives library functions as GraphDefs where they were traced here."""
    return converted_graph(graph_def, name, stage, OpConversion(facts or OpFacts()), bodies)


def converted_graph(
    graph_def: Any, name: str, stage: str, conversion: OpConversion, bodies: Mapping[str, Any] | None = None
) -> GraphPart:
    """Like `graph_part_of`, with a conversion that goes on afterwards, with the ops of edits."""
    with garbage_collection_paused():
        ops = [conversion.op(node, "") for node in graph_def.node]
        functions = []
        for definition in graph_def.library.function:
            function = definition.signature.name
            functions.append(function)
            conversion.facts.enter_function(function, [argument.name for argument in definition.signature.input_arg])
            body = (bodies or {}).get(function)
            nodes = body.node if body is not None else _body_nodes(definition)
            ops += [conversion.op(node, function) for node in nodes]
        return GraphPart(name, stage, tuple(ops), tuple(conversion.attr_sets), tuple(functions))


def _body_nodes(definition: Any) -> Iterable[Any]:
    try:
        return list(tensorflow_internals.function_body_graph(definition).node)
    except Exception:
        # A function that is damaged, or has ops unknown here, fails in many ways; its nodes are then shown as they are.
        return list(definition.node_def)


class OpConversion:
    """One pass over a graph; equal attrs and equal outputs are converted once."""

    def __init__(self, facts: OpFacts) -> None:
        self.facts = facts
        self.attr_sets: list[dict[str, AttrValue]] = []
        self._attr_index: dict[tuple[tuple[str, bytes], ...], int] = {}
        self._dtypes: dict[tuple[str, int], tuple[str, ...]] = {}
        self._outputs: dict[tuple[tuple[str, ...], bytes], Outputs] = {}

    def op(self, node: Any, function: str) -> OpNode:
        attrs, shapes = self._attrs(node)
        origins = self.facts.origins(node, function)
        outputs = self._outputs_of(node, attrs, shapes)
        if not shapes:
            outputs = _same_kind(self.facts.shapes(node, origins), outputs)
        stack = self.facts.stack(origins[0] if origins else op_id(function, node.name))
        return OpNode(node.name, node.op, tuple(node.input), node.device, attrs, outputs, stack, function, origins)

    def _attrs(self, node: Any) -> tuple[int, bytes]:
        shapes = b""
        packed = []
        for key, value in node.attr.items():
            if key == OUTPUT_SHAPES:
                shapes = value.SerializeToString()
            else:
                packed.append((key, value.SerializeToString()))
        if not packed:
            return -1, shapes
        packed.sort()
        key = tuple(packed)
        index = self._attr_index.get(key)
        if index is None:
            index = self._attr_index[key] = len(self.attr_sets)
            self.attr_sets.append({name: attr_value(node.attr[name]) for name, _ in packed})
        return index, shapes

    def _outputs_of(self, node: Any, attrs: int, shapes: bytes) -> Outputs:
        key = (node.op, attrs)
        dtypes = self._dtypes.get(key)
        if dtypes is None:
            dtypes = self._dtypes[key] = output_dtypes(node)
        made = self._outputs.get((dtypes, shapes))
        if made is None:
            known = [shape_of(shape) for shape in node.attr[OUTPUT_SHAPES].list.shape] if shapes else []
            if not known:
                known = [_constant_shape(node)] * len(dtypes)
                made = tuple(OutputInfo(dtype, shape) for dtype, shape in zip(dtypes, known, strict=True))
                return made
            known += [None] * (len(dtypes) - len(known))
            made = tuple(OutputInfo(dtype, shape) for dtype, shape in zip(dtypes, known, strict=False))
            self._outputs[(dtypes, shapes)] = made
        return made


def _constant_shape(node: Any) -> tuple[int | None, ...] | None:
    return shape_of(node.attr["value"].tensor.tensor_shape) if node.op == "Const" else None


def _same_kind(traced: Outputs, computed: Outputs) -> Outputs:
    """The traced outputs when their dtypes still hold, else what the node itself says."""
    if len(traced) == len(computed) and all(
        before.dtype == after.dtype for before, after in zip(traced, computed, strict=True)
    ):
        return tuple(before if after.shape is None else after for before, after in zip(traced, computed, strict=True))
    return computed


def shape_of(shape: Any) -> tuple[int | None, ...] | None:
    """A TensorShapeProto as a tuple; None for unknown rank."""
    if shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else int(dim.size) for dim in shape.dim)


def output_dtypes(node: Any) -> tuple[str, ...]:
    """The dtypes of a node's outputs, from its OpDef and attrs; empty when the op is not registered."""
    definition = tensorflow_internals.op_def_of(node.op)
    if definition is None:
        return ()
    found: list[str] = []
    for arg in definition.output_arg:
        suffix = "_ref" if arg.is_ref else ""
        if arg.type_list_attr:
            found += [tensorflow_internals.dtype_name(enum) for enum in node.attr[arg.type_list_attr].list.type]
            continue
        enum = node.attr[arg.type_attr].type if arg.type_attr else arg.type
        repeat = min(node.attr[arg.number_attr].i, 100_000) if arg.number_attr else 1
        found += [tensorflow_internals.dtype_name(enum) + suffix] * repeat
    return tuple(found)


def attr_value(value: Any) -> AttrValue:
    """One AttrValue as plain data; long texts and lists are cut, with a mark."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "list":
        return _list_value(value.list)
    scalar: AttrValue = _SCALARS[kind](getattr(value, kind))
    return scalar


def _list_value(values: Any) -> AttrValue:
    for field, items in values.ListFields():
        kept = [_SCALARS[field.name](item) for item in items[:MAX_ITEMS]]
        return kept if len(items) <= MAX_ITEMS else [*kept, f"... {len(items) - MAX_ITEMS} more"]
    return []


def _text(value: bytes) -> str:
    text = value[: 4 * MAX_TEXT].decode("utf-8", "backslashreplace")
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."


def _shape_text(shape: Any) -> str:
    dims = shape_of(shape)
    return "unknown" if dims is None else f"[{','.join('?' if dim is None else str(dim) for dim in dims)}]"


def _tensor_text(tensor: Any) -> str:
    header = f"{tensorflow_internals.dtype_name(tensor.dtype)}{_shape_text(tensor.tensor_shape)}"
    size = len(tensor.tensor_content)
    for field, items in tensor.ListFields():
        if field.name.endswith("_val"):
            shown = ", ".join(_text(item) if isinstance(item, bytes) else str(item) for item in items[:8])
            return f"{header}: {_text(shown.encode())}{', ...' if len(items) > 8 else ''}"
    if size and size <= 256:
        return f"{header}: {_small_tensor_values(tensor)}"
    return f"{header}: {size:,} bytes" if size else header


def _small_tensor_values(tensor: Any) -> str:
    import numpy
    from tensorflow.python.framework import dtypes

    try:
        values = numpy.frombuffer(tensor.tensor_content, dtypes.as_dtype(tensor.dtype).as_numpy_dtype)
    except (TypeError, ValueError):
        return f"{len(tensor.tensor_content):,} bytes"
    return _text(", ".join(str(value) for value in values[:32]).encode()) + (", ..." if len(values) > 32 else "")


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "s": _text,
    "i": int,
    "f": float,
    "b": bool,
    "type": lambda enum: tensorflow_internals.dtype_name(enum),
    "shape": _shape_text,
    "tensor": _tensor_text,
    "func": lambda func: str(func.name),
    "placeholder": str,
}
