"""The first line of the screen: what was recorded, and whether something of it is missing."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from tfgraphdbg.recording import RecordingMeta
from tfgraphdbg.tui.cell_text import cut, shortened, visible


class TitleLine(Widget):
    """Target and versions on the left, an early end and missing evidence on the right."""

    COMPONENT_CLASSES = {"title--target", "title--note", "title--warning"}
    ALLOW_SELECT = False

    def __init__(self, meta: RecordingMeta, id: str | None = None) -> None:
        super().__init__(id=id)
        versions = meta.versions
        named = [("TensorFlow", "tensorflow"), ("Keras", "keras"), ("Python", "python")]
        self._target = visible(meta.target.name)
        self._versions = [visible(f"{name} {versions[key]}") for name, key in named if versions.get(key)]
        self._outcome = "" if meta.outcome == "complete" else visible(meta.outcome)
        self._missing = f"{len(meta.missing)} missing (m)" if meta.missing else ""

    def render(self) -> Text:
        """Fit what matters most: the warning, then the target, then the versions."""
        width = self.size.width - 2
        warning = self._warning(max(width - cell_len(self._target) - 3, width // 2))
        free = width - (cell_len(warning) + 3 if warning else 0)
        target = shortened(self._target, max(free, 8))
        versions = ""
        for version in self._versions:
            if cell_len(target) + cell_len(versions) + cell_len(version) + 3 > free:
                break
            versions += f"   {version}"
        gap = width - cell_len(target) - cell_len(versions) - cell_len(warning)
        return Text.assemble(
            (" ", ""),
            (target, self.get_component_rich_style("title--target")),
            (versions, self.get_component_rich_style("title--note")),
            " " * max(gap, 1),
            (warning, self.get_component_rich_style("title--warning")),
            no_wrap=True,
            overflow="crop",
        )

    def _warning(self, width: int) -> str:
        if not self._outcome:
            return f"▲ {self._missing}" if self._missing else ""
        head, tail = "▲ partial: ", f"  {self._missing}" if self._missing else " (m)"
        return head + cut(self._outcome, width - cell_len(head + tail)) + tail
