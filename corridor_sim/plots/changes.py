"""What an upgrade changes: paired differences, and delay as a waterfall by post or by improvement."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.rounding import LEAST_SHOWN, NO_SPREAD, decimals, estimate, rounded
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.words import WORDS, indicator_called
from corridor_sim.plots.base import (
    COLOURS,
    GREY,
    PLOTS,
    arms,
    compared,
    legend_above,
    mean_and_ends,
    new_axes,
    no_data,
    tidy,
)
from corridor_sim.plots.names import drawn
from corridor_sim.results.called import in_words, passage_name, place_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LESS_COLOUR, MORE_COLOUR = COLOURS[0], COLOURS[1]
"""Of a fall and of a rise."""
PALE = "#a8a8a8"
"""Of what is not distinguishable from no change."""
TOTAL_COLOUR = "#8a7fb0"
"""Of totals, which no component has."""
LEAST_PART = 0.003
"""Of the longest bar: what is shorter cannot be seen."""
WIDE = 42
"""Characters of a line of a name."""
UNITS = {"1/day": "vehicles a day", "1": "vehicles", "-": "-"}


@PLOTS.register("differences", of="comparison", report=10, inputs=True)
def differences(data: Any, *, indicator: str | None = None, kind: str | None = None, ax: Axes | None = None) -> Axes:
    """Difference of each scenario from the base at every place, with its interval; grey where it may be none.

    Parameters
    ----------
    data : Comparison or Uncertainty
        Of an uncertainty each place also has the interval of the inputs (broad band) where the draws have it.
    indicator : str, optional
        Which; by default the time to cross, or what the runs were asked for. Every place that has it is a line.
    kind : str, optional
        Only places of this kind (post, crossing, flow, ...).
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Difference from the base, in the unit of the indicator; a filled mark is a difference
        whose interval (together for all scenarios of a row) leaves out 0.
    """
    comparison = compared(getattr(data, "comparison", data) if hasattr(data, "drawn") else data, "differences")
    if indicator is None:
        known = comparison.base.rows.indicators
        indicator = next((name for name in WORDS if name in known), "tfi1")  # the time to cross is the first of them
    where = {"cargo_class": "", "of": ""} | ({} if kind is None else {"kind": kind})
    frame = comparison.table(indicator, **where)
    if hasattr(data, "drawn"):
        frame = data.table(indicator, **where)
    frame = frame[frame["n"] > 0]
    places = list(dict.fromkeys(zip(frame["kind"], frame["place"], frame["direction"], strict=True)))
    names = comparison.names[1:]
    ax = new_axes(ax, (8.0, 1.5 + (0.22 + 0.16 * len(names)) * max(len(places), 2)))
    if not places:
        return no_data(ax, f"no place has a value of {drawn(indicator)}")
    for k, name in enumerate(names):
        rows = frame[frame["scenario"] == name]
        shift = (k - (len(names) - 1) / 2) * 0.7 / len(names)
        row: Any
        for row in rows.itertuples():
            y = places.index((row.kind, row.place, row.direction)) + shift
            clear = row.verdict in ("more", "less")
            colour = COLOURS[k % len(COLOURS)] if clear else PALE
            half = (row.high - row.low) / 2
            if len(names) == 1:
                _at_right(
                    ax, y, "none" if row.verdict == "no difference" else estimate(row.difference, half, "+"), clear
                )
            if hasattr(data, "drawn"):
                ax.plot([row.inputs_low, row.inputs_high], [y, y], color=colour, lw=5, alpha=0.3, solid_capstyle="butt")
            ax.errorbar(
                row.difference,
                y,
                xerr=_error(row.difference, row.low, row.high),
                fmt="osD^v"[k % 5],
                color=colour,
                mfc=colour if clear else "white",
                ms=5,
                capsize=3,
                lw=1.4,
            )
        ax.plot([], [], "osD^v"[k % 5], color=COLOURS[k % len(COLOURS)], label=drawn(name))
    ax.plot([], [], "o", color=PALE, mfc="white", label="not distinguishable, or none")
    if hasattr(data, "drawn"):
        from corridor_sim.results.uncertain import LEVEL

        ax.plot([], [], color=GREY, lw=5, alpha=0.3, label=f"what the inputs leave open, {100 * LEVEL:.0f} %")
    ax.axvline(0.0, color="black", lw=0.9, zorder=1)
    first = comparison.base
    ax.set_yticks(range(len(places)), [drawn(_where(first, *place), 46) for place in places], fontsize=8.5)
    ax.set_ylim(len(places) - 0.4, -0.6)
    unit = str(frame["unit"].iloc[0])
    ax.set_xlabel(
        f"{drawn(indicator_called(indicator))}: difference from {drawn(comparison.names[0], 30)} "
        f"[{UNITS.get(unit, unit)}], "
        f"{comparison.confidence * 100:g} % interval"
    )
    legend_above(ax, 2 if hasattr(data, "drawn") else min(3, len(names) + 1))
    return tidy(ax)


def _at_right(ax: Axes, y: float, text: str, clear: bool) -> None:
    where = ax.get_yaxis_transform()
    ax.text(1.01, y, text, transform=where, va="center", fontsize=8, color="black" if clear else GREY)


@PLOTS.register("delay", of="results", report=15)
def delay_by_post(data: Any, *, other: int = 1, most: int = 10, ax: Axes | None = None) -> Axes:
    """Where the truck-hours of delay are, or between which scenarios they change: a waterfall by post.

    Parameters
    ----------
    data : Results or Comparison
        Of one run, from nothing to its delay a day; of a comparison, from the delay of the base
        to that of scenario number `other`.
    most : int
        Posts and legs shown one by one, the largest first; the rest is one bar.
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        Truck-hours of delay a day [h/day], 95 % intervals.
    """
    runs = getattr(data, "runs", None)
    if runs is None:
        place, values = _delay(data)
        parts, begin, ends = values, None, ("", data.name)
        base = data
    else:
        place, values = _delay(runs[0])
        at, after = _delay(runs[other])
        known = dict(zip(at, after, strict=True))
        parts = np.array([known.get(p, np.zeros(values.shape[1])) for p in place]) - values
        begin, ends = values.sum(axis=0), (data.names[0], data.names[other])
        base = runs[0]
    names = [drawn(_where(base, *one)) for one in place]
    order = np.argsort(-np.abs(parts.mean(axis=1)), kind="stable")
    # Bars too short to see are added up.
    least = LEAST_PART * max(np.abs(parts.mean(axis=1)).max(initial=0.0), 0.0 if begin is None else begin.mean())
    shown = [k for k in order[:most] if abs(parts[k].mean()) > least]
    rest = [k for k in range(len(place)) if k not in shown and np.any(parts[k] != 0)]
    bars = [(names[k], parts[k]) for k in shown]
    if len(rest) == 1:  # one is named: its line costs as much as the word "other"
        bars.append((names[rest[0]], parts[rest[0]]))
    elif rest:
        bars.append((f"{len(rest)} other places", parts[rest].sum(axis=0)))
    ax = new_axes(ax, (8.0, 1.5 + 0.34 * (len(bars) + (2 if begin is not None else 1))))
    if not bars:
        return no_data(ax, "no delay" if begin is None else "no delay changes anywhere")
    return _waterfall(ax, bars, begin, ends, "truck-hours of delay a day [h/day], 95 % interval")


@PLOTS.register("attribution", of="attribution")
def delay_by_improvement(data: Any, *, ax: Axes | None = None) -> Axes:
    """Which improvement changes how much: each alone, what they do to each other, all together.

    Parameters
    ----------
    data : Attribution
        From `corridor_sim.attribute`.
    ax : Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    Axes
        The indicator without and with all improvements; between them each alone (bar) and as
        the last one added (diamond), with 95 % intervals.
    """
    if not hasattr(data, "improvements") or not hasattr(data, "comparison"):
        raise ValueError("the plot 'attribution' draws what corridor_sim.attribute(...) returns")
    runs = {run.name: run.rows.row(data.indicator, **data.where) for run in data.comparison.runs}
    none, everything = data.comparison.base.rows.row(data.indicator, **data.where), runs["all"]
    single = len(data.improvements) == 1
    alone = [everything - none if single else runs[f"only {name}"] - none for name in data.improvements]
    last = [everything - none if single else everything - runs[f"all but {name}"] for name in data.improvements]
    titles = data.comparison.runs[-1].scenario.improvements if single else _improvements(data)
    bars = [
        (drawn(getattr(titles.get(name), "name", "") or in_words(name), 84), value)
        for name, value in zip(data.improvements, alone, strict=True)
    ]
    if not single:
        bars.append(("acting on each other", everything - none - np.sum(alone, axis=0)))
    ax = new_axes(ax, (8.0, 1.7 + 0.36 * (len(bars) + 2)))
    label = next(one for one in data.comparison.base.rows.labels if one.indicator == data.indicator)
    unit = UNITS.get(label.unit, label.unit)
    _waterfall(
        ax,
        bars,
        none,
        ("none of them", "all of them"),
        f"{drawn(indicator_called(data.indicator))} [{unit}], 95 % interval",
    )
    if not single:
        level = none.mean()
        for k, value in enumerate(last):
            ax.plot(level + value.mean(), k + 1, "D", ms=5, mfc="white", color="black", zorder=5)
            level += bars[k][1].mean()
        ax.plot([], [], "D", ms=5, ls="", mfc="white", color="black", label="as the last one added")
        legend_above(ax, 2)
    return ax


def _improvements(attribution: Any) -> Any:
    return next(run for run in attribution.comparison.runs if run.name == "all").scenario.improvements


def _delay(results: Any) -> tuple[list[tuple[str, str, str]], FloatArray]:
    """Places (posts, and legs with waits) and truck-hours of delay a day, shape (place, replication)."""
    table = results.rows.select("delay_truck_h", cargo_class="", of="")
    kept = [k for k, label in enumerate(table.labels) if label.kind in ("post", "leg")]
    places = [(table.labels[k].kind, table.labels[k].place, table.labels[k].direction) for k in kept]
    return places, table.values[kept] / results.scope.window_days


def _where(results: Any, kind: str, place: str, direction: str) -> str:
    if kind == "post":
        return passage_name(results, place, direction)
    return place_name(results, kind, place, direction)


def _waterfall(
    ax: Axes, bars: list[tuple[str, FloatArray]], begin: FloatArray | None, ends: tuple[str, str], label: str
) -> Axes:
    """Bars from the total before to the total after, each where the one above it ends."""
    names, y, level = [], 0, 0.0
    texts: list[tuple[float, int, str]] = []
    after = sum((value for _, value in bars), begin if begin is not None else np.zeros(1))
    least = LEAST_PART * max(abs(float(after.mean())), 0.0 if begin is None else abs(float(begin.mean())))
    used: set[str] = set()

    def total(values: FloatArray, name: str) -> None:
        nonlocal y
        mean, low, high = (float(found) for found in mean_and_ends(values))
        ax.barh(y, mean, color=TOTAL_COLOUR, height=0.6, xerr=_error(mean, low, high), ecolor="black", capsize=3)
        texts.append((float(np.fmax(mean, high)), y, _known(mean, low, high, least)))
        names.append(drawn(name, 48))
        y += 1

    if begin is not None:
        total(begin, ends[0])
        level = float(begin.mean())
    for name, value in bars:
        mean, low, high = (float(found) for found in mean_and_ends(value))
        colour = PALE if low <= 0 <= high else LESS_COLOUR if mean < 0 else MORE_COLOUR
        used.add(colour)
        ax.barh(y, mean, left=level, color=colour, height=0.6, xerr=_error(mean, low, high), ecolor="black", capsize=3)
        ax.plot([level + mean] * 2, [y - 0.3, y + 1.3], color=GREY, lw=0.7, zorder=1)
        edge = max(level, level + mean, level + float(np.fmax(mean, high)))
        sign = "+" if begin is not None else ""
        texts.append((edge, y, _known(mean, low, high, least, sign)))
        names.append(name)
        level += mean
        y += 1
    total(after, ends[1])
    right = max(text[0] for text in texts)
    for x, at, text in texts:
        ax.annotate(text, (x, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    ax.set_xlim(0.0, right * 1.12)
    ax.set_yticks(range(y), [textwrap.fill(name, WIDE) for name in names], fontsize=8.5)
    ax.invert_yaxis()
    ax.set_xlabel(label)
    kinds = [(TOTAL_COLOUR, "total")]
    if begin is not None:
        kinds += [(LESS_COLOUR, "less"), (MORE_COLOUR, "more"), (PALE, "not distinguishable from no change")]
    else:
        kinds += [(MORE_COLOUR, "delay there"), (PALE, "not distinguishable from none")]
    for colour, text in kinds:
        if colour != TOTAL_COLOUR and colour not in used:
            continue
        ax.bar(0, 0, color=colour, label=text)
    legend_above(ax, 4)
    return tidy(ax)


def _known(mean: float, low: float, high: float, least: float = 0.0, sign: str = "") -> str:
    """A mean to the digits that its interval leaves, which is drawn beside it: two of half of it, as in tables.

    None is finer than the second digit of `least`, what can be seen at all.

    >>> _known(6258.4, 5180.0, 8120.0), _known(0.00514, 0.005, 0.0053, 1.5, "+"), _known(12.0, math.nan, math.nan)
    ('6,300', '+0.0', '12')
    """
    half = (high - low) / 2
    if not math.isfinite(half) or half <= max(NO_SPREAD * abs(mean), LEAST_SHOWN):
        half = 0.0
    if max(half, least) <= 0.0 or (half == 0.0 and abs(mean) >= least):
        return estimate(mean, sign=sign)
    return rounded(mean, decimals(max(half, least)), sign)


def _error(mean: Any, low: Any, high: Any) -> Any:
    # Lists: matplotlib 3.9 takes a row of an array with one value for a number, which numpy warns of.
    return None if math.isnan(float(high)) else arms(mean, low, high)[:, None].tolist()
