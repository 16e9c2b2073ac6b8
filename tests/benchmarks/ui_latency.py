"""How long until the terminal UI shows a recording, and until a key press is painted; by hand:

python -m tests.benchmarks.ui_latency run.tfgdbg
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import resource
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.processes import ROOT, Row

if TYPE_CHECKING:
    from textual.message import Message

ROWS, COLUMNS = 50, 160
SETTLE_S = 0.25
"""A key is judged when nothing was painted for this long after it."""

DOWN, PAGE_DOWN, TAB, ENTER, ESCAPE, BACKSPACE = "\x1b[B", "\x1b[6~", "\t", "\r", "\x1b", "\x7f"

SCRIPT: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("down", (DOWN,) * 20),
    ("page down", (PAGE_DOWN,) * 15),
    ("last, first", ("G", "g") * 3),
    ("type a search", ("/", *"conv2d")),
    ("type a field", (*" scope:block",)),
    ("to the list, down", (ENTER, *(DOWN,) * 10)),
    ("walk along edges", (ENTER, *(ENTER,) * 8)),
    ("back", (BACKSPACE,) * 8),
    ("clear the search", (ESCAPE,)),
    ("next panel", (TAB,) * 9),
    ("next stage", ("]", "[") * 2),
    ("passes", ("p",)),
    ("down the passes", (DOWN,) * 15),
    ("down an edit", (TAB, *(DOWN,) * 10, *(PAGE_DOWN,) * 5, "N", "n")),
    ("search an edit", ("/", *"conv", ENTER, ESCAPE)),
    ("an op of an edit", ("j", ENTER)),
    ("back to the graph", ("1",)),
    ("next pass", ("{", "{", "}", "}")),
    ("colour by time", ("1", "c", *(DOWN,) * 10, "c")),
    ("bottlenecks", ("b",)),
    ("down the topics", (DOWN,) * 6),
    ("down the lines", ("g", DOWN, ENTER, *(DOWN,) * 10, ENTER, *(DOWN,) * 5, *(PAGE_DOWN,) * 5)),
    ("down the ops", (TAB, "g", DOWN, DOWN, ENTER, *(DOWN,) * 15, *(PAGE_DOWN,) * 10, "G", "g")),
    ("search the ops", ("/", *"conv2d", ENTER, DOWN, ESCAPE)),
    ("an op of the table", ("g", ENTER, "b")),
    ("eager run", ("e",)),
    ("down the op trace", (ENTER, *(DOWN,) * 15, *(PAGE_DOWN,) * 10, "G", "g")),
)

KEY_EVENT, PAINT = "key", "paint"


def measure(path: Path, runs: int = 3) -> dict[str, Any]:
    """Open `path` some times: seconds to the first rows (median), then milliseconds from keys to paints of one run."""
    opened = [_run(path, ()) for _ in range(max(runs - 1, 0))] + [_run(path, SCRIPT)]
    events = opened[-1]["events"]
    delays = _delays(events)
    every = [delay for group in delays.values() for delay in group]
    return {
        "recording": path.name,
        "terminal": f"{COLUMNS}x{ROWS}",
        "first_rows_s": round(statistics.median(run["first_rows_s"] for run in opened), 3),
        "rss_mb": round(opened[-1]["rss_mb"]),
        "keys": len(every),
        "key_to_paint_ms": _quantiles([first for first, _ in every]),
        "key_to_settled_ms": _quantiles([last for _, last in every]),
        "by_keys_ms": {name: _quantiles([last for _, last in group]) for name, group in delays.items()},
    }


def rows(path: Path, repeats: int) -> Iterator[Row]:
    """The numbers that have a limit."""
    measured = measure(path, repeats)
    yield Row("first rows of the terminal UI, from the start of the process", measured["first_rows_s"], "s", 1.0)
    yield Row("its peak memory", measured["rss_mb"], "MB", None)
    yield Row("key press to paint, median", measured["key_to_paint_ms"]["p50"], "ms", None)
    yield Row("key press to paint, 95th percentile", measured["key_to_paint_ms"]["p95"], "ms", 50)
    yield Row("key press to its last paint, 95th percentile", measured["key_to_settled_ms"]["p95"], "ms", None)


def _quantiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {
        name: round(1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1) for name, share in at.items()
    }


def _delays(events: list[tuple[str, float, str]]) -> dict[str, list[tuple[float, float]]]:
    """For each key: seconds until the first paint after it, and until the last one before the next key."""
    delays: dict[str, list[tuple[float, float]]] = {}
    keys = [place for place, event in enumerate(events) if event[0] == KEY_EVENT]
    for place, following in zip(keys, [*keys[1:], len(events)], strict=True):
        pressed = events[place][1]
        paints = [when - pressed for kind, when, _ in events[place:following] if kind == PAINT]
        if paints:
            delays.setdefault(events[place][2], []).append((paints[0], paints[-1]))
    return delays


def _run(path: Path, script: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, Any]:
    """One start of the app in a terminal of its own, which is then pressed the keys of `script`."""
    control, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    report, report_end = os.pipe()
    started = time.time()
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.ui_latency", "--app", str(path.resolve()), str(report_end)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        pass_fds=(report_end,),
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )
    os.close(terminal)
    os.close(report_end)
    try:
        lines = _Lines(control, report)
        first_rows = float(lines.wait_for("rows").split()[1]) - started
        lines.settle()
        labels = []
        for name, keys in script:
            for key in keys:
                os.write(control, key.encode())
                labels.append(name)
                lines.settle()
        os.write(control, b"\x11")
        lines.drain()
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(10)
        os.close(control)
        os.close(report)
    return {"first_rows_s": first_rows, **_parsed(lines.received, labels)}


def _parsed(received: list[str], labels: list[str]) -> dict[str, Any]:
    waiting = iter(labels)
    events = []
    rss = 0.0
    for line in received:
        kind, value = line.split()[:2]
        if kind == "rss":
            rss = float(value)
        elif kind == KEY_EVENT:
            label = next(waiting, None)
            if label is not None:
                events.append((kind, float(value), label))
        elif kind == PAINT:
            events.append((kind, float(value), ""))
    return {"events": events, "rss_mb": rss}


class _Lines:
    """What the app reports, line by line, while its terminal output is read and thrown away."""

    def __init__(self, control: int, report: int) -> None:
        self._report = report
        self._open = [control, report]
        self._rest = b""
        self.received: list[str] = []

    def _read(self, timeout: float) -> bool:
        """Take in what comes within `timeout` seconds; False when nothing did, or nothing can any more."""
        ready, _, _ = select.select(self._open, [], [], timeout)
        for source in ready:
            try:
                data = os.read(source, 65536)
            except OSError:
                data = b""
            if not data:
                self._open.remove(source)
            elif source == self._report:
                *lines, self._rest = (self._rest + data).split(b"\n")
                self.received += [line.decode() for line in lines]
        return bool(ready)

    def wait_for(self, kind: str) -> str:
        deadline = time.time() + 60
        while time.time() < deadline:
            self._read(0.1)
            for line in self.received:
                if line.startswith(kind):
                    return line
        raise TimeoutError(f"the app did not report {kind!r}")

    def settle(self) -> None:
        while self._read(SETTLE_S):
            pass

    def drain(self) -> None:
        deadline = time.time() + 5
        while self._open and time.time() < deadline:
            self._read(0.5)


def _run_app(path: str, report_end: int) -> None:
    """The measured process: the command as users type it, with the app's keys and paints watched."""
    from textual.events import Key

    from tfgraphdbg.cli import main
    from tfgraphdbg.tui import app
    from tfgraphdbg.tui.widgets.op_list import OpList

    def report(*words: object) -> None:
        os.write(report_end, " ".join(map(str, words)).encode() + b"\n")

    class WatchedApp(app.DebuggerApp):
        shows_rows = False

        def on_mount(self) -> None:
            driver = self._driver
            assert driver is not None
            self._write, self._process = driver.write, driver.process_message
            driver.write, driver.process_message = self._watch_write, self._watch_input  # type: ignore[method-assign]

        def _watch_write(self, data: str) -> None:
            self._write(data)
            # Marks of a synchronized paint come in writes of their own.
            if len(data) > 20:
                report(PAINT, time.time())
            if not self.shows_rows and len(data) > 2000 and self.screen.query_one(OpList).row_count:
                self.shows_rows = True
                report("rows", time.time())

        def _watch_input(self, message: Message) -> None:
            if isinstance(message, Key):
                report(KEY_EVENT, time.time())
            self._process(message)

    app.DebuggerApp = WatchedApp  # type: ignore[misc]
    main(["inspect", path])
    report("rss", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    if sys.argv[1] == "--app":
        _run_app(sys.argv[2], int(sys.argv[3]))
    else:
        print(json.dumps(measure(Path(sys.argv[1])), indent=1))
