"""The fates of ops in real runs: exact on real models, and right where the answer is known by construction."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.fate_checks import broken_promises
from tests.fate_words import ExpectedFates, FateWords, expected_fates, found_fates
from tfgraphdbg.analyses.fates import PassFates, pass_fates
from tfgraphdbg.graph_model import FUNCTION_SEPARATOR
from tfgraphdbg.recording import Recording
from tfgraphdbg.recording_file import load

pytestmark = pytest.mark.tensorflow

PROGRAMS = Path(__file__).parent / "programs"

BY_CONSTRUCTION = (
    "passes_merging.py",
    "passes_folding.py",
    "passes_arithmetic.py",
    "passes_fusing.py",
    "passes_control_flow.py",
)

MODELS = (
    "control_flow.py:while_loop",
    "control_flow.py:cond",
    "nested_functions.py:distance_gradient",
    "two_devices.py:trainer.step",
    "dense_train_step.py:train_step",
    f"{PROGRAMS}/passes_lstm.py:model",
    f"{PROGRAMS}/passes_functions.py:nested",
    f"{PROGRAMS}/passes_functions.py:staying",
    f"{PROGRAMS}/bert_train_step.py:train_step",
    f"{PROGRAMS}/passes_resnet50.py:inference",
    f"{PROGRAMS}/resnet50_train_step.py:train_step",
)


def exact(path: Path) -> None:
    recording = load(path)
    followed = [tracing for tracing in recording.tracings if recording.own_rewrites(tracing)]
    assert recording.main_tracing in followed
    assert {tracing.concrete_function: broken_promises(recording, tracing) for tracing in followed} == {
        tracing.concrete_function: [] for tracing in followed
    }


@pytest.mark.slow
@pytest.mark.parametrize("target", MODELS, ids=lambda target: target.rpartition("/")[2])
def test_the_accounting_is_exact_on(target, recorded):
    exact(recorded(target))


def known_functions() -> Iterator[tuple[str, ExpectedFates]]:
    """Each function with what its docstring says below the first paragraph."""
    for program in BY_CONSTRUCTION:
        for node in ast.parse((PROGRAMS / program).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and (docstring := ast.get_docstring(node)):
                yield node.name, expected_fates(docstring.partition("\n\n")[2])


KNOWN = dict(known_functions())


@functools.cache
def loaded(path: Path) -> Recording:
    return load(path)


def told(id_: str) -> str:
    """An op id with the Python name of its function: `doubled::x` for `__inference_doubled_24::x`."""
    function, separator, name = id_.rpartition(FUNCTION_SEPARATOR)
    return re.sub(r"^(?:__inference_)?(.+?)_\d+$", r"\1", function) + separator + name


def told_fates(fates: PassFates) -> dict[str, FateWords]:
    return {told(id_): (fate, run, told(into)) for id_, (fate, run, into) in found_fates(fates).items()}


@pytest.mark.parametrize("name", KNOWN)
def test_fates_are_those_that_the_construction_says(name, recorded):
    recording = loaded(recorded(str(PROGRAMS / "passes_by_construction.py")))
    tracing = next(tracing for tracing in recording.tracings if tracing.function == name)
    fates = pass_fates(recording, tracing)
    expected, found, kept = KNOWN[name], told_fates(fates), set()
    for pattern, (fate, run, into) in expected.fates.items():
        matching = [op for op in found if fnmatchcase(op, pattern)]
        assert matching, f"no op {pattern}"
        for op in matching:
            assert found[op][:2] == (fate, run), op
            assert fnmatchcase(found[op][2], into if into != pattern else op), (op, found[op])
        kept.update(matching)
    if expected.others_kept:
        others = {op: row for op, row in found.items() if op not in kept}
        assert others == {op: ("kept", "-", op) for op in others}
    origins = {told(id_): tuple(map(told, came)) for id_, came in fates.origins.items()}
    assert {op: origins.get(op) for op in expected.origins} == expected.origins
    assert broken_promises(recording, tracing) == []


def test_every_pass_that_edits_is_tried_twice():
    tried = [run.split()[0] for expected in KNOWN.values() for run in {row[1] for row in expected.fates.values()}]
    assert len(KNOWN) >= 40
    for name in (
        "runtime",
        "model_pruner",
        "common_subgraph_elimination",
        "constant_folding",
        "arithmetic_optimizer",
        "remapper",
        "loop_optimizer",
        "dependency_optimizer",
        "function_optimizer",
    ):
        assert tried.count(name) >= 2, name
