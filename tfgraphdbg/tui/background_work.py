"""Where worker threads end that met something no one foresaw."""

from __future__ import annotations

from textual.message_pump import MessagePump
from textual.worker import Worker, WorkerState

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.tui.messages import WorkFailed


class BackgroundWork(MessagePump):
    """For whatever starts workers: a defect becomes a message, and the app lives on."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say what went wrong."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            what = f"{type(error).__name__}: {error}"
            self.post_message(WorkFailed(DebuggerError(f"this is a defect of tfgraphdbg: {what}", "please report it")))
