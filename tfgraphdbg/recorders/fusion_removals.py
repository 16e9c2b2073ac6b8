"""What can keep ops from being fused, taken away: one function for each blocker that changes a small graph.

Each takes the graph to change and the trial's names, and returns why it cannot, empty when it is done.
"""

from __future__ import annotations

from typing import Any

from tfgraphdbg.graph_model import CONTROL, parse_input
from tfgraphdbg.recorders import grappler_internals
from tfgraphdbg.recorders.small_graph_edits import bypass, known_shape, node_of, remove_nodes
from tfgraphdbg.recorders.small_graphs import SOURCE, add_source, data_inputs
from tfgraphdbg.recorders.trial_names import TrialNames

NHWC_OF_NCHW = (0, 2, 3, 1)


def cut_other_readers(graph_def: Any, names: TrialNames) -> str:
    """Nothing but the pattern reads what is inside it: the other readers go, with all that depends on them."""
    inside = {(name, output) for name in names.pattern[:-1] for output in range(CONTROL, 16)}
    # The further outputs of a batch norm: its mean and variance.
    inside |= {(names.root, output) for output in range(1, 16)}
    gone: set[str] = set()
    while True:
        found = {
            node.name
            for node in graph_def.node
            if node.name not in gone
            and any(
                read.name in gone or (node.name not in names.pattern and (read.name, read.output) in inside)
                for read in map(parse_input, node.input)
            )
        }
        if not found:
            break
        gone |= found
    if gone & set(names.pattern):
        return "the other reader feeds the pattern itself, so that it cannot be cut off"
    if not gone:
        return "the next op reads it twice, so that there is no other reader to cut off"
    remove_nodes(graph_def, gone)
    return ""


def drop_control_edges(graph_def: Any, names: TrialNames) -> str:
    """No op of the pattern waits for another or is waited for."""
    held = {f"^{name}" for name in names.pattern}
    for node in graph_def.node:
        kept = [text for text in node.input if not (text in held or (text[:1] == "^" and node.name in names.pattern))]
        del node.input[:]
        node.input.extend(kept)
    return ""


def use_float32(graph_def: Any, names: TrialNames) -> str:
    """The same graph in float32."""
    before = node_of(graph_def, names.pattern[0]).attr["T"].type
    after = grappler_internals.dtype_enum("float32")
    if before in (0, after):
        return "its dtype is float32 already"
    for node in graph_def.node:
        if node.op == "Const" and node.attr["dtype"].type == before:
            node.attr["value"].tensor.CopyFrom(
                grappler_internals.converted_tensor(node.attr["value"].tensor, "float32")
            )
        for value in node.attr.values():
            if value.WhichOneof("value") == "type" and value.type == before:
                value.type = after
            for place, dtype in enumerate(value.list.type if value.WhichOneof("value") == "list" else ()):
                if dtype == before:
                    value.list.type[place] = after
    return ""


def use_nhwc(graph_def: Any, names: TrialNames) -> str:
    """The same graph with the channels last: images, strides and dilations in another order."""
    for name in names.pattern:
        node = node_of(graph_def, name)
        if "data_format" in node.attr:
            if node.attr["data_format"].s != b"NCHW":
                return f"only NCHW can be turned into NHWC here, and {node.attr['data_format'].s.decode()} is another"
            node.attr["data_format"].s = b"NHWC"
        for attr in ("strides", "dilations", "ksize"):
            sizes = node.attr[attr].list.i if attr in node.attr else None
            if sizes is not None and len(sizes) == 4:
                sizes[:] = [sizes[place] for place in NHWC_OF_NCHW]
        for place, read in data_inputs(node):
            is_filter = place == 1 and "strides" in node.attr
            if read.name == SOURCE and not is_filter:
                _permute(node_of(graph_def, SOURCE).attr["output_shapes"].list.shape[read.output])
    return ""


