"""Names, logs and code of the user's program: nothing of them may break a row or be taken for markup."""

from __future__ import annotations

import msgspec
import pytest
from rich.cells import cell_len

from tests.hand_built import HOSTILE_NAMES, hostile_graph, packed_recording, recording_of, small_traced
from tests.tui.driving import DrivenApp, row_texts
from tests.tui.recordings import with_hlo, with_meta
from tfgraphdbg.graph_model import GraphModel, OpNode, OutputInfo
from tfgraphdbg.recording import Frame, MissingEvidence, StackTable, TargetInfo
from tfgraphdbg.tui.cell_text import cut, shortened, visible, visible_code, wrapped

NASTY = "\x1b[2J[bold]x[/]\n\r\t\x00\x7f\u202e\u200b\u200d❤\ufe0f\u2028"


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, NASTY, "\U000e0001", "\u00a0"])
def test_visible_text_stays_on_its_row(name: str) -> None:
    shown = visible(name)
    assert not any(character in shown for character in "\x1b\n\r\t\x00\x7f\u202e\u200b\u200d\ufe0f\u2028")
    assert visible(shown) == shown
    assert visible("dense/MatMul") == "dense/MatMul"


def test_control_characters_can_be_read() -> None:
    assert visible("two\nlines") == "two\\nlines"
    assert visible("\x1b[31m") == "\\x1b[31m"
    assert visible("a\u202eb\u200dc") == "a\\u202eb\\u200dc"
    assert visible_code("\tif x:\n") == "    if x:"


@pytest.mark.parametrize("width", range(0, 30))
@pytest.mark.parametrize("text", ["short", "a/b/c/" * 10, "🦊" * 20, "é" * 40, "e\u0301" * 40, "x🦊y" * 9])
def test_texts_fit_their_cells(text: str, width: int) -> None:
    assert cell_len(shortened(text, width)) <= width
    assert cell_len(cut(text, width)) <= width
    if width >= 2:
        assert all(cell_len(line) <= width for line in wrapped(text, width, 3))
        assert len(wrapped(text, width, 3)) <= 3


def test_shortening_keeps_both_ends_and_most_of_the_last() -> None:
    name = "functional_1/block1a_expand_conv/Conv2D"
    assert shortened(name, 24).startswith("fun")
    assert shortened(name, 24).endswith("expand_conv/Conv2D")
    assert shortened("abc", 3) == "abc"
    assert shortened("abcdef", 3) == "abc"


def nasty_recording() -> object:
    """Every text that comes from a user's program is nasty."""
    names = (*HOSTILE_NAMES, NASTY)
    ops = tuple(
        OpNode(
            name,
            NASTY if place % 2 else "Relu",
            (names[place - 1],) if place else (),
            NASTY,
            0,
            (OutputInfo(NASTY, (1,)),),
            0,
            origins=(NASTY,),
        )
        for place, name in enumerate(names)
    )
    inside = OpNode(NASTY, "Relu", function=NASTY)
    graph = GraphModel(NASTY, "optimized", (*ops, inside), ({NASTY: NASTY, "f": NASTY},), (NASTY,))
    stacks = StackTable((Frame(NASTY, 1, NASTY, NASTY), Frame(NASTY, 2, NASTY, NASTY, library=True)), ((0, 1),))
    packed = packed_recording([graph], name=NASTY, stacks=stacks, sources={NASTY: NASTY + "\nx = '[red]'\n"})
    packed["console.txt"] = packed["log.txt"] = (NASTY + "\n" + "y" * 30_000).encode()
    recording = with_meta(
        packed,
        outcome=NASTY,
        missing=(MissingEvidence(NASTY, NASTY),),
        versions={"tensorflow": NASTY, "python": "3"},
        target=TargetInfo(NASTY, "function"),
    )
    tracing = recording.tracings[0]
    nested = msgspec.structs.replace(tracing, index=1, function=NASTY, signature=NASTY, stages=())
    meta = msgspec.structs.replace(
        recording.meta, tracings=(msgspec.structs.replace(tracing, function=NASTY, signature=NASTY), nested)
    )
    recording.meta = meta
    return recording


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
def test_every_screen_keeps_its_shape(size: tuple[int, int]) -> None:
    with DrivenApp(nasty_recording(), size) as ui:  # type: ignore[arg-type]
        steps: list[list[str]] = [[], *([["j"]] * 8), ["enter"], ["G"], ["h", "h", "G", "l"], ["j"], ["enter"]]
        steps += [["s"], ["escape"], ["t"], ["G", "enter"], ["m"], ["escape"], ["?"], ["escape"], ["2"], ["G"], ["1"]]
        for keys in steps:
            ui.press(*keys)
            for line in ui.lines():
                assert cell_len(line) == size[0]
                assert line.isprintable()


def test_hostile_names_are_shown_found_and_walked_along() -> None:
    with DrivenApp(recording_of(packed_recording([hostile_graph()])), (160, 40)) as ui:
        assert ui.shows("<&>\"'", "[red]bold[/red]", "two\\nlines", "\\x1b[31m")
        ui.search("two")
        assert ui.op.name == "two\nlines"
        assert row_texts(ui.detail)[0] == " two\\nlines"
        ui.press("enter", "enter")
        assert ui.op.name == "[red]bold[/red]"
        ui.press("backspace")
        assert ui.op.name == "two\nlines"


def test_a_hostile_scope_is_opened() -> None:
    name = 'sc"ope [x]\n\\/MatMul'
    graph = GraphModel("g", "traced", (OpNode("x", "Const"), OpNode(name, "MatMul", ("x",))))
    with DrivenApp(recording_of(packed_recording([graph]))) as ui:
        ui.press("h", "j", "enter")
        assert ui.listed() == [name]
        assert ui.query.isprintable()


def test_a_long_name_is_shown_whole_in_the_detail() -> None:
    name = "scope/" * 30 + "MatMul"
    graph = GraphModel("g", "traced", (OpNode(name, "MatMul"),))
    with DrivenApp(recording_of(packed_recording([graph])), (80, 24)) as ui:
        assert "".join(row.strip() for row in row_texts(ui.detail)[:3]) == name
        assert "…" in ui.lines(ui.ops)[1]


def test_brackets_in_notifications_and_messages_are_no_markup() -> None:
    graph = small_traced()
    ops = tuple(msgspec.structs.replace(op, origins=("[/nothing]",)) for op in graph.ops)
    optimized = msgspec.structs.replace(graph, ops=ops, stage="optimized")
    with DrivenApp(recording_of(packed_recording([optimized, graph]))) as ui:
        ui.search("type:=noop")
        ui.press("enter", "n", "n", "enter")
        ui.wait_until(lambda: ui.shows("This stage has no op [/nothing]"))


def test_ansi_codes_in_compiler_text_are_shown() -> None:
    with DrivenApp(with_hlo("\x1b[2J\x1b[31mred\n[bold]b[/bold]")) as ui:
        ui.press("]")
        assert ui.shows("\\x1b[2J\\x1b[31mred", "[bold]b[/bold]")
