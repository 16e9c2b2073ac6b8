"""One batch for a Keras step: put together from the user's values, or made up from the model's input spec and loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tfgraphdbg.errors import UsageError
from tfgraphdbg.input_values import RandomIntegers, TensorValue, Uniform
from tfgraphdbg.message_words import quoted
from tfgraphdbg.recorders.call_arguments import BATCH_PARAMETERS, described
from tfgraphdbg.recorders.input_tensors import InputMaker
from tfgraphdbg.recorders.loaded_target import Mode

DEFAULT_BATCH = 2

OTHER_UNKNOWN_SIZE = 32
"""For sequence lengths and picture sides that a model leaves open: most architectures shrink them several times."""


def batch_of(mode: Mode, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """The data of one step, as `fit` passes it: `(x,)`, `(x, y)` or `(x, y, sample_weight)`."""
    batch = [*args, *(kwargs.get(name) for name in BATCH_PARAMETERS[mode][len(args) :])]
    while len(batch) > 1 and batch[-1] is None:
        batch.pop()
    return tuple(_each(_as_tensor, value) for value in batch)


def _as_tensor(value: Any) -> Any:
    """What `fit` makes of an array: float64 becomes Keras's default float."""
    import tensorflow

    if value is None:
        return None
    tensor = value if tensorflow.is_tensor(value) else tensorflow.convert_to_tensor(value)
    return tensorflow.cast(tensor, tensorflow.keras.backend.floatx()) if tensor.dtype == tensorflow.float64 else tensor


def check_batch(model: Any, batch: tuple[Any, ...], source: str) -> None:
    """Raise UsageError when an input has another shape than a functional model was built for."""
    import tensorflow

    specs = getattr(model, "inputs", None) or []
    values = tensorflow.nest.flatten(batch[0])
    if len(values) != len(specs):
        return
    for value, spec in zip(values, specs, strict=True):
        if not tensorflow.TensorShape(spec.shape).is_compatible_with(value.shape):
            label = "x" if len(specs) == 1 else f"x.{spec.name}"
            what = f"{source} gives {quoted(label)} as {described(value)}, and the model's input is {described(spec)}"
            sizes = ",".join(str(size or DEFAULT_BATCH) for size in spec.shape)
            raise UsageError(what, f"for example --input '{label}={tensorflow.as_dtype(spec.dtype).name}[{sizes}]'")


def replica_count(model: Any) -> int:
    """How many replicas of the model share a batch."""
    return int(model.distribute_strategy.num_replicas_in_sync)


def for_replicas(model: Any, batch: tuple[Any, ...], source: str) -> Any:
    """The batch as `fit` hands it to the replicas of a distribution strategy: an equal part for each."""
    count = replica_count(model)
    if count == 1:
        return batch

    def divided(value: Any) -> Any:
        size = 0 if value is None else value.shape[0] // count
        if value is not None and size == 0:
            what = f"{source} gives {described(value)}, and {count} replicas share a batch"
            raise UsageError(what, f"give at least one example for each, as --batch {count} does")
        return model.distribute_strategy.experimental_distribute_values_from_function(
            lambda replica: _replica_part(value, replica.replica_id_in_sync_group, size)
        )

    return _each(divided, batch)


def _replica_part(value: Any, replica: int, size: int) -> Any:
    return None if value is None else value[replica * size : (replica + 1) * size]


def input_specs(model: Any) -> Any:
    """The tensor specs of a model's inputs, nested as it takes them; None when it does not know them."""
    inputs = _nested(model, "_inputs_struct", "_nested_inputs", "inputs")
    if inputs is not None:
        return _each(_tensor_spec, inputs)
    if not getattr(model, "built", False) or not hasattr(model, "get_build_config"):
        return None
    shape = (model.get_build_config() or {}).get("input_shape")
    return None if shape is None else _spec_of_shape(shape, model)


def has_open_sizes(model: Any) -> bool:
    """Whether an input of the model has an unknown size besides that of the batch."""
    import tensorflow

    shapes = [spec.shape for spec in tensorflow.nest.flatten(input_specs(model))]
    return any(shape.rank is None or not shape[1:].is_fully_defined() for shape in shapes)


def _nested(model: Any, *names: str) -> Any:
    """The first that a model has. Only private ones keep the nesting (seen on Keras 3.3 to 3.15, tf_keras 2.16)."""
    found = next((value for name in names if (value := getattr(model, name, None)) is not None), None)
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _tensor_spec(tensor: Any) -> Any:
    import tensorflow

    kind = tensorflow.SparseTensorSpec if getattr(tensor, "sparse", False) else tensorflow.TensorSpec
    return kind(tensor.shape, tensorflow.as_dtype(tensor.dtype))


