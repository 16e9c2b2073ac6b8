"""The structure of one graph: ops, their edges, scopes and library functions, free of TensorFlow.

Measurements are never stored here: they are overlays keyed by op id (see `recording.OpMetric`).
"""

from __future__ import annotations

import contextlib
import functools
import gc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tfgraphdbg.errors import UnreadableFileError

if TYPE_CHECKING:
    import networkx as nx

CONTROL = -1
"""The output index that stands for a control edge."""

FUNCTION_SEPARATOR = "::"
"""Between a library function and an op in an op id: GraphDef allows no colon in either name."""

LOOP_BACK_OP_TYPES = frozenset({"NextIteration", "RefNextIteration"})
"""The only ops whose outgoing edges close a loop in a lowered `tf.while_loop`."""

AttrScalar = None | bool | int | float | str

AttrValue = AttrScalar | Sequence[AttrScalar]
"""An attr as plain data; a tensor, a shape, a type or a function is its text."""


class InputRef(NamedTuple):
    """One entry of an op's inputs: the producing op and its output index, `CONTROL` for `^op`."""

    name: str
    output: int


def parse_input(text: str) -> InputRef:
    """Read GraphDef notation: `a` is output 0 of a, `a:1` its output 1, `^a` a control edge."""
    if text[:1] == "^":
        return InputRef(text[1:], CONTROL)
    if ":" not in text:
        return InputRef(text, 0)
    name, colon, index = text.rpartition(":")
    if colon and index.isdecimal() and len(index) < 10:
        return InputRef(name, int(index))
    return InputRef(text, 0)


_kept_for_good = False


def keep_for_good() -> None:
    """Let Python's collector never again look at what there is now."""
    global _kept_for_good
    gc.freeze()
    _kept_for_good = True


@contextlib.contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Build hundreds of thousands of objects without cycles: collecting among them takes up to half of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            # The count is asked for last, since it is found by counting: 0.1 s for a million objects.
            if not _kept_for_good and not gc.get_freeze_count():
                # What was just built is then held to be old, and is not walked at once.
                gc.freeze()
                gc.unfreeze()
            gc.enable()


