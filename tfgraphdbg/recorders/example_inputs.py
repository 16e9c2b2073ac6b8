"""Where the example inputs of a target come from: the first source that applies gives every call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tfgraphdbg.errors import UsageError
from tfgraphdbg.input_language import parse_inputs
from tfgraphdbg.recorders import keras_inputs, keras_model
from tfgraphdbg.recorders.call_arguments import (
    check_arguments,
    example_input,
    fitted,
    is_required,
    parameters_of,
    spec_of,
)
from tfgraphdbg.recorders.input_tensors import InputMaker
from tfgraphdbg.recorders.inputs_functions import from_inputs_function, from_named_function, inputs_function_names
from tfgraphdbg.recorders.loaded_target import Call, LoadedTarget, LoadOptions
from tfgraphdbg.recorders.random_seeds import fix_random_seeds
from tfgraphdbg.recorders.user_errors import user_code

UNKNOWN_SIZE = 2

Source = Callable[[LoadedTarget, LoadOptions], "Iterable[Call] | None"]


def example_calls(loaded: LoadedTarget, options: LoadOptions) -> Iterator[Call]:
    """Yield each call to make, one at a time since a user's generator may be endless or change state between them."""
    fix_random_seeds(options.seed)
    for source in SOURCES:
        calls = source(loaded, options)
        if calls is not None:
            yield from _ready(loaded, calls)
            return
    raise _no_inputs(loaded)


def _ready(loaded: LoadedTarget, calls: Iterable[Call]) -> Iterator[Call]:
    """The calls with their arguments checked, and a Keras batch put together."""
    empty = True
    for given in calls:
        empty = False
        check_arguments(loaded, given.args, given.kwargs, given.source)
        yield _keras_call(loaded, given) if loaded.mode else _fitted_call(loaded, given)
    if empty:
        raise UsageError(f"the example inputs of {loaded.name} are empty", "yield at least one tuple of inputs")


def _keras_call(loaded: LoadedTarget, given: Call) -> Call:
    assert loaded.mode is not None
    with user_code(f"preparing the batch for {loaded.name}"):
        batch = keras_inputs.batch_of(loaded.mode, given.args, given.kwargs)
        keras_inputs.check_batch(loaded.model, batch, given.source)
        keras_model.build_before_tracing(loaded.model, batch)
        return Call((keras_inputs.for_replicas(loaded.model, batch, given.source),), {}, given.source)


def _fitted_call(loaded: LoadedTarget, given: Call) -> Call:
    if loaded.specs is None:
        return given
    names = [parameter.name for parameter in parameters_of(loaded) or ()]
    named = names[: len(given.args)]
    args = [
        fitted(value, spec_of(loaded, name), name, given.source)
        for name, value in zip(named, given.args[: len(named)], strict=True)
    ]
    kwargs = {name: fitted(value, spec_of(loaded, name), name, given.source) for name, value in given.kwargs.items()}
    return Call((*args, *given.args[len(args) :]), kwargs, given.source)


def _on_command_line(loaded: LoadedTarget, options: LoadOptions) -> Iterable[Call] | None:
    if not options.inputs:
        return None
    words = parse_inputs(options.inputs)
    maker = InputMaker(options.seed)
    args = tuple(maker.argument(example) for example in words.positional)
    return [Call(args, {name: maker.argument(node) for name, node in words.named.items()}, "--input")]


def _from_specs(loaded: LoadedTarget, options: LoadOptions) -> Iterable[Call] | None:
    if loaded.specs is None:
        return None
    maker = InputMaker(options.seed)
    size = options.batch or UNKNOWN_SIZE
    args = tuple(_made_up(spec, maker, size) for spec in loaded.specs.args)
    kwargs = {name: _made_up(spec, maker, size) for name, spec in loaded.specs.kwargs.items()}
    source = loaded.specs.origin
    if _has_unknown_size([*loaded.specs.args, *loaded.specs.kwargs.values()]):
        source += f", unknown sizes set to {size}"
    return [Call(args, kwargs, source)]


def _made_up(spec: Any, maker: InputMaker, size: int) -> Any:
    if isinstance(spec, Mapping):
        return {key: _made_up(inner, maker, size) for key, inner in spec.items()}
    if isinstance(spec, tuple | list):
        parts = [_made_up(inner, maker, size) for inner in spec]
        return parts if isinstance(spec, list) else tuple(parts)
    return maker.from_spec(spec, (size, size))


def _has_unknown_size(specs: Any) -> bool:
    if isinstance(specs, Mapping):
        return any(_has_unknown_size(spec) for spec in specs.values())
    if isinstance(specs, tuple | list):
        return any(_has_unknown_size(spec) for spec in specs)
    shape = getattr(specs, "shape", None)
    return shape is not None and not shape.is_fully_defined()


def _from_keras_spec(loaded: LoadedTarget, options: LoadOptions) -> Iterable[Call] | None:
    if loaded.mode is None:
        return None
    size = options.batch or max(keras_inputs.DEFAULT_BATCH, keras_inputs.replica_count(loaded.model))
    with user_code(f"making inputs for {loaded.name}"):
        batch = keras_inputs.made_up_batch(loaded.model, loaded.mode, InputMaker(options.seed), size)
    if batch is None:
        return None
    source = f"the model's input spec, batch size {size}"
    if keras_inputs.has_open_sizes(loaded.model):
        source += f", other unknown sizes set to {keras_inputs.OTHER_UNKNOWN_SIZE}"
    return [Call(batch, {}, source)]


def _none_needed(loaded: LoadedTarget, options: LoadOptions) -> Iterable[Call] | None:
    parameters = parameters_of(loaded)
    if parameters is None or any(is_required(parameter) for parameter in parameters):
        return None
    return [Call((), {}, "no inputs needed")]


SOURCES: tuple[Source, ...] = (
    _on_command_line,
    from_named_function,
    from_inputs_function,
    _from_specs,
    _from_keras_spec,
    _none_needed,
)


def _no_inputs(loaded: LoadedTarget) -> UsageError:
    """The error that shows every way to give inputs, filled in for this function's own parameters."""
    needed = [parameter for parameter in parameters_of(loaded) or () if is_required(parameter)]
    words = " ".join(example_input(loaded, parameter) for parameter in needed) or "--input 'float32[32,784]'"
    ways = [words]
    if loaded.place is None:
        ways.append("--inputs-from data.py:batches, a function or a value in a file of yours")
    else:
        name = inputs_function_names(loaded.place.attribute)[0]
        values = ", ".join(parameter.name for parameter in needed) or "x"
        ways.append(f"in {loaded.place.file}: def {name}(): return {values}   (or yield one tuple for each call)")
        ways.append(f"--inputs-from NAME, another function or value in {loaded.place.file}")
        if loaded.mode is None:
            specs = ", ".join("tf.TensorSpec([None, 784])" for _ in needed)
            ways.append(f"@tf.function(input_signature=[{specs}]) on {loaded.place.attribute}")
        else:
            ways.append("a keras.Input as the model's first layer")
    takes = ", ".join(str(parameter) for parameter in parameters_of(loaded) or ())
    return UsageError(
        f"no example inputs for {loaded.name}({takes})", "\n  ".join(["give them in one of these ways:", *ways])
    )
