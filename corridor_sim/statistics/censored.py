"""Times of which some were still going on: mean and percentiles with weights, and their spread over days.

The share that is over is the product-limit estimate [kaplan1958]. Consignments of one day share its queue, so days are
drawn again, not consignments (cluster bootstrap [efron1993]).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.student import two_sided_quantile

DRAWS = 400
"""Times that days are drawn again."""
FEWEST_DAYS = 5
"""Days below which consignments are drawn again instead: too few days say nothing of how days differ."""


def mean_and_quantiles(
    time_h: FloatArray, still: NDArray[np.bool_], shares: tuple[float, ...], weights: FloatArray | None = None
) -> FloatArray:
    """Mean and times that shares of all stay below, of times some of which were still going on.

    Parameters
    ----------
    time_h : array, shape (times,)
        [h]
    still : array of bool, same shape
        Which were still going on.
    shares
        Between 0 and 1.
    weights : array, shape (sets, times), optional
        How often each counts, in each of several sets; once if not given.

    Returns
    -------
    array, shape (sets, 1 + shares)
        The mean up to the longest time (a lower bound where that one was still going on), then the smallest times by
        which the shares are over; NaN where they never are, and without times. [h]

    Examples
    --------
    >>> mean_and_quantiles(np.array([1.0, 2.0, 3.0, 6.0]), np.zeros(4, dtype=bool), (0.5,))
    array([[3., 2.]])
    >>> mean_and_quantiles(np.array([1.0, 2.0, 3.0, 6.0]), np.array([False, True, False, False]), (0.5,))
    array([[3.625, 3.   ]])
    """
    w = np.ones((1, len(time_h))) if weights is None else weights
    found = np.full((len(w), 1 + len(shares)), np.nan)
    if not len(time_h):
        return found
    order = np.lexsort((still, time_h))
    t, w, over = time_h[order], w[:, order], ~still[order]
    at_risk = np.cumsum(w[:, ::-1], axis=1)[:, ::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        stay = np.where(at_risk > 0, 1.0 - np.where(over, w, 0.0) / at_risk, 1.0)
    left = np.cumprod(np.maximum(stay, 0.0), axis=1)
    before = np.concatenate([np.ones((len(w), 1)), left[:, :-1]], axis=1)
    longest = np.where(w > 0, t, -np.inf).max(axis=1)
    steps = np.maximum(np.minimum(t, longest[:, None]), 0.0)
    widths = np.diff(np.concatenate([np.zeros((len(w), 1)), steps], axis=1), axis=1)
    empty = w.sum(axis=1) == 0
    found[:, 0] = np.where(empty, np.nan, (before * widths).sum(axis=1))
    for k, share in enumerate(shares, 1):
        reached = left <= 1.0 - share + 1e-12
        found[:, k] = np.where(reached.any(axis=1) & ~empty, t[np.argmax(reached, axis=1)], np.nan)
    return found


def day_weights(days: NDArray[np.int64], seed: int = 0, draws: int = DRAWS) -> tuple[FloatArray, int]:
    """How often each consignment counts when days are drawn again, shape (draws, consignments), and how many days.

    With fewer than `FEWEST_DAYS` days each consignment is a day of its own.
    """
    _, number = np.unique(days, return_inverse=True)
    count = int(number.max(initial=-1)) + 1
    if count < FEWEST_DAYS:
        number, count = np.arange(len(days)), len(days)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(count, np.full(count, 1.0 / max(count, 1)), size=draws) if count else np.zeros((draws, 0))
    return np.asarray(times[:, number], dtype=float), count


def half_width(drawn: FloatArray, clusters: int, confidence: float = 0.95) -> FloatArray:
    """Half-widths from values of draws (first axis): Student's quantile times their spread; NaN where there is none.

    The spread of a bootstrap of few clusters is too small by the root of (clusters - 1) / clusters.
    """
    if clusters < 2:
        return np.full(drawn.shape[1:], np.nan)
    known = ~np.isnan(drawn)
    enough = known.mean(axis=0) > 0.9
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, drawn, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, drawn - mean, 0.0) ** 2).sum(axis=0) / count)
    factor = two_sided_quantile(confidence, clusters - 1) * math.sqrt(clusters / (clusters - 1))
    return np.where(enough, factor * spread, np.nan)
