"""How the model did against observations that it was not made from: intervals, scores beside "last value", misses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.results.accessors import bound
from corridor_sim.statistics.input_intervals import input_interval
from corridor_sim.statistics.scores import coverage, interval_score

if TYPE_CHECKING:
    import pandas as pd

NO_CAUSE = "no cause is stated"
"""What is said of a miss for which the observation names none."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """An observation and what the model says of it.

    Attributes
    ----------
    name, unit, value
        Of the observation.
    draws : array, shape (draws,)
        What may be observed if the model is right, in the unit of the observation.
    confidence : float
        Of the interval.
    last, last_low, last_high : float
        What "last value" says, and its interval; NaN where there is no earlier value.
    not_scored, cause : str
        As the observation states them.
    holds : str
        What the interval holds, in words.
    overloads : tuple of (str, int)
        Posts ("post direction") that a row of a post or crossing is of and at which more comes than can pass in some
        draws of the inputs, with the number of these draws, most first.
    overloaded_draws : int
        Draws with an overload at any of them: there a mean time measures the length of the run.
    """

    name: str
    unit: str
    value: float
    draws: FloatArray
    confidence: float
    last: float = math.nan
    last_low: float = math.nan
    last_high: float = math.nan
    not_scored: str = ""
    cause: str = ""
    holds: str = ""
    overloads: tuple[tuple[str, int], ...] = ()
    overloaded_draws: int = 0

    @property
    def median(self) -> float:
        """Half of the draws are below."""
        return float(np.median(self.draws))

    @property
    def interval(self) -> tuple[float, float]:
        """Ends that leave the same chance on both sides: quantiles at rank p (n + 1), as of all inputs."""
        found = input_interval(self.draws, level=self.confidence)
        return found.low, found.high

    @property
    def held(self) -> bool:
        """Whether the interval holds what was observed."""
        low, high = self.interval
        return low <= self.value <= high

    @property
    def is_against_last(self) -> bool:
        """Whether it is scored and "last value" has an interval for it as well."""
        return not self.not_scored and not math.isnan(self.last_low) and self.value != 0

    @property
    def score(self) -> float:
        """Interval score over the observed value, so that observations of different units can be put together."""
        return self._score(*self.interval)

    @property
    def last_score(self) -> float:
        """The same of "last value"; NaN where that has no interval."""
        return math.nan if math.isnan(self.last_low) else self._score(self.last_low, self.last_high)

    def _score(self, low: float, high: float) -> float:
        if self.value == 0:
            return math.nan
        return float(interval_score(low, high, self.value, self.confidence)) / abs(self.value)


@dataclass(frozen=True, eq=False)
class Validation:
    """Observations that the model was not made from, against its predictions; made by `corridor_sim.validate`.

    Attributes
    ----------
    predicted : tuple of Predicted
    unanswered : tuple of (str, str)
        Observations that nothing of the model answers, and why.
    draws, replications : int
        Draws of the inputs, and runs of each.
    prior : str
        How values lie in ranges that state no law.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> where = {"kind": "post", "place": "northgate_b", "direction": "entry"}
    >>> row = {"indicator": "throughput_per_day", "where": where, "unit": "1/day", "use": "validation"}
    >>> made = cs.validate("teaching", [cs.Observation(name="passed", value=165.0, **row)], draws=32, rng=1, workers=1)
    >>> made.coverage
    1.0
    """

    predicted: tuple[Predicted, ...]
    unanswered: tuple[tuple[str, str], ...] = ()
    draws: int = 0
    replications: int = 0
    prior: str = ""
    confidence: float = 0.9

    @property
    def scored(self) -> tuple[Predicted, ...]:
        """Those that are not only listed."""
        return tuple(one for one in self.predicted if not one.not_scored)

    @property
    def missed(self) -> tuple[Predicted, ...]:
        """Scored observations outside their interval, the worst first."""
        return _worst_first([one for one in self.scored if not one.held])

    @property
    def coverage(self) -> float:
        """Share of the scored observations that their intervals hold; NaN if none is scored."""
        return coverage(*self._ends(), [one.value for one in self.scored]) if self.scored else math.nan

    def _ends(self) -> tuple[list[float], list[float]]:
        ends = [one.interval for one in self.scored]
        return [low for low, _ in ends], [high for _, high in ends]

    @property
    def score(self) -> float:
        """Mean interval score over the value observed, of those that "last value" predicts too; NaN if none is."""
        return _mean([one.score for one in self.scored if one.is_against_last])

    @property
    def last_score(self) -> float:
        """The same of "last value"."""
        return _mean([one.last_score for one in self.scored if one.is_against_last])

    @property
    def better(self) -> int:
        """In how many of these the model has the smaller score: one very wide interval does not decide it."""
        return sum(one.score < one.last_score for one in self.scored if one.is_against_last)

    @property
    def deciding(self) -> Predicted | None:
        """The one observation that is more than half of the mean score by itself; None if there is none."""
        against = [one for one in self.scored if one.is_against_last]
        largest = max(against, key=lambda one: one.score, default=None)
        if largest is None or len(against) < 2:
            return None
        return largest if largest.score > 0.5 * sum(one.score for one in against) else None

    def without(self, name: str) -> tuple[float, float]:
        """Mean scores of the model and of "last value" over the observations but for one."""
        left = [one for one in self.scored if one.is_against_last and one.name != name]
        return _mean([one.score for one in left]), _mean([one.last_score for one in left])

    def table(self) -> pd.DataFrame:
        """One line an observation: misses first, the worst at the top, then those met, then those only listed."""
        import pandas as pd

        listed = _worst_first([one for one in self.predicted if one.not_scored])
        met = [one for one in self.scored if one.held]
        rows = []
        for one in (*self.missed, *met, *listed):
            low, high = one.interval
            rows.append(
                {
                    "observation": one.name,
                    "unit": one.unit,
                    "observed": one.value,
                    "median": one.median,
                    "low": low,
                    "high": high,
                    "held": one.held,
                    "scored": not one.not_scored,
                    "score": one.score,
                    "last": one.last,
                    "last_low": one.last_low,
                    "last_high": one.last_high,
                    "last_score": one.last_score,
                    "cause": (one.cause or NO_CAUSE) if not one.held else "",
                    "not_scored": one.not_scored,
                    "interval": one.holds,
                    "overloaded_draws": one.overloaded_draws,
                }
            )
        frame = pd.DataFrame(rows)
        frame.attrs["interval"] = f"low, high: {100 * self.confidence:.0f} % prediction interval"
        return frame

    def about(self) -> dict[str, Any]:
        """The figures over all observations, as JSON holds them."""
        against = [one for one in self.scored if one.is_against_last]
        return {
            "observations": len(self.predicted) + len(self.unanswered),
            "scored": len(self.scored),
            "confidence": self.confidence,
            "coverage": self.coverage,
            "against_last_value": len(against),
            "interval_score": self.score,
            "interval_score_last_value": self.last_score,
            "better_than_last_value": self.better,
            "draws": self.draws,
            "replications": self.replications,
            "prior": self.prior,
        }

    def describe(self, width: int = 100) -> str:
        """The answer in words: figures over all, misses with their causes first, at most `width` columns wide."""
        return str(bound("describe_validation")(self, width))


def _worst_first(given: Sequence[Predicted]) -> tuple[Predicted, ...]:
    """By how far the observation is outside, in widths of the interval."""

    def outside(one: Predicted) -> float:
        low, high = one.interval
        away = max(low - one.value, one.value - high, 0.0)
        return away / (high - low) if high > low else math.inf if away > 0 else 0.0

    return tuple(sorted(given, key=lambda one: (-outside(one), one.name)))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
