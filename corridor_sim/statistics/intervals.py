"""How sure are we of a mean: intervals over replications, batches and order statistics.

Replications are the unit of inference: one value a replication goes in, an
interval comes out. With fewer than two values there is no interval (NaN,
`available` False), never a made-up one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core import arguments
from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.student import two_sided_probability, two_sided_quantile


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the half-width of its confidence interval.

    `half_width` is NaN where fewer than two values leave it undetermined;
    `sd` is the standard deviation over the values, `df` the degrees of freedom.
    """

    mean: float
    half_width: float
    n: int
    confidence: float = 0.95
    sd: float = math.nan
    df: float = math.nan

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + self.half_width

    @property
    def available(self) -> bool:
        """Whether there were enough values for an interval."""
        return not math.isnan(self.half_width)

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside; False if there is no interval."""
        return self.available and (self.low > 0 or self.high < 0)


def _values(values: ArrayLike, name: str = "values") -> FloatArray:
    array = arguments.array(name, values)
    if array.ndim != 1 or not len(array):
        raise ArgumentError(f"{name} must be a list of at least one number, got shape {array.shape}")
    return array


def require_confidence(confidence: float) -> None:
    """Raise ValueError unless 0 < confidence < 1."""
    if isinstance(confidence, bool) or not isinstance(confidence, (int, float, np.integer, np.floating)):
        raise ArgumentError(f"confidence must be a number between 0 and 1, got {confidence!r}")
    if not 0.0 < confidence < 1.0:
        hint = f"; {confidence:g} %? write {confidence / 100:g}" if 1.0 <= confidence < 100.0 else ""
        raise ArgumentError(f"confidence must be between 0 and 1, got {confidence:g}{hint}")


def t_quantile(confidence: float, df: float) -> float:
    """Two-sided Student quantile: ``P(|T| <= t) = confidence``."""
    return float(t_half_width(1.0, df, confidence))


def t_half_width(error: ArrayLike, df: ArrayLike, confidence: float = 0.95) -> FloatArray:
    """Half-width of Student intervals, the one place where it is reckoned: quantile times standard error.

    Parameters
    ----------
    error, df : arrays that broadcast
        Standard errors of the estimates and their degrees of freedom.

    Returns
    -------
    array
        NaN where there are no degrees of freedom.

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1.

    Examples
    --------
    >>> t_half_width([0.5, 0.5], [9, 0]).round(3)
    array([1.131,   nan])
    """
    require_confidence(confidence)
    free = np.asarray(df, dtype=float)
    quantiles = [two_sided_quantile(float(confidence), one) for one in free.ravel().tolist()]
    return np.asarray(np.reshape(quantiles, free.shape) * np.asarray(error))


def t_p_values(t: ArrayLike, df: ArrayLike) -> FloatArray:
    """``P(|T| >= |t|)`` of Student's law, element by element: two-sided p-values.

    Parameters
    ----------
    t, df : arrays that broadcast
        Estimates over their standard errors, and degrees of freedom.

    Returns
    -------
    array
        NaN where `t` is NaN or there are no degrees of freedom.

    Examples
    --------
    >>> t_p_values([1.0, -1.0, 2.0], [1, 1, 19]).round(3)
    array([0.5 , 0.5 , 0.06])
    """
    size, free = np.broadcast_arrays(np.abs(np.asarray(t, dtype=float)), np.asarray(df, dtype=float))
    pairs = zip(size.ravel().tolist(), free.ravel().tolist(), strict=True)
    return np.reshape([two_sided_probability(one, freedom) for one, freedom in pairs], size.shape)


def t_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Student interval of the mean of independent values, one a replication.

    One value: the interval is not available. Source: [law2015] sec. 9.4.1.

    Examples
    --------
    >>> round(t_interval([9.0, 10.0, 11.0]).half_width, 3)
    2.484
    """
    array = _values(values)
    n = len(array)
    mean = float(array.mean())
    if n < 2:
        return Interval(mean, math.nan, n, confidence)
    sd = float(array.std(ddof=1))
    return Interval(mean, float(t_half_width(sd / math.sqrt(n), n - 1, confidence)), n, confidence, sd, n - 1)


