"""How long it takes: time against distance, and how times at the posts spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.plots.base import (
    COLOURS,
    DASHES,
    GREY,
    PLOTS,
    arms,
    legend,
    legend_above,
    mean_and_ends,
    new_axes,
    no_data,
    plain_hours,
    runs_of,
    tidy,
)
from corridor_sim.plots.names import drawn
from corridor_sim.results.called import flow_name, passage_name, post_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@PLOTS.register("time_distance", of="results", report=20)
def time_distance(data: Any, *, flow: str | None = None, ax: Axes | None = None, what: str = "time") -> Axes:
    """Mean time from the origin against distance; posts are the vertical steps.

    Parameters
    ----------
    data : Results or Comparison
        Each run is a line.
    flow : str, optional
        Which flow; by default the longest one.
    what : {"time", "cost"}
        Hours, or transport cost a tonne plus value of the time. [h] or [US$]
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Distance [km] against mean time [h] or cost [US$ a consignment] since release.
    """
    ax = new_axes(ax, (8.0, 5.0))
    runs = runs_of(data)
    plan = runs[0][1].plan
    if flow is None:
        flow = max(plan.flows, key=lambda f: max((v.length_km for v in f.variants), default=0.0)).id
    marks: dict[float, str] = {}
    for k, (name, results) in enumerate(runs):
        km, value, reach, posts = _profile(results, flow, what)
        if not len(km):
            return no_data(ax, f"no times of legs are known for {drawn(flow_name(results, flow))}")
        ax.plot(km, value, DASHES[k % 4], color=COLOURS[k % len(COLOURS)], lw=1.8, label=name)
        ax.errorbar(km[-1:], value[-1:], yerr=reach, color=COLOURS[k % len(COLOURS)], capsize=4, lw=1.2)
        marks.update(posts)
    for n, (at, text) in enumerate(sorted(_merge(marks).items())):
        ax.axvline(at, color="#e5e5e5", lw=0.8, zorder=0)
        ax.annotate(
            text,
            (at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3 + 11 * (n % 2)),
            textcoords="offset points",
            fontsize=7.5,
            ha="center",
            color=GREY,
        )
    ax.set_xlabel("distance from the origin [km]")
    ax.set_ylabel("mean time since release [h]" if what == "time" else "mean cost since release [US$]")
    ax.set_ylim(bottom=0)
    title = f"{drawn(flow_name(runs[0][1], flow))}; bar: 95 % interval at the end"
    legend(ax, title=title, loc="best", fontsize=9, alignment="left")
    return tidy(ax)


@PLOTS.register("cost_distance", of="results")
def cost_distance(data: Any, *, flow: str | None = None, ax: Axes | None = None) -> Axes:
    """Mean cost from the origin against distance (transport and value of time), see `time_distance`."""
    return time_distance(data, flow=flow, ax=ax, what="cost")


def _profile(results: Any, flow_id: str, what: str) -> tuple[FloatArray, FloatArray, FloatArray, dict[float, str]]:
    """Distance, mean time or cost, arms of its interval at the end, posts by distance, along the first itinerary."""
    plan, table = results.plan, results.rows
    flow = next((f for f in plan.flows if f.id == flow_id), None)
    if flow is None:
        raise ValueError(f"no flow {flow_id!r} (known: {', '.join(f.id for f in plan.flows)})")
    variant = max(flow.variants, key=lambda v: v.share.integral(plan.horizon_h))
    spans = sorted((s for s in variant.spans if s.kind in ("leg", "post")), key=lambda s: (s.first, -s.last))
    # Controls that are made at a post of the other country are part of the stay there.
    spans = [s for n, s in enumerate(spans) if not any(s.last <= other.last for other in spans[:n])]
    km, values, posts = [0.0], [np.zeros(len(table.replications))], {}
    value_of_time = float(flow.labels.get("value_of_time_usd_h", 0.0) or 0.0)
    for span in spans:
        stay = table.select("stay_h", kind=span.kind, place=span.id, direction=span.direction, cargo_class="")
        if not len(stay) and span.kind == "leg":  # a run that kept rows of posts only: the way is not known
            return np.array([]), np.array([]), np.array([]), {}
        hours = stay.values[0] if len(stay) else np.zeros(len(table.replications))
        amount = np.nan_to_num(hours)
        if what == "cost":
            amount = amount * value_of_time + span.length_km * span.cost_usd_tkm * flow.load_t
        if span.kind == "post":
            posts[km[-1]] = drawn(post_name(results, span.id), 24)
        km.append(km[-1] + (span.length_km if span.kind == "leg" else 0.0))
        values.append(values[-1] + amount)
    mean, low, high = mean_and_ends(np.array(values))
    return np.array(km if len(km) > 1 else []), mean, arms(mean, low, high)[:, -1:], posts


def _merge(marks: dict[float, str]) -> dict[float, str]:
    """Posts that are nearer than 15 km share a label (the two sides of a border)."""
    merged: dict[float, str] = {}
    for at in sorted(marks):
        near = [other for other in merged if abs(other - at) < 15]
        if near:
            merged[near[0]] = f"{merged[near[0]]} / {marks[at]}"
        else:
            merged[at] = marks[at]
    return merged


@PLOTS.register("stay", of="results")
def stay_at_posts(data: Any, *, ax: Axes | None = None) -> Axes:
    """Stay at every post: mean with its interval, and the means of the replications' medians and 95th percentiles."""
    runs = runs_of(data)
    first = runs[0][1]
    places = [
        (label.place, label.direction)
        for label, values in first.rows.select("stay_h", kind="post", cargo_class="")
        if np.isfinite(values).any()
    ]
    ax = new_axes(ax, (8.0, 1.4 + (0.14 + 0.16 * len(runs)) * max(2, len(places))))
    if not places:
        return no_data(ax, "no consignment passes a post")
    y = np.arange(len(places))
    for k, (name, results) in enumerate(runs):
        colour, shift = COLOURS[k % len(COLOURS)], (k - (len(runs) - 1) / 2) * 0.22
        mean, low, high = mean_and_ends(_rows(results, "stay_h", places))
        reach = arms(mean, low, high)
        median, *_ = mean_and_ends(_rows(results, "stay_p50_h", places))
        late, *_ = mean_and_ends(_rows(results, "stay_p95_h", places))
        ax.hlines(y + shift, median, late, color=colour, lw=1.0, alpha=0.6)
        ax.errorbar(
            mean,
            y + shift,
            xerr=reach,
            fmt="o",
            color=colour,
            ms=4,
            capsize=3,
            label=f"{name}: mean, 95 % interval",
        )
        ax.plot(median, y + shift, "|", color=colour, ms=9)
        ax.plot(late, y + shift, ">", color=colour, ms=4)
    ax.set_yticks(y, [drawn(passage_name(first, post, direction)) for post, direction in places])
    ax.set_xscale("symlog", linthresh=1.0)
    ax.set_xlim(left=0)
    ax.set_xlim(right=1.05 * ax.get_xlim()[1])
    plain_hours(ax.xaxis, 0.0, ax.get_xlim()[1])
    ax.set_ylim(len(places) - 0.4, -0.6)
    ax.set_xlabel(
        "stay at the post [h], linear to 1 h, then logarithmic\n"
        "| median, > 95th percentile: means of those of the replications"
    )
    legend_above(ax, 1)
    return tidy(ax)


