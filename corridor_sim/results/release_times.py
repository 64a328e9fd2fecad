"""Indicators of a time release study, of observed and of simulated times alike [wco2018].

Time from arrival to release, and to each event from the one before, by channel, agency, hour and day: mean,
percentiles, share of the whole. To add a way of grouping, add it to `_groups`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.rounding import estimate
from corridor_sim.core.units import FloatArray
from corridor_sim.records.release_study import TOGETHER, ReleaseStudy
from corridor_sim.statistics.censored import day_weights, half_width, mean_and_quantiles
from corridor_sim.statistics.intervals import t_half_width

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("span", "event", "agency", "channel", "hour", "weekday")
PERCENTS = (50, 75, 90, 95)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FEW = 10
"""Consignments below which a row is marked: its interval is itself uncertain."""
Key = tuple[str, str, str, str, int, int]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Measured:
    """One row: what it is of, its times and who had not come to the end; or sums for a share."""

    key: Key
    time_h: FloatArray
    still: Bools
    those: Bools
    """Which consignments of the study."""
    whole_h: FloatArray | None = None
    """Of what the times are a share, one a consignment; the mean alone and the share are told then."""


@dataclass(frozen=True, eq=False)
class ReleaseTimes:
    r"""Indicators of a study, and of simulated ones beside it.

    Attributes
    ----------
    observed, simulated : DataFrame
        A line a measure: `KEYS`, measure, value, half_width, n, still, note. Times in [h].
    name, against : str
        Of the study and of the scenario; "" without.
    notes : tuple of str
    confidence : float

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = "id,came,gone\na,2026-05-11 00:30,2026-05-11 01:30\nb,2026-05-11 02:00,2026-05-11 02:30\n"
    >>> head = 'name = "study"\ncsv = "rows.csv"\nconsignment = "id"\nutc_offset_h = 4.0\n'
    >>> size = (folder / "rows.csv").write_text(rows)
    >>> size = (folder / "study.toml").write_text(head + "[events.came]\n[events.gone]\n")
    >>> found = cs.release_times(cs.read_release_study(folder / "study.toml"))
    >>> len(found.observed), found.simulated is None
    (26, True)
    """

    observed: pd.DataFrame
    simulated: pd.DataFrame | None
    name: str
    against: str
    notes: tuple[str, ...]
    confidence: float = 0.95

    def table(self, by: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Observed and simulated side by side: value, low, high of both, difference with its interval.

        Parameters
        ----------
        by
            Which rows: of ``"event"``, ``"channel"``, ``"agency"``, ``"hour"``, ``"weekday"``; all if None.

        Raises
        ------
        ArgumentError
            For another word.
        """
        frame = _ends(self.observed, "observed")
        if self.simulated is not None:
            other = _ends(self.simulated, "simulated")[[*KEYS, "measure", *(f"simulated{e}" for e in ("", *_EDGES))]]
            frame = frame.merge(other, on=[*KEYS, "measure"], how="left")
            apart = frame["simulated"] - frame["observed"]
            wide = np.hypot(frame["observed_high"] - frame["observed"], frame["simulated_high"] - frame["simulated"])
            frame["difference"], frame["difference_low"], frame["difference_high"] = apart, apart - wide, apart + wide
        frame = frame[[name for name in frame if name not in ("n", "still", "note")] + ["n", "still", "note"]]
        if by is not None:
            words = [by] if isinstance(by, str) else list(by)
            kept = np.zeros(len(frame), dtype=bool)
            for word in words:
                kept |= _is_by(frame, arguments.one_of("by", word, _BY))
            frame = frame[kept].reset_index(drop=True)
        frame.attrs["interval"] = (
            f"{self.confidence:.0%} intervals: observed over the days of the study, simulated over replications"
        )
        return frame

    def describe(self) -> str:
        """The main rows in words and numbers, as a terminal shows them."""
        frame = self.table(["event", "channel", "agency"])
        lines = [f"{self.name}" + (f" beside {self.against}" if self.against else "")]
        both, main = self.simulated is not None, next(iter(frame["event"]))
        head = f"{'':<44}{'observed':>18}" + (f"{'simulated':>18}{'difference':>18}" if both else "") + f"{'n':>6}"
        for title, chosen in (("hours", ("mean", "p50", "p90")), ("share of the time to the release", ("share",))):
            lines += ["", f"{title}", head] if title == "hours" else ["", title]
            for row in frame.to_dict("records"):
                if row["measure"] not in chosen or _is_detail(row, main):
                    continue
                cells = [_told(row, "observed")]
                cells += [_told(row, "simulated"), _told(row, "difference")] if both else []
                about = f"{called(row)}, {_MEASURES[row['measure']]}"
                count = f"{row['n']:>6.0f}"
                lines.append(f"{about[:44]:<44}" + "".join(f" {cell:>17}" for cell in cells) + count)
        lines += ["", frame.attrs["interval"], *self.notes]
        return "\n".join(lines) + "\n"


