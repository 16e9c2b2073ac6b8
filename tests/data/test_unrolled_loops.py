"""Which Python loops of a traced graph are told as unrolled, with what numbers, and what is suggested."""

from __future__ import annotations

import pytest

from tests.traced_by_hand import AUTOGRAPH, FILE, RESOURCE, HandTracing
from tfgraphdbg.analyses.bottlenecks.first_call import tracing_findings
from tfgraphdbg.analyses.bottlenecks.loop_statements import loops_of
from tfgraphdbg.analyses.bottlenecks.repeated_lines import find_copies
from tfgraphdbg.graph_model import OutputInfo
from tfgraphdbg.report import Finding

STEPS = """def cell(x, h):
    return tf.tanh(h @ w + x)

def run(xs):
    h = zeros
    outs = []
    for t in range(60):
        h = cell(xs[t], h)
        outs.append(h)
    return h
"""


def findings(traced: HandTracing, timed: bool = True, **facts: object) -> list[Finding]:
    recording = traced.recording(timed, **facts)
    return tracing_findings(recording, recording.main_tracing)


def time_steps(copies: int, own: str = "", attrs: bool = False, shapes: bool = False) -> HandTracing:
    """`run` above; `own="variables"` gives each step its own variable."""
    traced = HandTracing(STEPS)
    h = traced.add("Fill", ("run", 5))
    for t in range(copies):
        outputs = (OutputInfo("float32", (t,)),) if shapes else (OutputInfo("float32", (4,)),)
        x = traced.add("StridedSlice", ("run", 7), AUTOGRAPH, ("run", 8))
        if t == 0 or own:
            w = traced.add("Placeholder", ("run", 7), AUTOGRAPH, ("run", 8), ("cell", 2), outputs=RESOURCE)
        read = traced.add("ReadVariableOp", ("run", 7), AUTOGRAPH, ("run", 8), ("cell", 2), inputs=(w,))
        product = traced.add(
            "MatMul",
            ("run", 7),
            AUTOGRAPH,
            ("run", 8),
            ("cell", 2),
            inputs=(h, read),
            attrs={"rate": t if attrs else 1},
        )
        total = traced.add(
            "AddV2", ("run", 7), AUTOGRAPH, ("run", 8), ("cell", 2), inputs=(product, x), outputs=outputs
        )
        h = traced.add("Tanh", ("run", 7), AUTOGRAPH, ("run", 8), ("cell", 2), inputs=(total,))
    traced.add("Identity", ("run", 10), inputs=(h,))
    return traced


def test_a_loop_over_time_steps_is_told_with_its_copies_ops_and_rewrite():
    (found,) = findings(time_steps(60))
    assert found.rule == "python-unrolled-loop"
    assert (found.evidence["copies"], found.evidence["ops"], found.evidence["ops_a_copy"]) == (60, 301, 5)
    assert found.evidence["line_ops"] == 241
    assert found.evidence["tracing_ms"] == pytest.approx(30.1)
    assert [(source.file, source.line) for source in found.sources[:2]] == [(FILE, 7), (FILE, 2)]
    assert "`for t in tf.range(60):`" in found.suggestion
    assert "outs into a tf.TensorArray" in found.suggestion
    assert "tf.scan" in found.suggestion
    assert found.ops == ("StridedSlice", "ReadVariableOp", "MatMul", "AddV2", "Tanh")
    assert "line 2 alone made 241" in found.message


def test_it_is_a_warning_when_it_is_large_and_else_no_more_than_a_hint():
    assert findings(time_steps(99), trace_ms=500.0)[0].severity == "info"
    assert findings(time_steps(100), trace_ms=500.0)[0].severity == "warning"
    assert findings(time_steps(60), trace_ms=500.0)[0].severity == "info"
    slow = time_steps(8)
    slow.times = dict.fromkeys(slow.times, 10_000.0)
    assert findings(slow, trace_ms=1_500.0)[0].severity == "warning"
    assert findings(time_steps(8), trace_ms=500.0) == []


@pytest.mark.parametrize("copies", [1, 3, 7])
def test_few_copies_are_nothing(copies):
    slow = time_steps(copies)
    slow.times = dict.fromkeys(slow.times, 10_000.0)
    assert findings(slow, trace_ms=1_500.0) == []