@PLOTS.register("distribution", of="results", report=35)
def stay_distribution(
    data: Any, *, post: str | None = None, direction: str | None = None, ax: Axes | None = None
) -> Axes:
    """Share of consignments that have left a post within a time: mean over replications, with its interval.

    Parameters
    ----------
    data : Results or Comparison
        Each run is a line.
    post, direction : str, optional
        Which post; by default the one with the longest mean stay.

    Notes
    -----
    The axis begins where nobody has left in any run and ends where all have in every one. Where some stay
    longer than the last step the picture says how many.
    """
    ax = new_axes(ax)
    runs = runs_of(data)
    first = runs[0][1]
    rows = [
        (float(np.nanmean(values)), label)
        for label, values in first.rows.select("stay_h", kind="post", cargo_class="")
        if np.isfinite(values).any()
        and (post is None or label.place == post)
        and (direction is None or label.direction == direction)
    ]
    if not rows:
        return no_data(ax, "no consignment passes the post")
    label = max(rows, key=lambda pair: pair[0])[1]
    starts_h, ends_h, later = np.inf, 0.0, 0.0
    for k, (name, results) in enumerate(runs):
        found = results.rows.select("stay_distribution", kind="post", place=label.place, direction=label.direction)
        hours = np.array([float(one.of.split()[0]) for one, _ in found])
        order = np.argsort(hours)
        hours, mean, low, high = hours[order], *mean_and_ends(found.values[order])
        # An interval of shares near 0 or 1 is not said to reach beyond them.
        low, high = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
        all_left = ~(found.values[order] < 1.0).any(axis=1)
        ends_h = max(ends_h, float(hours[np.argmax(all_left)] if all_left.any() else hours[-1]))
        nobody = ~(found.values[order] > 0.0).any(axis=1)
        starts_h = min(starts_h, float(hours[nobody][-1] if nobody.any() else hours[0]))
        later = max(later, 1.0 - float(np.nan_to_num(mean[-1], nan=1.0)))
        colour = COLOURS[k % len(COLOURS)]
        ax.plot(hours, mean, DASHES[k % 4], color=colour, label=name)
        ax.fill_between(hours, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.set_xscale("log")
    ax.set_xlim(min(starts_h, 0.5 * ends_h), 1.1 * ends_h)
    plain_hours(ax.xaxis, *ax.get_xlim())
    ax.set_ylim(0, 1.02)
    if later > 0:
        ax.text(0.99, 0.02, f"at most {later:.1%} stay longer than {ends_h:,g} h", ha="right", fontsize=8, color=GREY,
                transform=ax.transAxes)  # fmt: skip
    ax.set_xlabel("time from reaching to leaving the post [h]")
    ax.set_ylabel("share that has left [-]")
    ax.set_title(f"Stay at {drawn(post_name(first, label.place))} ({label.direction})", fontsize=10)
    legend(ax)
    return tidy(ax)


def _rows(results: Any, indicator: str, places: list[tuple[str, str]]) -> FloatArray:
    table = results.rows.select(indicator, kind="post", cargo_class="")
    at = {(label.place, label.direction): values for label, values in table}
    none = np.full(len(table.replications), np.nan)
    return np.array([at.get(place, none) for place in places])