def t_half_widths(values: ArrayLike, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Means and half-widths of many indicators at once.

    Parameters
    ----------
    values : array, shape (replication, ...)
        One value a replication and indicator; NaN where a replication has none.

    Returns
    -------
    mean, half_width : arrays, shape (...)
        Half-width NaN where fewer than two replications have a value.

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1.
    """
    array = np.asarray(values, dtype=float)
    there = ~np.isnan(array)
    n = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, array, 0.0).sum(axis=0) / n
        variance = np.where(there, (array - mean) ** 2, 0.0).sum(axis=0) / (n - 1)
        half = t_half_width(np.sqrt(variance / n), n - 1, confidence)
    return np.asarray(mean), np.asarray(half)


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Difference of two scenarios that share their replications (a - b).

    `variance_ratio` says how many times more replications independent runs
    would have needed; below 1 the common random numbers did harm.
    """

    interval: Interval
    t: float
    p_value: float
    correlation: float
    variance_ratio: float


def paired_interval(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> PairedDifference:
    """Interval of the mean of a - b, replication by replication. Source: [law2015] sec. 10.2.1.

    Raises
    ------
    ValueError
        If the two differ in length.
    """
    first, second = _values(a, "a"), _values(b, "b")
    if first.shape != second.shape:
        raise ValueError(f"pairs need equally many values, got {len(first)} and {len(second)}")
    interval = t_interval(first - second, confidence)
    if interval.n < 2:
        return PairedDifference(interval, math.nan, math.nan, math.nan, math.nan)
    if interval.sd == 0.0:
        t = math.nan if interval.mean == 0.0 else math.copysign(math.inf, interval.mean)
        p = 1.0 if interval.mean == 0.0 else 0.0
    else:
        t = interval.mean / (interval.sd / math.sqrt(interval.n))
        p = float(t_p_values(t, interval.n - 1))
    return PairedDifference(interval, t, p, correlation(first, second), variance_ratio(first, second))


def correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Pearson correlation of two equally long lists; NaN where one does not vary."""
    first, second = _values(a, "a"), _values(b, "b")
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return math.nan
    return float(np.corrcoef(first, second)[0, 1])


def variance_ratio(a: ArrayLike, b: ArrayLike) -> float:
    """(var a + var b) / var(a - b): what pairing saves; inf where the difference is constant."""
    first, second = _values(a, "a"), _values(b, "b")
    if len(first) < 2:
        return math.nan
    paired = float((first - second).var(ddof=1))
    apart = float(first.var(ddof=1) + second.var(ddof=1))
    return apart / paired if paired > 0 else (math.inf if apart > 0 else math.nan)


def welch_interval(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> Interval:
    """Interval of the difference of means of independent samples [welch1938].

    `n` is the smaller sample; `df` the Welch-Satterthwaite degrees of freedom.
    """
    first, second = _values(a, "a"), _values(b, "b")
    difference = float(first.mean() - second.mean())
    n = min(len(first), len(second))
    if n < 2:
        return Interval(difference, math.nan, n, confidence)
    one, two = float(first.var(ddof=1)) / len(first), float(second.var(ddof=1)) / len(second)
    error = math.sqrt(one + two)
    if error == 0.0:
        return Interval(difference, 0.0, n, confidence, 0.0, math.inf)
    df = (one + two) ** 2 / (one**2 / (len(first) - 1) + two**2 / (len(second) - 1))
    return Interval(difference, float(t_half_width(error, df, confidence)), n, confidence, error, df)


def bonferroni(p_values: ArrayLike) -> FloatArray:
    """P-values adjusted for their number: min(1, m p)."""
    p = _values(p_values, "p_values")
    return np.minimum(1.0, len(p) * p)


def holm(p_values: ArrayLike) -> FloatArray:
    """P-values adjusted step by step, never larger than Bonferroni's [holm1979]."""
    p = _values(p_values, "p_values")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, stepped)
    return adjusted


@dataclass(frozen=True, slots=True)
class QuantileInterval:
    """Order statistics (ranks from 1) that enclose a quantile with probability `coverage`."""

    lower_rank: int
    upper_rank: int
    coverage: float


def quantile_interval(n: int, q: float, confidence: float = 0.95) -> QuantileInterval | None:
    """Ranks whose order statistics enclose the q-quantile of n independent values.

    For one value a replication only: waits within a run are correlated. The
    ranks leave at most (1 - confidence)/2 on either side. None where n is too small.
    Source: [conover1999] sec. 3.2.
    """
    from scipy.special import bdtr

    tail = (1.0 - confidence) / 2.0
    counts = np.arange(n + 1)
    below = bdtr(counts, n, q)
    # P(X(lower) > quantile) = P(N <= lower-1) <= tail, P(X(upper) <= quantile) = P(N >= upper) <= tail
    lower = int(np.searchsorted(below, tail, side="right"))
    upper = int(np.searchsorted(below, 1.0 - tail, side="left")) + 1
    if lower < 1 or upper > n:
        return None
    return QuantileInterval(lower, upper, float(below[upper - 1] - below[lower - 1]))


@dataclass(frozen=True, slots=True)
class Truncation:
    """Where MSER cuts a series; `too_short` if the cut is late in the searched range."""

    batches: int
    truncate_batches: int
    truncate_observations: int
    statistic: float
    truncated_mean: float
    too_short: bool


def mser(series: ArrayLike, batch: int = 5) -> Truncation:
    """Warm-up of a series by the marginal standard error rule, on means of `batch` values.

    The cut is the d in the first half of the batches that minimises
    sum (x - mean)^2 / (m - d)^2 over the rest; ties go to the smaller d. A cut in
    the last quarter of that range says that the run is too short. With a daily
    or weekly cycle give cycle means, not raw values.

    Source: [white1997]; [white2000].
    """
    array = _values(series, "series")
    m = len(array) // batch
    if m < 2:
        raise ValueError(f"need at least two batches of {batch}, got {len(array)} values")
    means = array[: m * batch].reshape(m, batch).mean(axis=1)
    # Sums over what is left after d batches, for all d at once; centred first so that squares keep their digits.
    centre = float(means.mean())
    left = np.arange(m, 0, -1)
    total = np.cumsum((means - centre)[::-1])[::-1]
    square = np.cumsum(((means - centre) ** 2)[::-1])[::-1]
    statistic = np.maximum(square - total**2 / left, 0.0) / left**2
    limit = m // 2
    cut = int(np.argmin(statistic[: limit + 1]))
    rest = means[cut:]
    return Truncation(
        m,
        cut,
        cut * batch,
        float(((rest - rest.mean()) ** 2).sum() / len(rest) ** 2),
        float(rest.mean()),
        cut > 0.75 * limit,
    )


@dataclass(frozen=True, slots=True)
class BatchMeans:
    """Interval of the mean of one long run, with two checks of its batches.

    `von_neumann` near 2 and `lag1` near 0 speak for independent batches.
    """

    interval: Interval
    von_neumann: float
    lag1: float


def batch_means(series: ArrayLike, batches: int = 20, confidence: float = 0.95) -> BatchMeans:
    """Interval of a steady-state mean from batches of one long run. Source: [law2015] sec. 9.5.3.

    A remainder that fills no batch is left out at the end.
    """
    array = _values(series, "series")
    size = len(array) // batches
    if batches < 2 or size < 1:
        raise ValueError(f"cannot make {batches} batches of {len(array)} values")
    means = array[: size * batches].reshape(batches, size).mean(axis=1)
    deviation = means - means.mean()
    square = float((deviation**2).sum())
    if square == 0.0:
        return BatchMeans(t_interval(means, confidence), math.nan, math.nan)
    von_neumann = float((np.diff(means) ** 2).sum() / square)
    lag1 = float((deviation[:-1] * deviation[1:]).sum() / square)
    return BatchMeans(t_interval(means, confidence), von_neumann, lag1)


@dataclass(frozen=True, slots=True)
class Precision:
    """Where the sequential rule stopped; `reached` False if the values ran out first."""

    interval: Interval
    reached: bool


def sequential_replications(
    values: ArrayLike,
    relative: float | None = None,
    absolute: float | None = None,
    *,
    confidence: float = 0.95,
    at_least: int = 10,
    adjusted: bool = True,
) -> Precision:
    """The smallest number of replications whose half-width is small enough.

    Stops at the first n >= `at_least` with half-width <= `absolute`, or <= g times the mean without its sign
    with g = relative/(1+relative) so that the error is `relative` of the true mean
    (`adjusted`; else g = relative). Source: [law2015] sec. 9.4.1.

    Raises
    ------
    ValueError
        Unless one precision is given, and it is above 0.
    """
    if (relative is None) == (absolute is None):
        raise ValueError("give either a relative or an absolute precision")
    name, wanted = ("relative", relative) if absolute is None else ("absolute", absolute)
    arguments.number(f"the {name} precision", wanted, above=0)
    array = _values(values)
    share = math.nan if relative is None else relative / (1.0 + relative) if adjusted else relative
    interval = t_interval(array[:1], confidence)
    for n in range(max(2, at_least), len(array) + 1):
        interval = t_interval(array[:n], confidence)
        if interval.half_width <= (absolute if absolute is not None else share * abs(interval.mean)):
            return Precision(interval, True)
    return Precision(t_interval(array, confidence), False)


@dataclass(frozen=True, slots=True)
class ControlledMean:
    """A mean corrected by a control variate: `estimate` = mean y - beta (mean x - known)."""

    beta: float
    estimate: float
    variance_reduction: float
    interval: Interval


def control_variate(y: ArrayLike, x: ArrayLike, mean_x: float, confidence: float = 0.95) -> ControlledMean:
    """Mean of y by one control x of known mean, coefficient estimated.

    `variance_reduction` is var y / var(y - beta x). The interval is the regression
    interval with n - 2 degrees of freedom. Source: [lavenberg1981].
    """
    first, control = _values(y, "y"), _values(x, "x")
    n = len(first)
    if first.shape != control.shape:
        raise ValueError(f"y and x need equally many values, got {n} and {len(control)}")
    if n < 3 or np.ptp(control) == 0:
        raise ValueError("a control needs at least three replications and must vary")
    centred = control - control.mean()
    square = float((centred**2).sum())
    beta = float((centred * (first - first.mean())).sum() / square)
    shift = float(control.mean()) - mean_x
    estimate = float(first.mean()) - beta * shift
    rest = first - first.mean() - beta * centred
    error_variance = float((rest**2).sum()) / (n - 2)
    error = math.sqrt(error_variance * (1.0 / n + shift**2 / square))
    half = float(t_half_width(error, n - 2, confidence))
    residual = float(rest.var(ddof=1))
    reduction = float(first.var(ddof=1)) / residual if residual > 0 else math.inf
    interval = Interval(estimate, half, n, confidence, math.sqrt(error_variance), n - 2)
    return ControlledMean(beta, estimate, reduction, interval)
