"""A predicted queue: draws of what may come, bands, and scores once it is known what came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.units import FloatArray, counted
from corridor_sim.records.queue_counts import QueueCounts
from corridor_sim.results.accessors import Pictures, bound
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.statistics.scores import coverage, crps, interval_score

if TYPE_CHECKING:
    import pandas as pd

BANDS = (0.5, 0.9)
"""Confidence of the bands that are shown."""


@dataclass(frozen=True, eq=False)
class QueuePrediction:
    """What a queue may be after an origin.

    Attributes
    ----------
    method : str
        How it was made: ``"simulated"``, or the rule that it is compared with.
    origin : datetime
        The last count that was known. [UTC]
    time_h : array, shape (instants,)
        Hours after the origin. [h]
    draws : array, shape (draws, instants)
        Vehicles.
    name : str
        Of the counts.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import datetime as dt
    >>> made = cs.predict_queue("chop_zahony_2025", dt.datetime(2025, 7, 12), horizon_h=24, draws=8, rng=1)
    >>> len(made.table())
    24
    """

    method: str
    origin: dt.datetime
    time_h: FloatArray
    draws: FloatArray
    name: str = ""

    @property
    def drawn_from(self) -> str:
        """What pictures of it are of: the counts, the hours, the draws."""
        last = self.origin + dt.timedelta(hours=float(np.max(self.time_h)))
        hours = f"{self.origin:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
        return "; ".join(part for part in (self.name, hours, counted(len(self.draws), "draw")) if part)

    def quantile(self, share: Any) -> FloatArray:
        """Quantiles of the draws, shape (shares, instants)."""
        return np.asarray(np.quantile(self.draws, share, axis=0))

    def band(self, confidence: float = 0.9) -> tuple[FloatArray, FloatArray]:
        """Low and high end that leave the same chance on both sides, each of shape (instants,)."""
        require_confidence(confidence)
        low, high = self.quantile([0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
        return low, high

    def table(self, confidences: Sequence[float] = BANDS) -> pd.DataFrame:
        """One line an instant: date and time, median and the ends of the bands. [vehicles]"""
        import pandas as pd

        columns: dict[str, Any] = {
            "time_utc": [self.origin + dt.timedelta(hours=float(hour)) for hour in self.time_h],
            "hours_ahead": self.time_h,
            "median": self.quantile(0.5),
        }
        for confidence in confidences:
            columns[f"low_{confidence:.0%}"], columns[f"high_{confidence:.0%}"] = self.band(confidence)
        return pd.DataFrame(columns)

    def score(self, observed: Any, until_h: float | None = None) -> dict[str, float]:
        """How good the prediction was, over the instants up to some hours ahead.

        Parameters
        ----------
        observed : array, shape (instants,)
            What was counted.
        until_h : float, optional
            Hours ahead; all if not given. [h]

        Returns
        -------
        dict
            Mean interval score and coverage of both bands, CRPS, mean absolute error of the median, mean width of the
            90 % band, number of instants. [vehicles]
        """
        seen = np.asarray(observed, dtype=float)
        if seen.shape != self.time_h.shape:
            raise ArgumentError(f"needs {len(self.time_h)} observed counts, got the shape {seen.shape}")
        near = slice(None) if until_h is None else self.time_h <= until_h
        if not len(seen[near]):
            raise ArgumentError(f"nothing was counted within {until_h} h of {self.origin}")
        found: dict[str, float] = {}
        for confidence in BANDS:
            low, high = (end[near] for end in self.band(confidence))
            found[f"interval_score_{confidence:.0%}"] = float(interval_score(low, high, seen[near], confidence).mean())
            found[f"coverage_{confidence:.0%}"] = coverage(low, high, seen[near])
            found[f"width_{confidence:.0%}"] = float((high - low).mean())
        found["crps"] = float(crps(self.draws[:, near], seen[near]).mean())
        found["absolute_error"] = float(np.abs(self.quantile(0.5)[near] - seen[near]).mean())
        found["counts"] = len(seen[near])
        return found

    @property
    def plot(self) -> Pictures:
        """Pictures: ``prediction.plot.prediction(observed=...)``."""
        pictures: Pictures = bound("plot")(self)
        return pictures


@dataclass(frozen=True, eq=False)
class RollingScores:
    """Predictions from several origins, each by several methods, and what came.

    Attributes
    ----------
    predictions : mapping
        By method, one an origin.
    counts : QueueCounts
        What was counted.
    horizons_h : sequence of float
        Over which they are scored. [h]

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import datetime as dt
    >>> origins = [dt.datetime(2025, 7, 12), dt.datetime(2025, 7, 13)]
    >>> found = cs.rolling_scores("chop_zahony_2025", origins, horizons_h=(24.0,), draws=8, rng=1, workers=1)
    >>> len(found.table())
    3
    """

    predictions: Mapping[str, tuple[QueuePrediction, ...]]
    counts: QueueCounts
    horizons_h: tuple[float, ...]

    def observed(self, prediction: QueuePrediction) -> FloatArray:
        """What was counted at the instants of a prediction."""
        return self.counts.at(self.counts.hour(prediction.origin) + prediction.time_h)

    def table(self) -> pd.DataFrame:
        """One line a method and horizon: scores, mean over the origins from which the whole horizon was counted."""
        import pandas as pd

        end_h = self.counts.time_h[-1]
        rows = []
        for horizon_h in self.horizons_h:
            for method, made in self.predictions.items():
                # An hour of grace: the last count of a horizon may have been taken a little before its end.
                whole = [one for one in made if self.counts.hour(one.origin) + horizon_h <= end_h + 1.0]
                scores = [one.score(self.observed(one), horizon_h) for one in whole]
                if scores:
                    mean = {name: float(np.mean([one[name] for one in scores])) for name in scores[0]}
                    rows.append({"horizon_h": horizon_h, "method": method, "origins": len(scores), **mean})
        return pd.DataFrame(rows)
