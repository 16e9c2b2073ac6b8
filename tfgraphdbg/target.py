"""The text of a target on the command line -> TargetSpec: what kind of thing it names, and where it lies."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Sequence
from typing import Literal

import msgspec

from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import close_matches, listed, quoted

TargetKind = Literal["function", "program", "saved_model", "keras_file", "graph_def", "recording"]

KIND_BY_EXTENSION: dict[str, TargetKind] = {
    ".py": "program",
    ".keras": "keras_file",
    ".h5": "keras_file",
    ".hdf5": "keras_file",
    ".pb": "graph_def",
    ".pbtxt": "graph_def",
    ".tfgdbg": "recording",
}

SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")

TARGET_FORMS = (
    "a target is model.py:train_step, pkg.module:train_step, train.py, saved_model_dir/, model.keras, graph.pb "
    "or run.tfgdbg"
)

UNPACK_COMMANDS = {".xz": "xz -dk", ".gz": "gunzip -k", ".bz2": "bunzip2 -k", ".zst": "zstd -d"}

HINT_BY_FOREIGN_EXTENSION = {
    ".ipynb": "a notebook is not a program file: call tfgraphdbg.record(train_step, x, y) inside it",
    ".tflite": "a TensorFlow Lite model has no TensorFlow graph any more: give the model that it was converted from",
    ".onnx": "an ONNX model is not a TensorFlow graph: give the model that it was converted from",
    ".index": "a checkpoint holds values only: give the Python file that builds the model, as model.py:model",
    ".ckpt": "a checkpoint holds values only: give the Python file that builds the model, as model.py:model",
    ".meta": "a MetaGraph of TensorFlow 1 is not read: save it as a SavedModel, or write its graph as graph.pb",
    ".pyc": "give the .py file",
}

MODULE_PATTERN = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class TargetSpec(msgspec.Struct, frozen=True):
    """A parsed target. Nothing of it was opened or imported yet, beyond a look at which files are there."""

    text: str
    kind: TargetKind
    path: str = ""
    """The file or folder as the user typed it; empty when `module` says where to look."""
    module: str = ""
    attribute: str = ""
    """The dotted name after the colon of a function target."""
    arguments: tuple[str, ...] = ()
    """What a program finds in `sys.argv[1:]`."""
    signature: str = ""
    """The chosen signature of a SavedModel; empty: its default."""


def parse_target(text: str, arguments: Sequence[str] = ()) -> TargetSpec:
    """Read a target, and the words after `--`, which only a program takes; raise UsageError for what is none."""
    spec = _parse(text)
    if arguments and spec.kind != "program":
        raise UsageError(
            f"only a program takes arguments after --, and {quoted(text)} is none",
            "leave them out, or name the file alone: train.py -- --epochs 1",
        )
    return msgspec.structs.replace(spec, arguments=tuple(arguments))


def _parse(text: str) -> TargetSpec:
    if not text.strip():
        raise UsageError("the target is empty", TARGET_FORMS)
    if os.path.exists(text):
        return TargetSpec(text, _kind_of_path(text), path=text)
    path, name = _split_name(text)
    if name is None:
        raise _missing_path(path, "")
    if not path:
        raise UsageError(f"no file or module stands before the colon of {quoted(text)}", TARGET_FORMS)
    if os.path.exists(path):
        return _part_of_path(text, path, name)
    if not MODULE_PATTERN.fullmatch(path) or os.path.splitext(path)[1].lower() in KIND_BY_EXTENSION:
        raise _missing_path(path, f":{name}")
    return TargetSpec(text, "function", module=path, attribute=_checked_attribute(path, name))


def _split_name(text: str) -> tuple[str, str | None]:
    """The part before the colon that separates a name, and the name; None when there is no such colon."""
    drive = 2 if re.match(r"[A-Za-z]:[\\/]", text) else 0
    colons = [index for index in range(drive, len(text)) if text[index] == ":"]
    if not colons:
        return text, None
    # Paths and signatures may hold colons themselves, so what lies on the disk decides.
    at = next((index for index in reversed(colons) if os.path.exists(text[:index])), colons[-1])
    return text[:at], text[at + 1 :]


def _kind_of_path(path: str) -> TargetKind:
    if os.path.isdir(path):
        _check_saved_model(path)
        return "saved_model"
    if not os.path.isfile(path):
        raise UsageError(f"{quoted(path)} is not a regular file", TARGET_FORMS)
    if os.path.basename(path) in SAVED_MODEL_FILES:
        folder = os.path.dirname(path) or "."
        raise UsageError(f"{quoted(path)} is a part of a SavedModel", f"name its folder: {folder}/")
    extension = os.path.splitext(path)[1].lower()
    if extension in KIND_BY_EXTENSION:
        return KIND_BY_EXTENSION[extension]
    if extension in UNPACK_COMMANDS:
        raise UsageError(f"{quoted(path)} is compressed", f"unpack it first: {UNPACK_COMMANDS[extension]} {path}")
    if _is_zip(path):
        return "recording"
    hint = HINT_BY_FOREIGN_EXTENSION.get(extension, TARGET_FORMS)
    raise UsageError(f"{quoted(path)} is no kind of file that can be recorded or opened", hint)


def _is_zip(path: str) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except OSError as error:
        raise UsageError(f"{quoted(path)} cannot be read: {error.strerror}", "check its permissions") from error


def _check_saved_model(folder: str) -> None:
    if any(os.path.isfile(os.path.join(folder, name)) for name in SAVED_MODEL_FILES):
        return
    inside = [os.path.join(folder, name) for name in _names_in(folder)]
    models = [path for path in inside if any(os.path.isfile(os.path.join(path, name)) for name in SAVED_MODEL_FILES)]
    programs = [path for path in inside if path.endswith(".py")]
    hint = f"a SavedModel folder holds saved_model.pb; {TARGET_FORMS}"
    if models or programs:
        hint = f"did you mean {listed(map(quoted, models or programs), 4)}?"
    raise UsageError(f"the folder {quoted(folder)} holds no saved_model.pb", hint)


def _part_of_path(text: str, path: str, name: str) -> TargetSpec:
    if os.path.isdir(path):
        _check_saved_model(path)
        if not name.strip():
            raise UsageError(
                f"nothing follows the colon of {quoted(text)}", f"name a signature, or leave out the colon: {path}"
            )
        return TargetSpec(text, "saved_model", path=path, signature=name)
    kind = _kind_of_path(path)
    if kind != "program":
        raise UsageError(
            f"only a Python file or a SavedModel folder has parts to name, and {quoted(path)} is neither",
            f"type {path}",
        )
    return TargetSpec(text, "function", path=path, attribute=_checked_attribute(path, name))


def _checked_attribute(place: str, name: str) -> str:
    """The dotted name after the colon, or an error that shows it mended."""
    if not name.strip():
        whole = f", or give the whole program: {place}" if place.endswith(".py") else ""
        raise UsageError(
            f"nothing follows the colon of {quoted(place + ':')}", f"name a function: {place}:train_step{whole}"
        )
    if MODULE_PATTERN.fullmatch(name):
        return name
    # `model.py::step`, `model.py:step()` and `model.py: step` are habits from other tools.
    mended = name.strip(": ").partition("(")[0].rstrip()
    hint = (
        f"did you mean {quoted(f'{place}:{mended}')}?"
        if MODULE_PATTERN.fullmatch(mended)
        else f"for example {place}:trainer.step"
    )
    raise UsageError(f"{quoted(name)} is not a name or a dotted name", hint)


def _missing_path(path: str, rest: str) -> UsageError:
    folder, name = os.path.split(path.rstrip("/\\") or path)
    if folder and not os.path.isdir(folder):
        return UsageError(f"no folder {quoted(folder)}, so no {quoted(path)}", TARGET_FORMS)
    return UsageError(f"no file {quoted(path)}", _hint_for_missing(path, folder, name, rest))


def _hint_for_missing(path: str, folder: str, name: str, rest: str) -> str:
    is_dotted_name = MODULE_PATTERN.fullmatch(path) is not None
    as_file = path.replace(".", os.sep) + ".py"
    if not rest and is_dotted_name and os.path.isfile(as_file):
        return f"did you mean {quoted(as_file)}, or a function of it: {path}:train_step?"
    matches = [quoted(os.path.join(folder, match) + rest) for match in close_matches(name, _names_in(folder or "."))]
    hints = [f"did you mean {' or '.join(matches)}?"] if matches else []
    if not rest and path.isidentifier():
        hints.append(f"a function is named together with its file: model.py:{path}")
    return " ".join(hints) or TARGET_FORMS


def _names_in(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
