"""Which values of a few inputs give what was observed: waves of runs, a surface through them, and the inputs' law.

Each wave runs the model at evenly spread points of what is left, fits a quadratic surface to each observed quantity,
and leaves out what is further than three standard deviations from an observation (history matching in waves
[craig1997] [vernon2010]); the surface's own error counts as one of them. Waves only say where to run next. The law of
the inputs is then their prior, uniform over the ranges, times the normal likelihood of the observations by the last
surfaces, so no observation is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.history_matching import LIMIT
from corridor_sim.statistics.scrambles import scrambled_points

CANDIDATES = 8192
"""Points at which the surfaces are asked; a power of two."""
MARGIN = 0.05
"""Of the width of what is left, added on each side; assumed."""
FEWEST_LEFT = 100
"""Candidates that carry the law of the inputs, below which its intervals are not to be relied on; assumed."""

Runs = Callable[[FloatArray], FloatArray]
"""Points (points, inputs) of the unit cube to what the model gives, (points, observations, replications)."""
Snap = Callable[[FloatArray], FloatArray]
"""Points to the points that stand for them, where inputs are whole numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A quadratic through runs, shape of the coefficients (1 + inputs + inputs (inputs + 1) / 2,).

    Attributes
    ----------
    centre, half
        Of the box that it is fitted in, per input.
    error
        Root mean square of how far it is from each run if fitted without it.
    """

    coefficients: FloatArray
    centre: FloatArray
    half: FloatArray
    error: float

    def at(self, points: FloatArray) -> FloatArray:
        """Values at points, shape (points,)."""
        return np.asarray(_terms((points - self.centre) / self.half) @ self.coefficients)


def terms_of(inputs: int) -> int:
    """Coefficients of a quadratic of so many inputs.

    >>> [terms_of(n) for n in (1, 2, 10)]
    [3, 6, 66]
    """
    return 1 + inputs + inputs * (inputs + 1) // 2


def surface(points: FloatArray, values: FloatArray) -> Surface:
    """The quadratic through runs by least squares; runs without a value are left out.

    Raises
    ------
    ArgumentError
        If there are not more runs than coefficients.
    """
    there = ~np.isnan(values)
    points, values = points[there], values[there]
    if len(values) <= terms_of(points.shape[1]):
        inputs, needed = points.shape[1], terms_of(points.shape[1]) + 1
        raise ArgumentError(f"a surface of {inputs} inputs needs {needed} runs with a value, got {len(values)}")
    low, high = points.min(axis=0), points.max(axis=0)
    centre, half = (low + high) / 2.0, np.maximum((high - low) / 2.0, 1e-12)
    terms = _terms((points - centre) / half)
    coefficients, *_ = np.linalg.lstsq(terms, values, rcond=None)
    leverage = np.einsum("ij,ji->i", terms, np.linalg.pinv(terms))
    apart = (values - terms @ coefficients) / np.maximum(1.0 - leverage, 1e-3)
    return Surface(np.asarray(coefficients, dtype=np.float64), centre, half, float(np.sqrt(np.mean(apart**2))))


def _terms(x: FloatArray) -> FloatArray:
    first, second = np.triu_indices(x.shape[1])
    return np.column_stack([np.ones(len(x)), x, x[:, first] * x[:, second]])


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What observations leave of the inputs.

    Attributes
    ----------
    points : array, shape (candidates, inputs)
        Places in the ranges, from 0 to 1.
    weights : array, shape (candidates,)
        Of the law of the inputs; sum 1, or all 0 where nothing is left.
    best : array, shape (inputs,)
        The likeliest point.
    predicted : array, shape (candidates, observations)
        By the surfaces.
    spread : array, shape (observations,)
        Standard deviation of all that lies between the surface and an observation.
    left : tuple of float
        Share of the ranges that each wave left over.
    runs : int
    """

    points: FloatArray
    weights: FloatArray
    best: FloatArray
    predicted: FloatArray
    spread: FloatArray
    left: tuple[float, ...]
    runs: int

    @property
    def effective(self) -> float:
        """Effective number of candidates that carry the law [kish1965]."""
        total = float((self.weights**2).sum())
        return 1.0 / total if total > 0 else 0.0

    def quantile(self, values: FloatArray, share: FloatArray) -> FloatArray:
        """Weighted quantiles of something that each candidate has, shape of `share`; NaN where nothing is left."""
        if not self.weights.any():
            return np.full(np.shape(share), np.nan)
        order = np.argsort(values, kind="stable")
        upto = np.cumsum(self.weights[order]) - self.weights[order] / 2.0
        return np.asarray(np.interp(share, upto, values[order]))


