"""An op or a folded group -> the words in its node, and the tooltip that says the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tfgraphdbg.foreign_text import shorten_middle, visible
from tfgraphdbg.graph_model import FUNCTION_SEPARATOR, GraphModel, OpNode
from tfgraphdbg.recording import StackTable
from tfgraphdbg.views.folding import DrawnItem
from tfgraphdbg.views.op_group import OpGroup

MAX_LABEL = 32
MAX_TITLE = 80

_MAX_LINES = 12
_MAX_ATTR_TEXT = 120
_MAX_VALUE = 16
_MAX_TOOLTIP_NAME = 1000
_LAST_WORD = re.compile(r"[^/_\-.]*[_\-.]*\*.*$")
_NUMBER = re.compile(r"_\d+$")


class NodeWords(NamedTuple):
    """What a node says."""

    title: str
    details: tuple[str, ...]
    """Smaller lines below the title."""
    tooltip: tuple[str, ...]
    """Lines; the first one is the whole name."""


def counted(count: int, one: str, many: str = "") -> str:
    """`1 op`, `2,888 ops`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def words_of(item: DrawnItem, told: str, note: str, graph: GraphModel, stacks: StackTable | None) -> NodeWords:
    """The words of a node in a box whose title already tells the start `told` of its name; `note` is a detail more."""
    notes = (note,) if note else ()
    if isinstance(item.item, OpNode):
        details, tooltip = _op_words(item.item, graph, stacks)
        return NodeWords(_label(item.item.id, told), (*details, *notes), tooltip)
    group = item.item
    if group.kind == "op":
        details, tooltip = _op_words(group.ops[0], graph, stacks)
        helpers = f"+ {counted(group.total - 1, 'helper')}"
        return NodeWords(_label(full_name(group), told), (*details, helpers, *notes), (*tooltip, *_type_lines(item)))
    name = full_name(group)
    tooltip = (visible(shorten_middle(name, _MAX_TOOLTIP_NAME)), counted(group.total, "op"), *notes)
    return NodeWords(_label(name, told), (_content(item), *notes), (*tooltip, *_type_lines(item)))


def box_words(groups: Sequence[OpGroup], told: str, counts: bool) -> tuple[str, str]:
    """The title and the tooltip of the box around groups of which each is all that is in the one before."""
    titles = []
    for group in groups:
        titles.append(visible(shorten_middle(_untold(full_name(group), told), MAX_TITLE)))
        told = told_by(group)
    name = visible(shorten_middle(full_name(groups[-1]), _MAX_TOOLTIP_NAME))
    count = counted(groups[-1].total, "op")
    return " · ".join(titles) + (f"  ({count})" if counts else ""), f"{name}: {count}"


def full_name(group: OpGroup) -> str:
    """`dense/MatMul`, `adam/Mul_*`, `function f`, and `f::dense` inside it."""
    if not group.function:
        return group.path
    return f"{group.function}{FUNCTION_SEPARATOR}{group.path}" if group.path else f"function {group.function}"


def told_by(group: OpGroup) -> str:
    """How the full names of everything inside it start, cut where a word of the rest begins."""
    if group.kind == "function":
        return f"{group.function}{FUNCTION_SEPARATOR}"
    return _LAST_WORD.sub("", full_name(group)) if group.kind == "family" else f"{full_name(group)}/"


def _untold(name: str, told: str) -> str:
    return name.removeprefix(told) or name


def _label(name: str, told: str) -> str:
    return visible(shorten_middle(_untold(name, told), MAX_LABEL))


def _content(item: DrawnItem) -> str:
    """`214 x RealDiv` where all are alike, else how many ops there are."""
    types = {op.op_type for op in item.main_ops}
    if len(types) == 1 and len(item.main_ops) > 1:
        return f"{len(item.main_ops):,} x {visible(shorten_middle(types.pop(), MAX_LABEL))}"
    return counted(len(item.ops), "op")


def _op_words(op: OpNode, graph: GraphModel, stacks: StackTable | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The details and the tooltip of an op."""
    # `MatMul_1` says its type by itself.
    says_type = _NUMBER.sub("", op.name.rpartition("/")[2]).lower() == op.op_type.lower()
    details = [] if says_type else [visible(shorten_middle(op.op_type, MAX_LABEL))]
    value = graph.attrs_of(op).get("value")
    if isinstance(value, str):
        # Recorded as `float32[]: 2.0`.
        shown = value.rpartition(": ")[2]
        details += [visible(shown)] if 0 < len(shown) <= _MAX_VALUE else []
    return tuple(details), tuple(_op_tooltip(op, graph, stacks))


def _op_tooltip(op: OpNode, graph: GraphModel, stacks: StackTable | None) -> Iterator[str]:
    yield visible(shorten_middle(op.id, _MAX_TOOLTIP_NAME))
    yield f"type {visible(op.op_type)}"
    for place, output in enumerate(op.outputs[:_MAX_LINES]):
        yield visible(f"output {place}: {output}")
    attrs = graph.attrs_of(op)
    for name, value in list(attrs.items())[:_MAX_LINES]:
        yield visible(f"{name} = {shorten_middle(str(value), _MAX_ATTR_TEXT)}")
    if len(attrs) > _MAX_LINES:
        yield f"and {counted(len(attrs) - _MAX_LINES, 'more attr')}"
    if op.device:
        yield visible(f"device {op.device}")
    frame = stacks.user_frame(op.stack) if stacks else None
    if frame:
        yield visible(f"{frame.file}:{frame.line} in {frame.function}")
        if frame.code:
            yield visible(f"    {frame.code}")


def _type_lines(item: DrawnItem) -> Iterator[str]:
    types = Counter(op.op_type for op in item.ops).most_common(_MAX_LINES + 1)
    for op_type, count in types[:_MAX_LINES]:
        yield f"{count:,} x {visible(op_type)}"
    if len(types) > _MAX_LINES:
        yield "..."
