"""The rules that find missed chances, over graphs written as text: the files in `fixtures/chances` hold titled cases.

A case is a graph and, after `== chances`, all that is to be found in it: rule, pattern, blocker, ops and blocking ops.
Ops without a device lie on a CPU; attrs that look like a bool, a number or a list (`[a b]`) are one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.graph_text import graph_of
from tests.hand_built import CPU, HOSTILE_NAMES, hostile_graph, small_optimized
from tfgraphdbg.chances import Chance, find_chances
from tfgraphdbg.chances.cast_chains import holds
from tfgraphdbg.chances.side_effects import is_stateful
from tfgraphdbg.chances.wiring import Wiring
from tfgraphdbg.graph_model import AttrValue, GraphModel, OpNode, OutputInfo

FIXTURES = Path(__file__).parent / "fixtures" / "chances"


class Case(NamedTuple):
    title: str
    graph: GraphModel
    expected: str

    @property
    def is_control(self) -> bool:
        return not self.expected


def typed(value: AttrValue) -> AttrValue:
    if not isinstance(value, str):
        return value
    if value in ("True", "False"):
        return value == "True"
    if value.startswith("["):
        return value.strip("[]").split()
    return int(value) if value.lstrip("-").isdecimal() else value


def graph_from(text: str) -> GraphModel:
    graph = graph_of(text, "optimized")
    return GraphModel(
        graph.name,
        graph.stage,
        tuple(msgspec.structs.replace(op, device=op.device or CPU) for op in graph.ops),
        tuple({name: typed(value) for name, value in attrs.items()} for attrs in graph.attr_sets),
        graph.functions,
    )


def cases() -> Iterator[Case]:
    for path in sorted(FIXTURES.glob("*/*.txt")):
        for text in path.read_text().split("# title: ")[1:]:
            title, _, rest = text.partition("\n")
            graph, _, expected = rest.partition("== chances\n")
            yield Case(f"{path.parent.name}/{path.stem}: {title}", graph_from(graph), expected.strip())


ALL_CASES = list(cases())


def shown(chances: tuple[Chance, ...]) -> str:
    rows = (
        (chance.rule, chance.pattern, chance.blocker, ", ".join(chance.ops), ", ".join(chance.blocking))
        for chance in chances
    )
    return "\n".join(" | ".join(row).strip() for row in rows)


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.title)
def test_a_case_has_just_the_chances_that_its_file_says(case: Case) -> None:
    case.graph.check()
    assert shown(find_chances(case.graph)) == case.expected


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.title)
def test_every_chance_says_why_and_what_to_write_instead(case: Case) -> None:
    for chance in find_chances(case.graph):
        assert chance.reason
        assert chance.reason.isprintable()
        assert chance.advice
        assert all(op in case.graph.by_id for op in (*chance.ops, *chance.blocking))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/*.txt")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_blocker_has_a_control_in_which_nothing_is_found(path: Path) -> None:
    of_file = [case for case in ALL_CASES if case.title.startswith(f"{path.parent.name}/{path.stem}:")]
    assert any(case.is_control for case in of_file)
    assert not any(case.is_control != (": control: " in case.title) for case in of_file)
    found = {chance.blocker for case in of_file for chance in find_chances(case.graph)}
    assert path.stem in found or path.stem == "on-a-gpu"


def found_in(title: str) -> Chance:
    (chance,) = (chance for case in ALL_CASES if title in case.title for chance in find_chances(case.graph))
    return chance


def test_a_reason_names_the_ops_of_the_case() -> None:
    reason = found_in("a second op reads the biased sum").reason
    assert reason == "_FusedMatMul 'bias' is also read by CheckNumerics 'check', so it has to exist by itself"


def test_a_gradient_that_reads_before_the_activation_has_advice_of_its_own() -> None:
    assert "Relu6 or Elu" in found_in("the gradient of LeakyRelu").advice
    assert "Relu6 or Elu" not in found_in("reads the biased sum").advice


def test_onednn_is_advised_where_it_takes_the_activation() -> None:
    assert "TF_ENABLE_ONEDNN_OPTS=1" in found_in("Sigmoid after a product").advice
    assert "TF_ENABLE_ONEDNN_OPTS" not in found_in("Selu after a convolution").advice


def test_a_size_is_told_in_bytes() -> None:
    chance = found_in("a long range")
    assert "makes 1,200,000 bytes" in chance.reason
    assert chance.reason.startswith("2 ops are computed from constants in every run")
    assert chance.detail == {"ops": 2, "largest_bytes": 1_200_000}
    assert found_in("numbers from constant strings").reason.startswith("1 op is computed from constants")


def test_copies_are_counted() -> None:
    chance = found_in("of a whole chain")
    assert chance.detail == {"copies": 2, "ops_each": 4, "reason": "stateful"}
    assert "computed 2 times from the same inputs, 4 ops a time" in chance.reason
    assert "reads the variable 'w' anew" in chance.reason
    assert "1 op a time" in found_in("one copy waits for a print").reason


def test_it_is_told_how_many_casts_and_transposes_go() -> None:
    back, steps = found_in("there and back"), found_in("in two steps")
    assert back.detail == {"casts_saved": 2}
    assert "neither is needed" in back.reason
    assert steps.detail == {"casts_saved": 1}
    assert "one cast from uint8 to float32 gives the same" in steps.reason
    assert found_in("two transposes that could be one").detail == {"transposes_saved": 1}
    assert "could be one by [2, 0, 3, 1]" in found_in("two transposes that could be one").reason
    assert found_in("an activation between").detail == {"transposes_saved": 2}


def test_a_chance_on_ops_of_grapplers_own_making_is_left_out_when_it_is_known_what_was_given() -> None:
    case = next(case for case in ALL_CASES if "there and back" in case.title)
    assert find_chances(case.graph, graph_from("x = _Arg")) == ()
    assert len(find_chances(case.graph, graph_from("x = _Arg\nback = Cast(x)"))) == 1


def test_library_functions_are_not_searched() -> None:
    text = "x = _Arg -> float16[64,16]\n[f]\n" + "\n".join(
        (
            "a = Cast(x) {SrcT=float16, DstT=float32} -> float32[64,16]",
            "b = Cast(a) {SrcT=float32, DstT=float16} -> float16[64,16]",
        )
    )
    assert find_chances(graph_from(text)) == ()


def test_graphs_without_chances() -> None:
    assert find_chances(GraphModel("empty", "optimized", ())) == ()
    assert find_chances(small_optimized()) == ()
    assert find_chances(hostile_graph()) == ()


def test_hostile_names_are_printable_in_reasons() -> None:
    for name in HOSTILE_NAMES:
        ops = (
            OpNode(name, "_Arg", device=CPU, outputs=(OutputInfo("float16", (64, 16)),)),
            OpNode("a", "Cast", (name,), CPU, 0, (OutputInfo("float32", (64, 16)),)),
            OpNode("b", "Cast", ("a",), CPU, 1, (OutputInfo("float16", (64, 16)),)),
        )
        attrs: tuple[dict[str, AttrValue], ...] = (
            {"SrcT": "float16", "DstT": "float32"},
            {"SrcT": "float32", "DstT": "float16"},
        )
        (chance,) = find_chances(GraphModel("g", "optimized", ops, attrs))
        assert chance.reason.isprintable()
        assert len(chance.reason) < 400


@pytest.mark.parametrize(
    "text",
    [
        "a = BiasAdd",
        "a = BiasAdd(gone)\nb = Relu(a)",
        "a = Cast(a)",
        "a = Transpose(a, a)\nb = Transpose(a, gone)",
        "a = MatMul\nb = AddV2(a, gone)\nc = FusedBatchNormV3\nd = StringToHashBucketFast",
        "a = Merge(b, c)\nb = Enter\nc = NextIteration\nd = Exp(gone, ^gone)\ne = ReadVariableOp\nf = Range(gone:7)",
        "a = _FusedConv2D(gone)\nb = Relu(a)\nc = FusedBatchNormV3(a)",
    ],
)
def test_graphs_with_holes_are_searched_all_the_same(text: str) -> None:
    assert all(chance.reason for chance in find_chances(graph_from(text)))


def test_the_order_puts_producers_first_and_takes_a_loop_once() -> None:
    graph = graph_from("c = Exp(b)\nb = Merge(a, n)\nn = NextIteration(c)\na = Enter(x)\nx = _Arg\nd = NoOp(^c, ^gone)")
    names = [graph.ops[place].name for place in Wiring(graph).order]
    assert sorted(names) == ["a", "b", "c", "d", "n", "x"]
    assert names.index("x") < names.index("a") < names.index("b") < names.index("c") < names.index("n")
    assert names.index("c") < names.index("d")


@pytest.mark.parametrize("wide", ["float32", "float64", "int64", "complex128"])
def test_dtypes_hold_narrower_ones(wide: str) -> None:
    assert holds(wide, "uint8" if wide != "complex128" else "float32")
    assert not holds("float32", "int32")
    assert not holds("int32", "float32")
    assert not holds("float16", "bfloat16")


@pytest.mark.parametrize(
    ("op_type", "stateful"),
    [
        *((name, True) for name in ("ReadVariableOp", "RandomUniform", "PyFunc", "_Arg", "StatefulPartitionedCall")),
        *((name, True) for name in ("CollectiveReduceV2", "TruncatedNormal", "TensorArrayV3", "LookupTableFindV2")),
        *((name, True) for name in ("AssignSubVariableOp", "ResourceApplyAdam", "PrintV2", "IteratorGetNext")),
        *((name, False) for name in ("MatMul", "ArgMax", "StatelessRandomUniformV2", "StatelessTruncatedNormal")),
        *((name, False) for name in ("TensorScatterUpdate", "SparseToDense", "Pack", "TopKV2", "Bucketize")),
    ],
)
def test_side_effects_are_known_by_name(op_type: str, stateful: bool) -> None:
    assert is_stateful(op_type) == stateful
