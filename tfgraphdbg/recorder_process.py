"""Starts a recorder in a process of its own, follows its progress, and makes one file of what it left.

Needs no TensorFlow. Whatever happens to the process (an exception, `sys.exit`, a signal, a time limit, Ctrl-C), the
parts it had written become an openable recording whose `outcome` says how it ended.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
import psutil

from tfgraphdbg.errors import DebuggerError, RecordingInterruptedError, RecordingTimedOutError, UserCodeError
from tfgraphdbg.record_request import DoneEvent, Event, FailedEvent, NowEvent, PhaseEvent, RecordRequest
from tfgraphdbg.recorder_environment import recorder_environment
from tfgraphdbg.recording import CONSOLE_PART, LOG_PART, META_PART, RecordingMeta, TargetInfo
from tfgraphdbg.recording_file import SUFFIX, FolderParts, decode_part, encode_part, save

_RAN = (UserCodeError, RecordingTimedOutError, RecordingInterruptedError)
"""Errors of a program that ran: what it printed and logged is worth keeping even when it traced nothing."""

GRACE_S = 5.0
"""How long a process that was asked to stop may take before it is killed."""

MAX_LOG_BYTES = 32 << 20
"""Of each log, the end is kept: it is what tells of a failure."""

OnEvent = Callable[[Event], None]


class RecordedRun(NamedTuple):
    """The file that a run left, and the error that ended it early, if any."""

    path: Path
    error: DebuggerError | None


def record_in_process(
    request: RecordRequest, destination: Path, on_event: OnEvent, timeout_s: float | None = None
) -> RecordedRun:
    """Run the recorder for `request` and save the recording at `destination`.

    A run that ended early never replaces a recording that is there: it goes beside it, as `run.partial.tfgdbg`.
    Raises DebuggerError only when nothing was recorded at all: a wrong target, or TensorFlow is not installed.
    """
    folder = Path(request.folder)
    for name in ("parts", "dumps"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    child = _Child(request, on_event)
    error = child.follow(timeout_s)
    packed = _parts_of(folder)
    meta = decode_part(packed[META_PART], RecordingMeta, META_PART) if META_PART in packed else None
    if error is not None and not isinstance(error, _RAN) and (meta is None or not meta.tracings):
        raise error
    if meta is None:
        packed[META_PART] = encode_part(RecordingMeta(TargetInfo(request.target.text, request.target.kind)))
    if error is not None:
        packed[META_PART] = _with_outcome(packed[META_PART], error.message)
        if destination.exists():
            # A whole recording of an earlier run is worth more than a part of this one.
            destination = destination.with_name(f"{destination.stem}.partial{SUFFIX}")
    save(packed, destination)
    return RecordedRun(destination, error)


@contextlib.contextmanager
def recorder_folder() -> Iterator[str]:
    """A private folder for one recorder, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="tfgraphdbg-", ignore_cleanup_errors=True) as folder:
        yield folder


