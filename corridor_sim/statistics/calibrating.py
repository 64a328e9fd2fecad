"""Which values of a few inputs give what was observed: waves of runs, an emulator of them, and the inputs' law.

Each wave runs the model at evenly spread points of what is left, fits an emulator to each observed quantity, and
leaves out what is further than three standard deviations from an observation (history matching in waves
[craig1997] [vernon2010]); the emulator's own error counts as one of them. Waves only say where to run next. The law of
the inputs is then their prior, uniform over the ranges, times the normal likelihood of the observations by the last
emulators, so no observation is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.emulators import Emulator, emulate_all
from corridor_sim.statistics.history_matching import LIMIT
from corridor_sim.statistics.scrambles import scrambled_points

CANDIDATES = 8192
"""Points at which the emulators are asked; a power of two."""
MARGIN = 0.05
"""Of the width of what is left, added on each side; assumed."""
FEWEST_LEFT = 100
"""Candidates that carry the law of the inputs, below which its intervals are not to be relied on; assumed."""

Runs = Callable[[FloatArray], FloatArray]
"""Points (points, inputs) of the unit cube to what the model gives, (points, observations, replications)."""
Snap = Callable[[FloatArray], FloatArray]
"""Points to the points that stand for them, where inputs are whole numbers."""


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
        By the emulators.
    spread : array, shape (observations,)
        Standard deviation of all that lies between the emulator and an observation.
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
        If a wave has too few draws for the emulators.
    """
    low, high = np.zeros(inputs), np.ones(inputs)

    def spread_out(count: int, number: int) -> FloatArray:
        """So many evenly spread points of what is left."""
        found = low + (high - low) * scrambled_points(count, inputs, root + number)[0]
        return found if snap is None else snap(found)

    points, values = np.empty((0, inputs)), np.empty((0, len(observed), 0))
    emulators: list[Emulator] = []
    noise = np.zeros(len(observed))
    left: list[float] = []
    for wave in range(waves):
        candidates = spread_out(CANDIDATES, 2 * wave)
        far = _distance(emulators, candidates, observed, spread, noise, judges)
        chosen = candidates[far <= LIMIT][:draws] if emulators else candidates[:0]
        if len(chosen) < draws:
            filling = spread_out(draws, 2 * wave + 1)
            chosen = np.concatenate([chosen, filling[: draws - len(chosen)]])
        found = run(chosen)
        found = np.where(np.isfinite(found), found, np.nan)
        values = found if not len(points) else np.concatenate([values, found])
        points = np.concatenate([points, chosen])
        inside = ((points >= low - 1e-12) & (points <= high + 1e-12)).all(axis=1)
        emulators = [emulate_all(points[inside], values[inside, k].mean(axis=1)) for k in range(len(observed))]
        count = values.shape[2]
        noise = np.sqrt(np.nanmean(values[inside].var(axis=2, ddof=1), axis=0) / count)
        near = _distance(emulators, candidates, observed, spread, noise, judges) <= LIMIT
        left.append(float(near.mean() * np.prod(high - low)))
        if not near.any():
            break
        least, most = candidates[near].min(axis=0), candidates[near].max(axis=0)
        room = MARGIN * (most - least)
        low, high = np.maximum(low, least - room), np.minimum(high, most + room)
    candidates = spread_out(CANDIDATES, 2 * waves)
    predicted = np.stack([one(candidates) for one in emulators], axis=1)
    total = np.sqrt(spread**2 + noise**2 + np.array([one.sd for one in emulators]) ** 2)
    misfit = (((predicted - observed) / total)[:, judges] ** 2).sum(axis=1)
    weights = np.exp(-(misfit - misfit.min()) / 2.0)
    weights /= weights.sum()
    if left[-1] == 0.0:
        weights[:] = 0.0
    best = candidates[int(np.argmin(misfit))]
    if snap is None:
        best = _lowest(emulators, best, observed, total, judges, low, high)
    return Calibrated(candidates, weights, best, predicted, total, tuple(left), len(points))


def _distance(
    emulators: list[Emulator],
    points: FloatArray,
    observed: FloatArray,
    spread: FloatArray,
    noise: FloatArray,
    judges: NDArray[np.bool_],
) -> FloatArray:
    """Largest implausibility of each point over the observations that judge; 0 where there is no emulator yet."""
    if not emulators:
        return np.zeros(len(points))
    found = [
        np.abs(one(points) - seen) / np.sqrt(sd**2 + sampling**2 + one.sd**2)
        for one, seen, sd, sampling, judge in zip(emulators, observed, spread, noise, judges, strict=True)
        if judge
    ]
    return np.asarray(np.max(found, axis=0))


def _lowest(
    emulators: list[Emulator],
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
        at = np.array([float(one(point[None, :])[0]) for one in emulators])
        return float((((at - observed) / total)[judges] ** 2).sum())

    found = minimize(misfit, start, method="L-BFGS-B", bounds=list(zip(low, high, strict=True)))
    return np.asarray(np.clip(found.x, low, high)) if found.fun <= misfit(start) else start
