"""Fitted laws against measured times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.plots.base import COLOURS, GREY, PLOTS, legend, new_axes, plain_hours, tidy
from corridor_sim.statistics.law_fitting import steps_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = "os^Dv"
MOST = 3
"""Laws drawn by default."""


@PLOTS.register("qq", of="fits")
def quantiles_of_laws(data: Any, *, laws: Any = None, ax: Axes | None = None) -> Axes:
    """Quantiles of fitted laws against those of the times: a law that fits lies on the straight line.

    Parameters
    ----------
    data : LawFits
        Times that were still going on count by what they say of the others (Kaplan and Meier's estimate).
    laws : str or list of str, optional
        Which; by default the three nearest.
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Measured time against time by the law, both [h] and logarithmic.
    """
    if not hasattr(data, "fits"):
        raise ValueError("the plot 'qq' draws fitted laws: cs.fit_law, corridor-sim fit")
    chosen = [fit.kind for fit in data.fits][:MOST] if laws is None else [laws] if isinstance(laws, str) else list(laws)
    ax = new_axes(ax, (6.0, 5.5))
    time_h, share = steps_of(data.times)
    time_h = time_h + data.location_h
    inside = (share > 0) & (share < 1) & (time_h > 0)
    time_h, share = time_h[inside], share[inside]
    least = data.best.aic
    for k, kind in enumerate(chosen):
        fit = data[kind]
        name = f"{kind} (AIC {'least' if fit.aic == least else f'+{fit.aic - least:.1f}'})"
        ax.plot(fit.quantile_h(share), time_h, MARKS[k % len(MARKS)], color=COLOURS[k % len(COLOURS)], ms=3.5,
                alpha=0.7, mew=0, label=name)  # fmt: skip
    ends = np.array([time_h.min(), time_h.max()]) if len(time_h) else np.array([0.1, 1.0])
    ax.plot(ends, ends, "-", color=GREY, lw=1.0)
    ax.set_xscale("log")
    ax.set_yscale("log")
    plain_hours(ax.xaxis, *ax.get_xlim())
    plain_hours(ax.yaxis, *ax.get_ylim())
    ax.set_xlabel("time by the law [h]")
    ax.set_ylabel("measured time [h]")
    ax.set_title(f"Quantiles of {data.about}", fontsize=10)
    legend(ax, loc="upper left")
    return tidy(ax)
