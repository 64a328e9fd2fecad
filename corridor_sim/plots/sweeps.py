"""What the points of a sweep come to: one indicator against one factor, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.indicators.words import WORDS, indicator_called
from corridor_sim.plots.base import COLOURS, DASHES, GREY, PLOTS, arms, legend_above, new_axes, no_data, tidy
from corridor_sim.plots.names import clean, drawn
from corridor_sim.results.called import place_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes


FIRST = ("delay_truck_h_per_day", "tfi1")
"""What a sweep is about where it has it."""


@PLOTS.register("points", of="sweep")
def points_of_a_sweep(
    data: Any,
    *,
    indicator: str | None = None,
    factor: str | None = None,
    ax: Axes | None = None,
    **where: Any,
) -> Axes:
    """One indicator at each point of a sweep against one factor, with its 95 % interval.

    Parameters
    ----------
    data : Sweep
    indicator : str, optional
        Which row; by default the first of `FIRST` that the sweep was asked for, or what it was asked for.
    factor : str, optional
        On the axis; by default the one with the most values.
    ax : Axes, optional
        Where to draw; a new figure if None.
    **where
        Columns that find the row (``kind``, ``place``, ``direction``); by default the one with the largest value.

    Returns
    -------
    Axes
        Value of the factor, or its names, against the indicator in its unit; a line for each setting of the other
        factors where there are no more than seven. Points that are overloaded are hollow.
    """
    if not hasattr(data, "points"):
        raise ValueError("the plot 'points' draws a sweep: cs.sweep")
    from matplotlib.ticker import MaxNLocator

    from corridor_sim.results.results import mean_interval

    label = main_row(data, indicator or main_indicator(data), where)
    ax = new_axes(ax)
    if label is None:
        return no_data(ax, f"no point has a value of {drawn(indicator)}" if indicator else "no point has a value")
    factor = factor or main_factor(data)
    given = [point.get(factor) for point in data.points]
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in given)
    names = sorted({str(value) for value in given})
    at = np.array([float(value) if numbers else names.index(str(value)) for value in given])
    found = np.array([mean_interval(values_of(run, label)) for run in data.runs])
    over = np.array([bool(run.overloaded()) for run in data.runs])
    groups = _lines(data, factor)
    spread = 0.04 * (float(np.ptp(at)) or 1.0) / max(len(set(at)) - 1, 1)
    for k, (name, members) in enumerate(groups.items()):
        mine = np.array(sorted(members, key=lambda point: at[point]))
        x = at[mine] + spread * (k - (len(groups) - 1) / 2)
        colour = COLOURS[k % len(COLOURS)]
        if numbers and len(set(at[mine])) == len(mine):
            ax.plot(x, found[mine, 0], DASHES[k % 4], color=colour, lw=1.2, zorder=1)
        mean, low, high = found[mine].T
        reach = np.nan_to_num(arms(mean, low, high))
        ax.errorbar(x, mean, yerr=reach, fmt="o", color=colour, ms=5, capsize=3, lw=1.2, label=name or None)
        hollow = over[mine]
        ax.plot(x[hollow], mean[hollow], "o", color=colour, mfc="white", ms=5, zorder=4)
    if over.any():
        ax.plot([], [], "o", color=GREY, mfc="white", label="overloaded: measures the horizon")
    if over.any() or any(groups):
        legend_above(ax, 3)
    if numbers and not any(isinstance(value, float) for value in given):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if not numbers:
        ax.set_xticks(range(len(names)), [drawn(name, 30) for name in names])
    name, unit = factor_words(data, factor)
    ax.set_xlabel(f"{drawn(name, 90)} [{unit or '-'}]")
    place = place_name(data.runs[0], label.kind, label.place, label.direction)
    ax.set_ylabel(f"{drawn(indicator_called(label.indicator))}, {drawn(place)} [{label.unit}]", fontsize=9)
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    return tidy(ax)


def _lines(data: Any, factor: str) -> dict[str, list[int]]:
    """Points that differ in the factor alone, by what the others are; all in one where that would be too many."""
    groups: dict[str, list[int]] = {}
    for k, point in enumerate(data.points):
        others = [(name, value) for name, value in point.items() if name != factor]
        text = ", ".join(f"{factor_words(data, name)[0]} {_shown(value)}" for name, value in others)
        groups.setdefault(drawn(text, 60) if text else "", []).append(k)
    return groups if len(groups) <= len(COLOURS) else {"": list(range(len(data.points)))}


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main_factor(data: Any) -> str:
    """The factor with the most values."""
    names = dict.fromkeys(name for point in data.points for name in point)
    return max(names, key=lambda name: len({str(point.get(name)) for point in data.points}), default="")


def factor_words(data: Any, factor: str) -> tuple[str, str]:
    """What a factor is called and its unit: that of the value it sets, its own name where it sets several."""
    from corridor_sim.results.input_words import words_of

    scenario = data.runs[0].scenario
    if "." not in factor or not hasattr(scenario, "checkpoints"):
        return clean(factor, 90), ""
    place, what, unit = words_of(scenario, factor)
    return f"{place}: {what}" if what else place, unit


def main_indicator(data: Any) -> str:
    """What a sweep is about: the delay or the time to cross if it has them, else the first that it has; "" without."""
    known = list(data.runs[0].rows.indicators) if data.runs else []
    return next((name for name in (*FIRST, *WORDS, *known) if name in known), "")


def main_row(data: Any, indicator: str, where: dict[str, Any]) -> Any:
    """Label of the row of an indicator whose mean over the points is largest; None without one."""
    where = {"cargo_class": "", "of": "", "hour": None, "day": None} | where
    best, largest = None, -np.inf
    for run in data.runs[:1]:
        if indicator not in run.rows.indicators:
            continue
        for label, values in run.rows.select(indicator, **where):
            mean = float(np.nanmean(values)) if np.isfinite(values).any() else -np.inf
            if mean > largest:
                best, largest = label, mean
    return best


def values_of(run: Any, label: Any) -> Any:
    """Values of a row in one run, NaN where it has none."""
    rows = run.rows
    if label.indicator in rows.indicators:
        for one, values in rows.select(label.indicator, kind=label.kind, place=label.place, direction=label.direction):
            if one == label:
                return values
    return np.full(len(rows.replications), np.nan)
