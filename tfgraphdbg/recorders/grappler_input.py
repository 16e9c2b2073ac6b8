"""The graph that Grappler was given (inlined and lowered by the runtime), from the runtime's own dumps of the real run.

The runtime writes them when the environment asks for it before TensorFlow is imported (seen on 2.16.2 and 2.21.0): one
GraphDef a pass, announced in its log after `Optimize GrapplerItem: item.id=<concrete function>`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_ITEM = re.compile(rb"Optimize GrapplerItem: item\.id=(\S+)")
_DUMPED = re.compile(rb"Dumped Graph to (.+)")


class GrapplerDumps:
    """The dumps of this process so far; each is dropped once read, so that the disk they take stays bounded."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._log = log
        self._read_to = 0
        self._inputs: dict[str, Path] = {}

    def lowered_graph(self, concrete_function: str) -> Any | str:
        """The GraphDef that Grappler was given for a concrete function, or the reason why there is none."""
        self._follow_log()
        path = self._inputs.pop(concrete_function, None)
        try:
            if path is None:
                return (
                    "Grappler left this graph alone (it skips very small ones), or did not announce its dump in the log"
                )
            return _parse(path)
        except OSError as error:
            return f"the dump {path} could not be read: {error.strerror}"
        finally:
            self._drop_dumps()

    def _follow_log(self) -> None:
        with self._log.open("rb") as log:
            log.seek(self._read_to)
            news = log.read()
        complete = news.rfind(b"\n") + 1
        self._read_to += complete
        item = ""
        for line in news[:complete].splitlines():
            if found := _ITEM.search(line):
                item = found[1].decode("utf-8", "replace")
            elif (found := _DUMPED.search(line)) and b"before_MetaOptimizer_iteration_0" in found[1]:
                # Grappler may see a function twice; what it was given first is what the runtime made of the traced one.
                self._inputs.setdefault(item, Path(found[1].decode().strip()))

    def _drop_dumps(self) -> None:
        keep = set(self._inputs.values())
        for path in self._folder.iterdir():
            if path not in keep:
                path.unlink(missing_ok=True)


def _parse(path: Path) -> Any | str:
    from google.protobuf import message, text_format
    from tensorflow.core.framework import graph_pb2

    graph = graph_pb2.GraphDef()
    try:
        if path.suffix == ".pbtxt":
            # TensorFlow 2.16 and 2.17 know no TF_DUMP_GRAPH_FMT and write text.
            text_format.Parse(path.read_bytes(), graph)
        else:
            graph.ParseFromString(path.read_bytes())
    except (message.DecodeError, text_format.ParseError) as error:
        return f"the dump {path.name} could not be parsed: {error}"
    return graph
