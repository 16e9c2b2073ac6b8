"""One op and the graph around it -> everything that its detail panel says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfgraphdbg.analyses.op_life import OpLives
from tfgraphdbg.graph_model import AttrValue, Edge, GraphModel, OpNode, OutputInfo, op_id, parse_input
from tfgraphdbg.recording import Frame, StackTable
from tfgraphdbg.tui.op_times import OpTimes, SlackTimes
from tfgraphdbg.tui.pass_notes import FindingPart


@dataclass(frozen=True)
class InputFact:
    """One input: where it comes from and what flows in. `output` is `CONTROL` for a control edge."""

    op_id: str
    output: int
    info: OutputInfo | None
    op_type: str
    """Empty when the graph does not hold the producer."""


@dataclass(frozen=True)
class OpFacts:
    """What the graph says of one op. An op may have ten thousand edges, so each is looked at when it is asked for."""

    op: OpNode
    graph: GraphModel
    consumers: Mapping[int, Sequence[Edge]] | None
    """Its outgoing edges by output index, `CONTROL` for control edges; None while they are being gathered."""
    frames: tuple[Frame, ...]
    """Its Python stack, outermost first."""
    lives: OpLives | None = None
    """What became of each op of its tracing; None while that is not known, or when passes were not recorded."""
    lives_note: str = ""
    """Why that is not known, or not yet; empty where there is nothing to know."""
    findings: tuple[FindingPart, ...] = ()
    """Findings of the passes that it takes part in."""
    times: OpTimes | None = None
    """Times of the ops that ran; None while they are not known, or where none were recorded."""
    slack: SlackTimes | None = None
    """What is known of how much longer ops may take; None while it is not."""
    by_time: bool = False
    """Whether ops have the colours of their times."""

    @property
    def attrs(self) -> Mapping[str, AttrValue]:
        """Its attrs, by name."""
        return self.graph.attrs_of(self.op)

    @property
    def user_frames(self) -> tuple[Frame, ...]:
        """The frames of the user's own code, innermost first."""
        return tuple(frame for frame in reversed(self.frames) if not frame.library)

    @property
    def library_frames(self) -> tuple[Frame, ...]:
        """The frames of installed packages, innermost first."""
        return tuple(frame for frame in reversed(self.frames) if frame.library)

    @property
    def functions(self) -> tuple[str, ...]:
        """Library functions that it calls, as its attrs name them."""
        return _called_functions(self.attrs, frozenset(self.graph.functions))

    def input(self, position: int) -> InputFact:
        """What is known of one of its inputs."""
        name, output = parse_input(self.op.inputs[position])
        producer_id = op_id(self.op.function, name)
        producer = self.graph.by_id.get(producer_id)
        info = producer.outputs[output] if producer and 0 <= output < len(producer.outputs) else None
        return InputFact(producer_id, output, info, producer.op_type if producer else "")


def facts_of(
    op: OpNode, graph: GraphModel, stacks: StackTable, consumers: Mapping[str, Sequence[Edge]] | None
) -> OpFacts:
    """Gather what is known of `op`; `consumers` is the graph's own, or None while that is being built."""
    by_output: dict[int, list[Edge]] | None = None
    if consumers is not None:
        by_output = {}
        for edge in consumers.get(op.id, ()):
            by_output.setdefault(edge.output, []).append(edge)
    return OpFacts(op, graph, by_output, stacks.frames_of(op.stack))


def _called_functions(attrs: Mapping[str, AttrValue], functions: frozenset[str]) -> tuple[str, ...]:
    named = []
    for value in attrs.values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text in functions:
                named.append(text)
    return tuple(dict.fromkeys(named))
