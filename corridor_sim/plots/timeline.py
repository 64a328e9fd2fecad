"""When: the improvements of a scenario on a calendar, with their works and ramp-up."""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import TYPE_CHECKING, Any

from corridor_sim.plots.base import COLOURS, GREY, PLOTS, new_axes, no_data
from corridor_sim.plots.names import drawn
from corridor_sim.results.called import in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes


PALE_BLUE = "#9ccbe8"
LONGEST, WIDE = 84, 42
"""Characters of a name, and of one line of it: what tells two measures apart often stands last."""


@PLOTS.register("timeline", of="scenario", report=90)
def upgrade_timeline(scenario: Any, *, ax: Axes | None = None) -> Axes:
    """Improvements from the date they take effect (bar), their works (hatched) and the run (shaded).

    Parameters
    ----------
    scenario : Scenario
        Its improvements in order of their date.
    ax : Axes, optional
        Where to draw; a new figure if None.
    """
    from matplotlib import dates as mdates

    def date2num(when: dt.datetime | None) -> float:
        return float(mdates.date2num(when))  # type: ignore[no-untyped-call]

    if not getattr(scenario, "improvements", None):
        return no_data(new_axes(ax, (8.5, 1.8)), "no improvements")
    rows = sorted(scenario.improvements.items(), key=lambda pair: (_day(pair[1].from_) or dt.datetime.min, pair[0]))
    ax = new_axes(ax, (8.5, 1.4 + 0.34 * max(1, len(rows))))
    start = scenario.run.start_utc
    end = start + dt.timedelta(hours=scenario.run.horizon_h)
    known = [_day(d) for _, one in rows for d in (one.from_, one.until) if d is not None]
    known += [_day(one.works.from_) for _, one in rows if one.works is not None]
    first, last = min([start, *[d for d in known if d]]), max([end, *[d for d in known if d]])
    margin = (last - first) * 0.06
    left, right = first - margin, last + margin
    for y, (_, one) in enumerate(rows):
        begin, until = _day(one.from_) or left, _day(one.until) or right
        ax.barh(y, date2num(until) - date2num(begin), left=date2num(begin), height=0.55, color=PALE_BLUE)
        if one.ramp_up_days:
            ramp = min(date2num(begin) + one.ramp_up_days, date2num(until))
            ax.barh(
                y,
                ramp - date2num(begin),
                left=date2num(begin),
                height=0.55,
                facecolor="none",
                edgecolor=COLOURS[0],
                hatch="...",
            )
        if one.works is not None:
            span = [date2num(_day(one.works.from_)), date2num(_day(one.works.until))]
            ax.barh(
                y, span[1] - span[0], left=span[0], height=0.55, facecolor="none", edgecolor=COLOURS[1], hatch="////"
            )
        cost = f", US\\$ {one.capex_usd / 1e6:,.1f} m" if one.capex_usd else ""
        text = f"{in_words(type(one).kind)}{cost}"
        ax.annotate(text, (date2num(begin), y), (4, 0), textcoords="offset points", va="center", fontsize=7.5)
    ax.axvspan(date2num(start), date2num(end), color=GREY, alpha=0.15, zorder=0)
    names = [textwrap.fill(drawn(one.name or in_words(name), LONGEST), WIDE) for name, one in rows]
    ax.set_yticks(range(len(rows)), names, fontsize=8)
    ax.invert_yaxis()
    ax.set_xlim(date2num(left), date2num(right))
    locator = mdates.AutoDateLocator()  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    ax.set_title("In force (blue), ramp-up (dotted), works (hatched), simulated (grey)", fontsize=9)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def _day(when: Any) -> dt.datetime | None:
    if when is None:
        return None
    if not isinstance(when, dt.datetime):
        return dt.datetime(when.year, when.month, when.day)
    return when if when.tzinfo is None else when.astimezone(dt.UTC).replace(tzinfo=None)
