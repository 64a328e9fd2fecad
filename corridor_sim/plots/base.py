"""What every plot shares: the registry, colours, axes, and how an interval is drawn.

A plot is a function ``(data, *, ax=None, ...) -> Axes``. It draws on the axes it
is given or on a new figure of its own (which gets a line that says what it is of),
never shows, never saves, never touches global settings. To add one, decorate a function in the fitting file of this
folder with ``@PLOTS.register("name")``: it is then a method of
``results.plot`` or ``comparison.plot`` and a kind of ``corridor-sim plot``.
``of="scenario"`` says that it draws a scenario and no results, ``report=50`` gives it a
place in reports, ``inputs=True`` says that of an uncertainty it draws both intervals.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from corridor_sim.core.registry import Registry
from corridor_sim.core.units import FloatArray
from corridor_sim.plots.names import drawn
from corridor_sim.plots.source_line import source_line
from corridor_sim.statistics.skewness import mean_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette [okabe2008], safe for colour-blind readers, in the order it is used."""
DASHES = ("-", "--", "-.", ":")
"""Second channel beside the colour."""
GREY = "#6b6b6b"
PARTED = 10_000
"""Thousands are parted on axes that reach so far; years are not."""
EDGE = 0.1
"""Between what is drawn and the left and right edge of the figure. [inch]"""
MODE_STYLE = {
    "road": (COLOURS[1], "-"),
    "rail": (COLOURS[6], "--"),
    "sea": (COLOURS[0], ":"),
}
"""Colour and dash of a leg by its mode."""


class Plot(Protocol):
    """A plot: data in, axes out."""

    def __call__(self, data: Any, *, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw `data` on `ax` (or on a new figure) and return the axes."""


class _Plots(Registry[Callable[..., Any]]):
    """Registry whose plots carry what they are of where they draw a figure of their own."""

    def __getitem__(self, kind: str) -> Callable[..., Any]:
        plot = super().__getitem__(kind)

        @functools.wraps(plot)
        def with_source(data: Any, *, ax: Axes | None = None, **options: Any) -> Any:
            axes = plot(data, ax=ax, **options)
            if ax is None:
                say_source(axes, data)
            return axes

        return with_source


PLOTS: Registry[Callable[..., Any]] = _Plots("plot")


def new_axes(ax: Axes | None, size: tuple[float, float] = (8.0, 4.5)) -> Axes:
    """The axes given, or those of a new figure. [inch]"""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=EDGE)
    made = figure.subplots()
    # A notebook shows the last value of a cell; without pyplot it would show words only.
    vars(made)["_repr_png_"] = partial(_png, made.figure)
    return made


def say_source(ax: Axes, data: Any) -> None:
    """Scenario, period and replications at the foot of the figure, where there are any."""
    line = source_line(data)
    if line:
        ax.figure.supxlabel(drawn(line, 200), fontsize=7, color=GREY, x=0.01, ha="left")


def parted(value: float, _place: float = 0.0) -> str:
    """A number at a tick, its thousands parted."""
    return f"{value:,.10g}".replace("-", "\u2212")


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def tidy(ax: Axes) -> Axes:
    """Light grid, no box: the data stand out; thousands are parted as in the text."""
    from matplotlib.ticker import ScalarFormatter

    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        if type(axis.get_major_formatter()) is ScalarFormatter and max(abs(low), abs(high)) >= PARTED:
            axis.set_major_formatter(parted)
    ax.grid(True, color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def legend(ax: Axes, **options: Any) -> None:
    """A legend that stays readable where a line runs behind it."""
    ax.legend(**{"fontsize": 8, "framealpha": 0.85, "edgecolor": "none", **options})


def legend_above(ax: Axes, columns: int, **options: Any) -> None:
    """A legend over the axes, where no bar can reach it."""
    legend(ax, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, **options)


HOURS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 24.0, 48.0, 100.0, 240.0,
         500.0, 1000.0, 2000.0, 5000.0, 10000.0)  # fmt: skip
"""Ticks of axes of hours. [h]"""
CLOSE_HOURS = tuple(one * 10.0**power for power in range(-3, 5) for one in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0))
"""Ticks of axes that span no more than about a decade. [h]"""


def plain_hours(axis: Any, least: float, most: float) -> None:
    """Ticks of a logarithmic axis of hours as numbers that are said so (0.5, 2, 10). [h]"""
    from matplotlib.ticker import FixedLocator, NullLocator

    known = CLOSE_HOURS if least > 0 and most < 20 * least else HOURS
    ticks = [tick for tick in known if least <= tick <= most and (least > 0 or tick == 0 or tick >= 0.25)]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_ticklabels([f"{tick:,g}" for tick in ticks])


def mean_and_ends(values: FloatArray, confidence: float = 0.95) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean over replications (last axis) and the ends of its interval, as in tables; NaN with fewer than two.

    Parameters
    ----------
    values : array, shape (..., replication)
        One value a replication; NaN where a replication has none.
    """
    return mean_limits(np.moveaxis(values, -1, 0), confidence)


def arms(mean: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """How far an interval reaches below and above its mean, shape (2, ...), as matplotlib's error bars want it."""
    return np.asarray(np.maximum([mean - low, high - mean], 0.0))


def no_data(ax: Axes, text: str) -> Axes:
    """Say on the axes that there is nothing to draw, and why."""
    ax.text(0.5, 0.5, text, ha="center", va="center", color=GREY, transform=ax.transAxes, wrap=True)
    ax.set_axis_off()
    return ax


def runs_of(data: Any) -> list[tuple[str, Any]]:
    """(name to draw, results) of every run in `data`: one for Results, the base first for a Comparison."""
    runs = getattr(data, "runs", None)
    if runs is None:
        return [(drawn(data.name), data)]
    return [(drawn(name), results) for name, results in zip(data.names, runs, strict=True)]


def compared(data: Any, plot: str) -> Any:
    """The comparison that a plot needs; ValueError if `data` is none."""
    if getattr(data, "runs", None) is None:
        raise ValueError(f"the plot {plot!r} draws a comparison: give two scenarios or more")
    return data
