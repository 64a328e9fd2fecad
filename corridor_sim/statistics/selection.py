"""Which option is best, and how many replications does it take to say so?

Constants and procedures of ranking and selection. Smaller is better unless
`maximise`. KN allows common random numbers; Rinott and Dudewicz-Dalal need
independent options; OCBA spends a fixed budget and guarantees nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.units import FloatArray

Observe = Callable[[Sequence[int], int], Sequence[float]]
"""(options, replication) -> their outputs in that replication."""


@dataclass(frozen=True, slots=True)
class KNConstants:
    """Constants of the KN procedure."""

    eta: float
    h2: float


def kn_constants(options: int, alpha: float, n0: int, c: int = 1) -> KNConstants:
    """Constants eta and h^2 for `options`, error `alpha` and first stage `n0`.

    Source: [kim2001]; c = 1 gives the closed form
    eta = ((2 alpha/(k-1))^(-2/(n0-1)) - 1)/2, other c the root of their eq. 1.
    """
    if options < 2 or n0 < 2 or not 0.0 < alpha < 1.0:
        raise ValueError(f"need at least 2 options, n0 >= 2 and alpha in (0, 1), got {options}, {n0}, {alpha}")
    if c == 1:
        eta = 0.5 * ((2.0 * alpha / (options - 1)) ** (-2.0 / (n0 - 1)) - 1.0)
    else:
        from scipy.optimize import brentq

        def excess(eta: float) -> float:
            terms = (
                math.pow(-1.0, i + 1)
                * (0.5 if i == c else 1.0)
                * (1.0 + 2.0 * eta * (2 * c - i) * i / c) ** (-(n0 - 1) / 2.0)
                for i in range(1, c + 1)
            )
            return math.fsum(terms) - alpha / (options - 1)

        eta = float(brentq(excess, 1e-12, 1e6))
    return KNConstants(eta, 2.0 * c * eta * (n0 - 1))


def kn_half_width(variance: ArrayLike, delta: float, h2: float, replications: ArrayLike, c: int = 1) -> FloatArray:
    """Screening half-width for the difference of SUMS over `replications`.

    W(r) = max(0, delta/(2c) (h2 S^2/delta^2 - r)); divide by r for means.
    """
    r = np.asarray(replications, dtype=float)
    return np.asarray(np.maximum(0.0, delta / (2.0 * c) * (h2 * np.asarray(variance, dtype=float) / delta**2 - r)))


@dataclass(frozen=True, slots=True)
class Selection:
    """What `select_best` chose and what it took.

    `eliminated_at` is the replication count at which each option left, None for the best
    and for those that are equal to it to the bit; `means` are over the replications each option had. `reached` is
    False where `max_replications` ended the search: then the option with the
    best mean among those left is named, without the guarantee.
    """

    best: int
    means: tuple[float, ...]
    replications: tuple[int, ...]
    eliminated_at: tuple[int | None, ...]
    reached: bool


def select_best(
    observe: Observe,
    options: int,
    delta: float,
    *,
    alpha: float = 0.05,
    n0: int = 10,
    maximise: bool = False,
    max_replications: int = 10_000,
) -> Selection:
    """The best option with probability >= 1 - alpha if it is better by `delta` (KN).

    `observe(options, r)` gives the outputs of replication r (from 0) of the options
    still in play; outputs are normal replication means, common random numbers are
    allowed and help. Source: [kim2001], with c = 1.

    Raises
    ------
    ValueError
        For fewer than two options, delta <= 0 or n0 < 2.
    """
    if delta <= 0:
        raise ValueError(f"delta must be > 0, got {delta}")
    h2 = kn_constants(options, alpha, n0).h2
    sign = -1.0 if maximise else 1.0
    everyone = list(range(options))
    first = sign * np.array([list(observe(everyone, r)) for r in range(n0)], dtype=float)
    spread = np.zeros((options, options))
    for i in everyone:
        spread[i] = (first[:, [i]] - first).var(axis=0, ddof=1)
    sums = first.sum(axis=0)
    counts = np.full(options, n0)
    eliminated: list[int | None] = [None] * options
    alive, r = everyone, n0
    while True:
        width = kn_half_width(spread, delta, h2, r)
        out = [i for i in alive if any(sums[i] - sums[other] > width[i, other] for other in alive if other != i)]
        for i in out:
            eliminated[i] = r
        alive = [i for i in alive if i not in out]
        # Where no width is left, those in play are within delta of each other as far as the promise goes: equal
        # outputs (one option changes nothing that counts) would go on for ever.
        settled = len(alive) == 1 or not width[np.ix_(alive, alive)].any()
        if settled or r >= max_replications:
            break
        sums[alive] += sign * np.asarray(list(observe(alive, r)), dtype=float)
        r += 1
        counts[alive] = r
    means = sums / counts
    best = min(alive, key=lambda i: means[i])
    return Selection(
        best, tuple(float(sign * m) for m in means), tuple(int(n) for n in counts), tuple(eliminated), settled
    )


def _legendre(points: int, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    x, w = np.polynomial.legendre.leggauss(points)
    return (high - low) / 2.0 * x + (high + low) / 2.0, (high - low) / 2.0 * w


def _chi_square(points: int, df: float) -> tuple[FloatArray, FloatArray]:
    """Points and weights of the mean over a chi-square variable."""
    from scipy.special import chdtri, gammaln

    x, weight = _legendre(points, float(chdtri(df, 1.0 - 1e-14)), float(chdtri(df, 1e-14)))
    half = df / 2.0
    return x, weight * np.exp((half - 1.0) * np.log(x / 2.0) - x / 2.0 - gammaln(half)) / 2.0


def dudewicz_dalal_h(options: int, probability: float, n0: int) -> float:
    """The h with P(all T_i <= T_best + h) = probability, T Student with n0 - 1 degrees of freedom.

    Source: [dudewicz1975]; [law2015] table 10.11.
    """
    from scipy.optimize import brentq
    from scipy.special import stdtr, stdtrit

    u, weight = _legendre(400, 0.0, 1.0)
    at = stdtrit(n0 - 1, u)

    def excess(h: float) -> float:
        return float((weight * stdtr(n0 - 1, at + h) ** (options - 1)).sum()) - probability

    return float(brentq(excess, 0.0, 200.0, xtol=1e-13))


def rinott_h(options: int, probability: float, n0: int) -> float:
    """Rinott's h for independent options. Source: [rinott1978]; [wilcox1984]."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    df = n0 - 1
    x, weight = _chi_square(400, df)
    scale = np.sqrt(df * (1.0 / x[:, None] + 1.0 / x[None, :]))

    def excess(h: float) -> float:
        inner = (weight[None, :] * ndtr(h / scale)).sum(axis=1)
        return float((weight * inner ** (options - 1)).sum()) - probability

    return float(brentq(excess, 0.0, 200.0, xtol=1e-13))


