"""What an answer hangs on: a bar for each input, as long as the answer moves with it.

A bar runs from the mean answer of the draws with the input in the lowest fifth of its range to that of
those with it in the highest fifth, about the mean of all draws. These are means, no fit: what is left of chance in
them shows, and inputs that explain no more than chance would are pale.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.rounding import estimate
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.words import indicator_called
from corridor_sim.plots.base import COLOURS, GREY, PLOTS, legend_above, new_axes, no_data, tidy
from corridor_sim.plots.names import drawn
from corridor_sim.results.called import LONGEST_INPUT, place_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 40
"""Characters of a line of what an input is called."""
MOST = 10
"""Inputs drawn."""
BESIDE = 3
"""Of these at most so many that explain no more than chance."""


@PLOTS.register("tornado", of="uncertainty")
def tornado(
    data: Any, *, indicator: str = "tfi1", other: int = 1, most: int = MOST, ax: Axes | None = None, **where: Any
) -> Axes:
    """What one answer hangs on: its mean for the lowest and for the highest fifth of each input's range.

    Parameters
    ----------
    data : Uncertainty
    indicator : str
        Of the answer; of its places the one where it changes most by more than noise, unless `where` names one.
    other : int
        Number of the scenario that is compared with the base; 0 is the base itself.
    most : int
        Inputs drawn, those with the largest effect first.
    ax : Axes, optional
        Where to draw; a new figure if None.
    **where
        Columns that find the row: ``kind``, ``place``, ``direction``.

    Returns
    -------
    Axes
        A bar from the mean answer of the draws with the input in the lowest fifth of its range to that of those with
        it in the highest, drawn about the mean of all draws: a bar that lies on one side of it is of an input whose
        middle gives the most or the least. The broken lines are the interval of the inputs, the dotted line is
        the answer at the stated values. Pale bars are of inputs that explain no more than chance would show.
    """
    if not hasattr(data, "drawn"):
        raise ValueError("the plot 'tornado' draws an uncertainty: draw the inputs (cs.uncertainty, --inputs)")
    other = other if len(data.runs) > 1 else 0
    row = _row(data, indicator, other, where)
    from matplotlib.lines import Line2D

    from corridor_sim.results.uncertain import LEVEL

    ax = new_axes(ax, (9.0, 5.0))
    if row is None:
        return no_data(ax, f"no row of {drawn(indicator)} in the draws")
    label = data.labels[row]
    answers = data.answers(row, other).mean(axis=1)
    points, _, _ = data.main.only_kept()
    there = ~np.isnan(answers)
    answers, points = answers[there], points[there]
    if len(answers) < 8:
        return no_data(ax, f"{len(answers)} draws with an answer are too few")
    effects = data.effects(row, other)
    clear = int((~effects["by_chance"]).sum())
    effects = effects.head(min(most, max(clear, 1) + BESIDE))
    numbers = {one.name: k for k, one in enumerate(data.inputs)}
    stated, interval, mean = data.stated(row, other), data.interval(row, other), float(answers.mean())
    for y, line in enumerate(effects.itertuples()):
        pale = 0.35 if line.by_chance else 1.0
        ends = end_means(points[:, numbers[line.input]], answers)
        for left, right, colour in _halves(mean, *ends):
            ax.barh(y, right - left, left=left, height=0.7, color=COLOURS[colour], alpha=pale, linewidth=0)
        text = f"{max(line.share, 0.0):.0%}"
        ax.annotate(text, (1.0, y), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
                    va="center", fontsize=8, color=GREY if line.by_chance else "black")  # fmt: skip
    ax.set_yticks(range(len(effects)), [_named(line) for line in effects.itertuples()], fontsize=8)
    ax.invert_yaxis()
    ax.axvline(mean, color="black", linewidth=1.0)
    ax.axvline(stated, color="black", linewidth=1.0, linestyle=":")
    for end in (interval.low, interval.high):
        ax.axvline(end, color=GREY, linewidth=1.0, linestyle="--")
    handles: list[Any] = [ax.barh([0], [0], color=colour, linewidth=0) for colour in COLOURS[:2]]
    handles += [Line2D([], [], color="black", linewidth=1.0, linestyle=style) for style in ("-", ":")]
    handles.append(Line2D([], [], color=GREY, linewidth=1.0, linestyle="--"))
    named = ["input in its lowest fifth", "in its highest fifth", "mean of the draws", "stated values"]
    named.append(f"{100 * LEVEL:.0f} % of the draws")
    legend_above(ax, 3, handles=handles, labels=named, columnspacing=1.2)
    what = indicator_called(label.indicator)
    change = "" if other == 0 else f":\n{drawn(data.names[other])} less {drawn(data.names[0])}"
    place = place_name(data.runs[other], label.kind, label.place, label.direction)
    ax.set_xlabel(f"{what} at {place} [{label.unit}]{change}\nat the right: share of the variance", fontsize=9)
    return tidy(ax)


def end_means(place: FloatArray, answers: FloatArray) -> tuple[float, float]:
    """Mean answer with an input in the lowest fifth of its range, and in the highest fifth.

    Where no draw lies there, that of the draw which is nearest to the end.
    """
    ends = place <= place.min() + 1e-12, place >= place.max() - 1e-12
    fifths = place <= 0.2, place >= 0.8
    low, high = (answers[one if one.any() else end].mean() for one, end in zip(fifths, ends, strict=True))
    return float(low), float(high)


def _halves(mean: float, low: float, high: float) -> list[tuple[float, float, int]]:
    """Pieces (left, right, colour) of a bar between two ends: each end's colour reaches to the mean, or to the middle
    of a bar that does not hold the mean."""
    middle = mean if min(low, high) <= mean <= max(low, high) else (low + high) / 2
    return [(min(end, middle), max(end, middle), colour) for colour, end in enumerate((low, high))]


def _row(data: Any, indicator: str, other: int, where: dict[str, Any]) -> int | None:
    """The row asked for, where the answer is largest."""
    rows = [
        k
        for k, label in enumerate(data.labels)
        if label.indicator == indicator
        and not label.cargo_class
        and not label.of
        and all(getattr(label, name, None) == value for name, value in where.items())
    ]
    sizes = {row: abs(data.stated(row, other)) for row in rows}
    there = [row for row in rows if sizes[row] == sizes[row]]
    return max(there, key=lambda row: (data.is_clear(row, other), sizes[row]), default=None)


def _named(line: Any) -> str:
    """An input with its range."""
    name = str(line.called)
    low, high = estimate(line.low), estimate(line.high)
    return textwrap.fill(f"{drawn(name, LONGEST_INPUT)}, {low} to {high}", WIDE)
