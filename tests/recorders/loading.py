"""Loads targets in the tests' own process, and gives that process back afterwards."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tfgraphdbg.recorders.user_program import Call, LoadedTarget, LoadOptions, call, example_calls, load_target
from tfgraphdbg.target import parse_target


@pytest.fixture(autouse=True)
def own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loading hands the process over to the program; tests take it back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def write(name: str, source: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("import tensorflow as tf\n" + textwrap.dedent(source), encoding="utf-8")


def load(target: str, **options: Any) -> LoadedTarget:
    return load_target(parse_target(target), LoadOptions(**options))


def calls(target: str, **options: Any) -> list[Call]:
    return list(example_calls(load(target, **options), LoadOptions(**options)))


def results(target: str, **options: Any) -> list[Any]:
    loaded = load(target, **options)
    return [call(loaded, example) for example in example_calls(loaded, LoadOptions(**options))]


def described(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: described(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(described(inner) for inner in value)
    return f"{value.dtype.name}{value.shape.as_list()}" if hasattr(value, "dtype") else value


def environment() -> dict[str, str]:
    """For a Python of its own that imports this project."""
    root = str(Path(__file__).parents[2])
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": root}
