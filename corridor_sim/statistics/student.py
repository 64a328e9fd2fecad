"""Student's t law: two-sided probabilities and quantiles, to full double precision.

Written out here because tables must be the same with every scipy: the inverse of scipy 1.13 differs from
that of 1.18 in the eleventh digit. Only `math` is used, so the bits depend on neither numpy nor scipy.
The probability is an incomplete beta function, reckoned by its continued fraction ([dlmf2024] 8.17.5 and
8.17.22); the quantile is Newton's method on it, from the normal quantile upwards.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

PRECISION = 4e-16
"""Relative; two units in the last place."""
ASYMPTOTIC_FROM = 30.0
"""Argument from which the series of `_gamma_ratio` is exact to the last bits (next term below 1e-16)."""


def two_sided_probability(t: float, df: float) -> float:
    """``P(|T| > t)`` for t >= 0: the p-value of a two-sided test. NaN without degrees of freedom.

    Examples
    --------
    >>> round(two_sided_probability(1.0, 1.0), 12)
    0.5
    """
    if math.isnan(t) or not df > 0:
        return math.nan
    if math.isinf(df):
        return math.erfc(t / math.sqrt(2.0))
    ratio = t / df * t
    if ratio == 0.0 or math.isinf(ratio):
        return 1.0 if ratio == 0.0 else 0.0
    x, y, log_x = 1.0 / (1.0 + ratio), ratio / (1.0 + ratio), -math.log1p(ratio)
    a, b = df / 2.0, 0.5
    # x^a y^(1/2) / B(a, 1/2); Gamma(1/2) is the root of pi.
    front = math.exp(a * log_x) * math.sqrt(y / math.pi) * _gamma_ratio(a)
    if x < (a + 1.0) / (a + b + 2.0):
        return front / a * _continued_fraction(a, b, x)
    return 1.0 - front / b * _continued_fraction(b, a, y)


@lru_cache(maxsize=4096)
def two_sided_quantile(confidence: float, df: float) -> float:
    """The t with ``P(|T| <= t) = confidence``; NaN without degrees of freedom.

    Examples
    --------
    >>> round(two_sided_quantile(0.95, 9), 12)
    2.262157162798
    """
    if not df > 0:
        return math.nan
    beyond = 1.0 - confidence
    t = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    if math.isinf(df):
        return t
    # The tail is convex and the normal quantile lies below the root: every step goes up, until rounding stops it.
    scale = 2.0 * _gamma_ratio(df / 2.0) / math.sqrt(df * math.pi)
    while True:
        density = scale * math.exp(-(df + 1.0) / 2.0 * math.log1p(t / df * t))
        step = (two_sided_probability(t, df) - beyond) / density
        t += step
        if step <= PRECISION * t:
            return t


def _gamma_ratio(a: float) -> float:
    """Gamma(a + 1/2) / Gamma(a), without the cancellation of two large logarithms ([dlmf2024] 5.11.13)."""
    below = 1.0
    while a < ASYMPTOTIC_FROM:
        below *= a / (a + 0.5)
        a += 1.0
    series = -1.0 / (8.0 * a) + 1.0 / (192.0 * a**3) - 1.0 / (640.0 * a**5) + 17.0 / (14336.0 * a**7)
    return below * math.sqrt(a) * math.exp(series)


def _continued_fraction(a: float, b: float, x: float) -> float:
    """The fraction of the incomplete beta function, from the front by Lentz's method as changed by Thompson."""
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    found, m = d, 0
    while True:
        m += 1
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1.0 / (1.0 + even * d), 1.0 + even / c
        found *= c * d
        d, c = 1.0 / (1.0 + odd * d), 1.0 + odd / c
        change = c * d
        found *= change
        if abs(change - 1.0) <= PRECISION:
            return found
