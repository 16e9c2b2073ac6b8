"""The runtime's log and dumps as they are written, and as a full disk, a lost file or two threads leave them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tfgraphdbg.recorders import grappler_log
from tfgraphdbg.recorders.dump_owners import NOT_TOLD_APART
from tfgraphdbg.recorders.graph_def_bytes import split_nodes, split_text_nodes
from tfgraphdbg.recorders.grappler_dumps import NOT_OPTIMIZED, STALE_NS, GrapplerDumps
from tfgraphdbg.recorders.grappler_log import (
    Dumped,
    GrapplerLog,
    ItemBegins,
    ItemSkipped,
    OptimizationBegins,
    PassEnded,
)
from tfgraphdbg.recorders.pass_edits import NOT_WRITTEN, PassEdits, dump_name
from tfgraphdbg.rewrites import META_OPTIMIZER

PIPELINE = "tfg_optimizer{any(a,b{c=1})}"

GRAPH = "__inference_f_12"

FIRST = {"x": "_Arg", "a": "Add", "b": "Add", "c": "Const", "y": "Relu"}
MERGED = {"x": "_Arg", "a": "Add", "c": "Const", "y": "Relu"}
FUSED = {"x": "_Arg", "c": "Const", "y": "_Fused"}


def varint(value: int) -> bytes:
    more, low = value >> 7, value & 0x7F
    return bytes([low | 0x80]) + varint(more) if more else bytes([low])


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def graph_def(nodes: dict[str, str]) -> bytes:
    """A binary GraphDef with a version behind its nodes, as protobuf writes it."""
    written = [field(1, field(1, name.encode()) + field(2, op.encode())) for name, op in nodes.items()]
    return b"".join(written) + field(4, b"\x08\x80\x01")


def text_graph_def(nodes: dict[str, str]) -> bytes:
    written = "".join(f'node {{\n  name: "{name}"\n  op: "{op}"\n}}\n' for name, op in nodes.items())
    return f"{written}library {{\n}}\nversions {{\n  producer: 1\n}}\n".encode()


class Runtime:
    """Writes dumps and log lines as TensorFlow does; `thread=""` is the log of 2.16, which names none."""

    def __init__(self, folder: Path, thread: str = "77", run: int = 140725116293712) -> None:
        self.folder = folder / "dumps"
        self.folder.mkdir(exist_ok=True)
        self.log = folder / "log.txt"
        self.log.touch()
        self._thread = thread
        self._run = run
        self._clock = 0.0

    def say(self, message: str, source: str = "meta_optimizer.cc:791") -> None:
        self._clock += 0.001
        clock = f"00:00:{self._clock:09.6f}"
        if self._thread:
            line = f"I0000 {clock} {self._thread:>7} {source}] {message}\n"
        else:
            line = f"2026-01-02 {clock}: I tensorflow/core/{source}] {message}\n"
        with self.log.open("a") as log:
            log.write(line)

    def begins(self, graph: str = GRAPH, nodes: int = len(FIRST)) -> None:
        self.say(f"Starting optimization for grappler item: {graph}")
        self.say(f"Optimize GrapplerItem: item.id={graph} num_optimizers=13, num nodes = {nodes}")

    def ended(self, pass_name: str, ms: float = 1.5) -> None:
        self.say(f"{pass_name}: Graph size after: 4 nodes (-1), 3 edges (-1), time = {ms}ms.")

    def dump(self, name: str, content: bytes, announced: bool = True, number: str = "") -> Path:
        suffix = "pb" if self._thread else "pbtxt"
        path = self.folder / f"{name}_{self._run}{number}.{suffix}"
        path.write_bytes(content)
        if announced:
            self.say(f"Dumped Graph to {path}", "dump_graph.cc:245")
        return path

    def passes(self, graphs: Iterable[tuple[str, dict[str, str]]], lost: Sequence[str] = ()) -> None:
        """One iteration; passes in `lost` end without a dump."""
        encode = graph_def if self._thread else text_graph_def
        self.dump("before_MetaOptimizer_iteration_0", encode(FIRST))
        last: dict[str, str] = {}
        for pass_name, last in graphs:
            self.ended(pass_name)
            if pass_name not in lost:
                self.dump(f"after_MetaOptimizer_iteration_0_{pass_name}", encode(last))
        self.dump("after_MetaOptimizer_iteration_0", encode(last))
        self.dump("after_MetaOptimizer", encode(last))


USUAL = (("common_subgraph_elimination", MERGED), ("remapper", FUSED), ("loop_optimizer", FUSED))


def followed(runtime: Runtime) -> GrapplerDumps:
    return GrapplerDumps(runtime.folder, runtime.log)


def edits_of(dumps: GrapplerDumps, graph: str = GRAPH) -> PassEdits:
    edits = dumps.edits_of(graph)
    assert isinstance(edits, PassEdits), edits
    return edits


@pytest.mark.parametrize("thread", ["77", ""], ids=["threads named", "threads unnamed"])
def test_each_dump_is_an_edit_of_the_pass_before_it_and_is_removed(tmp_path, thread):
    runtime = Runtime(tmp_path, thread)
    runtime.begins()
    runtime.passes(USUAL)
    edits = edits_of(followed(runtime))
    assert [(step.pass_name, step.removed, list(step.added), list(step.changed)) for step in edits.steps] == [
        ("common_subgraph_elimination", ("b",), [], []),
        ("remapper", ("a",), [], ["y"]),
        ("loop_optimizer", (), [], []),
    ]
    assert [(step.ms, step.timed_by) for step in edits.steps] == [(1.5, "log")] * 3
    assert edits.ended
    assert not edits.gaps
    assert not list(runtime.folder.iterdir())


def test_a_pass_that_the_log_does_not_time_is_timed_by_its_dumps(tmp_path):
    runtime = Runtime(tmp_path)
    runtime.begins()
    runtime.dump("before_MetaOptimizer_iteration_0", graph_def(FIRST))
    runtime.dump("after_MetaOptimizer_iteration_0_shape_optimizer", graph_def(FIRST))
    runtime.dump("after_MetaOptimizer", graph_def(FIRST))
    (step,) = edits_of(followed(runtime)).steps
    assert (step.timed_by, step.ms) == ("dump times", 1.0)


def test_a_second_run_over_the_same_graph_goes_on_counting_iterations(tmp_path):
    runtime = Runtime(tmp_path)
    runtime.begins("__inference_g_13")
    runtime.dump("before_MetaOptimizer_iteration_0", graph_def(FIRST))
    runtime.dump("after_MetaOptimizer_iteration_0_remapper", graph_def(MERGED))
    runtime.say(f"Optimize GrapplerItem: item.id=__inference_g_13 num_optimizers=1, num nodes = {len(MERGED)}")
    runtime.dump("before_MetaOptimizer_iteration_0", graph_def(MERGED), number="_1")
    runtime.dump("after_MetaOptimizer_iteration_0_remapper", graph_def(FUSED), number="_1")
    runtime.dump("after_MetaOptimizer", graph_def(FUSED))
    assert [step.iteration for step in edits_of(followed(runtime), "__inference_g_13").steps] == [1, 2]


@pytest.mark.parametrize("damage", ["cut", "absent", "empty of sense", "not written"])
def test_a_gap_in_the_middle_is_noted_and_its_edits_are_part_of_the_next_step(tmp_path, damage):
    runtime = Runtime(tmp_path)
    runtime.begins()
    runtime.passes(USUAL, ["common_subgraph_elimination"] if damage == "not written" else [])
    for path in runtime.folder.glob("*common_subgraph*"):
        if damage == "absent":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:-9] if damage == "cut" else b"\xff" * 50)
    edits = edits_of(followed(runtime))
    first = edits.steps[0]
    assert (first.pass_name, set(first.removed), list(first.changed)) == ("remapper", {"a", "b"}, ["y"])
    assert "common_subgraph_elimination" in first.note
    assert len(edits.gaps) == 1
    assert "common_subgraph_elimination" in edits.gaps[0]
    assert edits.ended


@pytest.mark.parametrize("damage", ["cut", "not written"])
def test_without_the_graph_that_grappler_was_given_there_is_no_history(tmp_path, damage):
    runtime = Runtime(tmp_path)
    runtime.begins()
    runtime.passes(USUAL)
    path = next(runtime.folder.glob("before*"))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-3])
    else:
        runtime.log.write_text("".join(line for line in runtime.log.open() if "before_Meta" not in line))
    reason = followed(runtime).edits_of(GRAPH)
    assert isinstance(reason, str)
    assert "graph that Grappler was given" in reason
    if damage == "not written":
        assert reason == NOT_WRITTEN


def test_a_second_run_never_passes_for_the_first(tmp_path):
    runtime = Runtime(tmp_path)
    runtime.begins()
    runtime.ended("remapper")
    runtime.say(f"Optimize GrapplerItem: item.id={GRAPH} num_optimizers=1, num nodes = {len(FUSED)}")
    runtime.dump("before_MetaOptimizer_iteration_0", graph_def(FUSED), number="_1")
    runtime.dump("after_MetaOptimizer", graph_def(FUSED))
    assert followed(runtime).edits_of(GRAPH) == NOT_WRITTEN


def test_a_graph_that_is_optimized_once_more_may_be_understood_then(tmp_path):
    runtime = Runtime(tmp_path)
    runtime.begins()
    runtime.ended("remapper")
    runtime.begins()
    runtime.passes(USUAL)
    assert len(edits_of(followed(runtime)).steps) == len(USUAL)


def test_a_disk_that_was_full_all_the_time_is_said_so(tmp_path):
    runtime = Runtime(tmp_path)
    runtime.begins()
    runtime.ended("remapper")
    assert followed(runtime).edits_of(GRAPH) == NOT_WRITTEN


def test_dumps_that_a_full_disk_cut_off_are_removed_with_the_last_one(tmp_path):
    runtime = Runtime(tmp_path)
    runtime.begins()
    runtime.dump("before_MetaOptimizer_iteration_0", graph_def(FIRST))
    cut = runtime.dump("after_MetaOptimizer_iteration_0_remapper", b"\x0a", announced=False)
    long_ago = cut.stat().st_mtime_ns - 1
    os.utime(cut, ns=(long_ago, long_ago))
    runtime.dump("after_MetaOptimizer", graph_def(FIRST))
    assert edits_of(followed(runtime))
    assert not list(runtime.folder.iterdir())


def test_a_dump_that_nobody_announces_does_not_stay(tmp_path):
    runtime = Runtime(tmp_path)
    fresh = runtime.dump("after_MetaOptimizer", graph_def(FIRST), announced=False)
    dumps = followed(runtime)
    dumps.catch_up()
    assert fresh.exists()
    long_ago = fresh.stat().st_mtime_ns - STALE_NS
    os.utime(fresh, ns=(long_ago, long_ago))
    dumps.catch_up()
    assert not fresh.exists()


def test_a_log_that_cannot_be_read_is_the_reason(tmp_path):
    runtime = Runtime(tmp_path)
    runtime.log.unlink()
    assert "log could not be read: No such file" in str(followed(runtime).edits_of(GRAPH))


def test_a_graph_that_grappler_was_not_given_has_its_own_reason(tmp_path):
    assert followed(Runtime(tmp_path)).edits_of(GRAPH) == NOT_OPTIMIZED


@pytest.mark.parametrize("thread", ["77", ""], ids=["threads named", "threads unnamed"])
def test_a_graph_that_grappler_skips_has_one_step_that_says_so(tmp_path, thread):
    runtime = Runtime(tmp_path, thread)
    runtime.say(f"Starting optimization for grappler item: {GRAPH}")
    runtime.say("Skipping optimization, graph has less than 4 nodes.")
    runtime.dump("after_MetaOptimizer", (graph_def if thread else text_graph_def)({"x": "_Arg", "y": "_Retval"}))
    edits = edits_of(followed(runtime))
    assert edits.ended
    (step,) = edits.steps
    assert (step.pass_name, step.note, step.nodes) == (META_OPTIMIZER, "skipped: graph has less than 4 nodes", 2)


def test_a_pass_that_fails_says_why_and_how_long_it_took(tmp_path):
    runtime = Runtime(tmp_path)
    runtime.begins()
    runtime.dump("before_MetaOptimizer_iteration_0", graph_def(FIRST))
    runtime.say("remapper failed: DEADLINE_EXCEEDED: meta_optimizer exceeded deadline., time = 12.5ms.")
    runtime.dump("after_MetaOptimizer_iteration_0_remapper", graph_def(FIRST))
    runtime.say("layout failed: INVALID_ARGUMENT: what, time = it")
    runtime.dump("after_MetaOptimizer_iteration_0_layout", graph_def(FIRST))
    late, failed = edits_of(followed(runtime)).steps
    assert (late.ms, late.timed_by) == (12.5, "log")
    assert "DEADLINE_EXCEEDED: meta_optimizer exceeded deadline" in late.note
    assert failed.timed_by == "dump times"
    assert "INVALID_ARGUMENT: what, time = it" in failed.note


@pytest.mark.parametrize("thread", ["77", ""], ids=["threads named", "threads unnamed"])
def test_where_grappler_gives_up_its_edits_are_undone_because_the_first_graph_runs(tmp_path, thread):
    runtime = Runtime(tmp_path, thread)
    encode = graph_def if thread else text_graph_def
    runtime.begins()
    runtime.dump("before_MetaOptimizer_iteration_0", encode(FIRST))
    runtime.dump("after_MetaOptimizer_iteration_0_remapper", encode(FUSED))
    failure = (
        "Ignoring multi-device function optimization failure: DEADLINE_EXCEEDED: meta_optimizer exceeded deadline."
    )
    runtime.say(failure, "optimize_function_graph_utils.cc:634")
    edits = edits_of(followed(runtime))
    undone = edits.steps[-1]
    assert (undone.pass_name, undone.removed, list(undone.added), list(undone.changed)) == (
        META_OPTIMIZER,
        (),
        ["a", "b"],
        ["y"],
    )
    assert "DEADLINE_EXCEEDED" in undone.note
    assert edits.ended


def test_where_grappler_gives_up_before_its_first_dump_that_is_the_reason(tmp_path):
    runtime = Runtime(tmp_path)
    runtime.say(f"Starting optimization for grappler item: {GRAPH}")
    failure = "Ignoring multi-device function optimization failure: INTERNAL: what"
    runtime.say(failure, "optimize_function_graph_utils.cc:634")
    assert "INTERNAL: what" in str(followed(runtime).edits_of(GRAPH))


def interleaved(tmp_path: Path, other_nodes: dict[str, str]) -> GrapplerDumps:
    """Two graphs optimized at once, written as 2.16 does."""
    one, two = Runtime(tmp_path, ""), Runtime(tmp_path, "", run=140145554586440)
    one.begins()
    two.begins("__inference_g_13", len(other_nodes))
    two.dump("before_MetaOptimizer_iteration_0", text_graph_def(other_nodes))
    one.dump("before_MetaOptimizer_iteration_0", text_graph_def(FIRST))
    one.ended("remapper", 1.0)
    two.ended("remapper", 2.0)
    one.dump("after_MetaOptimizer_iteration_0_remapper", text_graph_def(MERGED))
    two.dump("after_MetaOptimizer_iteration_0_remapper", text_graph_def(other_nodes))
    two.ended("layout", 3.0)
    one.dump("after_MetaOptimizer", text_graph_def(MERGED))
    two.dump("after_MetaOptimizer_iteration_0_layout", text_graph_def({"x": "_Arg"}))
    two.dump("after_MetaOptimizer", text_graph_def({"x": "_Arg"}))
    return followed(one)


def test_graphs_optimized_at_once_are_told_apart_by_their_size_where_no_thread_is_named(tmp_path):
    dumps = interleaved(tmp_path, {"x": "_Arg", "z": "Relu", "w": "Relu", "v": "Relu"})
    one, two = edits_of(dumps), edits_of(dumps, "__inference_g_13")
    assert [(step.pass_name, step.removed) for step in one.steps] == [("remapper", ("b",))]
    assert [(step.pass_name, step.removed) for step in two.steps] == [("remapper", ()), ("layout", ("z", "w", "v"))]
    # Whose time is whose is not known for the pass that both ended.
    assert one.steps[0].timed_by == "dump times"
    assert (two.steps[1].ms, two.steps[1].timed_by) == (3.0, "log")
    assert one.ended
    assert two.ended


def test_the_same_function_optimized_by_two_threads_at_once_is_followed_in_one(tmp_path):
    one, two = Runtime(tmp_path, "77", 1), Runtime(tmp_path, "78", 2)
    one.begins()
    two.begins()
    one.dump("before_MetaOptimizer_iteration_0", graph_def(FIRST))
    two.dump("before_MetaOptimizer_iteration_0", graph_def(FIRST))
    one.dump("after_MetaOptimizer_iteration_0_remapper", graph_def(MERGED))
    two.dump("after_MetaOptimizer_iteration_0_remapper", graph_def(MERGED))
    two.dump("after_MetaOptimizer", graph_def(MERGED))
    one.dump("after_MetaOptimizer_iteration_0_layout", graph_def(FUSED))
    one.dump("after_MetaOptimizer", graph_def(FUSED))
    edits = edits_of(followed(one))
    assert [step.pass_name for step in edits.steps] == ["remapper", "layout"]


def test_graphs_of_one_size_optimized_at_once_are_not_guessed_at(tmp_path):
    dumps = interleaved(tmp_path, FIRST)
    assert dumps.edits_of(GRAPH) == NOT_TOLD_APART
    assert dumps.edits_of("__inference_g_13") == NOT_TOLD_APART
    assert not list((tmp_path / "dumps").iterdir())


def test_files_elsewhere_are_never_touched(tmp_path):
    runtime = Runtime(tmp_path)
    precious = tmp_path / "after_MetaOptimizer_1.pb"
    precious.write_bytes(graph_def(FIRST))
    runtime.say(f"Dumped Graph to {precious}", "dump_graph.cc:245")
    followed(runtime).catch_up()
    assert precious.exists()


def test_lines_are_read_once_and_only_when_they_are_whole(tmp_path, monkeypatch):
    path = tmp_path / "log.txt"
    whole = b"I0000 00:00:01.5   77 meta_optimizer.cc:1] Starting optimization for grappler item: f\n"
    path.write_bytes(b"noise\n" + whole + whole[:40])
    log = GrapplerLog(path)
    assert [line.event for line in log.news()] == [OptimizationBegins("f")]
    with path.open("ab") as file:
        file.write(whole[40:] + b"x" * 500 + b"\n" + whole)
    monkeypatch.setattr(grappler_log, "CHUNK_BYTES", 120)
    assert [(line.thread, line.seconds) for line in log.news()] == [("77", 1.5)] * 2


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ("Optimize GrapplerItem: item.id=f num_optimizers=13, num nodes = 46", ItemBegins("f", 46)),
        ("Skipping optimization, graph has less than 4 nodes.", ItemSkipped("graph has less than 4 nodes")),
        ("Dumped Graph to /tmp/a b.pb", Dumped(Path("/tmp/a b.pb"))),
        (f"{PIPELINE}: Graph size after: 1 nodes (0), 0 edges (0), time = 2ms.", PassEnded(PIPELINE, 2.0)),
        ("Replace function library with a stub for remapper", None),
    ],
)
def test_messages_are_events(tmp_path, message, event):
    runtime = Runtime(tmp_path)
    runtime.say(message)
    assert [line.event for line in GrapplerLog(runtime.log).news()] == ([event] if event else [])


def test_a_message_inside_a_graph_that_the_log_prints_is_no_event(tmp_path):
    runtime = Runtime(tmp_path)
    with runtime.log.open("a") as log:
        log.write('      s: "I0000 00:00:01.5   77 dump_graph.cc:1] Dumped Graph to /tmp/x"\n')
    assert not list(GrapplerLog(runtime.log).news())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("before_MetaOptimizer_iteration_0_123.pb", (True, 0, "", False, "123")),
        ("after_MetaOptimizer_iteration_1_loop_optimizer_123_2.pb", (False, 1, "loop_optimizer", False, "123")),
        ("after_MetaOptimizer_iteration_0_123_1.pbtxt", (False, 0, "", True, "123")),
        ("after_MetaOptimizer_123.pb", (False, None, "", False, "123")),
        ("before_something_else_123.pb", None),
    ],
)
def test_file_names_say_pass_iteration_and_run(name, expected):
    found = dump_name(Path(name))
    assert (found and tuple(found)) == expected


@pytest.mark.parametrize(
    ("encode", "split"), [(graph_def, split_nodes), (text_graph_def, split_text_nodes)], ids=["binary", "text"]
)
def test_nodes_are_split_by_name_and_a_file_that_is_cut_anywhere_is_refused(encode, split):
    raw = encode(FIRST | {"n" * 300: "Const"})
    assert list(split(raw)) == [*FIRST, "n" * 300]
    for end in range(len(raw) - 1):
        with pytest.raises(ValueError, match="it "):
            split(raw[:end])
