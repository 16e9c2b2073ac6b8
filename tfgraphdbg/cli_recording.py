"""Makes a recording of a target for a command line, keeps it, and says where it lies."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tfgraphdbg.cli_progress import RecordingProgress
from tfgraphdbg.errors import DebuggerError, UsageError
from tfgraphdbg.foreign_text import visible
from tfgraphdbg.input_language import parse_inputs
from tfgraphdbg.record_request import RecordRequest
from tfgraphdbg.recorder_process import record_in_process, recorder_folder
from tfgraphdbg.recording import Recording
from tfgraphdbg.recording_file import SUFFIX, load
from tfgraphdbg.target import TargetSpec

MAX_KEPT = 20
"""Recordings that stay in the user's cache."""


def record_target(
    arguments: argparse.Namespace, spec: TargetSpec, console: Console
) -> tuple[Recording, DebuggerError | None]:
    """Record `spec` as the arguments ask. With an error, what was recorded before it is kept all the same."""
    destination = _destination(arguments, spec)
    # Wrong words end here, not after TensorFlow has been imported.
    parse_inputs(arguments.input)
    with recorder_folder() as folder:
        request = RecordRequest(
            spec,
            folder,
            tuple(arguments.input),
            arguments.inputs_from,
            arguments.mode,
            arguments.batch,
            arguments.seed,
            arguments.function,
        )
        with RecordingProgress(console, arguments.quiet) as progress:
            run = record_in_process(request, destination, progress.on_event, arguments.timeout)
    recording = load(run.path)
    if arguments.verbose:
        _print_logs(recording, console)
    if not arguments.quiet or run.error is not None:
        _say_where(recording, run.path, run.error, console)
    return recording, run.error


def _destination(arguments: argparse.Namespace, spec: TargetSpec) -> Path:
    """The file that the user named, else the target's own place in the user's cache."""
    named = arguments.output if arguments.verb == "record" else arguments.save
    if named:
        path = Path(named)
        if path.is_dir():
            raise UsageError(f"{named} is a folder", f"name a file in it: {path / ('run' + SUFFIX)}")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"cannot write {named}: its folder does not exist", "create it, or choose another place")
        return path
    folder = _cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if writable:
        _drop_oldest(folder)
    else:
        folder = Path(tempfile.gettempdir())
    return folder / (_file_name(spec.text) + SUFFIX)


def _file_name(target: str) -> str:
    """A short plain name that tells the target: `model.py-train_step`."""
    return re.sub(r"[^\w.-]+", "-", os.path.relpath(target) if os.path.isabs(target) else target).strip("-.")[-80:]


def _drop_oldest(folder: Path) -> None:
    """Keep the cache small: recordings that nobody asked to save, but for the latest ones."""
    with contextlib.suppress(OSError):
        kept = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[MAX_KEPT:]:
            path.unlink()


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "tfgraphdbg"


def _say_where(recording: Recording, path: Path, error: DebuggerError | None, console: Console) -> None:
    shown = str(path).replace(str(Path.home()), "~", 1) if str(path).startswith(str(Path.home())) else str(path)
    kept = "what was recorded so far" if error is not None else "the recording"
    console.print(Text(visible(f"{kept} is kept: tfgraphdbg inspect {shown}")))


def _print_logs(recording: Recording, console: Console) -> None:
    width = shutil.get_terminal_size().columns
    for title, text in (("printed by the program", recording.console), ("TensorFlow's log", recording.log)):
        if text:
            console.print(Text(f"--- {title} ".ljust(min(width, 60), "-")))
            console.print(Text("\n".join(visible(line, keep="\t") for line in text.splitlines())))
