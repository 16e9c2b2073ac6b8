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

from tfgraphdbg.cli_arguments import DEFAULT_STEPS
from tfgraphdbg.cli_progress import RecordingProgress
from tfgraphdbg.errors import DebuggerError, UsageError
from tfgraphdbg.foreign_text import visible
from tfgraphdbg.input_language import parse_inputs
from tfgraphdbg.pass_switches import PassSwitches, parse_switches
from tfgraphdbg.record_request import RecordRequest
from tfgraphdbg.recorder_process import record_in_process, recorder_folder
from tfgraphdbg.recording import Recording
from tfgraphdbg.recording_file import SUFFIX, load
from tfgraphdbg.target import TargetSpec

LAST_LINES = 8
"""Of what a failed program printed: a usage error, or what it did before."""

MAX_KEPT = 20
"""Recordings that stay in the user's cache."""

MAX_NAMED_PASSES = 3
"""Passes that the name of a recording lists."""


def record_target(
    arguments: argparse.Namespace, spec: TargetSpec, console: Console
) -> tuple[Recording, DebuggerError | None]:
    """Record `spec` as the arguments ask. With an error, what was recorded before it is kept all the same."""
    # Wrong words end here, not after TensorFlow has been imported.
    switches = _switches(arguments, spec)
    destination = _destination(arguments, spec, switches)
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
            switches.without,
            switches.only,
            (DEFAULT_STEPS if arguments.runs else 0) if arguments.steps is None else arguments.steps,
            arguments.runs if arguments.eager is None else arguments.eager,
        )
        with RecordingProgress(console, arguments.quiet) as progress:
            run = record_in_process(request, destination, progress.on_event, arguments.timeout)
    recording = load(run.path)
    if arguments.verbose:
        _print_logs(recording, console)
    elif run.error is not None and recording.console:
        _print_lines("printed last by the program", recording.console.splitlines()[-LAST_LINES:], console)
    if not arguments.quiet or run.error is not None:
        _say_where(recording, run.path, run.error, console)
    return recording, run.error


def _switches(arguments: argparse.Namespace, spec: TargetSpec) -> PassSwitches:
    switches = parse_switches(arguments.without, arguments.only)
    if switches.origin and spec.kind == "graph_def":
        raise UsageError(
            f"{switches.origin} is for what runs, and of {spec.text} only the structure is read",
            f"leave {switches.origin} out, or name the program that the graph is from",
        )
    return switches


def _destination(arguments: argparse.Namespace, spec: TargetSpec, switches: PassSwitches) -> Path:
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
    return folder / (_file_name(spec.text) + _switched_name(switches) + SUFFIX)


def _file_name(target: str) -> str:
    """A short plain name that tells the target: `model.py-train_step`."""
    return re.sub(r"[^\w.-]+", "-", os.path.relpath(target) if os.path.isabs(target) else target).strip("-.")[-80:]


def _switched_name(switches: PassSwitches) -> str:
    """What keeps a recording with passes switched off apart from the ordinary one: `-without-remapper`."""
    names = switches.without or switches.only
    words = "-".join(names) if len(names) <= MAX_NAMED_PASSES else f"{len(names)}-passes"
    return f"{switches.origin[1:]}-{words}" if names else ""


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
    if error is None:
        kept = "the recording is kept"
    else:
        count = len(recording.tracings)
        what = "one tracing and" if count == 1 else f"{count} tracings and" if count else "no graph, only"
        kept = f"what was recorded so far is kept ({what} what it printed)"
    console.print(Text(visible(f"{kept}: tfgraphdbg inspect {shown}")))


def _print_logs(recording: Recording, console: Console) -> None:
    for title, text in (("printed by the program", recording.console), ("TensorFlow's log", recording.log)):
        if text:
            _print_lines(title, text.splitlines(), console)


def _print_lines(title: str, lines: list[str], console: Console) -> None:
    width = shutil.get_terminal_size().columns
    console.print(Text(f"--- {title} ".ljust(min(width, 60), "-")))
    console.print(Text("\n".join(visible(line, keep="\t") for line in lines)))