_EDGES = ("_low", "_high")
_BY = ("event", "channel", "agency", "hour", "weekday")
_MEASURES = {"mean": "mean", "share": "share", **{f"p{p}": "median" if p == 50 else f"{p} %" for p in PERCENTS}}


def _is_detail(row: Any, main: str) -> bool:
    """Whether a row is left to the table: steps by channel, percentiles of others than the release."""
    if row["span"] == "total" and row["event"] == main:
        return False
    return bool(row["channel"]) or row["measure"][0] == "p"


def called(row: Any) -> str:
    """What a row is about, in words."""
    if row["span"] == "total":
        what = f"to {row['event']}"
    elif row["agency"]:
        what = f"in the hands of {row['agency']}"
    else:
        what = f"step to {row['event']}"
    if row["channel"]:
        what += f", {row['channel']}"
    if row["hour"] >= 0:
        what += f", {row['hour']:02d}:00"
    return what + (f", {WEEKDAYS[row['weekday']]}" if row["weekday"] >= 0 else "")


def _told(row: Any, name: str) -> str:
    value, high = row[name], row[f"{name}_high"]
    return "-" if value != value else estimate(value, high - value)


def _ends(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Values and half-widths as value, low and high; times and shares are at least 0, shares at most 1."""
    found = frame.rename(columns={"value": name})
    found[f"{name}_low"] = np.maximum(found[name] - found["half_width"], 0.0)
    high = found[name] + found["half_width"]
    found[f"{name}_high"] = np.where(found["measure"] == "share", np.minimum(high, 1.0), high)
    return found.drop(columns="half_width")[
        [*KEYS, "measure", name, f"{name}_low", f"{name}_high", "n", "still", "note"]
    ]


def _is_by(frame: pd.DataFrame, word: str) -> Any:
    plain = (frame["hour"] < 0) & (frame["weekday"] < 0)
    if word == "hour":
        return frame["hour"] >= 0
    if word == "weekday":
        return frame["weekday"] >= 0
    if word == "agency":
        return plain & (frame["agency"] != "")
    if word == "channel":
        return plain & (frame["agency"] == "") & ((frame["channel"] != "") | (frame["span"] == "total"))
    return plain & (frame["agency"] == "") & (frame["channel"] == "")


# ---------------------------------------------------------------- rows


def _groups(study: ReleaseStudy) -> Iterator[Measured]:
    """All rows of a study."""
    every = np.ones(len(study), dtype=bool)
    hours, weekdays, _ = study.local_clock()
    channels = [(channel, study.channel == channel) for channel in study.columns.channels]
    for together in study.columns.alike:
        name = TOGETHER.join(together)
        channels.append((name, np.isin(study.channel, [*together, name])))
    total, still, known = study.total_h()
    released = study.columns.released

    def row(event: str, time: FloatArray, going: Bools, those: Bools, **key: Any) -> Measured:
        named = {"span": "total", "agency": "", "channel": "", "hour": -1, "weekday": -1, **key}
        where = (named["span"], event, named["agency"], named["channel"], named["hour"], named["weekday"])
        return Measured(where, time[those], going[those], those)

    yield row(released, total, still, known)
    for channel, mine in channels:
        yield row(released, total, still, mine & known, channel=channel)
    for hour in range(24):
        yield row(released, total, still, (hours == hour) & known, hour=hour)
    for day in range(7):
        yield row(released, total, still, (weekdays == day) & known, weekday=day)
    last = study.events[-1]
    if last != released:
        onward, going, told = study.total_h(last)
        yield row(last, onward, going, told)
        for channel, mine in channels:
            yield row(last, onward, going, mine & told, channel=channel)
    before_release = study.events.index(released)
    done = ~still & ~study.unwritten[:, : before_release + 1].any(axis=1)
    by_agency: dict[str, FloatArray] = {}
    segments = study.segments()
    for k, (event, (time, going, there)) in enumerate(segments.items(), 1):
        yield row(event, time, going, there, span="step")
        for channel, mine in channels:
            yield row(event, time, going, there & mine, span="step", channel=channel)
        if k > before_release:
            continue
        spent = np.where(there & ~going, time, 0.0)
        for channel, mine in [("", every), *channels]:
            whole = mine & done
            if not (whole & there).any():
                continue
            key = ("step", event, "", channel, -1, -1)
            yield Measured(key, spent[whole], still[whole], whole, total[whole])
        whose = study.agency[:, study.events.index(event)]
        for agency in sorted({str(one) for one in whose if one}):
            there_of = by_agency.setdefault(agency, np.zeros(len(study)))
            there_of += np.where(whose == agency, spent, 0.0)
    for agency, spent in sorted(by_agency.items()):
        key = ("step", "", agency, "", -1, -1)
        yield Measured(key, spent[done], still[done], done, total[done])


def measures(study: ReleaseStudy, weights: FloatArray | None = None) -> dict[tuple[Key, str], tuple[Any, int, int]]:
    """Values of all measures by key and name, with how many they are of and how many of those were still going on.

    With `weights`, shape (sets, consignments), the values are arrays, one a set.
    """
    found: dict[tuple[Key, str], tuple[Any, int, int]] = {}
    for one in _groups(study):
        if not len(one.time_h):
            continue
        mine = None if weights is None else weights[:, one.those]
        counts = len(one.time_h), int(one.still.sum())
        if one.whole_h is None:
            values = mean_and_quantiles(one.time_h, one.still, tuple(p / 100.0 for p in PERCENTS), mine)
            for k, name in enumerate(("mean", *(f"p{p}" for p in PERCENTS))):
                found[one.key, name] = (values[:, k] if weights is not None else float(values[0, k]), *counts)
            continue
        w = np.ones((1, len(one.time_h))) if mine is None else mine
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (w @ one.time_h) / (w @ one.whole_h)
            mean = (w @ one.time_h) / w.sum(axis=1)
        told = {"share": share} if not one.key[2] else {"mean": mean, "share": share}
        for name, value in told.items():
            found[one.key, name] = (value if weights is not None else float(value[0]), *counts)
    return found


def observed_frame(study: ReleaseStudy, confidence: float = 0.95) -> pd.DataFrame:
    """Measures of one study with half-widths from its days drawn again."""
    import pandas as pd

    if not len(study):
        raise ArgumentError(f"{study.columns.name} has no consignments")
    _, _, days = study.local_clock()
    weights, clusters = day_weights(days)
    values, drawn = measures(study), measures(study, weights)
    rows = []
    for (key, name), (value, n, still) in values.items():
        half = float(half_width(drawn[key, name][0], clusters, confidence))
        if name.startswith("p"):  # a time that was written down is known to its step
            half = max(half, study.rounded_h)
        rows.append((*key, name, value, half if n > 1 else np.nan, n, still, _note(name, value, n, still)))
    return pd.DataFrame(rows, columns=[*KEYS, "measure", "value", "half_width", "n", "still", "note"])


def simulated_frame(studies: Sequence[ReleaseStudy], confidence: float = 0.95) -> pd.DataFrame:
    """Measures of the replications of a run: means with Student intervals over them."""
    import pandas as pd

    each = [measures(study) for study in studies]
    rows = []
    for key, name in dict.fromkeys(one for found in each for one in found):
        got = [found[key, name] for found in each if (key, name) in found]
        values = np.array([value for value, _, _ in got])
        values = values[~np.isnan(values)]
        half = np.nan
        if len(values) > 1:
            half = float(t_half_width(values.std(ddof=1) / np.sqrt(len(values)), len(values) - 1, confidence))
        mean = float(values.mean()) if len(values) else np.nan
        n, still = (float(np.mean([one[k] for one in got])) for k in (1, 2))
        note = "" if len(values) == len(studies) else f"in {len(values)} of {len(studies)} replications"
        rows.append((*key, name, mean, half, n, still, note))
    return pd.DataFrame(rows, columns=[*KEYS, "measure", "value", "half_width", "n", "still", "note"])


def _note(name: str, value: float, n: int, still: int) -> str:
    notes = []
    if n < FEW:
        notes.append(f"only {n} consignments")
    if still and name == "mean":
        notes.append(f"at least: {still} were still going on")
    if value != value:
        notes.append("not reached by the end of the study")
    return "; ".join(notes)
