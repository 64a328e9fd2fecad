"""What observations leave of the inputs of a scenario: estimate, intervals, and the check on the rest of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from corridor_sim.core import arguments
from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.calibrating import Calibrated
from corridor_sim.statistics.intervals import require_confidence

if TYPE_CHECKING:
    import pandas as pd

    from corridor_sim.model.scenario import Scenario

HELD = 0.9
"""Confidence of the interval in which an observation is looked for."""


@dataclass(frozen=True, slots=True)
class FreeFigure:
    """A calibrated figure, or several that move together: name, paths and the range that it was looked for in."""

    name: str
    paths: tuple[str, ...]
    stated: float
    low: float
    high: float
    whole: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """An observation and what the calibrated scenario gives for it, by a run of its own."""

    name: str
    use: str
    value: float
    simulated: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """A calibrated scenario, and how sure its values are.

    Attributes
    ----------
    scenario : Scenario
        With the likeliest values.
    free : tuple of FreeFigure
    values : mapping
        The likeliest values, by path.
    candidates : array, shape (candidates, free)
        Values of the free figures; together with the weights of `found` they are the law that the observations leave.
    found : Calibrated
    seen : tuple of Seen
    warnings : tuple of str
        What is to be said of it.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> where = {"kind": "post", "place": "northgate_b", "direction": "entry"}
    >>> row = {"indicator": "throughput_per_day", "where": where}
    >>> seen = [cs.Observation(name="passed", value=170.0, sd=3.0, **row)]
    >>> free = {"flows.flour.per_day": (80.0, 160.0)}
    >>> found = cs.calibrate("teaching", free, seen, draws=8, waves=1, rng=1, workers=1)
    >>> found.table()["figure"].tolist()
    ['flows.flour.per_day']
    """

    scenario: Scenario
    free: tuple[FreeFigure, ...]
    values: Mapping[str, Any]
    candidates: FloatArray
    found: Calibrated
    seen: tuple[Seen, ...]
    warnings: tuple[str, ...]

    def _number(self, name: str) -> int:
        names = {one.name: k for k, one in enumerate(self.free)}
        names |= {path: k for k, one in enumerate(self.free) for path in one.paths}
        return names[arguments.one_of("free", name, names)]

    def interval(self, name: str, confidence: float = 0.9) -> tuple[float, float]:
        """Interval of a free figure by name or path, with the same chance on both sides; NaN where nothing is left.

        The chances are those of the law that the observations leave of a uniform one over the range.
        """
        require_confidence(confidence)
        shares = np.array([0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
        low, high = self.found.quantile(self.candidates[:, self._number(name)], shares)
        return float(low), float(high)

    def draws(self, count: int, rng: int = 0) -> list[dict[str, float]]:
        """Values of the free figures drawn from that law, by name: to run other studies with."""
        count = arguments.whole("count", count, 1)
        if not self.found.weights.any():
            return []
        chosen = np.random.default_rng(rng).choice(len(self.candidates), size=count, p=self.found.weights)
        names = [one.name for one in self.free]
        return [dict(zip(names, self.candidates[k].tolist(), strict=True)) for k in chosen]

    def table(self, confidence: float = 0.9) -> pd.DataFrame:
        """One line a free figure: stated value, range, likeliest value, interval, and how much of the range it is."""
        import pandas as pd

        rows = []
        for k, one in enumerate(self.free):
            low, high = self.interval(one.name, confidence)
            rows.append(
                {
                    "figure": one.name,
                    "stated": one.stated,
                    "range_low": one.low,
                    "range_high": one.high,
                    "estimate": float(self._estimate[k]),
                    "low": low,
                    "high": high,
                    "share_of_range": (high - low) / (confidence * (one.high - one.low)),
                }
            )
        return pd.DataFrame(rows)

    @property
    def _estimate(self) -> list[float]:
        return [float(self.values[one.paths[0]]) for one in self.free]

    def checks(self) -> pd.DataFrame:
        """One line an observation: its use, its value, what the calibrated scenario gives, where it was expected.

        The 90 % interval holds what is left of the inputs and all spread between model and observation. Those with use
        ``validation`` did not judge: of them it says how good the model is.
        """
        import pandas as pd
        from scipy.special import ndtri

        shares = (np.arange(64) + 0.5) / 64.0
        rows = []
        for k, one in enumerate(self.seen):
            # Each candidate with the quantiles of the spread around it.
            around = self.found.predicted[:, k, None] + self.found.spread[k] * ndtri(shares)
            ends = _quantiles(around, self.found.weights, np.array([0.5 - HELD / 2.0, 0.5 + HELD / 2.0]))
            rows.append(
                {
                    "observation": one.name,
                    "use": one.use,
                    "observed": one.value,
                    "simulated": one.simulated,
                    "low": ends[0],
                    "high": ends[1],
                    "held": bool(ends[0] <= one.value <= ends[1]),
                    "distance": abs(one.simulated - one.value) / self.found.spread[k],
                }
            )
        return pd.DataFrame(rows)

    def to_toml(self, confidence: float = 0.9) -> str:
        """The likeliest values as lines of a scenario file that extends this one, each with its interval."""
        lines = []
        for one in self.free:
            low, high = self.interval(one.name, confidence)
            for path in one.paths:
                value = self.values[path]
                text = repr(value) if isinstance(value, int) else f"{value:.6g}" + ("" if value % 1 else ".0")
                lines.append(f"{path} = {text}  # {confidence:.0%}: {low:.4g} to {high:.4g}")
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        told = ", ".join(f"{one.name} {value:.4g}" for one, value in zip(self.free, self._estimate, strict=True))
        return f"<calibrated by {sum(one.use == 'calibration' for one in self.seen)} observations: {told}>"


def _quantiles(values: FloatArray, weights: FloatArray, shares: FloatArray) -> FloatArray:
    """Quantiles of values (candidates, n) of which each row has a weight."""
    if not weights.any():
        return np.full(len(shares), np.nan)
    flat = values.ravel()
    each = np.repeat(weights / values.shape[1], values.shape[1])
    order = np.argsort(flat, kind="stable")
    upto = np.cumsum(each[order])
    return np.asarray(flat[order][np.searchsorted(upto, shares).clip(0, len(flat) - 1)])