def test_layers_in_a_loop_have_variables_of_their_own_and_are_no_unrolled_loop():
    layers = time_steps(120, own="variables")
    assert findings(layers, trace_ms=500.0) == []
    layers.times = dict.fromkeys(layers.times, 10_000.0)
    (found,) = findings(layers, trace_ms=10_000.0)
    assert found.severity == "info"
    assert "variables of its own" in found.suggestion


def test_copies_that_differ_in_an_attr_cannot_be_one_loop():
    assert findings(time_steps(120, attrs=True), trace_ms=500.0) == []


def test_copies_that_differ_in_a_shape_need_shape_invariants():
    assert "shape_invariants" in findings(time_steps(60, shapes=True))[0].suggestion


def test_without_measured_tracing_times_the_numbers_are_ops_alone():
    (found,) = findings(time_steps(60), timed=False)
    assert "tracing_ms" not in found.evidence
    assert "ms of tracing" not in found.message


def test_gradient_ops_count_to_the_loop_and_not_as_copies():
    traced = time_steps(60)
    for t in reversed(range(60)):
        end = f"_{t}" if t else ""
        tanh = traced.add("TanhGrad", ("run", 11), inputs=(f"Tanh{end}",), name=f"gradient_tape/TanhGrad_{t}")
        traced.add("MatMul", ("run", 11), inputs=(tanh,), name=f"gradient_tape/MatMul{end}/MatMul")
    traced.add("Neg", ("run", 11), inputs=(), name="gradient_tape/other/Neg")
    (found,) = findings(traced)
    assert (found.evidence["copies"], found.evidence["gradient_ops"]) == (60, 120)
    assert found.severity == "info"


def test_a_loop_that_a_helper_runs_again_and_again_is_not_longer_for_it():
    source = "def block(x):\n    for i in range(3):\n        x = tf.sin(x) * 2.0\n    return x\n"
    traced = HandTracing(source)
    for call in range(40):
        for _ in range(3):
            traced.add("Sin", ("main", 100 + call), ("block", 3))
            traced.add("Mul", ("main", 100 + call), ("block", 3))
        traced.add("Sum", ("main", 100 + call))
    assert findings(traced) == []


def test_nested_loops_are_one_finding_with_all_copies():
    source = "def f(x):\n    for i in range(10):\n        for j in range(10):\n            x = tf.sin(x) * c\n"
    traced = HandTracing(source)
    for _ in range(100):
        for op_type in ("Sin", "Const", "Mul"):
            traced.add(op_type, ("f", 2), AUTOGRAPH, ("f", 3), AUTOGRAPH, ("f", 4))
    (found,) = findings(traced)
    assert (found.evidence["copies"], found.evidence["ops_a_copy"]) == (100, 3)
    assert [source.line for source in found.sources] == [2, 3, 4]


def test_an_outer_loop_of_few_rounds_leaves_the_inner_one():
    source = (
        "def f(x):\n    for part in parts:\n        for t in range(50):\n            x = tf.sin(x)\n        y += x\n"
    )
    traced = HandTracing(source)
    for _ in range(2):
        for _ in range(50):
            traced.add("Sin", ("f", 2), AUTOGRAPH, ("f", 3), AUTOGRAPH, ("f", 4))
            traced.add("Mul", ("f", 2), AUTOGRAPH, ("f", 3), AUTOGRAPH, ("f", 4))
        traced.add("AddV2", ("f", 2), AUTOGRAPH, ("f", 5))
    (found,) = findings(traced)
    assert (found.evidence["copies"], found.sources[0].line) == (100, 3)


def test_a_comprehension_becomes_a_map_fn():
    traced = HandTracing("def f(xs):\n    return tf.add_n([tf.sin(xs[t]) for t in range(60)])\n")
    parts = []
    for _ in range(60):
        part = traced.add("StridedSlice", ("f", 2), ("<listcomp>", 2))
        parts.append(traced.add("Sin", ("f", 2), ("<listcomp>", 2), inputs=(part,)))
    traced.add("AddN", ("f", 2), inputs=parts)
    (found,) = findings(traced)
    assert (found.evidence["copies"], found.evidence["ops_a_copy"]) == (60, 2)
    assert "`tf.map_fn(lambda t: tf.sin(xs[t]), tf.range(60)" in found.suggestion
    assert "tf.vectorized_map" in found.suggestion


