"""What a call of a function changes that no snapshot holds, found in its graphs: whether it may be run again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tfgraphdbg.message_words import listed
from tfgraphdbg.recorders import tensorflow_internals


class LastingState(NamedTuple):
    """In words; each is empty for nothing that the graphs tell of."""

    waits_for: tuple[str, ...] = ()
    """What a further call may wait for without end, such as a queue that nobody fills."""
    changes: tuple[str, ...] = ()
    """What a further call changes beside it, such as a hash table."""

    @property
    def everything(self) -> tuple[str, ...]:
        """Both."""
        return (*self.waits_for, *self.changes)

    def reason_against_runs(self, own_process: bool) -> str:
        """Why the function is not called again; empty where it may be. `own_process`: its state is nobody else's."""
        found = self.waits_for if own_process else self.everything
        if not found:
            return ""
        hint = ELSEWHERE if not own_process and not self.waits_for else IN_A_BLOCK
        return f"it is not called again, since nothing could put back {listed(found)}; {hint}"


IN_A_BLOCK = "tfgraphdbg.watch() measures a block's own calls, and `tfgraphdbg record PROGRAM.py` those of a program"
ELSEWHERE = (
    "`tfgraphdbg record FILE.py:FUNCTION` calls it in a process of its own, and tfgraphdbg.watch() measures a block's "
    "own calls"
)

_WAITING = (
    (("QueueEnqueue", "QueueDequeue", "ReaderRead"), "a queue"),
    (("Stage", "Unstage", "MapStage", "MapUnstage", "OrderedMapStage", "OrderedMapUnstage"), "a staging area"),
    (("BarrierInsertMany", "BarrierTakeMany"), "a barrier"),
    (("AccumulatorTakeGradient", "ResourceAccumulatorTakeGradient"), "an accumulator of gradients"),
    (("InfeedDequeue", "OutfeedEnqueue", "OutfeedDequeue"), "a device's feed"),
)
_CHANGING = (
    (("LookupTableInsert", "LookupTableImport", "LookupTableRemove"), "a hash table"),
    (("AccumulatorApplyGradient", "ResourceAccumulatorApplyGradient"), "an accumulator of gradients"),
    (("EagerPyFunc",), "what Python code of a tf.py_function changes"),
    (("PyFunc",), "what Python code of a tf.numpy_function changes"),
    (("WriteFile", "Save", "MergeV2Checkpoints"), "a file"),
    (
        ("WriteSummary", "WriteScalarSummary", "WriteHistogramSummary", "WriteImageSummary", "WriteAudioSummary"),
        "a summary file",
    ),
    (("WriteGraphSummary", "WriteRawProtoSummary", "ImportEvent"), "a summary file"),
)
_CHANGING_WHAT_OTHERS_MADE = (
    (
        ("IteratorGetNext", "MultiDeviceIteratorGetNext"),
        ("AnonymousIterator", "IteratorV2", "OneShotIterator"),
        "a dataset's iterator",
    ),
    (("StackPush", "StackPop"), ("StackV2",), "a stack"),
    (("TensorArrayWrite", "TensorArrayScatter"), ("TensorArrayV2", "TensorArrayV3"), "a TensorArray"),
)
"""Beginnings of the types of ops that change a resource, and those that make one: a call that makes it leaves none."""


def lasting_state(concrete_functions: Iterable[Any]) -> LastingState:
    """What these graphs, and the functions that they call, change beside variables and random generators."""
    types: set[str] = set()
    for concrete in concrete_functions:
        graphs = [concrete.graph, *tensorflow_internals.library_graphs(concrete.graph).values()]
        types.update(op.type for graph in graphs for op in graph.get_operations())
    waits = (words for beginnings, words in _WAITING if _some(types, beginnings))
    return LastingState(tuple(dict.fromkeys(waits)), tuple(dict.fromkeys(_changes(types))))


def _changes(types: set[str]) -> Iterator[str]:
    for beginnings, makers, words in _CHANGING_WHAT_OTHERS_MADE:
        others = {op_type for op_type in types if not op_type.startswith(beginnings)}
        if _some(types, beginnings) and not _some(others, makers):
            yield words
    yield from (words for beginnings, words in _CHANGING if _some(types, beginnings))


def _some(types: Iterable[str], beginnings: tuple[str, ...]) -> bool:
    return any(op_type.startswith(beginnings) for op_type in types)
