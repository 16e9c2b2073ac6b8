"""One session of TensorFlow's own profiler around a few calls: what it saw, as a serialized XSpace.

Seen on TensorFlow 2.16.2, 2.18.1 and 2.21.0. One session at a time is a rule of the whole process.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfgraphdbg.recorders import tensorflow_internals

MARKER = "tfgraphdbg step"
"""The name of the event around each measured call."""

HOST_LEVEL = 3
"""Below, ops are left out that the runtime holds to be cheap: whose last executions took less than 8,000 cycles."""


class ProfilerUnavailableError(Exception):
    """No session could be had, and why."""


class ProfilerSession:
    """A session that is under way; `finish` gives what it saw."""

    def __init__(self) -> None:
        from tensorflow.python.profiler.internal import _pywrap_profiler

        self._folder = tempfile.mkdtemp(prefix="tfgraphdbg-profile-")
        options = {"host_tracer_level": HOST_LEVEL, "python_tracer_level": 0, "device_tracer_level": 1}
        try:
            self._session = _pywrap_profiler.ProfilerSession()
            self._session.start(self._folder, options)
            self.tells_cheap_ops = tensorflow_internals.raise_trace_level(HOST_LEVEL)
        except Exception as error:
            self.discard()
            raise ProfilerUnavailableError(_reason(error)) from error

    def finish(self) -> bytes:
        """End the session and return its XSpace."""
        try:
            # The bytes that stop() gives do not parse on 2.21; the file does.
            self._session.export_to_tb()
            files = sorted(Path(self._folder).rglob("*.xplane.pb"))
            if not files:
                raise ProfilerUnavailableError("TensorFlow's profiler wrote no trace")
            return files[-1].read_bytes()
        except ProfilerUnavailableError:
            raise
        except Exception as error:
            raise ProfilerUnavailableError(_reason(error)) from error
        finally:
            self.discard()

    def abandon(self) -> None:
        """End the session without its trace."""
        with contextlib.suppress(Exception):
            self._session.export_to_tb()
        self.discard()

    def discard(self) -> None:
        """Remove what it wrote."""
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def marked_call(number: int) -> Iterator[None]:
    """Mark the time of one call in the trace."""
    from tensorflow.python.profiler import trace

    with trace.Trace(MARKER, step_num=number):
        yield


def _reason(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "another profil" in text.lower() or "only one profil" in text.lower():
        return "another session of TensorFlow's profiler was under way, and a process can have one only"
    return f"TensorFlow's profiler failed: {text}"


def wait_for(outputs: Any) -> None:
    """Return when every output is there: kernels of other devices may still run when a call returns."""
    import tensorflow

    opaque = (tensorflow.resource, tensorflow.variant)
    for output in tensorflow.nest.flatten(outputs, expand_composites=True):
        if tensorflow.is_tensor(output) and hasattr(output, "numpy") and output.dtype not in opaque:
            output.numpy()
