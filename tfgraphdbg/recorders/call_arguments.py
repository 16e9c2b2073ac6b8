"""Whether the arguments of one call fit a function's parameters and specs; every mismatch names the argument."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from inspect import Parameter
from typing import Any

from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import close_matches, listed, quoted
from tfgraphdbg.recorders.loaded_target import InputSpecs, LoadedTarget

BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)

EXAMPLE_BY_TYPE = {"bool": "true", "int": "3", "float": "0.1", "str": "'text'"}

BATCH_PARAMETERS = {"train": ("x", "y", "sample_weight"), "test": ("x", "y", "sample_weight"), "predict": ("x",)}
"""What the one argument of a Keras step is made of."""


def parameters_of(loaded: LoadedTarget) -> tuple[Parameter, ...] | None:
    """The inputs that a user can name; None when Python does not tell."""
    if loaded.mode is not None:
        return tuple(
            Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=Parameter.empty if name == "x" else None)
            for name in BATCH_PARAMETERS[loaded.mode]
        )
    if loaded.kind == "saved_model" and loaded.specs is not None:
        return _saved_parameters(loaded.specs)
    function = getattr(loaded.callable, "python_function", loaded.callable)
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return None


def _saved_parameters(specs: InputSpecs) -> tuple[Parameter, ...]:
    """A SavedModel keeps names of tensors, and of those only the keyword ones can be relied on."""
    by_position = [Parameter(f"input_{at}", Parameter.POSITIONAL_ONLY) for at in range(len(specs.args))]
    return (*by_position, *(Parameter(name, Parameter.KEYWORD_ONLY) for name in specs.kwargs if name.isidentifier()))


def check_arguments(loaded: LoadedTarget, args: tuple[Any, ...], kwargs: Mapping[str, Any], source: str) -> None:
    """Raise UsageError unless the function takes exactly these arguments, by position and by name."""
    parameters = parameters_of(loaded)
    if parameters is None:
        return
    positional = [parameter.name for parameter in parameters if parameter.kind in BY_POSITION]
    _check_names(loaded.name, parameters, kwargs, source)
    if len(args) > len(positional) and not any(each.kind is Parameter.VAR_POSITIONAL for each in parameters):
        takes = (
            f"takes {len(positional)} by position ({listed(positional)})" if positional else "takes none by position"
        )
        by_name = [parameter for parameter in parameters if parameter.name not in positional]
        by_name = [parameter for parameter in by_name if parameter.kind is Parameter.KEYWORD_ONLY]
        named = " ".join(example_input(loaded, parameter) for parameter in by_name)
        hint = f"give them by name: {named}" if named else "leave the others out"
        raise UsageError(f"{source} gives {len(args)} inputs, and {loaded.name} {takes}", hint)
    twice = [name for name in positional[: len(args)] if name in kwargs]
    if twice:
        what = f"{source} gives {quoted(twice[0])} twice, by its position and by its name"
        raise UsageError(what, "give every input by its name, or all by position")
    given = {*positional[: len(args)], *kwargs}
    missing = [parameter for parameter in parameters if is_required(parameter) and parameter.name not in given]
    if missing:
        what = f"{source} gives no {listed(quoted(parameter.name) for parameter in missing)} to {loaded.name}"
        raise UsageError(what, f"add {' '.join(example_input(loaded, parameter) for parameter in missing)}")


def _check_names(name: str, parameters: Sequence[Parameter], kwargs: Mapping[str, Any], source: str) -> None:
    if any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters):
        return
    known = [each.name for each in parameters if each.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)]
    unknown = next((keyword for keyword in kwargs if keyword not in known), None)
    if unknown is None:
        return
    matches = close_matches(unknown, known, 1)
    hint = f"did you mean {quoted(matches[0])}? " if matches else ""
    hint += f"its inputs are {listed(known)}" if known else "it takes no inputs by name"
    raise UsageError(f"{source} gives {quoted(unknown)}, and {name} has no input of that name", hint)


def is_required(parameter: Parameter) -> bool:
    """Whether a call must give it."""
    variable = parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return parameter.default is Parameter.empty and not variable


def spec_of(loaded: LoadedTarget, name: str) -> Any:
    """The tensor spec of one parameter, nested as its value is; None when it has none."""
    if loaded.specs is None:
        return None
    if name in loaded.specs.kwargs:
        return loaded.specs.kwargs[name]
    names = [parameter.name for parameter in parameters_of(loaded) or () if parameter.kind in BY_POSITION]
    at = names.index(name) if name in names else len(names)
    return loaded.specs.args[at] if at < len(loaded.specs.args) else None


def example_input(loaded: LoadedTarget, parameter: Parameter) -> str:
    """The `--input` words for a parameter, as near to what it takes as its spec or annotation tells."""
    spec = spec_of(loaded, parameter.name)
    if spec is not None:
        return " ".join(_input_words(label, value) for label, value in _spec_examples(parameter.name, spec))
    annotation = parameter.annotation
    kind = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return _input_words(parameter.name, EXAMPLE_BY_TYPE.get(kind, "float32[32,784]"))


def _input_words(label: str, value: str) -> str:
    quote = '"' if "'" in value else "'"
    return f"--input {quote}{label}={value}{quote}"


def _spec_examples(label: str, spec: Any) -> list[tuple[str, str]]:
    if isinstance(spec, Mapping):
        return [example for key, inner in spec.items() for example in _spec_examples(f"{label}.{key}", inner)]
    if isinstance(spec, tuple | list):
        return [example for at, inner in enumerate(spec) for example in _spec_examples(f"{label}.{at}", inner)]
    shape = getattr(spec, "shape", None)
    sizes = [] if shape is None or shape.rank is None else shape.as_list()
    dtype = getattr(spec, "dtype", None)
    return [(label, f"{getattr(dtype, 'name', 'float32')}[{','.join(str(size or 2) for size in sizes)}]")]


def fitted(value: Any, spec: Any, label: str, source: str) -> Any:
    """The value as the tensors that a spec asks for; raise UsageError naming the part that cannot be."""
    import tensorflow

    if isinstance(spec, Mapping):
        _check_parts(isinstance(value, Mapping) and set(value) == set(spec), label, f"a dict of {listed(spec)}", source)
        return {key: fitted(value[key], inner, f"{label}.{key}", source) for key, inner in spec.items()}
    if isinstance(spec, tuple | list):
        same = isinstance(value, tuple | list) and len(value) == len(spec)
        _check_parts(same, label, f"a {type(spec).__name__} of {len(spec)}", source)
        parts = [fitted(value[at], inner, f"{label}.{at}", source) for at, inner in enumerate(spec)]
        return parts if isinstance(spec, list) else tuple(parts)
    if not isinstance(spec, tensorflow.TypeSpec):
        return value
    if isinstance(spec, tensorflow.TensorSpec):
        try:
            value = value if tensorflow.is_tensor(value) else tensorflow.convert_to_tensor(value, spec.dtype)
        except (ValueError, TypeError) as error:
            raise _mismatch(label, type(value).__name__, spec, source) from error
    if not spec.is_compatible_with(value):
        raise _mismatch(label, described(value), spec, source)
    return value


def _check_parts(same: bool, label: str, takes: str, source: str) -> None:
    if not same:
        raise UsageError(
            f"{source} gives another structure as {quoted(label)} than {takes}",
            f"give it part by part, as --input '{label}.0=float32[32,784]' or --input '{label}.key=float32[32,784]'",
        )


def _mismatch(label: str, given: str, spec: Any, source: str) -> UsageError:
    what = f"{source} gives {quoted(label)} as {given}, and its spec is {described(spec)}"
    return UsageError(what, f"for example {_input_words(*_spec_examples(label, spec)[0])}")


def described(value: Any) -> str:
    """`float32[2,784]` of a tensor or a spec."""
    shape = getattr(value, "shape", None)
    dtype = getattr(value, "dtype", type(value).__name__)
    name = getattr(dtype, "name", str(dtype))
    if shape is None or getattr(shape, "rank", 0) is None:
        return f"{name}[...]"
    return f"{name}[{','.join('?' if size is None else str(size) for size in shape)}]"
