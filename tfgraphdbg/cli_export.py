"""Writes a recording as another tool's file, as a command line asks."""

from __future__ import annotations

import argparse

from tfgraphdbg.exports import check_file_name, export_named, exported
from tfgraphdbg.recording import Recording, Tracing


def check_export(arguments: argparse.Namespace) -> None:
    """Refuse a file name that does not fit. Raises UsageError."""
    check_file_name(export_named(arguments.to), arguments.output)


def export_of(arguments: argparse.Namespace, recording: Recording, tracing: Tracing | None) -> bytes:
    """The bytes of the file. Raises UsageError when the recording lacks the evidence for it."""
    return exported(export_named(arguments.to), recording, tracing or recording.main_tracing, arguments.output)