class _Child:
    """One recorder process: its event pipe, its time limit and its end."""

    def __init__(self, request: RecordRequest, on_event: OnEvent) -> None:
        self._on_event = on_event
        self._folder = Path(request.folder)
        self._phase = "start"
        self._doing = ""
        self._failed: FailedEvent | None = None
        self._done = threading.Event()
        self._peak_bytes = 0
        # A session of its own: a Ctrl-C in the terminal reaches us alone, and we decide how the child ends.
        with (self._folder / LOG_PART).open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tfgraphdbg.recorders"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=recorder_environment(self._folder),
                start_new_session=True,
            )
        assert self._process.stdin is not None
        # The pipe stays open: its end tells the child that we are gone.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(msgspec.json.encode(request) + b"\n")
            self._process.stdin.flush()

    def follow(self, timeout_s: float | None) -> DebuggerError | None:
        """Pass events on until the process ends; the error that tells how it ended, or None."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        reader = threading.Thread(target=self._read_events, args=(self._process.stdout,), daemon=True)
        reader.start()
        try:
            while self._process.poll() is None:
                if deadline is not None and time.monotonic() > deadline:
                    return self._stopped(RecordingTimedOutError, f"did not finish within {timeout_s:g} s")
                self._watch_memory()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.05)
        except KeyboardInterrupt:
            return self._stopped(RecordingInterruptedError, "was interrupted")
        finally:
            self._kill_group()
            reader.join(1.0)
        return self._error_of_end(self._process.returncode)

    def _read_events(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            try:
                event = msgspec.json.decode(line, type=Event)
            except msgspec.MsgspecError:
                # Something wrote to stdout before the recorder had taken it over; it is not for us.
                continue
            if isinstance(event, PhaseEvent):
                self._phase, self._doing = event.name, ""
            elif isinstance(event, NowEvent):
                self._doing = event.doing
            elif isinstance(event, FailedEvent):
                self._failed = event
            elif isinstance(event, DoneEvent):
                self._done.set()
            self._on_event(event)

    def _watch_memory(self) -> None:
        with contextlib.suppress(psutil.Error):
            self._peak_bytes = max(self._peak_bytes, psutil.Process(self._process.pid).memory_info().rss)

    def _where(self) -> str:
        return f"during the phase {self._phase!r}" + (f" ({self._doing})" if self._doing else "")

    def _stopped(self, kind: type[DebuggerError], what: str) -> DebuggerError:
        where = self._where()
        if hasattr(signal, "SIGUSR1"):
            # The recorder's faulthandler answers with the Python lines, also from within native code.
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(0.2)
        lines = _python_lines(self._folder / LOG_PART, "Stack (most recent call first)")
        self._process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            self._process.wait(GRACE_S)
        hint = "give it more time with --timeout SECONDS" if kind is RecordingTimedOutError else ""
        return kind(f"the recording {what}, {where}", hint, f"it was here:\n{lines}" if lines else "")

    def _kill_group(self) -> None:
        """End what is left of the process and of those that it started."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def _error_of_end(self, code: int) -> DebuggerError | None:
        if self._failed is not None:
            return self._failed.error()
        if code == 0 or self._done.is_set():
            return None
        detail = _python_lines(self._folder / LOG_PART, "Fatal Python error")
        if code < 0:
            return UserCodeError(self._signal_message(-code), _crash_hint(-code), detail)
        return UserCodeError(
            f"the process ended with exit code {code} {self._where()}, without a word to the recorder",
            "look at what it printed: tfgraphdbg keeps it in the recording's console and log",
            detail,
        )

    def _signal_message(self, number: int) -> str:
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        if number == getattr(signal, "SIGKILL", 9):
            peak = f"; it held {self._peak_bytes / 2**30:.1f} GiB" if self._peak_bytes else ""
            return f"the process was killed ({name}) {self._where()}, most likely out of memory{peak}"
        return f"the process crashed with {name} {self._where()}"


def _crash_hint(number: int) -> str:
    if number == getattr(signal, "SIGKILL", 9):
        return "try a smaller batch (--batch N), or a machine with more memory"
    return "the Python lines above ran when it crashed; the crash is in native code that they called"


def _python_lines(log: Path, heading: str) -> str:
    """What Python's faulthandler wrote last under a heading, innermost line first; empty when it wrote nothing."""
    text = _end_of(log, 1 << 20).decode("utf-8", "replace")
    start = text.rfind(heading)
    if start < 0:
        return ""
    own = (heading, "  ", "Thread ", "Current thread ")
    lines = itertools.takewhile(lambda line: not line or line.startswith(own), text[start:].splitlines())
    return "\n".join(_without_our_frames([line for line in lines if line])[:30])


def _without_our_frames(lines: list[str]) -> list[str]:
    ours = f"{os.sep}tfgraphdbg{os.sep}recorders{os.sep}"
    return [line for line in lines if ours not in line and "<frozen runpy>" not in line]


def _end_of(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            return file.read()
    except OSError:
        return b""


def _parts_of(folder: Path) -> dict[str, bytes]:
    packed = FolderParts(folder / "parts").packed()
    for part in (LOG_PART, CONSOLE_PART):
        if text := _end_of(folder / part, MAX_LOG_BYTES):
            packed[part] = text
    return packed


def _with_outcome(packed_meta: bytes, outcome: str) -> bytes:
    meta = decode_part(packed_meta, RecordingMeta, "meta")
    return encode_part(msgspec.structs.replace(meta, outcome=outcome))
