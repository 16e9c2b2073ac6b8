"""DOT, SVG, PNG and PDF: what engines and browsers must be able to read, and what happens when an engine fails."""

from __future__ import annotations

import contextlib
import re
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from tests.hand_built import HOSTILE_NAMES, STACKS, hostile_graph, small_optimized, small_traced
from tests.view_samples import layered_graph, odd_names_graph
from tfgraphdbg.errors import ExitCode, MissingRequirementError, UsageError
from tfgraphdbg.foreign_text import visible
from tfgraphdbg.graph_model import GraphModel, OpNode
from tfgraphdbg.recording import OpMetric
from tfgraphdbg.views import GRAPH_VIEWS, graph_view_for
from tfgraphdbg.views.contract import PictureOptions
from tfgraphdbg.views.layout_engine import LayoutFailedError, find_engine, lay_out
from tfgraphdbg.views.layout_hints import edge_lengths, stacking_edges
from tfgraphdbg.views.picture import picture

SVG = "{http://www.w3.org/2000/svg}"
XLINK_TITLE = "{http://www.w3.org/1999/xlink}title"

GRAPHS: dict[str, Callable[[], GraphModel]] = {
    "traced": small_traced,
    "optimized": small_optimized,
    "hostile": hostile_graph,
    "odd-names": odd_names_graph,
    "layered": layered_graph,
}

EVERY_COLOR = {
    "op": PictureOptions(stacks=STACKS),
    "diff": PictureOptions(color="diff", changes={"Mean": "removed"}),
    "time": PictureOptions(color="time", metric=OpMetric("<self> & time", "us", "traced", {"Mean": 4.0})),
    "folded": PictureOptions(depth=0),
}


def rendered(format_: str, graph: GraphModel, options: PictureOptions | None = None) -> bytes:
    return graph_view_for(format_, None).render(graph, options or PictureOptions())


def svg_of(graph: GraphModel, options: PictureOptions | None = None) -> ElementTree.Element:
    return ElementTree.fromstring(rendered("svg", graph, options))


def texts(svg: ElementTree.Element) -> str:
    return "\n".join(text.text or "" for text in svg.iter(f"{SVG}text"))


class TestDot:
    @pytest.mark.parametrize("options", EVERY_COLOR.values(), ids=EVERY_COLOR)
    @pytest.mark.parametrize("name", GRAPHS)
    def test_an_engine_reads_it_without_a_complaint(self, name: str, options: PictureOptions) -> None:
        source = rendered("dot", GRAPHS[name](), options)
        engine = find_engine("dot").path
        done = subprocess.run([engine, "-Tdot"], input=source, capture_output=True, check=False)
        complaints = [line for line in done.stderr.decode().splitlines() if "non-ASCII" not in line]
        assert (done.returncode, complaints) == (0, [])

    def test_names_are_no_markup(self) -> None:
        source = rendered("dot", odd_names_graph()).decode()
        assert "label=<&lt;b&gt;bold&lt;/b&gt;<br/>" in source

    def test_folded_nodes_have_two_borders(self) -> None:
        source = rendered("dot", small_traced(), PictureOptions(depth=0)).decode()
        assert source.count("peripheries=2") == 2

    def test_a_flat_graph_is_laid_in_rows(self) -> None:
        ops = tuple(OpNode(f"x{n}", "Add") for n in range(48))
        assert rendered("dot", GraphModel("g", "traced", ops)).decode().count("style=invis") == 36

    def test_it_needs_no_engine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TFGRAPHDBG_DOT", "/nowhere")
        assert rendered("dot", small_traced()).startswith(b"digraph")


