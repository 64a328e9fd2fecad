"""What a programme of upgrades comes to: by money, by year, and what it loses where inputs are other ones."""

from __future__ import annotations

import itertools
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.units import counted
from corridor_sim.indicators.words import indicator_called
from corridor_sim.plots.base import COLOURS, GREY, PLOTS, arms, legend, new_axes, no_data, tidy
from corridor_sim.plots.names import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MILLION = 1e6
WIDE = 32
"""Characters of a line of names."""
MOST_LINES = 6
"""Changes that a step of the frontier names."""
THOUSANDS = "{x:,.0f}"


@PLOTS.register("frontier", of="programme")
def frontier(data: Any, *, ax: Axes | None = None) -> Axes:
    """What is saved for what money: the best set found for each budget, and the chosen one.

    Parameters
    ----------
    data : Programme
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Steps through the sets that save more than every cheaper one; bars are 95 % intervals of sampling noise on
        fresh replications. The broken line is the budget; at the right stands what each step adds and leaves out.
    """
    _programme(data, "frontier")
    ax = new_axes(ax, (9.0, 5.0))
    sets = data.frontier
    cost = np.array([one.capex_usd for one in sets]) / MILLION
    saved = np.array([one.saved for one in sets])
    ends = arms(saved, np.array([one.low for one in sets]), np.array([one.high for one in sets]))
    ax.step(cost, saved, where="post", color=COLOURS[0], linewidth=1.4)
    ax.errorbar(cost, saved, yerr=ends, fmt="o", color=COLOURS[0], markersize=4, capsize=3, label="best set found")
    best = data.best
    ax.plot(
        best.capex_usd / MILLION, best.saved, marker="D", markersize=8, linestyle="", color=COLOURS[1], label="chosen"
    )
    for other in data.near_optimal[1:]:
        ax.plot(other.capex_usd / MILLION, other.saved, "s", markersize=5, color=COLOURS[2], markerfacecolor="none")
    if len(data.near_optimal) > 1:
        ax.plot([], [], "s", color=COLOURS[2], markerfacecolor="none", label=f"within {data.zone} of it")
    money = sum(data.budget_usd.values()) / MILLION
    ax.axvline(money, color=GREY, linestyle="--", linewidth=1.0, label="budget")
    steps = []
    called = {one.id: one.called for one in data.upgrades}
    for number, (before, one) in enumerate(itertools.pairwise(sets), 1):
        ax.annotate(  # beside its bar, so that no line of the budget runs through it
            str(number), (one.capex_usd / MILLION, one.saved), xytext=(-7, 4), textcoords="offset points",
            fontsize=8, ha="right", va="bottom", fontweight="bold",
        )  # fmt: skip
        added = [f"+ {called[id]}" for id in one.ids if id not in before.ids]
        gone = [f"\u2212 {called[id]}" for id in before.ids if id not in one.ids]
        lines = [f"  {drawn(text, WIDE)}" for text in (*added, *gone)]
        more = [f"  and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
        steps.append("\n".join([f"{number}: US$ {one.capex_usd / MILLION:,.1f} m", *lines[:MOST_LINES], *more]))
    ax.annotate(
        "\n".join(steps), (1.0, 1.0), xycoords="axes fraction", xytext=(8, 0), textcoords="offset points", fontsize=7,
        va="top", color=GREY, annotation_clip=False,
    )  # fmt: skip
    ax.set_xlabel("capital [US$ m]")
    ax.set_ylabel(f"saved: {drawn(indicator_called(data.objective))} [{data.unit}]")
    ax.yaxis.set_major_formatter(THOUSANDS)
    ax.margins(y=0.08)
    ax.set_xlim(left=-0.02 * max(cost.max(), money), right=1.04 * max(cost.max(), money))
    legend(ax, loc="lower right")
    return tidy(ax)


@PLOTS.register("regret", of="programme")
def regret(data: Any, *, ax: Axes | None = None) -> Axes:
    """What each of the last sets loses against the best of them, over the draws of the inputs.

    Parameters
    ----------
    data : Programme
        Found with `draws`.
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        For each set every draw as a dot, the middle 90 % as a bar and the mean as a tick; 0 is the set that is the best
        in a draw. At the right in how many draws it is. The chosen set is at the top.
    """
    _programme(data, "regret")
    ax = new_axes(ax, (9.0, 0.9 + 0.62 * len(data.sets)))
    if data.regret is None:
        return no_data(ax, "inputs were not drawn: give draws")
    spread = np.random.default_rng(0).uniform(-0.28, 0.28, data.regret.draws)  # only so that dots do not hide dots
    for y, (one, values) in enumerate(zip(data.sets, data.regret.regret, strict=True)):
        colour = COLOURS[1] if y == 0 else COLOURS[0]
        ax.plot(values, y + spread, ".", markersize=3, color=colour, alpha=0.45, linestyle="")
        low, high = np.quantile(values, [0.05, 0.95])
        ax.plot([low, high], [y, y], color=colour, linewidth=4, alpha=0.55, solid_capstyle="butt")
        ax.plot([values.mean()], [y], "|", color="black", markersize=16, markeredgewidth=1.6)
        ax.annotate(
            f"{(values == 0).mean():.0%}", (1.0, y), xycoords=("axes fraction", "data"), xytext=(6, 0),
            textcoords="offset points", va="center", fontsize=8,
        )  # fmt: skip
        ax.annotate(
            f"US$ {one.capex_usd / MILLION:,.1f} m", (1.0, y), xycoords=("axes fraction", "data"), xytext=(40, 0),
            textcoords="offset points", va="center", fontsize=8, color=GREY,
        )  # fmt: skip
    ax.set_yticks(range(len(data.sets)), [_short(data, one) for one in data.sets], fontsize=7)
    ax.invert_yaxis()
    ax.set_xlim(left=min(0.0, ax.get_xlim()[0]))
    ax.locator_params(axis="x", nbins=5)
    ax.xaxis.set_major_formatter(THOUSANDS)
    ax.set_xlabel(
        f"loses against the best of these in a draw [{data.unit}]; {data.regret.draws} draws\n"
        "bar: middle 90 %, tick: mean; at the right: best in so many draws, capital",
        fontsize=9,
    )
    return tidy(ax)


@PLOTS.register("build_order", of="programme")
def build_order(data: Any, *, ax: Axes | None = None) -> Axes:
    """What is built in which year, for how much, and what has been saved a year by then.

    Parameters
    ----------
    data : Programme
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        A bar from the year of building to the end of the programme for each upgrade, with its capital; the full part
        is the year in which it is built. Below each year the money spent of the money that has come, and
        what a run saves with all that stands at its end.
    """
    _programme(data, "build_order")
    order = sorted(data.years, key=lambda id: (data.years[id], data.chosen.index(id)))
    ax = new_axes(ax, (9.0, 1.8 + 0.42 * max(len(order), 1)))
    if not order:
        return no_data(ax, "nothing is built")
    known = {one.id: one for one in data.upgrades}
    years = sorted(data.budget_usd)
    end = years[-1] + 1
    for y, id in enumerate(order):
        year, colour = data.years[id], COLOURS[y % 6]
        ax.barh(y, end - year - 1, left=year + 1, height=0.6, color=colour, alpha=0.25, linewidth=0)
        ax.barh(y, 1, left=year, height=0.6, color=colour, linewidth=0)
        ax.text(
            year + 0.5, y, f"{known[id].capex_usd / MILLION:,.1f}", ha="center", va="center", fontsize=8, color="white",
            fontweight="bold",
        )  # fmt: skip
    names = [textwrap.fill(drawn(known[id].called, 60), 34) for id in order]
    ax.set_yticks(range(len(order)), names, fontsize=7)
    ax.invert_yaxis()
    come = spent = 0.0
    texts = []
    for year, one in data.staged:
        come += data.budget_usd[year] / MILLION
        spent = one.capex_usd / MILLION
        texts.append(f"{year}\n{spent:,.1f} of {come:,.1f}\n{one.saved:,.0f}")
    ax.set_xticks([year + 0.5 for year in years], texts, fontsize=8)
    ax.set_xlim(years[0], end)
    ax.set_xlabel(
        f"year; US$ m spent of those that have come; saved{_time(data)} with what stands at its end [{data.unit}]",
        fontsize=9,
    )
    return tidy(ax)


def _programme(data: Any, plot: str) -> None:
    if not hasattr(data, "frontier"):
        raise ValueError(f"the plot {plot!r} draws a programme of upgrades (cs.portfolio)")


def _time(data: Any) -> str:
    """The time of a run in which something is saved; "" for a present value."""
    return "" if data.appraisal is not None else f" in {data.window_h / 24:,.4g} days"


def _short(data: Any, one: Any) -> str:
    """A set as what it has beside the chosen one, and what it has not."""
    if one is data.best:
        return f"chosen: {counted(len(one.ids), 'upgrade')}"
    called = {one.id: one.called for one in data.upgrades}
    more = [f"+ {called[id]}" for id in one.ids if id not in data.best.ids]
    less = [f"\u2212 {called[id]}" for id in data.best.ids if id not in one.ids]
    return textwrap.fill(drawn("; ".join([*more, *less]), 110), 52)
