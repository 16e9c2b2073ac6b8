"""The terminal UI of a recording: modes, global keys and the command palette."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import Screen

from tfgraphdbg.recording import Recording
from tfgraphdbg.tui.graph_screen import GraphScreen
from tfgraphdbg.tui.messages import FindingWanted, GraphWanted
from tfgraphdbg.tui.shared_view import SharedView
from tfgraphdbg.tui.themes import DARK, LIGHT


class DebuggerApp(App[None]):
    """`DebuggerApp(recording).run()` shows a recording until the user quits."""

    TITLE = "tfgraphdbg"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    DEFAULT_MODE = "graph"
    ENABLE_COMMAND_PALETTE = True
    BINDING_GROUP_TITLE = "Everywhere"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "switch_mode('graph')", "Graph", tooltip="Show the graph", id="app.graph"),
        Binding("p,3", "switch_mode('passes')", "Passes", tooltip="Show what each pass did", id="app.passes"),
        Binding(
            "b,4", "switch_mode('bottlenecks')", "Bottlenecks", tooltip="Show where the time goes", id="app.bottlenecks"
        ),
        Binding("e,5", "switch_mode('eager')", "Eager", tooltip="Show an eager run beside the graph", id="app.eager"),
        Binding("2", "switch_mode('log')", "Log", tooltip="Show the program's output and log", id="app.log"),
        Binding("m", "show_missing", "Missing", show=False, tooltip="Show missing evidence", id="app.missing"),
        Binding("T", "toggle_theme", "Theme", show=False, tooltip="Switch dark and light", id="app.theme"),
        Binding("question_mark", "help", "Help", id="app.help", tooltip="Show all keys and the search language"),
        Binding("q", "quit", "Quit", id="app.quit"),
    ]

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        # Threads that open a stage would otherwise keep the screen waiting for 5 ms again and again.
        sys.setswitchinterval(0.001)
        self.recording = recording
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        self.view = SharedView(recording)
        self.add_mode("graph", partial(GraphScreen, self.view))
        self.add_mode("log", self._log_screen)
        self.add_mode("passes", self._passes_screen)
        self.add_mode("bottlenecks", self._bottlenecks_screen)
        self.add_mode("eager", self._eager_screen)

    def _log_screen(self) -> Screen[None]:
        from tfgraphdbg.tui.log_screen import LogScreen

        return LogScreen(self.recording)

    def _passes_screen(self) -> Screen[None]:
        from tfgraphdbg.tui.passes_screen import PassesScreen

        return PassesScreen(self.view)

    def _bottlenecks_screen(self) -> Screen[None]:
        from tfgraphdbg.tui.bottlenecks_screen import BottlenecksScreen

        return BottlenecksScreen(self.view)

    def _eager_screen(self) -> Screen[None]:
        from tfgraphdbg.tui.eager_screen import EagerScreen

        return EagerScreen(self.view)

    @on(GraphWanted)
    async def show_in_graph(self, event: GraphWanted) -> None:
        """Go to a place of the graph that another mode leads to."""
        await self.switch_mode("graph")
        graph = self.screen_stack[0]
        assert isinstance(graph, GraphScreen)
        graph.visit(event.place)

    @on(FindingWanted)
    async def show_finding(self, event: FindingWanted) -> None:
        """Show a finding that an op takes part in."""
        from tfgraphdbg.tui.passes_screen import PassesScreen

        await self.switch_mode("passes")
        passes = self.screen_stack[0]
        assert isinstance(passes, PassesScreen)
        passes.show_finding(event.place)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no key to the mode that is on screen."""
        return action != "switch_mode" or parameters != (self.current_mode,)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """One palette entry for each key that works on the screen below, then Textual's own themes."""
        offered: set[str] = set()
        for node, binding, enabled, tooltip in screen.active_bindings.values():
            if enabled and binding.id and binding.id not in offered:
                offered.add(binding.id)
                key = self.get_key_display(binding)
                run = partial(self.run_action, binding.action, default_namespace=node)
                yield SystemCommand(tooltip or binding.description, f"key {key}", run)
        yield SystemCommand("Choose a theme", "Colours of the whole screen", self.action_change_theme)

    def action_show_missing(self) -> None:
        """Show how the run ended and which evidence is missing."""
        from tfgraphdbg.tui.modals.message_screen import evidence_screen

        self.push_screen(evidence_screen(self.recording))

    def action_toggle_theme(self) -> None:
        """Switch between the dark and the light theme."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    def action_help(self) -> None:
        """Show all keys."""
        from tfgraphdbg.tui.modals.help_screen import HelpScreen

        self.push_screen(HelpScreen(binding_owners()))


def binding_owners() -> tuple[type[DOMNode], ...]:
    """Every class with keys, in the order of the help screen."""
    from tfgraphdbg.tui.bottlenecks_screen import BottlenecksScreen
    from tfgraphdbg.tui.eager_screen import EagerScreen
    from tfgraphdbg.tui.log_screen import LogScreen
    from tfgraphdbg.tui.passes_screen import PassesScreen
    from tfgraphdbg.tui.widgets.edit_list import EditList
    from tfgraphdbg.tui.widgets.note_list import NoteList
    from tfgraphdbg.tui.widgets.op_detail import OpDetail
    from tfgraphdbg.tui.widgets.op_list import OpList
    from tfgraphdbg.tui.widgets.pass_list import PassList
    from tfgraphdbg.tui.widgets.scope_tree import ScopeTree
    from tfgraphdbg.tui.widgets.search_box import SearchInput
    from tfgraphdbg.tui.widgets.sheet_list import SheetList
    from tfgraphdbg.tui.widgets.text_view import TextView
    from tfgraphdbg.tui.widgets.topic_list import TopicList
    from tfgraphdbg.tui.widgets.virtual_rows import VirtualRows

    lists = (VirtualRows, OpList, OpDetail, ScopeTree, SearchInput, TextView)
    passes, times = (PassesScreen, PassList, EditList, NoteList), (BottlenecksScreen, EagerScreen, TopicList, SheetList)
    return (GraphScreen, *lists, *passes, *times, LogScreen, DebuggerApp)