def calibrated(
    run: Runs,
    observed: FloatArray,
    spread: FloatArray,
    judges: NDArray[np.bool_],
    inputs: int,
    *,
    draws: int,
    waves: int,
    root: int,
    snap: Snap | None = None,
) -> Calibrated:
    """Waves of runs, and the law of the inputs that the observations leave.

    Parameters
    ----------
    run : callable
        The model. All points share their random streams.
    observed, spread : arrays, shape (observations,)
        Values and standard deviations: of the observation and of the model at its best.
    judges : array of bool, shape (observations,)
        Which of them judge; the others are predicted.
    inputs : int
    draws : int
        Points of a wave, a power of two.
    waves : int
    root : int
        Root entropy of the points.
    snap : callable, optional
        Where inputs are whole numbers.

    Returns
    -------
    Calibrated

    Raises
    ------
    ArgumentError
        If a wave has too few draws for the surfaces.
    """
    low, high = np.zeros(inputs), np.ones(inputs)

    def spread_out(count: int, number: int) -> FloatArray:
        """So many evenly spread points of what is left."""
        found = low + (high - low) * scrambled_points(count, inputs, root + number)[0]
        return found if snap is None else snap(found)

    points, values = np.empty((0, inputs)), np.empty((0, len(observed), 0))
    surfaces: list[Surface] = []
    noise = np.zeros(len(observed))
    left: list[float] = []
    for wave in range(waves):
        candidates = spread_out(CANDIDATES, 2 * wave)
        far = _distance(surfaces, candidates, observed, spread, noise, judges)
        chosen = candidates[far <= LIMIT][:draws] if surfaces else candidates[:0]
        if len(chosen) < draws:
            filling = spread_out(draws, 2 * wave + 1)
            chosen = np.concatenate([chosen, filling[: draws - len(chosen)]])
        found = run(chosen)
        found = np.where(np.isfinite(found), found, np.nan)
        values = found if not len(points) else np.concatenate([values, found])
        points = np.concatenate([points, chosen])
        inside = ((points >= low - 1e-12) & (points <= high + 1e-12)).all(axis=1)
        surfaces = [surface(points[inside], values[inside, k].mean(axis=1)) for k in range(len(observed))]
        count = values.shape[2]
        noise = np.sqrt(np.nanmean(values[inside].var(axis=2, ddof=1), axis=0) / count)
        near = _distance(surfaces, candidates, observed, spread, noise, judges) <= LIMIT
        left.append(float(near.mean() * np.prod(high - low)))
        if not near.any():
            break
        least, most = candidates[near].min(axis=0), candidates[near].max(axis=0)
        room = MARGIN * (most - least)
        low, high = np.maximum(low, least - room), np.minimum(high, most + room)
    candidates = spread_out(CANDIDATES, 2 * waves)
    predicted = np.stack([one.at(candidates) for one in surfaces], axis=1)
    total = np.sqrt(spread**2 + noise**2 + np.array([one.error for one in surfaces]) ** 2)
    misfit = (((predicted - observed) / total)[:, judges] ** 2).sum(axis=1)
    weights = np.exp(-(misfit - misfit.min()) / 2.0)
    weights /= weights.sum()
    if left[-1] == 0.0:
        weights[:] = 0.0
    best = candidates[int(np.argmin(misfit))]
    if snap is None:
        best = _lowest(surfaces, best, observed, total, judges, low, high)
    return Calibrated(candidates, weights, best, predicted, total, tuple(left), len(points))


def _distance(
    surfaces: list[Surface],
    points: FloatArray,
    observed: FloatArray,
    spread: FloatArray,
    noise: FloatArray,
    judges: NDArray[np.bool_],
) -> FloatArray:
    """Largest implausibility of each point over the observations that judge; 0 where there is no surface yet."""
    if not surfaces:
        return np.zeros(len(points))
    found = [
        np.abs(one.at(points) - seen) / np.sqrt(sd**2 + sampling**2 + one.error**2)
        for one, seen, sd, sampling, judge in zip(surfaces, observed, spread, noise, judges, strict=True)
        if judge
    ]
    return np.asarray(np.max(found, axis=0))


def _lowest(
    surfaces: list[Surface],
    start: FloatArray,
    observed: FloatArray,
    total: FloatArray,
    judges: NDArray[np.bool_],
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """The point with the smallest misfit, from the best candidate on."""
    from scipy.optimize import minimize

    def misfit(point: FloatArray) -> float:
        at = np.array([float(one.at(point[None, :])[0]) for one in surfaces])
        return float((((at - observed) / total)[judges] ** 2).sum())

    found = minimize(misfit, start, method="L-BFGS-B", bounds=list(zip(low, high, strict=True)))
    return np.asarray(np.clip(found.x, low, high)) if found.fun <= misfit(start) else start