def stop_training(graph_def: Any, names: TrialNames) -> str:
    """Batch norm with a mean and a variance that are given, of which nobody reads new ones."""
    norms = [node for node in graph_def.node if node.name in names.pattern and "is_training" in node.attr]
    if not norms:
        return "no op of the pattern has a training mode"
    for node in norms:
        node.attr["is_training"].b = False
        channels = [read for place, read in data_inputs(node) if place == 1]
        if len(channels) != 1 or channels[0].name != SOURCE:
            return "the number of its channels is not known"
        source = node_of(graph_def, SOURCE).attr
        dtype = source["output_types"].list.type[channels[0].output]
        shape = known_shape(source["output_shapes"].list.shape[channels[0].output])
        for place in (3, 4):
            node.input[place] = add_source(graph_def, dtype, shape, node.device)
        further = {f"{node.name}:{output}" for output in range(1, 6)}
        remove_nodes(graph_def, {other.name for other in graph_def.node if further & set(other.input)})
    return ""


def use_relu(graph_def: Any, names: TrialNames) -> str:
    """Relu in place of the activation."""
    node = node_of(graph_def, next((name for name in names.blocking if name in names.pattern), names.root))
    inside = [text for text in node.input if parse_input(text).name in names.pattern]
    dtype = node.attr["T"].type
    if len(inside) != 1 or not dtype:
        return "it is not one op with one input, so that no Relu can stand in for it"
    node.op = "Relu"
    node.attr.clear()
    node.attr["T"].type = dtype
    del node.input[:]
    node.input.extend(inside)
    return ""


def use_constant_bias(graph_def: Any, names: TrialNames) -> str:
    """Zeros in place of what is added."""
    node = node_of(graph_def, names.pattern[1])
    for place, read in data_inputs(node):
        if read.name == SOURCE:
            source = node_of(graph_def, SOURCE).attr
            shape = known_shape(source["output_shapes"].list.shape[read.output])
            sizes = tuple(size for size in shape or () if size is not None)
            if shape is None or len(sizes) != len(shape) or len(shape) > 1:
                return "the bias is not a vector of known size"
            constant = graph_def.node.add(name="constant_bias", op="Const", device=node.device)
            constant.attr["dtype"].type = source["output_types"].list.type[read.output]
            zeros = grappler_internals.zeros_tensor(constant.attr["dtype"].type, sizes)
            constant.attr["value"].tensor.CopyFrom(zeros)
            node.input[place] = constant.name
            return ""
    return "what is added was not found"


def use_one_device(graph_def: Any, names: TrialNames) -> str:
    """Everything on the device of the first op."""
    device = node_of(graph_def, names.pattern[0]).device
    for node in graph_def.node:
        node.device = device
    return ""


def use_bias_add(graph_def: Any, names: TrialNames) -> str:
    """BiasAdd in place of a plain addition."""
    for name in names.pattern[1:]:
        node = node_of(graph_def, name)
        if node.op in ("Add", "AddV2"):
            inside = [text for text in node.input if parse_input(text).name in names.pattern]
            other = [text for text in node.input if parse_input(text).name not in names.pattern]
            if len(inside) != 1 or len(other) != 1:
                return "both of what is added come from the pattern"
            node.op = "BiasAdd"
            node.attr["data_format"].s = node_of(graph_def, names.pattern[0]).attr["data_format"].s or b"NHWC"
            del node.input[:]
            node.input.extend((*inside, other[0]))
            return _make_vector(graph_def, other[0])
    return "no addition was found in the pattern"


def drop_bias(graph_def: Any, names: TrialNames) -> str:
    """The batch norm reads the convolution itself, without the bias between them."""
    return bypass(graph_def, [name for name in names.pattern if node_of(graph_def, name).op == "BiasAdd"])


def drop_reshape(graph_def: Any, names: TrialNames) -> str:
    """The bias is added before the reshape, which is left out here."""
    return bypass(graph_def, [name for name in names.pattern if node_of(graph_def, name).op == "Reshape"])


def _permute(shape: Any) -> None:
    if len(shape.dim) == 4:
        sizes = [dim.size for dim in shape.dim]
        for place, dim in enumerate(shape.dim):
            dim.size = sizes[NHWC_OF_NCHW[place]]


def _make_vector(graph_def: Any, text: str) -> str:
    """What BiasAdd adds has one dimension: leading ones of size 1 are dropped."""
    read = parse_input(text)
    if read.name != SOURCE:
        return ""
    shape = node_of(graph_def, SOURCE).attr["output_shapes"].list.shape[read.output]
    sizes = known_shape(shape)
    if sizes is None or not sizes or any(size != 1 for size in sizes[:-1]):
        return "what is added is no vector, so that BiasAdd cannot add it"
    del shape.dim[:-1]
    return ""
