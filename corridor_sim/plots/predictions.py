"""A predicted queue with its bands, and what came."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.plots.base import COLOURS, GREY, PLOTS, legend, new_axes, tidy
from corridor_sim.plots.names import drawn
from corridor_sim.results.called import in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEFORE_H = 48.0
"""How much of the past is drawn. [h]"""


@PLOTS.register("prediction", of="prediction")
def predicted_queue(data: Any, *, counts: Any = None, ax: Axes | None = None) -> Axes:
    """Median and bands of 50 and 90 % of a predicted queue, with the counts before and after its origin.

    Parameters
    ----------
    data : QueuePrediction
    counts : QueueCounts, optional
        What was counted.
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Date (UTC) against vehicles in the queue.
    """
    if not hasattr(data, "quantile") or not hasattr(data, "origin"):
        raise ValueError("the plot 'prediction' draws a predicted queue: cs.predict_queue, corridor-sim predict")
    ax = new_axes(ax, (9.0, 4.5))
    when = [data.origin + dt.timedelta(hours=float(hour)) for hour in data.time_h]
    for confidence, strength in ((0.9, 0.18), (0.5, 0.35)):
        low, high = data.band(confidence)
        ax.fill_between(when, low, high, color=COLOURS[0], alpha=strength, linewidth=0, label=f"{confidence:.0%} band")
    ax.plot(when, data.quantile(0.5), color=COLOURS[0], lw=1.6, label="median")
    if counts is not None:
        origin_h = counts.hour(data.origin)
        near = counts.between(origin_h - BEFORE_H, origin_h + float(np.max(data.time_h)))
        ax.plot([near.instant(hour) for hour in near.time_h], near.count, ".", color="black", ms=3.5, label="counted")
    ax.axvline(data.origin, color=GREY, lw=1.0, ls="--")
    ax.set_ylim(bottom=0)
    ax.set_ylabel("vehicles in the queue [1]")
    ax.set_xlabel("date (UTC)")
    of = f" of {drawn(in_words(data.name), 48)}" if data.name else ""
    ax.set_title(f"Queue{of} after {data.origin:%Y-%m-%d %H:%M}, {data.method}", fontsize=10)
    legend(ax, loc="upper left")
    # Not `autofmt_xdate`: matplotlib 3.9 has it warn where the layout is constrained.
    ax.tick_params(axis="x", rotation=30)
    return tidy(ax)