def two_stage_sizes(variances: ArrayLike, h: float, delta: float, n0: int) -> tuple[int, ...]:
    """Replications each option needs in total: max(n0, ceil(h^2 S^2 / delta^2)) (Rinott)."""
    return tuple(max(n0, math.ceil(h**2 * float(v) / delta**2)) for v in np.asarray(variances, dtype=float))


def ocba_fractions(means: ArrayLike, sds: ArrayLike, maximise: bool = False) -> FloatArray:
    """Shares of a budget of replications that make the right choice most likely.

    Source: [chen2011] eq. 3.18. Raises ValueError where two options share the best mean.
    """
    mean, sd = np.asarray(means, dtype=float), np.asarray(sds, dtype=float)
    best = int(np.argmax(mean) if maximise else np.argmin(mean))
    others = np.arange(len(mean)) != best
    gap = np.abs(mean - mean[best])
    if (gap[others] == 0).any():
        raise ValueError("two options share the best mean: no allocation can tell them apart")
    share = np.zeros(len(mean))
    share[others] = (sd[others] / gap[others]) ** 2
    share[best] = sd[best] * math.sqrt(float((share[others] ** 2 / sd[others] ** 2).sum()))
    return np.asarray(share / share.sum())


@dataclass(frozen=True, slots=True)
class BestComparison:
    """Simultaneous intervals of (mean - best of the others).

    An upper end of 0 names the best, a lower end of 0 rules an option out
    (smaller is better; the other way round with `maximise`).
    """

    d: float
    width: float
    intervals: tuple[tuple[float, float], ...]


