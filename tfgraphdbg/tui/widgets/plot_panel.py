"""Curves of a report; Plotext is imported when the first one is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.containers import Container

from tfgraphdbg.report import Series
from tfgraphdbg.tui.cell_text import visible

if TYPE_CHECKING:
    from textual_plotext import PlotextPlot

COLOURS = ("orange", "blue", "green")

COUNTED = "threads"
"""The unit of what comes in whole numbers."""


class PlotPanel(Container):
    """One plot at a time."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plot: PlotextPlot | None = None

    def show(self, title: str, series: Sequence[Series]) -> None:
        """Draw these curves into one plot, steps between their points."""
        self.border_title = visible(title)
        if self._plot is None:
            from textual_plotext import PlotextPlot

            self._plot = PlotextPlot()
            self.mount(self._plot)
        plot = self._plot.plt
        plot.clear_figure()
        for number, curve in enumerate(series):
            xs, ys = _steps(curve)
            label = visible(curve.name.replace("-", " ")) if len(series) > 1 else None
            plot.plot(xs, ys, marker="hd", color=COLOURS[number % len(COLOURS)], label=label)
        if series:
            plot.xlabel(series[0].x_unit)
            plot.ylabel(series[0].unit)
            highest = max((y for curve in series for _, y in curve.points), default=1.0) or 1.0
            plot.ylim(0, highest * 1.05)
            if series[0].unit == COUNTED:
                most = math.ceil(highest)
                plot.yticks(list(range(0, most + 1, max(most // 10, 1))))
        self._plot.refresh()


def _steps(curve: Series) -> tuple[list[float], list[float]]:
    """Each value holds until the next point."""
    xs: list[float] = []
    ys: list[float] = []
    for place, (x, y) in enumerate(curve.points):
        if place:
            xs.append(x)
            ys.append(ys[-1])
        xs.append(x)
        ys.append(y)
    return xs, ys