class TestSvg:
    @pytest.mark.parametrize("options", EVERY_COLOR.values(), ids=EVERY_COLOR)
    @pytest.mark.parametrize("name", GRAPHS)
    def test_it_is_valid_xml_and_runs_nothing(self, name: str, options: PictureOptions) -> None:
        svg = svg_of(GRAPHS[name](), options)
        assert svg.tag == f"{SVG}svg"
        for element in svg.iter():
            assert element.tag.removeprefix(SVG) in {
                "svg", "style", "g", "title", "polygon", "polyline", "path", "ellipse", "text", "a"
            }  # fmt: skip
            assert not any(name.startswith("on") or "href" in name.lower() for name in element.attrib)

    @pytest.mark.parametrize("graph", [hostile_graph(), odd_names_graph()], ids=lambda graph: graph.name)
    def test_names_come_back_whole(self, graph: GraphModel) -> None:
        groups = [group for group in svg_of(graph).iter(f"{SVG}g") if "node" in (group.get("class") or "").split()]
        titles = [group.findtext(f"{SVG}title") for group in groups]
        assert sorted(title or "" for title in titles) == sorted(visible(op.name) for op in graph.ops)

    @pytest.mark.parametrize(
        "graph", [small_traced(), hostile_graph(), odd_names_graph()], ids=lambda graph: graph.name
    )
    def test_tooltips_come_back_whole(self, graph: GraphModel) -> None:
        options = PictureOptions(stacks=STACKS)
        found = {link.get(XLINK_TITLE) for link in svg_of(graph, options).iter(f"{SVG}a")}
        assert {"\n".join(node.words.tooltip) for node in picture(graph, options).nodes} <= found

    def test_titles_of_boxes_stand_for_themselves(self) -> None:
        scopes = ("a&lt;b", "c\\N", "<b>d</b>")
        ops = tuple(OpNode(f"{scope}/{letter}", "Add") for scope in scopes for letter in "xy")
        shown = texts(svg_of(GraphModel("g", "traced", ops)))
        assert all(f"{scope.removesuffix('</b>')}" in shown for scope in scopes)

    def test_short_hostile_names_are_shown_as_they_are(self) -> None:
        shown = texts(svg_of(hostile_graph()))
        for name in HOSTILE_NAMES:
            if len(name) < 40 and name.isascii():
                assert visible(name) in shown

    def test_nodes_have_classes_fills_and_tooltips(self) -> None:
        svg = rendered("svg", small_traced(), PictureOptions(stacks=STACKS)).decode()
        assert re.search(r'class="node op&#45;MatMul cat&#45;compute"', svg)
        assert re.search(r'fill="#bcd4fb" stroke="#3f6fc4"', svg)
        assert "/home/user/model.py:6 in train_step" in svg.replace("&#45;", "-")
        assert 'class="edge control"' in svg
        assert 'stroke-dasharray="5,2"' in svg

    def test_one_file_serves_light_and_dark(self) -> None:
        style = svg_of(small_traced()).findtext(f"{SVG}style") or ""
        light, dark = style.split("@media (prefers-color-scheme: dark)")
        for paint in ("cat-compute", "cat-constant"):
            assert f".node.{paint} path" in light
            assert f".node.{paint} path" in dark
        assert "cat-gradient" not in style
        assert light.count("{") == light.count("}")

    def test_shapes_legend_and_title_are_in_the_picture(self) -> None:
        shown = texts(svg_of(small_traced()))
        for words in ("float32[32,784]", "matrix, convolution", "__inference_train_step_12 · traced", "17 ops"):
            assert words in shown

    def test_a_colouring_shows_its_legend(self) -> None:
        shown = texts(svg_of(small_traced(), EVERY_COLOR["time"]))
        assert "<self> & time" in shown
        assert "up to 4.00 us" in shown

    def test_a_folded_picture_says_so(self) -> None:
        assert "folded into" in texts(svg_of(layered_graph()))


