"""Arguments -> recording -> report -> output. The only place that prints, exits and maps errors to exit codes."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tfgraphdbg.cli_arguments import PICTURE_COLORS, TERMINAL_COLORS, parse_arguments
from tfgraphdbg.errors import DebuggerError, ExitCode, RecordingInterruptedError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from tfgraphdbg.recording import Recording, Tracing
    from tfgraphdbg.report import Report

DEBUG_VARIABLE = "TFGRAPHDBG_DEBUG"


def main_and_exit() -> NoReturn:
    """The console script."""
    code = main(sys.argv[1:])
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.exit(code)


def main(words: Sequence[str]) -> int:
    """Serve one command line and return its exit code; never raises what a user could cause."""
    try:
        arguments = parse_arguments(words)
        with _termination_as_interrupt():
            return int(_serve(arguments))
    except DebuggerError as error:
        _show_error(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        _show_error(RecordingInterruptedError("interrupted"))
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has seen enough, as `head` does: what is left has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.DONE)


@contextlib.contextmanager
def _termination_as_interrupt() -> Any:
    """Let SIGTERM end a recording as Ctrl-C does: what was recorded so far is kept."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:
        # Signals belong to the main thread; elsewhere the caller keeps them.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _serve(arguments: argparse.Namespace) -> ExitCode:
    if arguments.verb != "record":
        _check_output(arguments)
    recording, failure = _recording_for(arguments, arguments.target, arguments.program_arguments)
    if failure is not None:
        raise failure
    if arguments.verb == "record":
        return ExitCode.DONE
    if arguments.verb == "render":
        return _render(arguments, recording)
    if arguments.verb == "export":
        return _export(arguments, recording)
    if arguments.verb == "inspect" and _has_screen() and not (arguments.format or arguments.output):
        return _browse(arguments, recording)
    return _report(arguments, recording)


def _check_output(arguments: argparse.Namespace) -> None:
    """Refuse an unknown format, device or an unwritable place before a recording of minutes, not after it."""
    from tfgraphdbg.views import graph_view_for, report_view_for

    if arguments.verb == "export":
        from tfgraphdbg.cli_export import check_export

        check_export(arguments)
    else:
        choose = graph_view_for if arguments.verb == "render" else report_view_for
        choose(arguments.format, arguments.output)
    if arguments.output and not Path(arguments.output).absolute().parent.is_dir():
        raise UsageError(f"cannot write {arguments.output}: its folder does not exist", "create it, or choose another")
    if getattr(arguments, "device_model", ""):
        from tfgraphdbg.device_models import require_device_model

        require_device_model(arguments.device_model)


def _recording_for(
    arguments: argparse.Namespace, target: str, program_arguments: tuple[str, ...] = ()
) -> tuple[Recording, DebuggerError | None]:
    """Open a saved recording, or make one; with it the error that ended it early."""
    from tfgraphdbg.recording_file import load
    from tfgraphdbg.target import parse_target

    spec = parse_target(target, program_arguments)
    if spec.kind == "recording":
        _refuse_recording_options(arguments, target)
        return load(spec.path), None
    from tfgraphdbg.cli_recording import record_target

    return record_target(arguments, spec, _stderr(arguments))


def _refuse_recording_options(arguments: argparse.Namespace, target: str) -> None:
    """Nothing runs for a saved recording: an option that asks for a run was a mistake."""
    if arguments.verb == "record":
        raise UsageError(f"{target} is a recording already", "copy the file, or name the program to record it again")
    if getattr(arguments, "second", None):
        return
    options = ("input", "inputs_from", "mode", "batch", "seed", "without", "only", "steps", "eager", "timeout", "save")
    for option in options:
        value = getattr(arguments, option)
        if value not in (None, []):
            name = ("--no-" if value is False else "--") + option.replace("_", "-")
            raise UsageError(f"{name} is for recording, and {target} is a recording already", f"leave {name} out")


def _has_screen() -> bool:
    # Textual reads keys from stdin and paints on stderr.
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _browse(arguments: argparse.Namespace, recording: Recording) -> ExitCode:
    from tfgraphdbg.tui.app import DebuggerApp

    DebuggerApp(recording).run()
    return ExitCode.DONE


