"""Auto-clustering told from the graph before it and the graph that ran, both written as text."""

from __future__ import annotations

from tests.graph_text import graph_of
from tfgraphdbg.analyses.hlo_auto_clusters import auto_clusters, auto_clusters_table

LEFT = """
x = _Arg
mul = Mul(x, x)
PyFunc = PyFunc(mul)
Exp = Exp(PyFunc)
c = Const
sub = Sub(Exp, c, ^PyFunc)
out = _Retval(sub)
"""


def cluster(number: int, source: str) -> str:
    scope = f"cluster_{number}_1"
    return f"""
{scope}/xla_compile = _XlaCompile({source}) {{function=cluster_{number}}}
{scope}/key = Switch({scope}/xla_compile, {scope}/xla_compile:1)
{scope}/xla_run = _XlaRun({source}, {scope}/key:1)
{scope}/call = StatefulPartitionedCall({source}, ^{scope}/key) {{f=cluster_{number}}}
{scope}/merge_oidx_0 = _XlaMerge({scope}/call, {scope}/xla_run)
"""


RAN = f"""
x = _Arg
PyFunc = PyFunc(cluster_0_1/merge_oidx_0)
out = _Retval(cluster_1_1/merge_oidx_0)
{cluster(0, "x")}
{cluster(1, "PyFunc")}
"""


def test_the_ops_of_two_clusters() -> None:
    found = auto_clusters(graph_of(LEFT), graph_of(RAN))
    assert [(each.name, each.function, each.runs_as, each.ops) for each in found.clusters] == [
        ("cluster_0_1", "cluster_0", "cluster_0_1/xla_run", ("mul",)),
        ("cluster_1_1", "cluster_1", "cluster_1_1/xla_run", ("Exp", "c", "sub")),
    ]
    assert (found.basis, found.unexplained) == ("measured", ())
    assert auto_clusters_table(found).rows[1] == (
        "cluster_1_1", "cluster_1", "cluster_1_1/xla_run", 3, "measured", "Exp, c, sub"
    )  # fmt: skip


def test_a_result_that_only_another_cluster_takes_makes_the_rest_a_guess() -> None:
    ran = RAN.replace("PyFunc = PyFunc(cluster_0_1/merge_oidx_0)\n", "PyFunc = PyFunc(mul)\nmul = Mul(x, x)\n")
    found = auto_clusters(graph_of(LEFT), graph_of(ran))
    assert found.basis == "guessed"
    assert found.clusters[0].ops == ()


def test_what_clusters_do_not_explain_is_named() -> None:
    left, ran = graph_of(LEFT + "lost = Sin(x)"), graph_of(RAN + "odd = Cos(x)")
    found = auto_clusters(left, ran)
    assert (found.basis, found.unexplained) == ("guessed", ("lost", "odd"))


def test_one_cluster_holds_all_that_is_gone() -> None:
    left = graph_of("x = _Arg\nmul = Mul(x, x)\nside = Print(x, ^mul)\nout = _Retval(mul)")
    found = auto_clusters(left, graph_of(f"x = _Arg\nout = _Retval(cluster_0_1/merge_oidx_0)\n{cluster(0, 'x')}"))
    assert [each.ops for each in found.clusters] == [("mul", "side")]
    assert found.basis == "measured"
