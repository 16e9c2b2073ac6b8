"""DOT source -> a laid out picture, by `dot` in a process of its own with a time limit."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tfgraphdbg.errors import DebuggerError, ExitCode, MissingRequirementError

ENGINE_VARIABLE = "TFGRAPHDBG_DOT"

_EMBEDDED = "graphviz-pure"
_EMBEDDED_FORMATS = frozenset({"svg", "png", "jpg", "plain", "json", "dot"})
_INSTALL = "install Graphviz (apt install graphviz, brew install graphviz, winget install graphviz)"
_MAX_COMPLAINT = 300


class LayoutFailedError(DebuggerError):
    """The layout engine ended with an error, or took too long."""

    exit_code = ExitCode.MISSING_REQUIREMENT


class LayoutEngine(NamedTuple):
    """A program that understands `dot`'s command line."""

    path: str
    embedded: bool = False


def find_engine(output_format: str) -> LayoutEngine:
    """The engine for a format: $TFGRAPHDBG_DOT, else graphviz-pure, else the system's `dot`.

    Raises MissingRequirementError when none is there, or none that writes this format.
    """
    named = os.environ.get(ENGINE_VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise MissingRequirementError(
                f"${ENGINE_VARIABLE} names {named!r}, which is not a program",
                f"unset {ENGINE_VARIABLE}, or set it to the path of dot",
            )
        return LayoutEngine(found)
    embedded = _embedded_engine() if output_format in _EMBEDDED_FORMATS else None
    system = shutil.which("dot")
    if embedded is None and system is None:
        if output_format in _EMBEDDED_FORMATS:
            raise MissingRequirementError("no layout engine was found", "pip install graphviz-pure")
        raise MissingRequirementError(
            f"a {output_format} picture needs Graphviz, and no `dot` was found", f"{_INSTALL}, or write an .svg"
        )
    return LayoutEngine(embedded, True) if embedded else LayoutEngine(str(system))


def _embedded_engine() -> str | None:
    """The program of the graphviz-pure wheel; the environment need not be activated."""
    try:
        files = importlib.metadata.files(_EMBEDDED) or ()
    except importlib.metadata.PackageNotFoundError:
        return None
    program = next((file for file in files if Path(file).stem == _EMBEDDED), None)
    path = str(program.locate()) if program else ""
    return path if os.access(path, os.X_OK) else None


def lay_out(source: str, output_format: str, timeout_s: float, *flags: str) -> bytes:
    """Run the engine on DOT source. Raises LayoutFailedError on any exit but 0: such a picture may lack edges."""
    process = _started([find_engine(output_format).path, f"-T{output_format}", *flags])
    try:
        picture, complaint = process.communicate(source.encode(), timeout_s)
    except subprocess.TimeoutExpired:
        raise LayoutFailedError(f"the layout engine took longer than {timeout_s:.2g} s") from None
    finally:
        _end(process)
    if process.returncode or not picture:
        words = complaint.decode("utf-8", "replace").strip().splitlines()
        said = f": {words[-1][:_MAX_COMPLAINT]}" if words else ""
        raise LayoutFailedError(f"the layout engine failed with exit code {process.returncode}{said}")
    return picture


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    try:
        # A process group of its own, so that the time limit also ends what a wrapper script started.
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise LayoutFailedError(f"{command[0]} could not be started: {error.strerror}") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
