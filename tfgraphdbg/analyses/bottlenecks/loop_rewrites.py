"""A Python loop of the user's -> the loop in the graph to write in its place, in the user's own names."""

from __future__ import annotations

from tfgraphdbg.analyses.bottlenecks.copied_values import CopyDifferences
from tfgraphdbg.analyses.bottlenecks.loop_statements import LoopStatement
from tfgraphdbg.foreign_text import shorten_middle, visible
from tfgraphdbg.message_words import listed

_LONGEST = 72
"""Characters of the user's text that a suggestion repeats."""


def rewrite_of(loop: LoopStatement, differences: CopyDifferences, converted: bool) -> str:
    """What to write in place of a loop, and what else that needs."""
    if loop.kind == "recursion":
        return (
            f"write the recursion of {_short(loop.function)} as a loop, such as `for step in tf.range(...):` "
            "or a tf.while_loop: the graph has no calls of a function by itself"
        )
    if loop.kind == "comprehension":
        return _rewritten_comprehension(loop, differences)
    if not converted:
        return _without_autograph(loop, differences)
    words = _rewritten_while(loop) if loop.kind == "while" else _rewritten_for(loop, differences)
    return words + _further_needs(loop, differences)


def _rewritten_for(loop: LoopStatement, differences: CopyDifferences) -> str:
    target, iterable = _short(loop.target), _short(loop.iterable)
    arguments = loop.range_arguments
    if arguments is not None:
        words = f"write `for {target} in tf.range({_short(arguments)}):`, which traces its body once"
    else:
        words = (
            f"stack what `{iterable}` gives into one tensor: a `for {target} in` that goes over a tensor is traced once"
        )
    if differences.carried:
        return f"{words}, or tf.scan with what one step hands to the next"
    return f"{words}; no step uses what another made, so tf.vectorized_map, or one op on all of them, is faster still"


def _rewritten_while(loop: LoopStatement) -> str:
    counter = loop.counters[0] if loop.counters else ""
    condition = f"`while {_short(loop.iterable)}:`"
    if not counter:
        return f"make the condition of {condition} a tensor, or write tf.while_loop: its body is traced once"
    name = _short(counter)
    return f"start {name} as a tensor, `{name} = tf.constant(...)`: then {condition} becomes a tf.while_loop"


def _without_autograph(loop: LoopStatement, differences: CopyDifferences) -> str:
    what = "`while " + _short(loop.iterable) if loop.kind == "while" else f"`for {_short(loop.target)} in "
    what += ":`" if loop.kind == "while" else f"{_short(loop.iterable)}:`"
    if not differences.carried:
        return f"write {what} as tf.map_fn or tf.vectorized_map: autograph does not convert this function"
    return f"write {what} as tf.while_loop or tf.scan: autograph does not convert this function"


def _rewritten_comprehension(loop: LoopStatement, differences: CopyDifferences) -> str:
    arguments = loop.range_arguments
    over = f"tf.range({_short(arguments)})" if arguments is not None else f"tf.stack({_short(loop.iterable)})"
    function = f"lambda {_short(loop.target)}: {_short(loop.element)}" if loop.element else "FUNCTION"
    if loop.element and not loop.target.isidentifier():
        function = "FUNCTION"
    words = f"write `tf.map_fn({function}, {over}, fn_output_signature=...)`, which traces it once"
    if differences.carried:
        return f"{words}; a step uses what an earlier one made, so tf.scan"
    return f"{words}; tf.vectorized_map, or one op on all of them, is faster still"


def _further_needs(loop: LoopStatement, differences: CopyDifferences) -> str:
    words = ""
    if loop.appended:
        lists = listed([_short(name) for name in loop.appended], most=3)
        words += f"; put what goes into {lists} into a tf.TensorArray"
    if differences.shapes:
        words += (
            "; shapes differ from step to step, so give tf.autograph.experimental.set_loop_options shape_invariants"
        )
    return words


def _short(text: str) -> str:
    return shorten_middle(visible(" ".join(text.split())), _LONGEST)
