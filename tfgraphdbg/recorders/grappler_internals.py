"""Every private TensorFlow API around Grappler's cost model and passes, each behind a function named for what it gives.

Seen on TensorFlow 2.16.2 and 2.21.0. Import this only after TensorFlow has been imported by the user's program.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any


@functools.cache
def local_device_properties(device: str) -> Any:
    """What Grappler's cost model knows of a device of this machine (a full device name), as DeviceProperties.

    Asking a cluster of this machine would start devices anew; the cost model fills this in whatever it was told.
    """
    from tensorflow.core.framework import graph_pb2
    from tensorflow.core.protobuf import device_properties_pb2

    graph_def = graph_pb2.GraphDef()
    graph_def.node.add(name="op", op="NoOp", device=device)
    told = device_properties_pb2.DeviceProperties(type="CPU", frequency=1, num_cores=1)
    return estimated_performance(graph_def, ["op"], {device: told})[0].op.device


def estimated_performance(graph_def: Any, fetches: list[str], devices: Mapping[str, Any]) -> list[Any]:
    """Grappler's cost model on devices that are only described: an OpPerformance for each op that fetches need.

    Its times are nanoseconds, cut to whole microseconds. Nothing runs and no device is touched. A graph that no
    runtime would run may end the process: some of its rules, and of the shape functions, trust ranks and attrs.
    """
    from tensorflow.python.grappler import cluster, item

    grappler_item = item.Item(_metagraph(graph_def, fetches))
    performances, _, _ = cluster.Cluster(devices=_named_devices(devices)).MeasureCosts(grappler_item)
    return list(performances)


def grappler_result(graph_def: Any, fetches: list[str], passes: Iterable[str], devices: Mapping[str, Any]) -> Any:
    """The GraphDef after one run of some Grappler passes (`remap`, `constfold` ...) for devices that are described.

    The runtime describes its devices to Grappler in the same way, and none is touched.
    """
    from tensorflow.core.protobuf import config_pb2
    from tensorflow.python.grappler import cluster, tf_optimizer

    config = config_pb2.ConfigProto()
    rewrite = config.graph_options.rewrite_options
    rewrite.optimizers.extend(passes)
    rewrite.min_graph_nodes = -1
    rewrite.meta_optimizer_iterations = rewrite.ONE
    rewrite.fail_on_optimizer_errors = True
    return tf_optimizer.OptimizeGraph(
        config,
        _metagraph(graph_def, fetches),
        verbose=False,
        graph_id=b"tfgraphdbg_trial",
        cluster=cluster.Cluster(devices=_named_devices(devices)),
    )


def _metagraph(graph_def: Any, fetches: list[str]) -> Any:
    from tensorflow.core.protobuf import meta_graph_pb2

    metagraph = meta_graph_pb2.MetaGraphDef(graph_def=graph_def)
    metagraph.collection_def["train_op"].node_list.value.extend(fetches)
    return metagraph


def _named_devices(devices: Mapping[str, Any]) -> list[Any]:
    from tensorflow.core.protobuf import device_properties_pb2

    return [device_properties_pb2.NamedDevice(name=name, properties=known) for name, known in devices.items()]


def dtype_enum(name: str) -> int:
    """`DT_FLOAT` for `float32`. Raises KeyError for a name that is none."""
    from tensorflow.python.framework import dtypes

    try:
        return int(dtypes.as_dtype(name.removesuffix("_ref")).as_datatype_enum)
    except TypeError as error:
        raise KeyError(f"no dtype {name}") from error


def converted_tensor(proto: Any, dtype: str) -> Any:
    """A TensorProto of the same values in another dtype."""
    from tensorflow.python.framework import dtypes, tensor_util

    values = tensor_util.MakeNdarray(proto)
    return tensor_util.make_tensor_proto(values.astype(dtypes.as_dtype(dtype).as_numpy_dtype))


def tensor_of(values: Iterable[int], dtype: int) -> Any:
    """A TensorProto of integers."""
    from tensorflow.python.framework import dtypes, tensor_util

    return tensor_util.make_tensor_proto(list(values), dtypes.as_dtype(dtype))


def zeros_tensor(dtype: int, shape: tuple[int, ...]) -> Any:
    """A TensorProto of zeros, written as one of them."""
    from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2

    dims = [tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in shape]
    return tensor_pb2.TensorProto(dtype=dtype, tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=dims))
