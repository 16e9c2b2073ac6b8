"""The stages of the tracing on screen, one of them chosen, and the counts of that one."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from tfgraphdbg.recording import Stage, Tracing
from tfgraphdbg.tui.cell_text import shortened, visible


def stage_counts(stage: Stage) -> str:
    """How large a stage is, in words."""
    if stage.kind == "text":
        return f"{stage.bytes:,} bytes of text"
    counts = [(stage.ops, "op"), (stage.edges, "edge")]
    words = [f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts]
    if stage.functions:
        plural = "" if stage.functions == 1 else "s"
        words.append(f"{stage.functions:,} function{plural} with {stage.function_ops:,} ops")
    return "  ".join(words)


class StageBar(Widget):
    """One line: the function, its stages in the order in which TensorFlow makes them, counts on the right."""

    COMPONENT_CLASSES = {"stages--function", "stages--stage", "stages--chosen", "stages--counts"}
    ALLOW_SELECT = False

    @dataclass
    class StageClicked(Message):
        """The user wants to see this stage."""

        stage: str

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tracing: Tracing | None = None
        self._tracings = 0
        self._chosen = ""

    def show(self, tracing: Tracing, tracings: int, chosen: str) -> None:
        """Show the stages of `tracing`, one of `tracings` in the recording."""
        self._tracing, self._tracings, self._chosen = tracing, tracings, chosen
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
        chosen = self._tracing.stage(self._chosen)
        counts = stage_counts(chosen) if chosen else ""
        gap = width - text.cell_len - stages.cell_len - cell_len(counts)
        text.append_text(stages)
        if gap >= 2:
            text.append(" " * gap)
            text.append(counts, self.get_component_rich_style("stages--counts"))
        return text

    def _stages(self, width: int) -> Text:
        """The stages that fit into `width`, those around the chosen one first."""
        stages = self._tracing.stages if self._tracing else ()
        place = next((place for place, stage in enumerate(stages) if stage.name == self._chosen), 0)
        first = last = place
        labels = [f" {visible(stage.name)} " for stage in stages]

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
            text.append(labels[index], self.get_component_rich_style(name) + Style(meta={"stage": stages[index].name}))
            text.append(" ")
        return text.append("›" if last + 1 < len(stages) else "")

    def on_click(self, event: Click) -> None:
        """Choose the clicked stage."""
        stage = event.style.meta.get("stage")
        if stage:
            self.post_message(self.StageClicked(stage))
