"""How many come a day and how they lie over the hours, from the arrivals of some days."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.student import two_sided_quantile

DRAWS = 400
"""Times that hours are drawn again for the range of their amplitude."""
ALIKE_P = 0.1
"""Days that differ by chance as often as this are taken for those of independent arrivals."""
FEWEST_EXPECTED = 5.0
"""Arrivals expected of a day, below which it says nothing of how days differ."""
FLAT_P = 0.05
"""Hours that differ by chance as often as this are taken for alike."""


@dataclass(frozen=True, slots=True)
class VolumeFit:
    """Consignments a day: value and interval, and how much more days differ than independent arrivals would."""

    per_day: float
    low: float
    high: float
    spread: float
    """Variance of the days over that of independent arrivals, at least 1."""


@dataclass(frozen=True, slots=True)
class ShapeFit:
    """Weights of 24 hours of mean 1, and how much of their distance from 1 is no noise of a small count."""

    weight: FloatArray
    amplitude: float
    low: float
    high: float
    p_value: float
    """How often hours that are alike would differ as much."""


def fit_volume(count: NDArray[np.int64], exposure: FloatArray, confidence: float = 0.95) -> VolumeFit:
    """Consignments a day from counts of days, each for as much of a usual day as it holds.

    Days that differ more than independent arrivals do widen the interval: their variance is a multiple of the mean.

    Examples
    --------
    >>> fit_volume(np.array([50, 50, 50, 50]), np.ones(4)).per_day
    50.0
    """
    from scipy.stats import chi2

    total, of = int(count.sum()), float(exposure.sum())
    rate = total / of
    expected = rate * exposure
    whole = expected >= FEWEST_EXPECTED
    apart = float(((count[whole] - expected[whole]) ** 2 / expected[whole]).sum())
    df = int(whole.sum()) - 1
    spread, z = 1.0, NormalDist().inv_cdf(0.5 + confidence / 2.0)
    if df > 0 and chi2.sf(apart, df) < ALIKE_P:
        # More than independent arrivals was seen, and in these few days only: Student's quantile then.
        spread, z = max(1.0, apart / df), two_sided_quantile(confidence, df)
    half = z * math.sqrt(spread / max(total, 1))
    return VolumeFit(rate, rate * math.exp(-half), rate * math.exp(half), spread)


def fit_shape(count: FloatArray, exposure: FloatArray, seed: int = 0, confidence: float = 0.95) -> ShapeFit:
    """Weights of the hours from their counts, each for so many usual hours.

    A small count makes hours differ that do not: the part of the spread that noise alone gives is taken off
    (`amplitude`), by the method of moments; its interval is by counts drawn again from the weights that are left.
    """
    from scipy.stats import chi2

    rate = float(count.sum() / exposure.sum())
    expected = rate * exposure
    weight = count / expected
    weight = weight / weight.mean()
    p_value = float(chi2.sf(((count - expected) ** 2 / expected).sum(), len(count) - 1))
    amplitude, _ = _amplitude(weight, expected)
    rng = np.random.default_rng(seed)
    smooth = np.maximum(1.0 + amplitude * (weight - 1.0), 0.0)
    smooth = smooth / smooth.mean()
    true = float(np.sqrt(((smooth - 1.0) ** 2).mean()))
    found = []
    for _ in range(DRAWS):
        again = rng.poisson(smooth * expected) / expected
        again = again / again.mean()
        size, spread = _amplitude(again, expected)
        found.append(size * spread)
    tail = (1.0 - confidence) / 2.0
    short, long = np.quantile(found, [tail, 1.0 - tail])
    if true == 0.0:
        return ShapeFit(weight, 0.0, 0.0, 0.0, p_value)
    low = amplitude * true / long
    high = amplitude * true / short if short > 0 else math.inf
    return ShapeFit(weight, amplitude, float(min(low, amplitude)), float(max(high, amplitude)), p_value)


def _amplitude(weight: FloatArray, expected: FloatArray) -> tuple[float, float]:
    """Share of the distance of weights from 1 that is no noise, and that distance."""
    spread = float(((weight - 1.0) ** 2).mean())
    noise = float((weight / expected).mean())
    return (math.sqrt(max(0.0, 1.0 - noise / spread)) if spread > 0 else 0.0), math.sqrt(spread)
