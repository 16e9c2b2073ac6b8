"""Every key and the whole search language, generated from the bindings and from `op_query`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.dom import DOMNode
from textual.keys import format_key
from textual.screen import ModalScreen
from textual.widgets import Static

from tfgraphdbg.op_query import FIELD_HELP


def own_bindings(owner: type[DOMNode]) -> Iterator[Binding]:
    """The bindings that a class itself declares."""
    for binding in owner.__dict__.get("BINDINGS", ()):
        if isinstance(binding, Binding):
            yield binding


def key_names(keys: str) -> str:
    """Keys of a binding as a person reads them."""
    return "  ".join(_key_name(key.strip()) for key in keys.split(","))


def _key_name(key: str) -> str:
    *modifiers, last = key.split("+")
    named = {"pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc"}.get(last)
    if named is None:
        named = last.capitalize() if last in _WORDS else format_key(last)
    return "-".join([*(modifier.capitalize() for modifier in modifiers), named])


_WORDS = ("enter", "tab", "space", "home", "end", "backspace")


class HelpScreen(ModalScreen[None]):
    """One page to scroll; closed by the key that opened it."""

    BINDING_GROUP_TITLE = "Help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close", id="help.close"),
        Binding("down,j", "scroll(1)", "Scroll down", show=False, id="help.down"),
        Binding("up,k", "scroll(-1)", "Scroll up", show=False, id="help.up"),
        Binding("pagedown,space", "scroll(15)", "Page down", show=False, id="help.page-down"),
        Binding("pageup", "scroll(-15)", "Page up", show=False, id="help.page-up"),
    ]

    def __init__(self, owners: Sequence[type[DOMNode]]) -> None:
        super().__init__()
        self._owners = owners

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="box") as box:
            box.border_title = "Help"
            box.border_subtitle = "Esc close"
            with VerticalScroll(can_focus=False):
                for owner in self._owners:
                    yield Static(Text(owner.BINDING_GROUP_TITLE or "", "bold"), classes="help-heading")
                    rows = [(key_names(key.key), key.tooltip or key.description) for key in own_bindings(owner)]
                    yield Static(_table(rows))
                yield Static(Text("Search", "bold"), classes="help-heading")
                yield Static(_table(list(FIELD_HELP.items())))

    def action_scroll(self, lines: int) -> None:
        """Scroll the page."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def _table(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=22, no_wrap=True)
    table.add_column(ratio=1)
    for keys, meaning in rows:
        table.add_row(Text(f"  {keys}"), Text(meaning, "dim"))
    return table
