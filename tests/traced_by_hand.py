"""Traced graphs as a Python program would have left them: each op with the lines of the stack that made it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.hand_built import packed_recording
from tfgraphdbg.graph_model import AttrValue, GraphModel, OpNode, OutputInfo
from tfgraphdbg.measured_times import tracing_times_part
from tfgraphdbg.recording import META_PART, Frame, OpMetric, Recording, RecordingMeta, StackTable
from tfgraphdbg.recording_file import MemoryParts, decode_part, encode_part

FILE = "/home/user/model.py"

AUTOGRAPH = Frame("/lib/tensorflow/python/autograph/operators/control_flow.py", 466, "protected_body", library=True)
LIBRARY = Frame("/lib/tensorflow/python/ops/math_ops.py", 99, "matmul", library=True)

RESOURCE = (OutputInfo("resource", ()),)
VECTOR = (OutputInfo("float32", (4,)),)

Place = tuple[str, int] | Frame


class HandTracing:
    """Adds ops in the order in which a program made them; a place is a function and a line of it, or a frame."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.ops: list[OpNode] = []
        self.frames: dict[Frame, int] = {}
        self.stacks: dict[tuple[int, ...], int] = {}
        self.attr_sets: list[dict[str, AttrValue]] = []
        self.times: dict[str, float] = {}
        self.of_no_op: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    def add(
        self,
        op_type: str,
        *places: Place,
        inputs: Sequence[str] = (),
        outputs: tuple[OutputInfo, ...] = VECTOR,
        name: str = "",
        function: str = "",
        attrs: dict[str, AttrValue] | None = None,
        us: float = 100.0,
    ) -> str:
        """Add an op and return its name."""
        count = self.counts[op_type + function] = self.counts.get(op_type + function, -1) + 1
        name = name or (f"{op_type}_{count}" if count else op_type)
        frames = [place if isinstance(place, Frame) else Frame(FILE, place[1], place[0]) for place in places]
        stack = tuple(self.frames.setdefault(frame, len(self.frames)) for frame in (*frames, LIBRARY))
        number = self.stacks.setdefault(stack, len(self.stacks))
        if attrs is not None:
            self.attr_sets.append(attrs)
        place = len(self.attr_sets) - 1 if attrs is not None else -1
        op = OpNode(name, op_type, tuple(inputs), "", place, outputs, number, function)
        self.ops.append(op)
        self.times[op.id] = us
        return name

    def packed(self, timed: bool = True) -> dict[str, bytes]:
        """The parts of the recording of it."""
        functions = tuple(dict.fromkeys(op.function for op in self.ops if op.function))
        graph = GraphModel("__inference_train_step_12", "traced", tuple(self.ops), tuple(self.attr_sets), functions)
        graph.check()
        packed = packed_recording(
            [graph], stacks=StackTable(tuple(self.frames), tuple(self.stacks)), sources={FILE: self.source}
        )
        if timed:
            metric = OpMetric("tracing", "us", "traced", self.times, of_no_op=self.of_no_op)
            packed[tracing_times_part(0)] = encode_part(metric)
        return packed

    def recording(self, timed: bool = True, **facts: object) -> Recording:
        """The recording of it; `facts` are those of its tracing, such as `trace_ms`."""
        import msgspec

        packed = self.packed(timed)
        meta = decode_part(packed[META_PART], RecordingMeta, "meta")
        tracing = msgspec.structs.replace(meta.tracings[0], **facts)
        return Recording(msgspec.structs.replace(meta, tracings=(tracing,)), MemoryParts(packed))
