"""The stages of the tracing on screen, one of them chosen, and the counts of that one."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from tfgraphdbg.recording import Tracing
from tfgraphdbg.rewrites import AFTER
from tfgraphdbg.tui.cell_text import shortened, visible
from tfgraphdbg.tui.stage_order import BEFORE_PASSES, is_after_pass

PASSES = AFTER
"""What stands for the graphs after all passes."""


class StageBar(Widget):
    """One line: the function, its stages in the order in which TensorFlow makes them, counts on the right."""

    COMPONENT_CLASSES = {"stages--function", "stages--stage", "stages--chosen", "stages--counts"}
    ALLOW_SELECT = False

    @dataclass
    class StageClicked(Message):
        """The user wants to see this stage; empty: to choose one."""

        stage: str

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tracing: Tracing | None = None
        self._tracings = 0
        self._chosen = ""
        self._counts = ""
        self._has_passes = False

    def show(self, tracing: Tracing, tracings: int, *, has_passes: bool) -> None:
        """Show the stages of `tracing`, one of `tracings` in the recording, with one entry for the passes if any."""
        self._tracing, self._tracings, self._has_passes = tracing, tracings, has_passes
        self.refresh()

    def choose(self, stage: str, counts: str) -> None:
        """Show which stage is on screen, and how large it is."""
        self._chosen, self._counts = stage, counts
        self.refresh()

    def render(self) -> Text:
        """Keep the chosen stage in sight, whatever the width."""
        if self._tracing is None:
            return Text("")
        width = self.size.width - 2
        function_style = self.get_component_rich_style("stages--function")
        text = Text(" ", no_wrap=True, overflow="crop")
        text.append(shortened(visible(self._tracing.function), max(width // 4, 10)), function_style)
        if self._tracings > 1:
            count = f" {self._tracing.index + 1} of {self._tracings} (t)"
            text.append(count, self.get_component_rich_style("stages--counts"))
        text.append("  ")
        stages = self._stages(width - text.cell_len)
        counts = self._counts
        gap = width - text.cell_len - stages.cell_len - cell_len(counts)
        text.append_text(stages)
        if gap >= 2:
            text.append(" " * gap)
            text.append(counts, self.get_component_rich_style("stages--counts"))
        return text

    def _stages(self, width: int) -> Text:
        """The stages that fit into `width`, those around the chosen one first."""
        stages = self._names()
        place = stages.index(self._chosen) if self._chosen in stages else 0
        first = last = place
        labels = [_label(name) for name in stages]

        def fits(first: int, last: int) -> bool:
            return sum(cell_len(label) + 1 for label in labels[first : last + 1]) + 4 <= width

        while (last + 1 < len(stages) and fits(first, last + 1)) or (first > 0 and fits(first - 1, last)):
            if last + 1 < len(stages) and fits(first, last + 1):
                last += 1
            else:
                first -= 1
        text = Text("‹ " if first else "")
        for index in range(first, last + 1 if stages else 0):
            name = "stages--chosen" if index == place else "stages--stage"
            text.append(labels[index], self.get_component_rich_style(name) + Style(meta={"stage": stages[index]}))
            text.append(" ")
        return text.append("›" if last + 1 < len(stages) else "")

    def _names(self) -> list[str]:
        """The stages, and after the one that Grappler was given the pass on screen, or an entry for all passes."""
        names = [stage.name for stage in self._tracing.stages] if self._tracing else []
        if self._has_passes and BEFORE_PASSES in names:
            chosen = self._chosen if is_after_pass(self._chosen) else PASSES
            names.insert(names.index(BEFORE_PASSES) + 1, chosen)
        return names

    def on_click(self, event: Click) -> None:
        """Choose the clicked stage."""
        stage = event.style.meta.get("stage")
        if stage:
            # An entry for many stages leads to a list of them.
            self.post_message(self.StageClicked("" if is_after_pass(stage) else stage))


def _label(stage: str) -> str:
    if stage == PASSES:
        return " passes ▾ "
    return f" {visible(stage)} ▾ " if is_after_pass(stage) else f" {visible(stage)} "