def _report(arguments: argparse.Namespace, recording: Recording) -> ExitCode:
    from tfgraphdbg.analyses import analysis_named
    from tfgraphdbg.analyses.contract import AnalysisOptions

    name = "overview" if arguments.verb == "inspect" else arguments.verb
    second = getattr(arguments, "second", None)
    against, failure = _recording_for(arguments, second) if second else (None, None)
    if failure is not None:
        raise failure
    options = AnalysisOptions(
        _tracing(arguments, recording),
        getattr(arguments, "stage", None),
        getattr(arguments, "against", None),
        against,
        getattr(arguments, "device_model", ""),
    )
    report = analysis_named(name).run(recording, options)
    _write_report(arguments, report)
    return _gate(arguments.fail_on, report)


def _tracing(arguments: argparse.Namespace, recording: Recording) -> Tracing | None:
    return recording.tracing_of(arguments.function) if arguments.function else None


def _gate(fail_on: str, report: Report) -> ExitCode:
    from tfgraphdbg.report import SEVERITY_ORDER

    if fail_on == "never":
        return ExitCode.DONE
    gate = SEVERITY_ORDER[: SEVERITY_ORDER.index(fail_on) + 1]
    failed = any(finding.severity in gate for finding in report.findings)
    return ExitCode.GATE_FAILED if failed else ExitCode.DONE


def _write_report(arguments: argparse.Namespace, report: Report) -> None:
    from tfgraphdbg.views import report_view_for
    from tfgraphdbg.views.contract import TextOptions

    view = report_view_for(arguments.format, arguments.output)
    terminal = not arguments.output and sys.stdout.isatty()
    width = os.get_terminal_size(sys.stdout.fileno()).columns if terminal else None
    color = _wants_color(arguments.color, terminal)
    text = view.render(report, TextOptions(width or None, color))
    _write(arguments, (text if text.endswith("\n") else text + "\n").encode("utf-8", "backslashreplace"))


def _render(arguments: argparse.Namespace, recording: Recording) -> ExitCode:
    from tfgraphdbg.cli_picture import picture_of
    from tfgraphdbg.views import graph_view_for

    view = graph_view_for(arguments.format, arguments.output)
    if not (arguments.output or arguments.format) and sys.stdout.isatty():
        raise UsageError("a picture needs a file", "name one: -o graph.svg; or choose -f dot to read its source here")
    picture = picture_of(arguments, recording, _tracing(arguments, recording), view)
    if not arguments.output and view.is_binary and sys.stdout.isatty():
        raise UsageError(
            f"a {view.format} picture is not for a terminal", f"write it to a file: -o graph.{view.format}"
        )
    _write(arguments, picture)
    return ExitCode.DONE


def _export(arguments: argparse.Namespace, recording: Recording) -> ExitCode:
    from tfgraphdbg.cli_export import export_of

    if not arguments.output and sys.stdout.isatty():
        raise UsageError("an export is not for a terminal", "name a file: -o trace.json.gz")
    _write(arguments, export_of(arguments, recording, _tracing(arguments, recording)))
    return ExitCode.DONE


def _write(arguments: argparse.Namespace, data: bytes) -> None:
    if not arguments.output:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    from tfgraphdbg.recording_file import write_atomically

    def write(temporary: str) -> None:
        Path(temporary).write_bytes(data)

    write_atomically(Path(arguments.output), write)
    if not arguments.quiet:
        _stderr(arguments).print(f"wrote {arguments.output}", markup=False, highlight=False)


def _wants_color(choice: str, terminal: bool) -> bool:
    if choice in PICTURE_COLORS:
        choice = TERMINAL_COLORS[0]
    if choice == "auto":
        return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return choice == "always"


def _stderr(arguments: argparse.Namespace) -> Console:
    from rich.console import Console

    color = _wants_color(arguments.color, sys.stderr.isatty())
    return Console(stderr=True, no_color=not color, highlight=False, soft_wrap=True)


def _show_error(error: DebuggerError) -> None:
    """The user's own frames first, then what happened, then what to type next."""
    from tfgraphdbg.foreign_text import visible

    for line in error.detail.splitlines():
        print(visible(line, keep="\t"), file=sys.stderr)
    print(f"tfgraphdbg: {visible(error.message)}", file=sys.stderr)
    for line in error.hint.splitlines():
        print(f"  {visible(line)}", file=sys.stderr)
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
