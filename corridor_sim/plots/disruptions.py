"""A queue that was disturbed, against its normal band."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.plots.base import COLOURS, GREY, PLOTS, legend, new_axes, tidy
from corridor_sim.plots.names import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@PLOTS.register("disruption", of="disruption")
def disturbed_queue(data: Any, *, ax: Axes | None = None) -> Axes:
    """Queue with a disruption (mean; shaded: nine in ten replications) against the normal band of the same hours.

    Parameters
    ----------
    data : Disruption
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Date (UTC) against number waiting.
    """
    if not hasattr(data, "disturbed") or not hasattr(data, "usual"):
        raise ValueError("the plot 'disruption' draws a disrupted queue: cs.disruption, corridor-sim disruption")
    ax = new_axes(ax, (9.0, 4.5))
    shown = data.mark_h >= data.since_h - 24.0
    mark_h = data.mark_h[shown]
    first = data.runs[0].instant(0.0)
    x: Any = mark_h if first is None else [first + dt.timedelta(hours=float(hour)) for hour in mark_h]

    def at(hour: float) -> Any:
        return hour if first is None else first + dt.timedelta(hours=hour)

    ax.fill_between(x, data.low[shown], data.high[shown], color=GREY, alpha=0.35, linewidth=0, label="normal band")
    low, high = np.percentile(data.disturbed[:, shown], [5, 95], axis=0)
    ax.fill_between(x, low, high, color=COLOURS[1], alpha=0.18, linewidth=0)
    ax.plot(x, data.usual[:, shown].mean(axis=0), "--", color=COLOURS[0], lw=1.2, label="without")
    ax.plot(x, data.disturbed[:, shown].mean(axis=0), color=COLOURS[1], lw=1.8, label="with the disruption")
    ax.axvspan(at(data.since_h), at(data.until_h), color=COLOURS[4], alpha=0.18, linewidth=0, label="disruption")
    back = data.values["recover_h"]
    there = back[~np.isnan(back)]
    if len(there) == len(back):
        ax.axvline(
            at(data.until_h + float(there.mean())), color=COLOURS[2], lw=1.4, ls=":", label="back to normal, mean"
        )
    ax.set_ylim(bottom=0)
    ax.set_ylabel("vehicles waiting [1]")
    ax.set_xlabel("hours since the run began" if first is None else "date (UTC)")
    late = len(back) - len(there)
    told = f"; not recovered within the run in {late} of {len(back)}" if late else ""
    ax.set_title(f"Queue at {drawn(data.place_told)}{told}", fontsize=10)
    legend(ax)
    ax.tick_params(axis="x", rotation=30)
    return tidy(ax)
