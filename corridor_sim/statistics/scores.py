"""How good a prediction with intervals was, once it is known what came: smaller scores are better.

Proper scores [gneiting2007]: nobody gains by stating an interval that he does not believe.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.intervals import require_confidence


def interval_score(low: ArrayLike, high: ArrayLike, observed: ArrayLike, confidence: float) -> FloatArray:
    """Width of each interval, and 2 / (1 - confidence) times how far the observation is outside it.

    Parameters
    ----------
    low, high, observed : arrays of shapes that go together
    confidence : float
        What the interval says that it holds: 0.9 for one from the 5 % to the 95 % quantile.

    Raises
    ------
    ArgumentError
        If an interval has its low end above its high one.

    Examples
    --------
    >>> interval_score(10.0, 20.0, [15.0, 9.0], 0.9).round(6)
    array([10., 30.])
    """
    require_confidence(confidence)
    low, high, seen = _numbers(low, high, observed)
    if (low > high).any():
        raise ArgumentError("the low end of an interval must not be above its high end")
    outside = np.maximum(low - seen, 0.0) + np.maximum(seen - high, 0.0)
    return np.asarray(high - low + 2.0 / (1.0 - confidence) * outside)


def coverage(low: ArrayLike, high: ArrayLike, observed: ArrayLike) -> float:
    """Share of the observations that their intervals hold, ends included.

    >>> coverage([0.0, 0.0], [1.0, 1.0], [1.0, 2.0])
    0.5
    """
    low, high, seen = _numbers(low, high, observed)
    return float(((low <= seen) & (seen <= high)).mean())


def crps(draws: ArrayLike, observed: ArrayLike) -> FloatArray:
    """Continuous ranked probability score of predictions by draws, shape of `observed`.

    The mean distance of the draws from the observation less half their mean distance from each other, the latter over
    all pairs of different draws, which makes it the score of the law that they come from, on average [ferro2014].

    Parameters
    ----------
    draws : array, shape (draws, ...)
        At least two.
    observed : array, shape (...)

    Examples
    --------
    >>> float(crps([[0.0], [2.0]], [1.0])[0])
    0.0
    """
    made, seen = _numbers(draws, observed)
    if made.ndim < 1 or len(made) < 2 or made.shape[1:] != seen.shape:
        raise ArgumentError(f"needs at least two draws of each observation, got {made.shape} and {seen.shape}")
    count = len(made)
    ranked = np.sort(made, axis=0)
    weights = (2.0 * np.arange(1, count + 1) - count - 1.0).reshape(-1, *[1] * seen.ndim)
    apart = 2.0 * (weights * ranked).sum(axis=0) / (count * (count - 1.0))
    return np.asarray(np.abs(made - seen).mean(axis=0) - apart / 2.0)


def _numbers(*given: ArrayLike) -> list[FloatArray]:
    found = [np.asarray(one, dtype=np.float64) for one in given]
    if any(np.isnan(one).any() for one in found):
        raise ArgumentError("a score needs numbers, got NaN")
    return found
