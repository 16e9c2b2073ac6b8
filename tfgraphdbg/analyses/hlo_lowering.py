"""What became of traced ops for which XLA made no instruction at all: rules by op type and by constant inputs.

The op types are those of TensorFlow's own kernels for XLA, tensorflow/compiler/tf2xla/kernels: `identity_op.cc` hands
its inputs on, `no_op.cc` does nothing, `variable_ops.cc` keeps variables as values.
"""

from __future__ import annotations

from typing import NamedTuple

from tfgraphdbg.graph_model import CONTROL, GraphModel, OpNode, op_id

_HANDS_ON = frozenset(
    {"Identity", "IdentityN", "StopGradient", "PreventGradient", "Snapshot", "ReadVariableOp", "PlaceholderWithDefault"}
)

_DOES_NOTHING = frozenset({"NoOp", "ControlTrigger", "Assert"})

_ASKS_FOR_SHAPE = frozenset({"Shape", "ShapeN", "Size", "Rank", "VariableShape"})
"""XLA knows every shape when it compiles: their results are constants."""

_ARGUMENTS = frozenset({"Placeholder", "_Arg"})

_ASSIGNS = frozenset({"AssignVariableOp"})


class LoweredFate(NamedTuple):
    """The fate of an op without an instruction, and how it follows."""

    fate: str
    reason: str
    is_known: bool = True
    """Whether its op type decides, and not only that no instruction has its name."""


def constant_ops(traced: GraphModel) -> frozenset[str]:
    """Ids of the ops that are known when XLA compiles: constants, shapes, and what is computed from them alone."""
    known: set[str] = set()
    ops = traced.by_id
    for identity in traced.topological_order:
        op = ops[identity]
        if op.op_type == "Const" or op.op_type in _ASKS_FOR_SHAPE:
            known.add(identity)
            continue
        data = [op_id(op.function, name) for name, output in op.input_refs() if output != CONTROL]
        if data and all(source in known for source in data):
            known.add(identity)
    return frozenset(known)


def is_argument(op: OpNode) -> bool:
    """Whether the op stands for what a caller passes in."""
    return op.op_type in _ARGUMENTS


def is_assignment(op: OpNode) -> bool:
    """Whether the op only makes a value the new one of a variable."""
    return op.op_type in _ASSIGNS


def fate_without_instruction(op: OpNode, is_constant: bool) -> LoweredFate:
    """The fate of an op that no instruction is named after."""
    if op.op_type in _DOES_NOTHING:
        return LoweredFate("removed", "does nothing in XLA, which orders instructions by their operands")
    if op.op_type in _HANDS_ON and not is_constant:
        return LoweredFate("removed", "hands its input on: XLA makes no instruction of it")
    if is_argument(op):
        if op.function:
            return LoweredFate("inlined", "stands for what the caller of its function passes in")
        return LoweredFate("kept", "an argument of the compiled computation")
    if is_assignment(op):
        return LoweredFate("kept", "the new value of its variable is a result of the compiled computation")
    if op.op_type == "Const":
        return LoweredFate("folded", "its value is written into the instructions that use it")
    if is_constant:
        return LoweredFate("folded", "computed from constants and shapes before there was HLO")
    return LoweredFate("removed", "no instruction has its name: not needed, or not kept by name", False)
