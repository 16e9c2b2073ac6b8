"""The name scopes of a stage as a tree that is filled where it is opened, then its library functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message

from tfgraphdbg.graph_model import Scope
from tfgraphdbg.op_query import quoted
from tfgraphdbg.tui.cell_text import shortened, visible
from tfgraphdbg.tui.heat import HEAT_STYLES, heat, share_words
from tfgraphdbg.tui.scope_keys import FUNCTIONS, function_key
from tfgraphdbg.tui.widgets.virtual_rows import VirtualRows


class TreeRow(NamedTuple):
    """One visible row: `key` is a scope's path, `FUNCTIONS`, or a function's name."""

    key: str
    label: str
    depth: int
    ops: int
    children: int
    query: str
    """What the search finds the ops of this row by."""


class ScopeTree(VirtualRows):
    """Own rows instead of Textual's Tree: a scope of 9,000 children opens at once."""

    BINDING_GROUP_TITLE = "Scope tree"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Show ops", tooltip="List the ops of this scope", id="scopes.choose"),
        Binding("l,right", "open", "Open", tooltip="Open this scope, or go to the op list", id="scopes.open"),
        Binding("h,left", "close", "Close", tooltip="Close this scope, or go to its parent", id="scopes.close"),
        Binding("space", "open_or_close", "Open or close", show=False, id="scopes.toggle"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"rows--{style}" for style in HEAT_STYLES}

    @dataclass
    class ScopeChosen(Message):
        """The user wants the ops that `query` finds; empty: all."""

        query: str

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id)
        self._scopes: Mapping[str, Scope] = {}
        self._functions: Sequence[tuple[str, int]] = ()
        self._rows: list[TreeRow] = []
        self._opened: set[str] = set()
        self._shares: Mapping[str, float | None] | None = None
        """Of the time, by key; None: rows are not coloured by it."""

    def show(self, scopes: Mapping[str, Scope], functions: Sequence[tuple[str, int]]) -> None:
        """Show these scopes, and library functions with their op counts; what was open stays open."""
        self._scopes, self._functions = scopes, functions
        cursor = self._rows[self.cursor].key if self._rows else ""
        self._rows = list(self._visible_rows())
        self.rows_changed(next((place for place, row in enumerate(self._rows) if row.key == cursor), 0))

    def colour(self, shares: Mapping[str, float | None] | None) -> None:
        """Colour scopes by their share of the time, which stands in the place of their op count; None: do not."""
        if shares is not self._shares:
            self._shares = shares
            self.forget_drawn()
            self.paint()

    def clear(self) -> None:
        """Show nothing, until the next stage is there."""
        self._scopes, self._functions, self._rows = {}, (), []
        self.rows_changed()

    @property
    def row_count(self) -> int:
        """How many rows are visible."""
        return len(self._rows)

    def _visible_rows(self) -> list[TreeRow]:
        root = self._scopes.get("")
        if root is None:
            return []
        in_functions = sum(ops for _, ops in self._functions)
        rows = [TreeRow("", "all ops", 0, root.total + in_functions, 0, "")]
        rows += self._with_opened(self._scope_rows(root, 0))
        if self._functions:
            group = TreeRow(FUNCTIONS, "library functions", 0, in_functions, len(self._functions), "-in:=")
            rows += self._with_opened([group])
        return rows

    def _with_opened(self, rows: list[TreeRow]) -> list[TreeRow]:
        """`rows`, each followed by what is visible inside it."""
        # Names can hold thousands of scopes, so this is a loop, not a recursion.
        found, waiting = [], rows[::-1]
        while waiting:
            row = waiting.pop()
            found.append(row)
            if row.key in self._opened:
                waiting.extend(reversed(self._children(row)))
        return found

    def _scope_rows(self, parent: Scope, depth: int) -> list[TreeRow]:
        """The scopes inside `parent` in the order of the graph, those that can be opened first."""
        return sorted((self._scope_row(path, depth) for path in parent.children), key=lambda row: not row.children)

    def _scope_row(self, path: str, depth: int) -> TreeRow:
        scope = self._scopes[path]
        query = f"scope:={quoted(path)}" + (" in:=" if self._functions else "")
        return TreeRow(path, path.rpartition("/")[2] or "(empty)", depth, scope.total, len(scope.children), query)

    def _children(self, row: TreeRow) -> list[TreeRow]:
        if row.key == FUNCTIONS:
            return [
                TreeRow(function_key(name), name, row.depth + 1, ops, 0, f"in:={quoted(name)}")
                for name, ops in self._functions
            ]
        return self._scope_rows(self._scopes[row.key], row.depth + 1)

    def row_chosen(self, row: int) -> None:
        """Say whose ops are wanted."""
        self.post_message(self.ScopeChosen(self._rows[row].query))

    def action_open(self) -> None:
        """Open the scope; where there is nothing to open, go on to the op list."""
        row = self._rows[self.cursor] if self._rows else None
        if row and row.children and row.key not in self._opened:
            self._opened.add(row.key)
            self._rows[self.cursor : self.cursor + 1] = self._with_opened([row])
            self.rows_changed(self.cursor)
        elif row and row.children:
            self.cursor += 1
        elif row:
            self.row_chosen(self.cursor)

    def action_close(self) -> None:
        """Close the scope; where it is closed, go to its parent."""
        row = self._rows[self.cursor] if self._rows else None
        if row and row.key in self._opened:
            self._opened.discard(row.key)
            self._rows[self.cursor + 1 : self._end_of(self.cursor)] = []
            self.rows_changed(self.cursor)
        elif row and row.depth:
            self.cursor = next(place for place in range(self.cursor, -1, -1) if self._rows[place].depth < row.depth)

    def action_open_or_close(self) -> None:
        """Open a closed scope, close an open one."""
        if self._rows and self._rows[self.cursor].key in self._opened:
            self.action_close()
        elif self._rows and self._rows[self.cursor].children:
            self.action_open()

    def _end_of(self, place: int) -> int:
        depth = self._rows[place].depth
        inside = range(place + 1, len(self._rows))
        return next((below for below in inside if self._rows[below].depth <= depth), len(self._rows))

    def draw_row(self, row: int, width: int, base: Style) -> list[Segment]:
        """Indentation, arrow, label, count."""
        entry = self._rows[row]
        arrow = ("▾ " if entry.key in self._opened else "▸ ") if entry.children else "  "
        share = self._shares.get(entry.key) if self._shares is not None else None
        count = f"{entry.ops:,}" if self._shares is None else share_words(share) or "no event"
        # Deep scopes keep room for their label: the indentation stops growing.
        indent = min(entry.depth * 2, max(width // 2 - 4, 0))
        room = max(width - indent - 5 - len(count), 4)
        label = shortened(visible(entry.label), room)
        is_group = entry.key in ("", FUNCTIONS)
        text = base if self._shares is None else self.style_of(base, heat(share))
        gap = max(width - 1 - indent - 2 - Segment(label).cell_length - len(count) - 1, 1)
        return [
            Segment(" " * (indent + 1), base),
            Segment(arrow, self.style_of(base, "dim")),
            Segment(label, self.style_of(text, "strong") if is_group else text),
            Segment(" " * gap, base),
            Segment(f"{count} ", self.style_of(base, "dim") if self._shares is None else text),
        ]
