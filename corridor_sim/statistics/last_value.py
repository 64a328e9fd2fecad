"""The forecast that anybody can make: the last value again, give or take what such values changed by before."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.errors import ArgumentError
from corridor_sim.statistics.intervals import require_confidence
from corridor_sim.statistics.student import two_sided_quantile

FEWEST = 3
"""Changes below which no interval is made of them: how much values change would not be known."""


def last_value_interval(last: float, changes: ArrayLike, confidence: float = 0.9) -> tuple[float, float]:
    """Interval of the next value around the last one.

    The changes are taken for draws of one normal law about 0, no change, whose spread is not known: the interval is
    ``last x exp(-+ t s)`` with their root mean square `s` and the quantile `t` of Student's law with as many degrees of
    freedom as there are changes.

    Parameters
    ----------
    last : float
        Above 0.
    changes : array
        Logarithms of the ratio of a value to the one before it, of values such as this one; at least three.
    confidence : float

    Raises
    ------
    ArgumentError
        If the last value is not above 0, or there are fewer than three changes.

    Examples
    --------
    >>> low, high = last_value_interval(100.0, [0.1, -0.1, 0.1, -0.1])
    >>> round(low, 1), round(high, 1)
    (80.8, 123.8)
    """
    require_confidence(confidence)
    seen = np.asarray(changes, dtype=np.float64)
    if not last > 0:
        raise ArgumentError(f"the last value must be above 0, got {last!r}")
    if seen.ndim != 1 or len(seen) < FEWEST or not np.isfinite(seen).all():
        raise ArgumentError(f"needs {FEWEST} or more changes, all finite, got {seen.tolist()!r:.80}")
    width = two_sided_quantile(confidence, len(seen)) * math.sqrt(float((seen**2).mean()))
    return last * math.exp(-width), last * math.exp(width)
