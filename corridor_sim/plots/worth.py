"""Whether measures are worth their money: costs and benefits by year, and by how much they may be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.plots.base import COLOURS, DASHES, GREY, PLOTS, legend, legend_above, new_axes, tidy
from corridor_sim.plots.names import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHANGES = (0.0, 2.0)
"""Factors between which one thing is changed in the picture of switching values."""


@PLOTS.register("cash_flows", of="appraisal")
def cash_flows(data: Any, *, ax: Axes | None = None) -> Axes:
    """Discounted costs and benefits of each year, and the net present value so far.

    Parameters
    ----------
    data : Appraisal
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Year against present value in the first year's money [US$ m]: costs below 0, benefits above, the line is their
        sum so far. It ends at the net present value, drawn with its interval of sampling noise and, where inputs
        were drawn, with the interval of these (broad band).
    """
    _require(data, "cash_flows")
    from matplotlib.ticker import MaxNLocator

    ax = new_axes(ax, (9.0, 4.8))
    years, factors = data.years, data.factors / 1e6
    benefits = data.benefits_usd.mean(axis=0) * factors
    bars = [
        ("benefits", benefits, COLOURS[2]),
        ("capital cost", -data.capex_usd * factors, COLOURS[1]),
        ("running cost", -data.opex_usd * factors, COLOURS[4]),
        ("residual value", data.residual_usd * factors, COLOURS[5]),
    ]
    above, below = np.zeros(len(years)), np.zeros(len(years))
    for name, values, colour in bars:
        if not np.any(values):
            continue
        bottom = np.where(values >= 0, above, below)
        ax.bar(years, values, bottom=bottom, width=0.75, color=colour, linewidth=0, label=name)
        above, below = above + np.maximum(values, 0), below + np.minimum(values, 0)
    ax.plot(
        years, np.cumsum(data.net_usd * factors), color="black", lw=1.6, marker=".", label="net present value so far"
    )
    mean, low, high = (one / 1e6 for one in data.npv_usd)
    if data.inputs is not None and data.inputs.interval().draws:
        open_ = data.inputs.interval()
        share = "smallest to largest" if open_.few else f"{100 * open_.level:.0f} %"
        ax.plot(
            [years[-1] + 0.7] * 2, [open_.low / 1e6, open_.high / 1e6], color=GREY, lw=7, alpha=0.4,
            solid_capstyle="butt", label=f"what the inputs leave open, {share}",
        )  # fmt: skip
    if low == low:
        ax.errorbar(
            [years[-1] + 0.7], [mean], yerr=[[mean - low], [high - mean]], fmt="o", color="black", ms=4, capsize=3,
            label="in the end, interval of noise",
        )  # fmt: skip
    ax.axhline(0.0, color=GREY, lw=1.0)
    ax.set_xlabel("year")
    ax.set_ylabel(f"present value in {int(years[0])} at {100 * data.discount_rate:g} % [US$ m]")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_above(ax, 3, title=f"{drawn(data.name)}: NPV US\\$ {mean:,.1f} m", title_fontsize=9, alignment="left")
    return tidy(ax)


@PLOTS.register("switching", of="appraisal")
def switching(data: Any, *, ax: Axes | None = None) -> Axes:
    """Net present value while one thing is changed alone; where a line crosses 0 is its switching value.

    Parameters
    ----------
    data : Appraisal
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Factor on benefits, capital cost (less its residual value) or running cost against the net present value
        [US$ m]. A switching value outside the picture is told in the legend.
    """
    _require(data, "switching")
    ax = new_axes(ax, (8.0, 4.8))
    parts, switches = data.present_parts_usd, data.switching
    npv = parts["benefits"] - parts["capital cost"] - parts["running cost"]
    factor = np.array(CHANGES)
    colours = {"benefits": COLOURS[2], "capital cost": COLOURS[1], "running cost": COLOURS[4]}
    for (what, present), dash in zip(parts.items(), DASHES, strict=False):
        if present <= 0:
            continue
        sign, at = (1.0 if what == "benefits" else -1.0), switches[what]
        told = f"{what}: 0 at x {at:.2f}" if at >= 0 else f"{what}: never 0"
        values = (npv + sign * (factor - 1.0) * present) / 1e6
        ax.plot(factor, values, color=colours[what], ls=dash, lw=1.8, label=told)
        if CHANGES[0] <= at <= CHANGES[1]:
            ax.plot([at], [0.0], "o", color=colours[what], ms=6)
    ax.axhline(0.0, color=GREY, lw=1.0)
    ax.axvline(1.0, color=GREY, lw=1.0, ls=":")
    ax.plot([1.0], [npv / 1e6], "s", color="black", ms=5)
    ax.set_xlim(*CHANGES)
    ax.set_xlabel("changed alone, times what is stated")
    ax.set_ylabel(f"net present value at {100 * data.discount_rate:g} % [US$ m]")
    ax.set_title(drawn(data.name), fontsize=10)
    legend(ax, loc="best")
    return tidy(ax)


@PLOTS.register("npv", of="worth")
def npv_of_replications(data: Any, *, ax: Axes | None = None) -> Axes:
    """Net present value in every replication, with the mean and its interval.

    Parameters
    ----------
    data : Worth
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Net present value [US$ m]; each replication a dot, its share above 0 in the title.
    """
    if not hasattr(data, "npv_values_usd"):
        raise ValueError("the plot 'npv' draws what comparison.worth(...) returns")
    ax = new_axes(ax, (8.0, 2.2))
    values = np.sort(np.asarray(data.npv_values_usd)) / 1e6
    height = np.linspace(-0.3, 0.3, len(values)) if len(values) > 1 else np.zeros(1)
    ax.plot(values, height, "o", color=COLOURS[0], alpha=0.6, ms=4, label="a replication")
    mean, low, high = (one / 1e6 for one in data.npv_usd)
    reach = None if low != low else [[max(mean - low, 0.0)], [max(high - mean, 0.0)]]
    ax.errorbar([mean], [0.5], xerr=reach, fmt="D", color=COLOURS[1], capsize=4, label="mean, interval of noise")
    ax.axvline(0.0, color=GREY, lw=1.0)
    ax.set_ylim(-0.5, 0.8)
    ax.set_yticks([])
    ax.set_xlabel("net present value [US$ m]")
    ax.set_title(f"above 0 in {data.probability_positive:.0%} of {data.replications} replications", fontsize=9)
    legend(ax, loc="best")
    return tidy(ax)


def _require(data: Any, plot: str) -> None:
    if not hasattr(data, "present_parts_usd"):
        raise ValueError(f"the plot {plot!r} draws an appraisal: cs.appraise, corridor-sim appraise")