class TestBitmapAndPdf:
    def test_a_png_is_sharp_and_not_huge(self) -> None:
        png = rendered("png", small_traced())
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", png[16:24])
        assert 600 < height < 7300
        assert width < 7300

    def test_a_wide_graph_is_scaled_down(self) -> None:
        ops = tuple(OpNode(f"{'n' * 30}{n}", "Add", (f"{'n' * 30}{n - 1}",) if n else ()) for n in range(190))
        width, height = struct.unpack(">II", rendered("png", GraphModel("g", "traced", ops))[16:24])
        assert max(width, height) <= 7201

    def test_pdf_without_graphviz_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        with pytest.raises(MissingRequirementError) as failure:
            rendered("pdf", small_traced())
        assert failure.value.exit_code is ExitCode.MISSING_REQUIREMENT
        assert "install Graphviz" in failure.value.hint


@pytest.fixture
def fake_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Make $TFGRAPHDBG_DOT a shell script; it has `$count`, how many times it was started before."""
    if sys.platform == "win32":
        pytest.skip("the fake engine is a shell script")

    def make(script: str) -> Path:
        path = tmp_path / "dot"
        counter = tmp_path / "count"
        count = f'count=$(cat "{counter}" 2>/dev/null || echo 0); echo $((count + 1)) > "{counter}"'
        path.write_text(f"#!/bin/sh\n{count}\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("TFGRAPHDBG_DOT", str(path))
        return counter

    return make


def ends(pid: int) -> bool:
    """Whether a process that was told to end does: it stays as a zombie where nobody fetches it."""
    for _ in range(200):
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.05)
                continue
        return True
    return False


def real_engine() -> str:
    return find_engine("svg").path


class TestEngine:
    def test_the_embedded_engine_is_found_without_a_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TFGRAPHDBG_DOT", raising=False)
        monkeypatch.setenv("PATH", "")
        assert find_engine("svg").embedded
        assert b"<svg" in lay_out("digraph { a -> b }", "svg", 10)

    def test_the_variable_comes_first(self, fake_engine: Callable[[str], Path]) -> None:
        fake_engine("cat > /dev/null; echo pdf of $1")
        assert rendered("pdf", small_traced()) == b"pdf of -Tpdf\n"

    @pytest.mark.parametrize("named", ["/nowhere/dot", "no-such-program"])
    def test_a_variable_that_names_no_program_is_an_error(self, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TFGRAPHDBG_DOT", named)
        with pytest.raises(MissingRequirementError, match="TFGRAPHDBG_DOT names"):
            rendered("svg", small_traced())

    def test_a_file_that_is_no_program_is_a_failure(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "dot"
        path.write_bytes(b"\x00\x01not a program")
        path.chmod(0o755)
        monkeypatch.setenv("TFGRAPHDBG_DOT", str(path))
        with pytest.raises(LayoutFailedError, match="could not be started"):
            rendered("svg", small_traced())

    def test_an_exit_code_is_a_failure_even_with_a_picture(self, fake_engine: Callable[[str], Path]) -> None:
        fake_engine("cat > /dev/null; echo '<svg/>'; echo 'trouble in init_rank' >&2; exit 1")
        with pytest.raises(LayoutFailedError, match="exit code 1: trouble in init_rank"):
            lay_out("digraph {}", "svg", 5)

    def test_an_engine_that_does_not_read_is_a_failure(self, fake_engine: Callable[[str], Path]) -> None:
        fake_engine("exit 3")
        with pytest.raises(LayoutFailedError, match="exit code 3"):
            lay_out("digraph {" + "a;" * 500_000 + "}", "svg", 5)

    def test_a_time_limit_ends_it_with_all_that_it_started(self, fake_engine: Callable[[str], Path]) -> None:
        started = fake_engine('cat > /dev/null; sleep 30 & echo $! > "$0.started"; wait').with_name("dot.started")
        start = time.monotonic()
        with pytest.raises(LayoutFailedError, match="longer than"):
            lay_out("digraph {}", "svg", 0.3)
        assert time.monotonic() - start < 5
        assert ends(int(started.read_text()))


class TestStepDown:
    @pytest.mark.parametrize(
        ("trouble", "words"),
        [("exit 1", "failed with exit code 1"), ("sleep 30", "took longer than")],
        ids=["error", "time-out"],
    )
    def test_fewer_details_are_drawn_and_the_picture_says_so(
        self, trouble: str, words: str, fake_engine: Callable[[str], Path]
    ) -> None:
        engine = real_engine()
        counter = fake_engine(f'if [ "$count" -lt 2 ]; then cat > /dev/null; {trouble}; fi; exec "{engine}" "$@"')
        svg = svg_of(small_traced(), PictureOptions(timeout_s=2.0))
        assert counter.read_text() == "3\n"
        assert "drawn with fewer details: the layout engine" in texts(svg)
        assert words in texts(svg)
        assert not [group for group in svg.iter(f"{SVG}g") if "cluster" in (group.get("class") or "")]

    def test_the_time_limit_is_for_all_attempts_together(self, fake_engine: Callable[[str], Path]) -> None:
        counter = fake_engine("cat > /dev/null; sleep 30")
        start = time.monotonic()
        with pytest.raises(LayoutFailedError, match="took longer"):
            rendered("svg", small_traced(), PictureOptions(timeout_s=1.0))
        assert time.monotonic() - start < 2
        assert counter.read_text() == "4\n"

    def test_when_even_the_simplest_fails_the_error_says_what_still_works(
        self, fake_engine: Callable[[str], Path]
    ) -> None:
        counter = fake_engine("cat > /dev/null; exit 1")
        with pytest.raises(LayoutFailedError) as failure:
            rendered("svg", layered_graph())
        assert counter.read_text() == "4\n"
        assert failure.value.exit_code is ExitCode.MISSING_REQUIREMENT
        assert ".dot" in failure.value.hint

    def test_a_wrong_name_asks_no_engine(self, fake_engine: Callable[[str], Path]) -> None:
        counter = fake_engine("exit 1")
        with pytest.raises(UsageError):
            rendered("svg", small_traced(), PictureOptions(focus="nothing like it"))
        assert not counter.exists()


class TestNarrowPictures:
    def test_a_large_fan_is_laid_in_several_rows(self) -> None:
        fan = [(f"leaf{n}", "hub") for n in range(100)]
        lengths = [edge_lengths(fan).get(edge, 1) for edge in fan]
        assert max(lengths) == 6
        assert max(lengths.count(length) for length in set(lengths)) <= 17

    def test_a_small_fan_is_not(self) -> None:
        assert edge_lengths([(f"leaf{n}", "hub") for n in range(8)]) == {}

    def test_loose_nodes_are_stacked_in_their_box(self) -> None:
        loose = [f"n{n}" for n in range(48)]
        edges = stacking_edges([[], loose], [])
        assert len(edges) == 36
        assert len({source for source, _ in edges}) == len({target for _, target in edges}) == 36

    def test_leaves_of_a_box_are_stacked_and_those_outside_all_boxes_are_not(self) -> None:
        leaves = [f"n{n}" for n in range(27)]
        fan = [(leaf, "hub") for leaf in leaves]
        assert len(stacking_edges([["hub"], leaves], fan)) == 18
        assert stacking_edges([leaves, ["hub", "other"]], fan) == []


class TestChoice:
    def test_the_views_in_their_order(self) -> None:
        assert [view.format for view in GRAPH_VIEWS] == ["dot", "svg", "png", "pdf"]
        assert [view.format for view in GRAPH_VIEWS if view.is_binary] == ["png", "pdf"]

    @pytest.mark.parametrize(
        ("output", "format_"), [("a.svg", "svg"), ("a.PNG", "png"), ("a.gv", "dot"), ("a.pdf", "pdf")]
    )
    def test_the_extension_chooses(self, output: str, format_: str) -> None:
        assert graph_view_for(None, output).format == format_

    def test_an_unknown_one_lists_those_there_are(self) -> None:
        with pytest.raises(UsageError) as failure:
            graph_view_for(None, "graph.html")
        assert ".svg" in failure.value.hint
