"""What a recording says of its run: its target, versions, tracings and their stages, stacks, and what is missing."""

from __future__ import annotations

from typing import Literal

import msgspec

from tfgraphdbg.errors import UnreadableFileError

FORMAT_VERSION = 1
"""Raised when an older tfgraphdbg could misread a newer recording."""

Basis = Literal["measured", "estimated", "guessed"]

StageKind = Literal["graph", "text"]

Role = Literal["inference", "forward", "backward", "nested"]


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One Python stack frame. `library` marks frames of TensorFlow, Keras and other installed packages."""

    file: str
    line: int
    function: str
    code: str = ""
    library: bool = False


class StackTable(msgspec.Struct, frozen=True):
    """All Python stacks of a recording: each is indices into `frames`, outermost first."""

    frames: tuple[Frame, ...] = ()
    stacks: tuple[tuple[int, ...], ...] = ()

    def frames_of(self, stack: int) -> tuple[Frame, ...]:
        """The frames of one stack, outermost first; none for index -1."""
        if stack < 0:
            return ()
        try:
            return tuple([self.frames[index] for index in self.stacks[stack]])
        except IndexError:
            raise _no_stack(stack) from None

    def user_frame(self, stack: int) -> Frame | None:
        """The innermost frame of the user's own code, or None."""
        if stack < 0:
            return None
        try:
            for index in reversed(self.stacks[stack]):
                frame = self.frames[index]
                if not frame.library:
                    return frame
        except IndexError:
            raise _no_stack(stack) from None
        return None


def _no_stack(stack: int) -> UnreadableFileError:
    return UnreadableFileError(f"the recording is damaged: it has no Python stack number {stack}")


class Stage(msgspec.Struct, frozen=True):
    """One graph (or compiler text) of a tracing, as counted when it was recorded."""

    name: str
    """`traced`, `pre-optimization`, `lowered`, `optimized`, `partition:0` ..., `hlo`, `optimized-hlo`."""
    kind: StageKind = "graph"
    ops: int = 0
    """Ops of the graph itself; the bodies of library functions are counted by `function_ops`."""
    edges: int = 0
    functions: int = 0
    function_ops: int = 0
    bytes: int = 0
    """Size of the raw GraphDef, or of the text."""
    device: str = ""
    """The device of a partition; empty for other stages."""


BEFORE_FIRST_LINE = "before the function's first line (AutoGraph and set-up)"

AFTER_LAST_OP = "after the last op (outputs and TensorFlow's own book-keeping)"

THROWN_AWAY = "ops of graphs that TensorFlow made and threw away"


class OpMetric(msgspec.Struct, frozen=True):
    """A measurement as an overlay on a graph: one number an op id, so that every one is sorted and coloured alike."""

    name: str
    unit: str
    stage: str
    values: dict[str, float]
    basis: Basis = "measured"
    of_no_op: dict[str, float] = {}
    """What was measured beside all ops, by what it was."""


class Tracing(msgspec.Struct, frozen=True):
    """One concrete function: whose it is, what it was traced for, what that cost, and its stages."""

    index: int
    function: str
    """The Python function's name as the user knows it."""
    concrete_function: str
    """TensorFlow's own name, such as `__inference_train_step_123`."""
    signature: str
    role: Role = "inference"
    """`forward` and `backward` are what TensorFlow runs in place of `inference` under a gradient tape; `nested` was
    traced inside another tracing, whose library holds its graph."""
    file: str = ""
    line: int = 0
    stages: tuple[Stage, ...] = ()
    trace_ms: float | None = None
    """Measured wall time of tracing; None when it was traced before recording began."""
    first_run_ms: float | None = None
    """Measured wall time of the first call: Grappler, and collecting its graphs, included; None: it never ran."""
    calls: int = 0
    run_ms: float = 0.0
    """Measured wall time of all its calls, the first one included."""
    jit_compile: bool = False
    library: bool = False
    """Whether its Python function belongs to an installed package: Keras's train step, a helper of tf.data."""

    def stage(self, name: str) -> Stage | None:
        """The stage of that name, or None."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def is_of(self, name: str) -> bool:
        """Whether a user may mean it by `name`: the Python function, TensorFlow's concrete function, or its index."""
        return name in (self.function, self.concrete_function, str(self.index)) or self.function.endswith(f".{name}")

    @property
    def default_stage(self) -> str:
        """The graph stage to show when none is named: the one nearest to what really ran."""
        graphs = [stage.name for stage in self.stages if stage.kind == "graph"]
        return next((name for name in ("optimized", "lowered", "traced") if name in graphs), (graphs or ["traced"])[0])


class CallRecord(msgspec.Struct, frozen=True, array_like=True):
    """One call of a concrete function from Python, in order of time."""

    tracing: int
    start_ms: float
    ms: float


class MissingEvidence(msgspec.Struct, frozen=True):
    """Evidence that could not be had, and why."""

    evidence: str
    reason: str


class TargetInfo(msgspec.Struct, frozen=True):
    """What was recorded, as the user named it."""

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    """Where the example inputs came from, one sentence a call that differed."""


class DeviceInfo(msgspec.Struct, frozen=True):
    """One logical device that TensorFlow had, such as `CPU:0`; `description` names the hardware."""

    name: str
    kind: str
    description: str = ""


class RecordingMeta(msgspec.Struct, frozen=True):
    """The small part that is always loaded: it answers `what is in here` without the graphs."""

    target: TargetInfo
    format_version: int = FORMAT_VERSION
    tfgraphdbg: str = ""
    created: str = ""
    """UTC, ISO 8601."""
    outcome: str = "complete"
    """`complete`, or one sentence of how the run ended early; what came before is kept."""
    versions: dict[str, str] = {}
    devices: tuple[DeviceInfo, ...] = ()
    options: dict[str, dict[str, str]] = {}
    """Options in force by group: `grappler`, `execution`, `keras`, `environment`."""
    tracings: tuple[Tracing, ...] = ()
    main_tracing: int | None = None
    """Index of the tracing that reports show first; None when nothing was traced."""
    phases_ms: dict[str, float] = {}
    """Measured wall time of each recording phase."""
    missing: tuple[MissingEvidence, ...] = ()
