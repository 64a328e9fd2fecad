"""How much waits and how much passes, by day and by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.plots.base import (
    COLOURS,
    DASHES,
    GREY,
    PLOTS,
    legend,
    mean_and_ends,
    new_axes,
    no_data,
    parted,
    runs_of,
    tidy,
)
from corridor_sim.plots.names import drawn
from corridor_sim.results.called import post_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes


NEAR = 0.5
"""A heat map whose least value is above this part of its largest has a scale that does not begin at 0."""


@PLOTS.register("queue", of="results", report=40)
def queue_over_time(
    data: Any, *, post: str | None = None, direction: str | None = None, ax: Axes | None = None
) -> Axes:
    """Mean number waiting at a post over the run, a band holding nine in ten replications.

    Parameters
    ----------
    data : Results or Comparison
        Each run is a line.
    post, direction : str, optional
        Which post; by default the one with the longest mean queue.
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Local date against number waiting.
    """
    ax = new_axes(ax)
    runs = runs_of(data)
    post, direction = _chosen(runs[0][1], post, direction)
    found = False
    for k, (name, results) in enumerate(runs):
        day, values = _series(results, "queue_by_day", post, direction)
        if not len(day):
            continue
        found = True
        x = dates(results, day, post)
        colour = COLOURS[k % len(COLOURS)]
        seen = np.isfinite(values).all(axis=1)
        x, values = x[seen], values[seen]
        ax.plot(x, values.mean(axis=1), DASHES[k % 4], color=colour, label=name, lw=1.8)
        if values.shape[1] > 1 and len(x):
            low, high = np.percentile(values, [5, 95], axis=1)
            ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    if not found:
        return no_data(ax, f"nothing waits at {post} ({direction})")
    ax.set_ylim(bottom=0)
    ax.set_ylabel("vehicles waiting [1]")
    ax.set_xlabel("local date")
    ax.set_title(
        f"Queue at {drawn(post_name(runs[0][1], post))} ({direction}); band: 90 % of replications", fontsize=10
    )
    legend(ax)
    _slanted(ax)
    return tidy(ax)


@PLOTS.register("queue_by_hour", of="results")
def queue_by_hour(data: Any, *, post: str | None = None, direction: str | None = None, ax: Axes | None = None) -> Axes:
    """Number waiting by local hour of the day: mean with its 95 % interval, and the 95th percentile.

    Parameters and return value as in `queue_over_time`.
    """
    ax = new_axes(ax)
    runs = runs_of(data)
    post, direction = _chosen(runs[0][1], post, direction)
    hours = np.arange(24)
    for k, (name, results) in enumerate(runs):
        colour = COLOURS[k % len(COLOURS)]
        mean, low, high = mean_and_ends(_hours(results, "queue_by_hour", post, direction))
        ax.plot(hours, mean, DASHES[k % 4], color=colour, label=f"{name}: mean")
        ax.fill_between(hours, low, high, color=colour, alpha=0.2, linewidth=0)
        busy, *_ = mean_and_ends(_hours(results, "queue_by_hour_p95", post, direction))
        ax.plot(hours, busy, ":", color=colour, lw=1.0, label=f"{name}: 95th percentile")
    ax.set_ylim(bottom=0)
    ax.set_xticks(range(0, 24, 3))
    ax.set_xlabel("local hour of the day [h]")
    ax.set_ylabel("vehicles waiting [1]")
    ax.set_title(f"Queue at {drawn(post_name(runs[0][1], post))} ({direction})", fontsize=10)
    legend(ax)
    return tidy(ax)


@PLOTS.register("queue_heatmap", of="results", report=42)
def queue_heatmap(data: Any, *, post: str | None = None, direction: str | None = None, ax: Axes | None = None) -> Axes:
    """Mean number waiting by weekday and local hour; of several runs the first."""
    ax = new_axes(ax, (8.0, 3.2))
    name, results = runs_of(data)[0]
    post, direction = _chosen(results, post, direction)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    rows = results.rows.select("queue_by_weekday_hour", kind="post", place=post, direction=direction)
    grid = np.full((7, 24), np.nan)
    for label, values in rows:
        grid[days.index(label.of), label.hour] = np.nanmean(values) if np.isfinite(values).any() else np.nan
    if np.isnan(grid).all():
        return no_data(ax, f"nothing waits at {post} ({direction})")
    least, most = float(np.nanmin(grid)), float(np.nanmax(grid))
    # Where the queue is long at every hour a scale from 0 has one colour for all of them.
    begins = least if NEAR * most < least < most else 0.0
    image = ax.pcolormesh(np.arange(25), np.arange(8), grid, cmap="cividis", vmin=begins, vmax=most or 1.0)
    ax.invert_yaxis()
    ax.set_yticks(np.arange(7) + 0.5, days)
    ax.set_xticks(range(0, 25, 3))
    ax.set_xlabel("local hour of the day [h]")
    ax.set_title(f"Queue at {drawn(post_name(results, post))} ({direction}), {name}", fontsize=10)
    told = f"\nfrom {least:,.0f}, not from 0: {most / least - 1:.1%} apart" if begins else ""
    bar = ax.figure.colorbar(image, ax=ax, label=f"vehicles waiting, mean [1]{told}")
    bar.ax.yaxis.set_major_formatter(parted)
    return ax


@PLOTS.register("load", of="results", report=45)
def load_and_capacity(
    data: Any, *, post: str | None = None, direction: str | None = None, ax: Axes | None = None
) -> Axes:
    """Capacity of a post and load on it by day, and how saturated it is (second axis).

    Parameters and return value as in `queue_over_time`; one run is drawn in full,
    of others only load and capacity.
    """
    ax = new_axes(ax)
    runs = runs_of(data)
    post, direction = _chosen(runs[0][1], post, direction)
    for k, (name, results) in enumerate(runs):
        day, capacity = _series(results, "capacity_by_day", post, direction)
        if not len(day):
            return no_data(ax, f"{post} ({direction}) has no lanes")
        _, load = _series(results, "load_by_day", post, direction)
        period = float(np.diff(day).min()) if len(day) > 1 else 1.0
        x, colour = dates(results, day, post), COLOURS[k % len(COLOURS)]
        ax.step(x, capacity.mean(axis=1) / period, "--", where="post", color=colour, lw=1.6, label=f"{name}: capacity")
        mean, low, high = mean_and_ends(load / period)
        ax.plot(x, mean, "-", color=colour, label=f"{name}: load")
        ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    if len(runs) == 1:
        second = ax.twinx()
        _, saturation = _series(runs[0][1], "saturation_by_day", post, direction)
        second.plot(x, np.nanmean(saturation, axis=1), ":", color=GREY, label="saturation")
        second.axhline(1.0, color=GREY, lw=0.8)
        second.set_ylim(0, max(1.1, float(np.nanmax(np.nanmean(saturation, axis=1)) * 1.1)))
        second.set_ylabel("saturation, load / capacity [-] (dotted)", color=GREY)
        second.spines["top"].set_visible(False)
    ax.set_ylim(bottom=0)
    ax.set_ylabel("vehicles a day [1/day]")
    ax.set_xlabel("local date")
    ax.set_title(f"Capacity and load at {drawn(post_name(runs[0][1], post))} ({direction})", fontsize=10)
    legend(ax, loc="lower left")
    _slanted(ax)
    return tidy(ax)


@PLOTS.register("cumulative", of="results")
def cumulative_counts(
    data: Any, *, post: str | None = None, direction: str | None = None, ax: Axes | None = None
) -> Axes:
    """Vehicles that have reached and left a post since the run began; the gap between them is inside.

    Parameters and return value as in `queue_over_time`. The warm-up and the broken first and last day are drawn too,
    and who stands there when the run begins has reached the post.
    """
    ax = new_axes(ax)
    runs = runs_of(data)
    post, direction = _chosen(runs[0][1], post, direction)
    for k, (name, results) in enumerate(runs):
        colour = COLOURS[k % len(COLOURS)]
        # The days that the run covers only in part count too: without them the curves would not close.
        edge_h = results.scope.day_edges_h(post)
        local_day = np.asarray(results.scope.clock(post).shown_h(edge_h)) / 24
        for of, dash in (("reached", "-"), ("left", "--")):
            day, values = _series(results, "passed_by_day", post, direction, of=of, whole=False)
            if not len(day):
                return no_data(ax, f"no consignment passes {post} ({direction})")
            x = dates(results, local_day[np.append(day.astype(int), len(edge_h) - 1)], post)
            first = np.zeros(values.shape[1]) + (_standing(results, post, direction) if of == "reached" else 0)
            mean, low, high = mean_and_ends(np.vstack([first, np.cumsum(values, axis=0)]))
            ax.plot(x, mean, dash, color=colour, label=f"{name}: {of}")
            ax.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("local date")
    ax.set_ylabel("vehicles since the run began [1]")
    ax.set_title(f"Reached and left {drawn(post_name(runs[0][1], post))} ({direction})", fontsize=10)
    legend(ax)
    _slanted(ax)
    return tidy(ax)


def dates(results: Any, day: FloatArray, post: str) -> Any:
    """Dates of days counted from the first local date; the day numbers where a plan has no dates."""
    first = results.scope.first_date(post)
    if first is None:
        return day
    return np.datetime64(first, "h") + (np.asarray(day, dtype=float) * 24).astype("timedelta64[h]")


def _standing(results: Any, post: str, direction: str) -> int:
    """How many stand at a post when the run begins (`run.initial_queue`)."""
    return sum(
        len(flow.standing_h)
        for flow in results.plan.flows
        if flow.standing_h
        and any((s.kind, s.id, s.direction) == ("post", post, direction) for v in flow.variants for s in v.spans)
    )


def _series(
    results: Any, indicator: str, post: str, direction: str, of: str = "", whole: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Days and values, shape (day,) and (day, replication); `whole` leaves out days that the run covers in part."""
    rows = results.rows.select(indicator, kind="post", place=post, direction=direction, of=of)
    days = [label.day for label, _ in rows]
    kept = [k for k, day in enumerate(days) if day is not None]
    day, values = np.array([days[k] for k in kept], dtype=float), rows.values[kept]
    if len(day) < 3 or not whole:
        return day, values
    # Local days that the run covers only in part would look like drops.
    period = float(np.diff(day).min())
    clock = results.scope.clock(post)
    begin, end = ([clock.begins_h(int(one + more)) for one in day] for more in (0, period))
    covered = (np.array(begin) >= 0) & (np.array(end) <= results.plan.horizon_h)
    return day[covered], values[covered]


def _hours(results: Any, indicator: str, post: str, direction: str) -> FloatArray:
    rows = results.rows.select(indicator, kind="post", place=post, direction=direction)
    found = np.full((24, len(rows.replications)), np.nan)
    for label, values in rows:
        if label.hour is not None:
            found[label.hour] = values
    return found


def _chosen(results: Any, post: str | None, direction: str | None) -> tuple[str, str]:
    """The post asked for, or the one with the longest mean queue."""
    rows = results.rows.select("queue_mean", kind="post")
    fitting = [
        (float(np.nanmean(values)), label)
        for label, values in rows
        if (post is None or label.place == post) and (direction is None or label.direction == direction)
    ]
    if not fitting:
        known = sorted({f"{label.place} ({label.direction})" for label, _ in rows})
        raise ValueError(f"no post {post!r} with direction {direction!r} in these results (known: {', '.join(known)})")
    _, label = max(fitting, key=lambda pair: pair[0])
    return label.place, label.direction


def _slanted(ax: Axes) -> None:
    for tick in ax.get_xticklabels():
        tick.set_rotation(30)
        tick.set_horizontalalignment("right")
