"""What the time at a post consists of: components of the stay, and the stages of a time release study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.plots.base import COLOURS, PLOTS, arms, legend_above, mean_and_ends, new_axes, no_data, runs_of, tidy
from corridor_sim.plots.names import drawn
from corridor_sim.results.called import passage_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++", "oo")
"""Second channel beside the colour."""
COMPONENTS = (
    "slot_wait",
    "acceptance_wait",
    "wait",
    "entry_wait",
    "sailing_wait",
    "blocked",
    "interrupted",
    "service",
    "dwell",
    "travel",
    "rest",
)
"""In the order in which they are stacked: what is delay first."""

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
    stages = dict.fromkeys(element.stage for element in plan.elements if element.stage)
    order = [*COMPONENTS] if set(names) <= set(COMPONENTS) else list(dict.fromkeys([*sorted(stages), *names]))
    numbers = {name: n for n, name in enumerate(order)}
    return {
        name: (
            COLOURS[numbers[name] % len(COLOURS)],
            HATCHES[(numbers[name] + numbers[name] // len(COLOURS)) % len(HATCHES)],
        )
        for name in names
    }


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
    places = list(dict.fromkeys(place for found in parts for place in found))
    ax = new_axes(ax, (8.0, 1.5 + (0.16 + 0.17 * len(runs)) * max(2, len(places))))
    if not places:
        return no_data(ax, "no consignment passes a post")
    present = dict.fromkeys(name for found in parts for one in found.values() for name in one)
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
                label=drawn(name.replace("_", " ")) if k == 0 else None,
            )
            left = left + width
        mean, low, high = mean_and_ends(left)
        if np.isfinite(high).all():
            ax.errorbar(mean, y, xerr=arms(mean, low, high), fmt="none", ecolor="black", capsize=2, lw=0.9)
    first = runs[0][1]
    ax.set_yticks(
        range(len(places)),
        [drawn(passage_name(first, post, direction)) for post, direction in places],
        fontsize=8.5,
    )
    ax.set_ylim(len(places) - 0.4, -0.6)
    ax.set_xlabel(label)
    order = "bars of a post from top to bottom: " + ", ".join(name for name, _ in runs)
    legend_above(ax, 5, title=order if len(runs) > 1 else None, title_fontsize=8, alignment="left")
    return tidy(ax)