def test_a_while_starts_its_counter_as_a_tensor():
    traced = HandTracing("def f(x):\n    t = 0\n    while t < 60:\n        x = tf.sin(x) * c\n        t += 1\n")
    for _ in range(60):
        traced.add("Sin", ("f", 3), AUTOGRAPH, ("f", 4))
        traced.add("Mul", ("f", 3), AUTOGRAPH, ("f", 4))
    (found,) = findings(traced)
    assert found.evidence["copies"] == 60
    assert "`t = tf.constant(...)`" in found.suggestion
    assert "`while t < 60:`" in found.suggestion


def test_where_autograph_converts_nothing_a_tensor_range_would_not_help():
    traced = HandTracing("def f(x):\n    for t in range(60):\n        x = tf.sin(x) * c\n")
    for _ in range(60):
        traced.add("Sin", ("f", 3))
        traced.add("Mul", ("f", 3))
    assert "autograph does not convert" in findings(traced)[0].suggestion


def test_a_recursion_is_a_loop_too():
    traced = HandTracing("def rec(x, n):\n    return x if n == 0 else rec(tf.sin(x) + 1.0, n - 1)\n")
    for depth in range(1, 41):
        for op_type in ("Sin", "Const", "AddV2"):
            traced.add(op_type, ("main", 9), *[("rec", 2)] * depth)
    (found,) = findings(traced)
    assert (found.evidence["copies"], found.evidence["ops_a_copy"]) == (40, 3)
    assert "recursion of rec" in found.suggestion


def test_a_loop_in_a_branch_is_found_in_the_function_that_holds_it():
    source = "def f(x):\n    for t in range(40):\n        x = tf.sin(x) * c\n"
    traced = HandTracing(source)
    traced.add("StatelessIf", ("main", 9))
    for _ in range(60):
        traced.add("Sin", ("main", 9), ("f", 3), function="cond_true_1")
        traced.add("Mul", ("main", 9), ("f", 3), function="cond_true_1")
    (found,) = findings(traced)
    assert found.ops[0] == "cond_true_1::Sin"


def test_a_function_defined_in_a_loop_is_not_run_by_it():
    source = "for name in names:\n    def f(x):\n        return tf.sin(x) * c\n"
    traced = HandTracing(source)
    for _ in range(200):
        traced.add("Sin", ("f", 3))
    assert findings(traced) == []


@pytest.mark.parametrize("source", ["", "this is not Python (", "\0", "x = " + "(" * 5000, "for t in xs:\n" * 200])
def test_a_source_that_cannot_be_parsed_gives_nothing(source):
    traced = time_steps(60)
    traced.source = source
    assert findings(traced) == []


def test_hostile_names_in_the_source_are_shown_harmless():
    traced = HandTracing("def f(x):\n    for t in names['\u202e\u0007[red]']:\n        x = tf.sin(x)\n")
    for _ in range(120):
        traced.add("Sin", ("f", 2), AUTOGRAPH, ("f", 3))
    assert findings(traced)[0].suggestion.isprintable()


def test_copies_need_the_same_ops_in_most_iterations():
    assert len(find_copies("abcabcabcabcabcabcabcabc").starts) == 8
    assert len(find_copies("xbcabcabcabcabcabcabcabcabcyz").starts) == 8
    assert find_copies("abcabdabeabfabgabhabiabjabk").starts == ()
    assert len(find_copies("aaaa" * 10, times=10).starts) == 10


def test_loops_of_a_source_know_their_own_times_and_names():
    outer, inner, comprehension = loops_of(
        "for i, x in enumerate(xs):\n    while k < 3:\n        k += 1\n[y for y in (1, 2, 3)]\n", "m.py"
    )
    assert (outer.target, outer.iterable, outer.times) == ("i, x", "enumerate(xs)", None)
    assert (inner.counters, inner.first, inner.last) == (("k",), 2, 3)
    assert (comprehension.element, comprehension.times) == ("y", 3)


def test_an_expression_too_deep_to_be_shown_is_no_obstacle():
    (loop,) = loops_of("for x in " + "a" + ".b" * 900 + ":\n    pass\n", "m.py")
    assert (loop.target, loop.first) == ("x", 2)
