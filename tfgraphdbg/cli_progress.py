"""Shows on stderr how far a recording is: a bar in a terminal, one line a phase elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from tfgraphdbg.record_request import Event, NowEvent, PhaseEvent


class RecordingProgress:
    """A context manager; pass `on_event` to the recorder."""

    def __init__(self, console: Console, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._phase = ""
        if not quiet and console.is_terminal:
            columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
            self._bar = Progress(*columns, console=console, transient=True)

    def __enter__(self) -> RecordingProgress:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("starting the recorder", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def on_event(self, event: Event) -> None:
        """Show a phase, or what happens within it."""
        if isinstance(event, PhaseEvent):
            if event.name != self._phase and self._bar is None and not self._quiet:
                self._console.print(Text(f"recording: {event.name}"))
            self._phase = event.name
            self._describe(event.name)
        elif isinstance(event, NowEvent):
            self._describe(f"{self._phase}: {event.doing}")

    def _describe(self, words: str) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=words)