def dunnett_quantile(others: int, df: float, confidence: float = 0.95) -> float:
    """One-sided Dunnett quantile: max of `others` Student variables with correlation 1/2."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    z, wz = _legendre(200, -9.0, 9.0)
    wz = wz * np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    x, wx = _chi_square(200, df)
    scale = np.sqrt(x / df)

    def excess(d: float) -> float:
        inner = ndtr(z[:, None] + math.sqrt(2.0) * d * scale[None, :]) ** others
        return float((wz[:, None] * wx[None, :] * inner).sum()) - confidence

    return float(brentq(excess, -10.0, 200.0, xtol=1e-13))


def compare_with_best(
    means: ArrayLike, pooled_variance: float, n_each: int, df: float, confidence: float = 0.95, maximise: bool = False
) -> BestComparison:
    """Multiple comparisons with the best, independent samples of one size [hsu1984] [hsu1996].

    With common random numbers under sphericity give the residual variance of the
    two-way table and its degrees of freedom [nelson1995].
    """
    mean = np.asarray(means, dtype=float)
    if len(mean) < 2:
        raise ValueError("a comparison with the best needs at least two options")
    d = dunnett_quantile(len(mean) - 1, df, confidence)
    width = d * math.sqrt(2.0 * pooled_variance / n_each)
    intervals = []
    for i, value in enumerate(mean):
        rest = np.delete(mean, i)
        gap = float(value - (rest.max() if maximise else rest.min()))
        intervals.append((min(0.0, gap - width), max(0.0, gap + width)))
    return BestComparison(d, width, tuple(intervals))


@dataclass(frozen=True, slots=True)
class DrawnComparison:
    """Simultaneous intervals of (option - best of the others) over draws of the inputs, noise of sampling included.

    An upper end of 0 or less names the best, a lower end above 0 rules an option out (smaller is better; the other
    way round with `maximise`). `depth` is the order statistic of the draws, from either end, that the intervals begin
    with; `noise_quantile` is in standard errors of the replications.
    """

    means: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    depth: int
    noise_quantile: float


def least_draws(alpha: float) -> int:
    """Fewest draws from which `compare_over_draws` can tell an interval of confidence 1 - alpha.

    >>> least_draws(0.05)
    39
    """
    return math.ceil(2.0 / alpha - 1.0 - 1e-9)


def compare_over_draws(
    values: ArrayLike, noise: ArrayLike, df: float, alpha: float = 0.05, maximise: bool = False
) -> DrawnComparison:
    """Multiple comparisons with the best under draws of inputs that all options share.

    Parameters
    ----------
    values : array, shape (option, draw)
        Every draw gives all options the same inputs, so a difference of two options spreads far less than either
        (the common-input-data effect [song2019]).
    noise : array, shape (option, option)
        Standard errors of the differences from sampling, of which all draws share the streams.
    df : float
        Degrees of freedom of `noise`.
    alpha : float
        One minus the confidence of all intervals together; half of it is spent on the draws, half on the noise.

    Returns
    -------
    DrawnComparison

    Raises
    ------
    ValueError
        For fewer than two options or fewer draws than `least_draws`.

    Notes
    -----
    In each draw an option less the best of the others is one number. The band takes of every option the same order
    statistics from both ends, the innermost that hold all options at once in a share 1 - alpha/2 of the draws
    [besag1995]: it follows the skewness that queues have. On both sides Student's quantile of the noise is added, with
    Bonferroni over the pairs and for the pair with the largest error.
    """
    from scipy.special import stdtrit

    drawn = np.asarray(values, dtype=float) * (-1.0 if maximise else 1.0)
    error = np.asarray(noise, dtype=float)
    k, n = drawn.shape
    if k < 2:
        raise ValueError("a comparison with the best needs at least two options")
    if n < least_draws(alpha):
        raise ValueError(f"{n} draws are too few for alpha = {alpha:g}: at least {least_draws(alpha)}")
    rest = np.stack([np.delete(drawn, i, axis=0).min(axis=0) for i in range(k)])
    ordered = np.sort(drawn - rest, axis=1)
    depth, needed = 1, math.ceil((n + 1) * (1.0 - alpha / 2.0) - 1e-9)
    while depth < n // 2:
        low, high = ordered[:, [depth]], ordered[:, [n - 1 - depth]]
        if int(((drawn - rest >= low) & (drawn - rest <= high)).all(axis=0).sum()) < needed:
            break
        depth += 1
    t = float(stdtrit(df, 1.0 - alpha / 2.0 / (k * (k - 1))))
    width = t * error.max(axis=1)
    ends = zip(ordered[:, depth - 1] - width, ordered[:, n - depth] + width, strict=True)
    intervals = [(-float(high), -float(low)) if maximise else (float(low), float(high)) for low, high in ends]
    sign = -1.0 if maximise else 1.0
    return DrawnComparison(tuple(float(sign * one) for one in drawn.mean(axis=1)), tuple(intervals), depth, t)
