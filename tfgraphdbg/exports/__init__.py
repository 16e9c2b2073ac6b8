"""Recording -> other tools' formats. `EXPORTS` is the registry; its order is the order in `--help`."""

from __future__ import annotations

import gzip

from tfgraphdbg.errors import UsageError
from tfgraphdbg.exports.as_perfetto import perfetto_trace
from tfgraphdbg.exports.contract import Export
from tfgraphdbg.message_words import listed, quoted
from tfgraphdbg.recording import Recording, Tracing

EXPORTS: tuple[Export, ...] = (
    Export("perfetto", "a timeline for ui.perfetto.dev and chrome://tracing", (".json",), perfetto_trace),
)

PACKED = ".gz"


def export_named(name: str) -> Export:
    """The entry of `EXPORTS` with this name. Raises UsageError."""
    for export in EXPORTS:
        if export.name == name:
            return export
    raise UsageError(f"there is no export to {quoted(name)}", f"known: {listed(one.name for one in EXPORTS)}")


def check_file_name(export: Export, output: str | None) -> None:
    """Refuse a file name that the other tool would take for something else. Raises UsageError."""
    if output and not output.lower().removesuffix(PACKED).endswith(export.extensions):
        endings = [f"{extension}{packed}" for extension in export.extensions for packed in ("", PACKED)]
        raise UsageError(
            f"{quoted(output)} does not end as a file for {export.name} does", f"let it end with {' or '.join(endings)}"
        )


def exported(export: Export, recording: Recording, tracing: Tracing, output: str | None) -> bytes:
    """The bytes of the file, packed when its name says so. Raises UsageError when the evidence was not recorded."""
    data = export.write(recording, tracing)
    # Without a time in it, so that the same recording gives the same bytes.
    return gzip.compress(data, 6, mtime=0) if output and output.lower().endswith(PACKED) else data