def _spec_of_shape(shape: Any, model: Any) -> Any:
    """A subclassed model remembers the shapes that built it; the batch size of then does not bind it."""
    import tensorflow

    if isinstance(shape, Mapping):
        return {name: _spec_of_shape(inner, model) for name, inner in shape.items()}
    if shape and all(isinstance(inner, tuple | list) for inner in shape):
        return [_spec_of_shape(inner, model) for inner in shape]
    return tensorflow.TensorSpec([None, *shape[1:]], getattr(model, "input_dtype", "float32"))


def made_up_batch(model: Any, mode: Mode, maker: InputMaker, batch: int) -> tuple[Any, ...] | None:
    """Random data for one step; None when the model does not know its inputs."""
    specs = input_specs(model)
    if specs is None:
        return None
    x = _each(lambda spec: maker.from_spec(spec, (batch, OTHER_UNKNOWN_SIZE)), specs)
    if mode == "predict" or not getattr(model, "loss", None):
        return (x,)
    outputs = _output_specs(model, x)
    return x, _targets(outputs, model.loss, getattr(model, "output_names", None) or [], maker, batch)


def _output_specs(model: Any, x: Any) -> Any:
    """The nested outputs for one batch; Keras computes them where the model itself left sizes open."""
    import keras
    import tensorflow

    outputs = _nested(model, "_outputs_struct", "_nested_outputs", "outputs")
    shapes = [] if outputs is None else [tuple(output.shape) for output in tensorflow.nest.flatten(outputs)]
    if (shapes and all(None not in shape[1:] for shape in shapes)) or not hasattr(model, "compute_output_spec"):
        return outputs
    return model.compute_output_spec(_each(lambda value: keras.KerasTensor(value.shape, value.dtype.name), x))


def _targets(outputs: Any, loss: Any, names: list[str], maker: InputMaker, batch: int) -> Any:
    """Targets nested as the outputs are, each of the kind that its loss takes."""
    if isinstance(outputs, Mapping):
        return {name: _targets(output, _part(loss, name, 0), [], maker, batch) for name, output in outputs.items()}
    if isinstance(outputs, tuple | list):
        labels = [*names, *[""] * len(outputs)]
        parts = [_targets(output, _part(loss, labels[at], at), [], maker, batch) for at, output in enumerate(outputs)]
        return parts if isinstance(outputs, list) else tuple(parts)
    return _target(tuple(batch if size is None else size for size in outputs.shape), _part(loss, "", 0), maker)


def _part(loss: Any, name: str, at: int) -> Any:
    if isinstance(loss, Mapping):
        return loss.get(name, next(iter(loss.values()), None))
    if isinstance(loss, tuple | list):
        return loss[at] if at < len(loss) else None
    return loss


def _target(shape: tuple[int, ...], loss: Any, maker: InputMaker) -> Any:
    """Labels for a sparse loss, one-hot rows for a categorical one, 0 and 1 for a binary one, else fractions."""
    import tensorflow

    floats = tensorflow.keras.backend.floatx()
    words = _loss_words(loss)
    what = "the target"
    if "sparse" in words and shape:
        return maker.tensor(TensorValue("int32", shape[:-1], RandomIntegers(0, shape[-1])), what)
    if "categorical" in words and shape:
        labels = maker.tensor(TensorValue("int32", shape[:-1], RandomIntegers(0, shape[-1])), what)
        return tensorflow.one_hot(labels, shape[-1], dtype=floats)
    if "binary" in words or "hinge" in words:
        return maker.tensor(TensorValue(floats, shape, RandomIntegers(0, 2)), what)
    return maker.tensor(TensorValue(floats, shape, Uniform()), what)


def _loss_words(loss: Any) -> str:
    """`sparsecategoricalcrossentropy` of the text, the function or the object that a user may give."""
    inner = getattr(loss, "fn", loss)
    names = [loss if isinstance(loss, str) else type(loss).__name__, getattr(inner, "__name__", "")]
    return " ".join(names).lower().replace("_", "")


def _each(change: Callable[[Any], Any], value: Any) -> Any:
    """The nested value with each leaf changed; `tf.nest` would sort the keys of dicts."""
    if isinstance(value, Mapping):
        return {key: _each(change, inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_each(change, inner) for inner in value)
    if isinstance(value, list):
        return [_each(change, inner) for inner in value]
    return change(value)
