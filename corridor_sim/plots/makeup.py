"""What the time at a post consists of: components of the stay, and the stages of a time release study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.rounding import estimate
from corridor_sim.core.units import FloatArray, counted
from corridor_sim.indicators.words import component_called
from corridor_sim.plots.base import (
    COLOURS,
    GREY,
    PLOTS,
    arms,
    legend_above,
    mean_and_ends,
    new_axes,
    no_data,
    runs_of,
    tidy,
)
from corridor_sim.plots.names import drawn
from corridor_sim.results.called import passage_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++", "oo")
"""Second channel beside the colour."""
COMPONENT_COLOURS = {
    "slot_wait": "#F0E442",
    "acceptance_wait": COLOURS[4],
    "wait": COLOURS[1],
    "entry_wait": "#882255",
    "sailing_wait": COLOURS[3],
    "blocked": "#000000",
    "interrupted": "#6E3B0B",
    "service": COLOURS[0],
    "dwell": COLOURS[5],
    "travel": COLOURS[2],
    "rest": "#332288",
}
"""In the order in which they are stacked, what is delay first: that in warm and dark colours, the work in cool ones.
Okabe and Ito's eight and three dark ones that lie apart from them, also for readers who see no red or green."""
COMPONENTS = tuple(COMPONENT_COLOURS)
LEAST_PART = 0.01
"""Rows shorter than this part of the longest one are too short to be read, and are told in one line."""

Parts = dict[tuple[str, str], dict[str, FloatArray]]


@PLOTS.register("components", of="results", report=30)
def components(data: Any, *, ax: Axes | None = None) -> Axes:
    """What a mean passage of each post consists of: waits, service, dwell.

    Parameters
    ----------
    data : Results or Comparison
        Each run is a bar a post, in the order of the runs.
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Hours a passage, stacked by component; the whisker is the 95 % interval of the sum.
    """
    return _stacked(data, ax, _components, "time at the post by component [h], 95 % interval of the sum")


@PLOTS.register("segments", of="results")
def segments(data: Any, *, ax: Axes | None = None) -> Axes:
    """Mean time a passage spends at each stage of a post, those not sent there counted as 0.

    Parameters and return value as in `components`; the segments are those of a time release study.
    """
    return _stacked(data, ax, _segments, "time at the post by stage [h], 95 % interval of the sum")


def styles_of(names: Sequence[str], plan: Any) -> dict[str, tuple[str, str]]:
    """Colour and hatch of each component, the same in every picture; stages by their order in the whole plan."""
    if set(names) <= set(COMPONENTS):
        order: Sequence[str] = COMPONENTS
    else:
        stages = dict.fromkeys(element.stage for element in plan.elements if element.stage)
        order = list(dict.fromkeys([*sorted(stages), *names]))
    colours = tuple(dict.fromkeys((*COLOURS, *COMPONENT_COLOURS.values())))
    styles = {}
    for n, name in enumerate(order):
        own = COMPONENT_COLOURS[name] if order is COMPONENTS else colours[n % len(colours)]
        styles[name] = own, HATCHES[(n + n // len(HATCHES)) % len(HATCHES)]
    return {name: styles[name] for name in names}


def _components(results: Any) -> Parts:
    found: Parts = {}
    for label, values in results.rows.select("component_h", kind="post"):
        if np.nansum(values) > 0:
            found.setdefault((label.place, label.direction), {})[label.of] = np.nan_to_num(values)
    return found


def _segments(results: Any) -> Parts:
    shares = {
        (label.place, label.direction, label.of): values
        for label, values in results.rows.select("visit_share", kind="post")
    }
    found: Parts = {}
    for label, values in results.rows.select("release_time_h", kind="post"):
        share = shares[label.place, label.direction, label.of]
        if np.nansum(values) > 0:
            found.setdefault((label.place, label.direction), {})[label.of] = np.nan_to_num(values * share)
    return found


def _stacked(data: Any, ax: Axes | None, parts_of: Any, label: str) -> Axes:
    runs = runs_of(data)
    parts = [parts_of(results) for _, results in runs]
    longest_h = {
        place: max(float(sum(found[place].values()).mean()) for found in parts if place in found)
        for place in dict.fromkeys(place for found in parts for place in found)
    }
    least_h = LEAST_PART * max(longest_h.values(), default=0.0)
    places = [place for place, hours in longest_h.items() if hours >= least_h]
    short = [hours for hours in longest_h.values() if hours < least_h]
    rows = len(places) + bool(short)
    ax = new_axes(ax, (8.0, 1.5 + (0.16 + 0.17 * len(runs)) * max(2, rows)))
    if not places:
        return no_data(ax, "no consignment passes a post")
    present = dict.fromkeys(name for found in parts for place in places for name in found.get(place, ()))
    names = [name for name in COMPONENTS if name in present] + [name for name in present if name not in COMPONENTS]
    styles = styles_of(names, runs[0][1].plan)
    height = 0.78 / len(runs)
    for k, found in enumerate(parts):
        y = np.arange(len(places)) + (k - (len(runs) - 1) / 2) * height
        left = np.zeros((len(places), len(runs[k][1].rows.replications)))
        for name in names:
            width = np.array([found.get(place, {}).get(name, np.zeros(left.shape[1])) for place in places])
            ax.barh(
                y,
                width.mean(axis=1),
                left=left.mean(axis=1),
                height=height * 0.86,
                color=styles[name][0],
                hatch=styles[name][1],
                edgecolor="white",
                linewidth=0.4,
                label=drawn(component_called(name)) if k == 0 else None,
            )
            left = left + width
        mean, low, high = mean_and_ends(left)
        if np.isfinite(high).all():
            ax.errorbar(mean, y, xerr=arms(mean, low, high), fmt="none", ecolor="black", capsize=2, lw=0.9)
    first = runs[0][1]
    called_rows = [drawn(passage_name(first, post, direction)) for post, direction in places]
    if short:
        called_rows.append(counted(len(short), "other passage"))
        ax.text(0.0, len(places), f"  {'each ' if len(short) > 1 else ''}at most {estimate(max(short))} h",
                va="center", fontsize=8, color=GREY)  # fmt: skip
    ax.set_yticks(range(rows), called_rows, fontsize=8.5)
    ax.set_ylim(rows - 0.4, -0.6)
    ax.set_xlabel(label)
    order = "bars of a post from top to bottom: " + ", ".join(name for name, _ in runs)
    legend_above(ax, 4, title=order if len(runs) > 1 else None, title_fontsize=8, alignment="left")
    return tidy(ax)
