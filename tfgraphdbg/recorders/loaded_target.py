"""A target after loading: what to call, under which name, and where its example inputs may come from."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Literal

import msgspec

LoadedKind = Literal["function", "keras_model", "saved_model"]

Mode = Literal["train", "test", "predict"]


class LoadOptions(msgspec.Struct, frozen=True):
    """What the user chose about loading a target and about its example inputs."""

    inputs: tuple[str, ...] = ()
    inputs_from: str | None = None
    mode: str | None = None
    batch: int | None = None
    seed: int | None = None


class InputSpecs(msgspec.Struct, frozen=True):
    """The tensor specs that a function accepts, as the nested arguments of one call."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    origin: str = "input_signature"


class UserPlace(msgspec.Struct, frozen=True):
    """Where in the user's code a target stands."""

    file: str
    """The file, or the dotted name of the module, as the user typed it."""
    module: ModuleType
    attribute: str
    """The dotted name within it."""


class LoadedTarget(msgspec.Struct, frozen=True):
    """What a target stands for, loaded."""

    name: str
    """As shown to users."""
    kind: LoadedKind
    callable: Any
    """As the user wrote it: call it to run eagerly."""
    function: Any
    """A `tf.function` of it: call it to run its graph."""
    place: UserPlace | None = None
    """None for a model on disk."""
    model: Any = None
    """The Keras model, or what `tf.saved_model.load` returned: a signature alone does not keep its variables alive."""
    mode: Mode | None = None
    """What is called of a Keras model."""
    specs: InputSpecs | None = None
    """What the function accepts, where it says so."""


class Call(msgspec.Struct, frozen=True):
    """The arguments of one call, and in a few words where they came from."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    source: str = ""
