"""The one error root, its few children, and the exit code that each of them means."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """What the process exits with; a promise to scripts."""

    DONE = 0
    GATE_FAILED = 1
    WRONG_USAGE = 2
    USER_CODE_FAILED = 3
    UNREADABLE_INPUT = 4
    MISSING_REQUIREMENT = 5
    TIMED_OUT = 124
    INTERRUPTED = 130


class DebuggerError(Exception):
    """Something that the user has to know: what happened, then what to type next.

    `message` is one sentence of what happened. `hint` says what to do next; empty when there is
    nothing to do. `detail` is longer foreign text that belongs to it, such as the user's own frames,
    and is shown before the message.
    """

    exit_code = ExitCode.WRONG_USAGE

    def __init__(self, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class UsageError(DebuggerError):
    """A word on the command line, a target or an example input that cannot be used."""


class UserCodeError(DebuggerError):
    """The user's program failed; `detail` holds its own frames."""

    exit_code = ExitCode.USER_CODE_FAILED


class UnreadableFileError(DebuggerError):
    """Not a recording or a model that can be read: foreign, damaged, truncated, too new or too large."""

    exit_code = ExitCode.UNREADABLE_INPUT


class MissingRequirementError(DebuggerError):
    """This machine lacks something that the request needs; `hint` says what to install."""

    exit_code = ExitCode.MISSING_REQUIREMENT


class RecordingTimedOutError(DebuggerError):
    """The user's program did not finish within the time limit."""

    exit_code = ExitCode.TIMED_OUT


class RecordingInterruptedError(DebuggerError):
    """The user pressed Ctrl-C, or the process was told to stop."""

    exit_code = ExitCode.INTERRUPTED