class OutputInfo(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One output of an op. A dimension of None is unknown; a shape of None has unknown rank."""

    dtype: str
    shape: tuple[int | None, ...] | None = None

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.dtype}[...]"
        return f"{self.dtype}[{','.join('?' if size is None else str(size) for size in self.shape)}]"


class OpNode(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One op as the graph holds it. Tens of thousands share stacks and attr sets, so both are indices."""

    name: str
    op_type: str
    inputs: tuple[str, ...] = ()
    """GraphDef notation, in order; control inputs last."""
    device: str = ""
    attrs: int = -1
    """Index into `GraphModel.attr_sets`; -1 when there are none."""
    outputs: tuple[OutputInfo, ...] = ()
    stack: int = -1
    """Index into the recording's stack table; -1 when the op has no Python origin."""
    function: str = ""
    """The library function whose body it is part of; empty for an op of the graph itself."""
    origins: tuple[str, ...] = ()
    """Ids of the traced ops that it came from; empty in the traced graph, and when it is new."""

    @property
    def id(self) -> str:
        """Unique in its graph: the name, after its library function where it lives in one."""
        return f"{self.function}{FUNCTION_SEPARATOR}{self.name}" if self.function else self.name

    @property
    def scope(self) -> str:
        """The name up to its last slash; empty at the top."""
        return self.name.rpartition("/")[0]

    def input_refs(self) -> Iterator[InputRef]:
        """Its inputs, parsed, in order."""
        return map(parse_input, self.inputs)


def op_id(function: str, name: str) -> str:
    """The id of op `name` inside library function `function` (empty: the graph itself)."""
    return f"{function}{FUNCTION_SEPARATOR}{name}" if function else name


class Scope(NamedTuple):
    """One name scope: `path` is its full name, `ops` lie directly in it, `total` counts nested ones too."""

    path: str
    ops: tuple[OpNode, ...]
    children: tuple[str, ...]
    total: int


class Edge(NamedTuple):
    """One edge: output `output` of `source` (`CONTROL`: none) feeds input number `position` of `target`; ids."""

    source: str
    target: str
    output: int
    position: int


class GraphModel(msgspec.Struct, frozen=True, dict=True, eq=False):
    """One graph of one stage: its own ops first, then those of its library functions' bodies."""

    name: str
    stage: str
    ops: tuple[OpNode, ...]
    attr_sets: tuple[dict[str, AttrValue], ...] = ()
    functions: tuple[str, ...] = ()
    """Library functions that come with the graph, in its order; each one's ops carry it in `function`."""

    def __len__(self) -> int:
        return len(self.ops)

    @functools.cached_property
    def by_id(self) -> Mapping[str, OpNode]:
        """Every op by its id."""
        return {op.id: op for op in self.ops}

    @functools.cached_property
    def top_level_ops(self) -> tuple[OpNode, ...]:
        """The ops of the graph itself, without those of library functions."""
        return tuple(op for op in self.ops if not op.function)

    def attrs_of(self, op: OpNode) -> Mapping[str, AttrValue]:
        """The attrs of `op`, by name."""
        return self.attr_sets[op.attrs] if op.attrs >= 0 else {}

    def edges(self) -> Iterator[Edge]:
        """Every edge, consumer by consumer, in input order."""
        for op in self.ops:
            target = op.id
            for position, (name, output) in enumerate(map(parse_input, op.inputs)):
                yield Edge(op_id(op.function, name), target, output, position)

    @functools.cached_property
    def edge_count(self) -> int:
        """Data and control edges, parallel ones counted each."""
        return sum(len(op.inputs) for op in self.ops)

    @functools.cached_property
    def input_positions(self) -> tuple[tuple[int, ...], ...]:
        """For each op: where in `ops` the producer of each of its inputs is, -1 for an unknown one.

        The edges as plain integers: algorithms run on them several times faster than on networkx.
        """
        return _input_positions(self.ops)

    @functools.cached_property
    def consumers(self) -> Mapping[str, tuple[Edge, ...]]:
        """For each op id that feeds something: its outgoing edges."""
        out: dict[str, list[Edge]] = {}
        with garbage_collection_paused():
            for edge in self.edges():
                out.setdefault(edge.source, []).append(edge)
            return {source: tuple(edges) for source, edges in out.items()}

    @functools.cached_property
    def nx(self) -> nx.DiGraph[str]:
        """The networkx graph, built once and frozen.

        A node is an op id with its `OpNode` as attribute `op`. Parallel edges are one networkx edge; its attribute
        `outputs` lists the output index of each (-1: control). Library function bodies are components of their own.
        """
        return _build_nx(self)

    @functools.cached_property
    def topological_order(self) -> tuple[str, ...]:
        """Op ids, producers first. Edges that close a lowered `tf.while_loop` (out of NextIteration) are ignored.

        Raises UnreadableFileError when the graph has another cycle: TensorFlow never makes one.
        """
        return _topological_order(self)

    @functools.cached_property
    def scopes(self) -> Mapping[str, Scope]:
        """Every name scope of the graph itself by its path, and the root as the empty path."""
        return _build_scopes(self.top_level_ops)

    def op_type_counts(self) -> Counter[str]:
        """How many ops of each type, library functions included."""
        return Counter(op.op_type for op in self.ops)

    def check(self) -> None:
        """Raise UnreadableFileError unless ids are unique and inputs, attr sets and functions exist."""
        problems = list(_problems(self))
        if problems:
            more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
            raise UnreadableFileError(f"graph {self.name!r} is inconsistent: {'; '.join(problems[:3])}{more}")


def _input_positions(ops: tuple[OpNode, ...]) -> tuple[tuple[int, ...], ...]:
    positions: dict[str, dict[str, int]] = {}
    for position, op in enumerate(ops):
        positions.setdefault(op.function, {})[op.name] = position
    rows: list[tuple[int, ...]] = []
    for op in ops:
        known = positions[op.function]
        row = []
        for text in op.inputs:
            # Most inputs are plain names: this is parse_input without a call for each of them.
            name = text if ":" not in text and text[:1] != "^" else parse_input(text).name
            row.append(known.get(name, -1))
        rows.append(tuple(row))
    return tuple(rows)


def _build_nx(graph: GraphModel) -> nx.DiGraph[str]:
    import networkx

    built: nx.DiGraph[str] = networkx.DiGraph(name=graph.name, stage=graph.stage)
    with garbage_collection_paused():
        built.add_nodes_from((op.id, {"op": op}) for op in graph.ops)
        built.add_edges_from(_merged_edges(graph))
    frozen: nx.DiGraph[str] = networkx.freeze(built)
    return frozen


def _merged_edges(graph: GraphModel) -> Iterator[tuple[str, str, dict[str, tuple[int, ...]]]]:
    """Parallel edges as one, with all their outputs; edges from unknown ops left out."""
    ids = [op.id for op in graph.ops]
    for target, op, positions in zip(ids, graph.ops, graph.input_positions, strict=True):
        outputs_of: dict[int, tuple[int, ...]] = {}
        for text, position in zip(op.inputs, positions, strict=True):
            if position >= 0:
                outputs_of[position] = (*outputs_of.get(position, ()), parse_input(text).output)
        for position, outputs in outputs_of.items():
            yield ids[position], target, {"outputs": outputs}


def _topological_order(graph: GraphModel) -> tuple[str, ...]:
    """Place every op as soon as its producers are: one walk when the ops are nearly in order, as TensorFlow's are."""
    unseen, waiting, placed = 0, 1, 2
    ops, producers = graph.ops, graph.input_positions
    # One state more than ops: index -1, an unknown producer, holds nobody back.
    states = bytearray([unseen] * len(ops) + [placed])
    order: list[str] = []
    stack: list[int] = []
    for root in range(len(ops)):
        stack.append(root)
        while stack:
            position = stack[-1]
            pending = []
            if states[position] != placed:
                states[position] = waiting
                for source in producers[position]:
                    if states[source] != placed and ops[source].op_type not in LOOP_BACK_OP_TYPES:
                        # Every op that waits for its producers is on the path to this one.
                        if states[source] == waiting:
                            raise UnreadableFileError(f"graph {graph.name!r} has a cycle through op {ops[source].id!r}")
                        pending.append(source)
                if not pending:
                    states[position] = placed
                    order.append(ops[position].id)
            if pending:
                stack.extend(reversed(pending))
            else:
                stack.pop()
    return tuple(order)


def _build_scopes(ops: tuple[OpNode, ...]) -> dict[str, Scope]:
    ops_in: dict[str, list[OpNode]] = {"": []}
    children: dict[str, list[str]] = {"": []}

    def ensure(path: str) -> None:
        # Names can hold thousands of scopes, so this climbs by a loop, not by recursion.
        while path not in ops_in:
            ops_in[path] = []
            children.setdefault(path, [])
            parent = path.rpartition("/")[0]
            children.setdefault(parent, []).append(path)
            path = parent

    for op in ops:
        scope = op.scope
        ensure(scope)
        ops_in[scope].append(op)
    totals = {path: len(inside) for path, inside in ops_in.items()}
    for path in sorted(ops_in, key=lambda path: path.count("/"), reverse=True):
        if path:
            totals[path.rpartition("/")[0]] += totals[path]
    return {path: Scope(path, tuple(inside), tuple(children[path]), totals[path]) for path, inside in ops_in.items()}


def _problems(graph: GraphModel) -> Iterator[str]:
    ids = {op.id for op in graph.ops}
    if len(ids) != len(graph.ops):
        repeated = next(id_ for id_, count in Counter(op.id for op in graph.ops).items() if count > 1)
        yield f"op {repeated!r} exists more than once"
    functions = set(graph.functions)
    for op in graph.ops:
        if op.function and op.function not in functions:
            yield f"op {op.id!r} lives in the unknown function {op.function!r}"
        if not -1 <= op.attrs < len(graph.attr_sets):
            yield f"op {op.id!r} names attr set {op.attrs} of {len(graph.attr_sets)}"
        seen_control = False
        for name, output in op.input_refs():
            if op_id(op.function, name) not in ids:
                yield f"op {op.id!r} has the unknown input {name!r}"
            if seen_control and output != CONTROL:
                yield f"op {op.id!r} has a data input after a control input"
            seen_control = seen_control or output == CONTROL
