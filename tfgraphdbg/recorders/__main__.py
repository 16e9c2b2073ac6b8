"""The recorder process: reads one request from stdin, tells events on stdout, and leaves parts in a folder.

`recorder_process` starts it. From its first moment the user's program owns stdin, stdout, stderr and `sys.argv`.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tfgraphdbg.errors import DebuggerError
from tfgraphdbg.record_request import DoneEvent, FailedEvent, NowEvent, PhaseEvent, RecordRequest, failed_event
from tfgraphdbg.recorders.recording_run import record_request
from tfgraphdbg.recording import CONSOLE_PART


class _EventPipe:
    """Tells events to the parent; a parent that is gone is not told."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, event: PhaseEvent | NowEvent | FailedEvent | DoneEvent) -> None:
        with self._lock, contextlib.suppress(OSError):
            os.write(self._descriptor, msgspec.json.encode(event) + b"\n")

    def __call__(self, event: str, **details: object) -> None:
        if event == "phase":
            self.send(PhaseEvent(str(details["name"])))
        else:
            self.send(NowEvent(str(details["doing"])))


def main() -> None:
    """Serve one request, then end the process with code 0; failures travel as events."""
    request_pipe = os.fdopen(os.dup(0), "rb")
    events = _EventPipe(os.dup(1))
    request = msgspec.json.decode(request_pipe.readline(), type=RecordRequest)
    _give_streams_to_the_program(Path(request.folder))
    threading.Thread(target=_end_with_parent, args=(request_pipe, request.folder), daemon=True).start()
    is_program = request.target.kind == "program"
    try:
        record_request(request, events)
    except DebuggerError as error:
        events.send(failed_event(error))
        is_program = False
    except KeyboardInterrupt:
        is_program = False
    except Exception as error:
        events.send(failed_event(_own_failure(error)))
        is_program = False
    events.send(DoneEvent())
    _flush()
    if not is_program:
        # Nothing of the user's is left to run, and TensorFlow takes a while to take itself down.
        os._exit(0)


def _own_failure(error: Exception) -> DebuggerError:
    """What is neither the user's nor the machine's fault; the traceback is in the console part."""
    traceback.print_exception(error)
    detail = "".join(traceback.format_exception(error)) if os.environ.get("TFGRAPHDBG_DEBUG") else ""
    what = f"{type(error).__name__}: {error}"
    return DebuggerError(
        f"the recorder itself failed, which is a bug of tfgraphdbg: {what}",
        "set TFGRAPHDBG_DEBUG=1 to see where, and report it",
        detail,
    )


def _give_streams_to_the_program(folder: Path) -> None:
    """Console for what the program prints, in one order; file descriptor 2 stays with TensorFlow's C++ log."""
    console = os.open(folder / CONSOLE_PART, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(console, 1)
    faulthandler.enable(sys.stderr.fileno())
    if hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1, sys.stderr.fileno(), all_threads=False)
    sys.stdout = open(console, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115
    sys.stderr = open(os.dup(console), "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115


def _end_with_parent(request_pipe: Iterator[bytes], folder: str) -> None:
    """The parent holds the other end open while it lives; what it can no longer collect is removed."""
    for _ in request_pipe:
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(130)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


if __name__ == "__main__":
    main()
