"""A terminal UI without a terminal: a test presses keys and reads the screen."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence

from textual.events import Event, Key, MouseScrollDown, MouseScrollUp
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from tfgraphdbg.graph_model import OpNode
from tfgraphdbg.recording import Recording
from tfgraphdbg.tui.app import DebuggerApp
from tfgraphdbg.tui.widgets.op_detail import OpDetail
from tfgraphdbg.tui.widgets.op_list import OpList
from tfgraphdbg.tui.widgets.painted_rows import PaintedRows
from tfgraphdbg.tui.widgets.scope_tree import ScopeTree
from tfgraphdbg.tui.widgets.search_box import SearchInput
from tfgraphdbg.tui.widgets.text_view import TextView

Step = Callable[[Pilot[None]], Awaitable[object]]


class DrivenApp:
    """`with DrivenApp(recording) as ui: ui.press("j", "enter")`; each step ends when nothing is left to do."""

    def __init__(self, recording: Recording, size: tuple[int, int] = (120, 36)) -> None:
        self.app = DebuggerApp(recording)
        self._size = size
        self._loop = asyncio.new_event_loop()
        self._steps: asyncio.Queue[Step | None] = asyncio.Queue()

    def __enter__(self) -> DrivenApp:
        self._life = self._loop.create_task(self._live())
        self.settle()
        return self

    def __exit__(self, *failure: object) -> None:
        self._steps.put_nowait(None)
        try:
            self._loop.run_until_complete(self._life)
        finally:
            self._loop.close()
            # An app keeps its graphs from the collector for good. Hundreds of dead apps make each new one slower.
            gc.unfreeze()

    async def _live(self) -> None:
        # Textual needs one task from start to end, and a test is a plain function.
        async with self.app.run_test(size=self._size, notifications=True) as pilot:
            while (step := await self._steps.get()) is not None:
                await step(pilot)
                await settled(pilot)
                self._done.set()

    def _do(self, step: Step) -> None:
        self._done = asyncio.Event()
        self._steps.put_nowait(step)
        done = self._loop.create_task(self._done.wait())
        self._loop.run_until_complete(asyncio.wait((done, self._life), return_when=asyncio.FIRST_COMPLETED))
        if self._life.done():
            self._life.result()

    def press(self, *keys: str) -> None:
        """Press keys, one after another; `/` and other characters stand for themselves."""
        self._do(lambda pilot: press(pilot, *keys))

    def type(self, text: str) -> None:
        """Press the keys of a text."""
        self.press(*text)

    def search(self, text: str) -> None:
        """Search, then go to what was found."""
        self.press("/")
        self.type(text)
        self.press("enter")

    def click(self, widget: Widget, x: int, y: int, times: int = 1) -> None:
        """Click at a place inside a widget, its border included."""
        self._do(lambda pilot: pilot.click(widget, offset=(x, y), times=times))

    def drag(self, widget: Widget, x: int, from_y: int, to_y: int) -> None:
        """Press the mouse button at one place of a widget and release it at another."""
        self._do(lambda pilot: pilot.mouse_down(widget, offset=(x, from_y)))
        self._do(lambda pilot: pilot.hover(widget, offset=(x, to_y)))
        self._do(lambda pilot: pilot.mouse_up(widget, offset=(x, to_y)))

    def wheel(self, widget: Widget, *, down: bool) -> None:
        """Turn the mouse wheel over a widget by one notch."""
        kind = MouseScrollDown if down else MouseScrollUp
        x, y = widget.region.center
        event = kind(widget, int(x), int(y), 0, 0, 0, False, False, False, int(x), int(y))
        self._do(lambda pilot: _post(pilot, event))

    def settle(self) -> None:
        """Wait until nothing is left to do."""
        self._do(lambda pilot: pilot.pause(0))

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Go on until something holds that depends on a timer of Textual's."""
        for _ in range(200):
            if holds():
                return
            self._do(lambda pilot: pilot.pause(0.01))
        raise AssertionError("\n".join(self.lines()))

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        self._do(lambda pilot: pilot.resize_terminal(width, height))

    @property
    def screen(self) -> Screen[object]:
        """What is on top."""
        return self.app.screen

    @property
    def focus(self) -> str:
        """Id of the widget that has the focus."""
        return (self.app.focused and self.app.focused.id) or ""

    @property
    def ops(self) -> OpList:
        """The op list."""
        return self.app.screen_stack[0].query_one(OpList)

    @property
    def detail(self) -> OpDetail:
        """The op detail."""
        return self.app.screen_stack[0].query_one(OpDetail)

    @property
    def scopes(self) -> ScopeTree:
        """The scope tree."""
        return self.app.screen_stack[0].query_one(ScopeTree)

    @property
    def text(self) -> TextView:
        """The text of a text stage or of the log."""
        return self.app.screen_stack[0].query_one(TextView)

    @property
    def query(self) -> str:
        """What is in the search box."""
        return self.app.screen_stack[0].query_one("#search-field", SearchInput).value

    @property
    def op(self) -> OpNode:
        """The op under the cursor."""
        assert self.ops.current is not None
        return self.ops.current

    def listed(self) -> list[str]:
        """Ids of all listed ops."""
        return [self.ops._ops[position].id for position in self.ops._positions]

    def lines(self, widget: Widget | None = None) -> list[str]:
        """The screen, or the part where a widget is, as plain text."""
        screen = [strip.text for strip in self.screen._compositor.render_strips()]
        if widget is None:
            return screen
        region = widget.region
        return [line[region.x : region.right] for line in screen[region.y : region.bottom]]

    def stale_lines(self) -> list[tuple[str, str]]:
        """Lines of the screen that would look otherwise if everything were drawn anew: as they are, as they should."""
        with self.app._context():
            seen = [strip.simplify() for strip in self.screen._compositor.render_strips()]
            for widget in self.screen.walk_children(Widget, with_self=True):
                widget.notify_style_update()
                if isinstance(widget, PaintedRows):
                    widget._painted.clear()
                widget.refresh()
            true = [strip.simplify() for strip in self.screen._compositor.render_strips()]
        return [(was.text, now.text) for was, now in zip(seen, true, strict=True) if was != now]

    def shows(self, *texts: str, on: Widget | None = None) -> bool:
        """Whether all of these texts can be read on the screen."""
        seen = "\n".join(self.lines(on))
        return all(text in seen for text in texts)


def row_texts(rows: OpList | OpDetail | ScopeTree | TextView) -> Sequence[str]:
    """The whole of a list as it would be drawn, without trailing space."""
    base = rows.rich_style
    return ["".join(part.text for part in rows.draw_row(row, 100, base)).rstrip() for row in range(rows.row_count)]


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, one after another; `/` and other characters stand for themselves."""
    for key in keys:
        character = key if len(key) == 1 else {"space": " "}.get(key)
        # Not pilot.press: it waits until the processor is idle, which on a busy machine is never.
        pilot.app.post_message(Key(_character_to_key(key) if len(key) == 1 else key, character))
        await settled(pilot)


async def _post(pilot: Pilot[None], event: Event) -> None:
    pilot.app.post_message(event)


async def settled(pilot: Pilot[None]) -> None:
    """Wait until nothing is left to do.

    A message can lead to the next one, to a worker, to another screen: all is done when nothing new came of several
    rounds in which every widget has handled what it had.
    """
    quiet_rounds = 0
    while quiet_rounds < 5:
        await pilot.pause(0)
        working = not all(worker.is_finished for worker in pilot.app.workers)
        quiet_rounds = 0 if working else quiet_rounds + 1
        if working:
            await pilot.app.workers.wait_for_complete()
