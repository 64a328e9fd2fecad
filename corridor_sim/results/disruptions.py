"""What a disruption did: when the queue was back to normal, how long it got, what that cost, who went round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.rounding import ends
from corridor_sim.core.units import FloatArray, counted
from corridor_sim.results.accessors import Pictures, bound
from corridor_sim.results.called import Called
from corridor_sim.results.results import Results
from corridor_sim.statistics.input_intervals import InputInterval
from corridor_sim.statistics.skewness import mean_limits

if TYPE_CHECKING:
    import pandas as pd

MEASURES = {
    "recover_h": ("time to recover after the end", "h"),
    "peak_queue": ("longest queue", "1"),
    "peak_h": ("longest queue, after the begin", "h"),
    "extra_queue": ("more in the queue than without it, at most", "1"),
    "extra_wait_h": ("more hours of waiting, all together", "h"),
    "extra_wait_h_each": ("more hours of waiting there, each who came until it was over", "h"),
    "diverted": ("went by another crossing", "1"),
    "lost": ("gave up", "1"),
    "not_arrived": ("more under way at the end of the run", "1"),
    "cost_usd": ("more cost to users", "US$"),
    "cost_waiting_usd": ("of it value of waiting", "US$"),
    "cost_other_usd": ("of it time under way and in service, transport", "US$"),
}
"""What is told: words and unit; one value a replication."""
LINE = 100
"""Width of a line of words."""


@dataclass(frozen=True, eq=False)
class Disruption:
    """A disrupted run against the same run without the disruption, replication by replication; see `disruption`.

    Attributes
    ----------
    runs : tuple of Results
        The undisturbed one first.
    place : (kind, id, direction)
        Whose queue is told.
    since_h, until_h : float
        From when until when the disruption is in force. [h of the run]
    mark_h : array, shape (mark,)
        Instants at which the queue was read. [h of the run]
    usual, disturbed : array, shape (replication, mark)
        Number waiting without and with it.
    low, high : array, shape (mark,)
        The normal band.
    values : mapping of str to array, shape (replication,)
        `MEASURES`; ``recover_h`` is NaN where the queue did not recover within the run.
    band, settle_h, confidence
        As they were asked for.
    inputs : mapping of str to `InputInterval`
        Of the same measures over draws of the inputs; empty unless asked for.
    draws, draws_late : int
        Draws of the inputs, and in how many of them the queue did not always recover within the run.
    notes : tuple of str

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import datetime as dt
    >>> begin, end = dt.datetime(2024, 1, 8, 6), dt.datetime(2024, 1, 8, 18)
    >>> closed = cs.Closure(at="checkpoints.northgate_b.entry", from_=begin, until=end)
    >>> base = cs.load_scenario("teaching")
    >>> found = cs.disruption(base, base.with_improvements(closed), replications=10, rng=1, workers=1)
    >>> found.place, found.until_h - found.since_h
    (('post', 'northgate_b', 'entry'), 12.0)
    """

    runs: tuple[Results, Results]
    place: tuple[str, str, str]
    since_h: float
    until_h: float
    mark_h: FloatArray
    usual: FloatArray
    disturbed: FloatArray
    low: FloatArray
    high: FloatArray
    values: Mapping[str, FloatArray]
    band: str
    settle_h: float
    confidence: float = 0.95
    inputs: Mapping[str, InputInterval] = field(default_factory=dict)
    draws: int = 0
    draws_late: int = 0
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, str]:
        """Names of the undisturbed and of the disturbed scenario."""
        return self.runs[0].name, self.runs[1].name

    @property
    def name(self) -> str:
        """Name of the disturbed scenario."""
        return self.runs[1].name

    @property
    def plot(self) -> Pictures:
        """Pictures: ``found.plot.disruption()``, the queue against its normal band."""
        pictures: Pictures = bound("plot")(self)
        return pictures

    @property
    def recovered(self) -> int:
        """In how many replications the queue was back to normal within the run."""
        return int((~np.isnan(self.values["recover_h"])).sum())

    @property
    def longest_seen_h(self) -> float:
        """The longest time to recover that this run could show. [h]"""
        return float(max(self.mark_h[-1] - self.settle_h - self.until_h, 0.0))

    def at_least(self, measure: str) -> FloatArray:
        """Values of a measure, shape (replication,); a recovery not seen counts as the longest that could be."""
        found = self.values[measure]
        return np.where(np.isnan(found), self.longest_seen_h, found) if measure == "recover_h" else found

    def to_frame(self) -> pd.DataFrame:
        """One line a measure: mean with its interval over the replications and, where asked for, over the inputs.

        Returns
        -------
        DataFrame
            ``measure``, ``unit``, ``mean``, ``low``, ``high``, ``n``, ``note``; ``input_low``, ``input_high`` of draws.
            Where some replications did not recover, ``recover_h`` is a lower bound, and the note says so.
        """
        import pandas as pd

        rows = []
        for measure, (_, unit) in MEASURES.items():
            mean, low, high = (float(one) for one in mean_limits(self.at_least(measure), self.confidence))
            low, high = _within(measure, low, high)
            row = {"measure": measure, "unit": unit, "mean": mean, "low": low, "high": high}
            row["n"] = int((~np.isnan(self.at_least(measure))).sum())
            if self.draws:
                found = self.inputs[measure]
                row |= {"input_low": found.low, "input_high": found.high}
            rows.append(row | {"note": self._note(measure)})
        frame = pd.DataFrame(rows)
        frame.attrs["interval"] = self._interval_told()
        return frame

    def by_flow(self) -> pd.DataFrame:
        """One line a flow: more hours of waiting and more cost than without the disruption, with their intervals."""
        import pandas as pd

        rows = []
        flows = {flow.id: flow for flow in self.runs[1].plan.flows}
        for label, mine in self.runs[1].rows.select("user_cost_usd", kind="flow", of=""):
            theirs = self.runs[0].rows.row("user_cost_usd", kind="flow", place=label.place, direction=label.direction)
            wait = [run.rows.row("delay_truck_h", kind="flow", place=label.place) for run in self.runs]
            row: dict[str, Any] = {"flow": label.place, "cargo_class": flows[label.place].cargo_class}
            for name, values in (("extra_wait_h", wait[1] - wait[0]), ("cost_usd", mine - theirs)):
                mean, low, high = mean_limits(values, self.confidence)
                row |= {name: float(mean), f"{name}_low": float(low), f"{name}_high": float(high)}
            rows.append(row)
        return pd.DataFrame(rows)

    def queue_frame(self) -> pd.DataFrame:
        """One line a mark: hour of the run, the normal band, and the mean queue without and with the disruption."""
        import pandas as pd

        return pd.DataFrame(
            {
                "hour": self.mark_h,
                "normal_low": self.low,
                "normal_high": self.high,
                "usual": self.usual.mean(axis=0),
                "disturbed": self.disturbed.mean(axis=0),
            }
        )

    def describe(self, *, ids: bool = False) -> str:
        """What it did, in words and numbers, as a terminal shows it; the place by name, by id with `ids`."""
        lines = [f"{self.names[1]} against {self.names[0]}: queue at {self._place_told(ids)}", self._when_told(), ""]
        frame = self.to_frame()
        width = max(len(words) for words, _ in MEASURES.values())
        head = f"{'':<{width}} {'mean':>12}  {self.confidence:.0%} of the runs"
        lines.append(head + (f"{'90% of the inputs':>26}" if self.draws else ""))
        for row in frame.to_dict("records"):
            words, unit = MEASURES[row["measure"]]
            unit = "" if unit == "1" else f" {unit}"
            bound_told = ">= " if row["measure"] == "recover_h" and self.recovered < row["n"] else ""
            told = f"{_between(row['low'], row['high'])}{unit}"
            text = f"{words:<{width}} {bound_told + _short(row['mean']):>12}  {told:<22}"
            if self.draws:
                text += f"  {_between(row['input_low'], row['input_high'])}{unit}"
            lines.append(text.rstrip())
        lines.append("")
        lines += [fill(text, LINE) for text in (self._recovered_told(), self._band_told(), *self.notes)]
        return "\n".join(lines) + "\n"

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr><td>{}</td><td style='text-align:right'>{}{}</td><td>{}</td>{}</tr>".format(
                escape(MEASURES[row["measure"]][0]),
                "at least " if row["measure"] == "recover_h" and self.recovered < row["n"] else "",
                _short(row["mean"]) + ("" if row["unit"] == "1" else f" {escape(row['unit'])}"),
                _between(row["low"], row["high"]),
                f"<td>{_between(row['input_low'], row['input_high'])}</td>" if self.draws else "",
            )
            for row in self.to_frame().to_dict("records")
        )
        heads = ["", "mean", f"{self.confidence:.0%} of the runs", *(["90% of the inputs"] if self.draws else [])]
        head = "".join(f"<th>{escape(text)}</th>" for text in heads)
        told = "".join(f"<p>{escape(text)}</p>" for text in (self._recovered_told(), self._band_told(), *self.notes))
        title = escape(f"{self.names[1]} against {self.names[0]}: queue at {self.place_told}")
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<div><p><b><bdi>{title}</bdi></b><br>{escape(self._when_told())}</p>{table}{told}</div>"

    def __repr__(self) -> str:
        return f"<Disruption of {self.names[0]} by {self.names[1]}: {self.runs[0].replications} replications>"

    @property
    def place_told(self) -> str:
        """The place whose queue is told, by name."""
        return self._place_told(False)

    def _place_told(self, ids: bool) -> str:
        return Called(self.runs[1], ids).place(*self.place)

    def _when_told(self) -> str:
        begin, end = (self.runs[0].instant(hour) for hour in (self.since_h, self.until_h))
        if begin is None or end is None:
            return f"from hour {self.since_h:g} to hour {self.until_h:g} ({self.until_h - self.since_h:g} h)"
        return f"from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC ({self.until_h - self.since_h:,.4g} h)"

    def _recovered_told(self) -> str:
        n = self.runs[0].replications
        back = self.recovered
        if back == n:
            return f"Back to normal within the run in all {counted(n, 'replication')}."
        return (
            f"Not recovered within the run in {n - back} of {counted(n, 'replication')}: the time to recover is a "
            f"lower bound (the run can show {self.longest_seen_h:,.4g} h at most); a longer run tells more."
        )

    def _band_told(self) -> str:
        share = "the same hour of the week" if self.band == "week" else "the same hour"
        return (
            f"Normal: 5 to 95 % of what the queue is at {share} without the disruption, in all replications; "
            f"back when it is no longer than that, or than without it, for {self.settle_h:g} h."
        )

    def _interval_told(self) -> str:
        told = f"low, high: {self.confidence:.0%} over the replications"
        return told + (f"; input_low, input_high: 90 % over {self.draws} draws of the inputs" if self.draws else "")

    def _note(self, measure: str) -> str:
        n = self.runs[0].replications
        parts = []
        if measure == "recover_h" and self.recovered < n:
            parts.append(f"at least: not recovered within the run in {n - self.recovered} of {n} replications")
        if measure == "recover_h" and self.draws_late:
            parts.append(f"not always recovered in {self.draws_late} of {self.draws} draws")
        return "; ".join(parts)


def _within(measure: str, low: float, high: float) -> tuple[float, float]:
    """Ends of an interval of what is never below 0."""
    if measure in ("recover_h", "peak_queue", "peak_h", "diverted"):
        return max(low, 0.0) if low == low else low, high
    return low, high


def _short(value: float) -> str:
    if value != value:
        return "-"
    return f"{value:,.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


def _between(low: float, high: float) -> str:
    if low != low or high != high:
        return "-"
    if low == high:
        return f"{_short(low)} to {_short(high)}"
    first, last = ends(low, high)
    return f"{first} to {last}"
