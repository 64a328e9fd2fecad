"""Effects of groups of inputs, with all their interactions: designs that ask for runs of their own.

Each method is a design of points in the unit cube (one coordinate an input, from 0 to
1) and a function of the answers at those points; in between the model runs, wherever and
whenever. Morris tells the groups that matter from the others with few runs, Jansen's
estimator gives their total effects, Shapley's shares add up to the whole also where
inputs depend on each other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.units import FloatArray

Groups = Sequence[Sequence[int]]
"""Numbers of the inputs of each group; every input in one group."""
MOST_FOR_SHAPLEY = 12
"""Players of an exact Shapley value: 2^12 coalitions are evaluated."""


# ---------------------------------------------------------------- Morris


def morris_points(groups: Groups, trajectories: int, rng: np.random.Generator, levels: int = 4) -> FloatArray:
    """Points of Morris's screening by groups, shape (trajectories, groups + 1, inputs) [morris1991].

    In each step of a trajectory all inputs of one group move by half the levels, each up or down
    as there is room.

    Raises
    ------
    ValueError
        If `levels` is not even and above 0 (half of odd levels is no level), there is no trajectory, or the groups do
        not hold every input once.
    """
    count = _inputs(groups)
    if levels < 2 or levels % 2:
        raise ValueError(f"levels must be an even number from 2 on, got {levels}")
    if trajectories < 1:
        raise ValueError(f"trajectories must be 1 or more, got {trajectories}")
    grid = np.arange(levels) / (levels - 1)
    step = levels / (2.0 * (levels - 1))
    points = np.empty((trajectories, len(groups) + 1, count))
    for trajectory in points:
        at = rng.choice(grid, count)
        trajectory[0] = at
        for row, group in enumerate(rng.permutation(len(groups)), start=1):
            moved = list(groups[group])
            at = at.copy()
            at[moved] = np.where(at[moved] + step <= 1.0 + 1e-9, at[moved] + step, at[moved] - step)
            trajectory[row] = at
    return points


def morris_effects(groups: Groups, points: FloatArray, answers: ArrayLike) -> FloatArray:
    """Mean absolute elementary effect of each group, per unit of the cube, shape (groups,) [campolongo2007].

    Parameters
    ----------
    points : array, shape (trajectories, groups + 1, inputs)
        Of `morris_points`.
    answers : array, shape (trajectories, groups + 1)

    Raises
    ------
    ValueError
        If shapes do not fit, or an answer is missing.
    """
    y = np.asarray(answers, dtype=float)
    shape = (len(points), len(groups) + 1)
    if y.shape != shape or np.shape(points) != (*shape, _inputs(groups)):
        told = f"{len(groups)} groups of {_inputs(groups)} inputs, points {np.shape(points)}, answers {y.shape}"
        raise ValueError(f"{told}: they do not fit")
    _complete(y)
    effects = np.zeros(len(groups))
    moved = np.abs(np.diff(points, axis=1))
    change = np.abs(np.diff(y, axis=1))
    for number, group in enumerate(groups):
        steps = moved[:, :, list(group)].max(axis=2)
        took = steps > 0
        effects[number] = float((change[took] / steps[took]).mean()) if took.any() else 0.0
    return effects


# ---------------------------------------------------------------- Saltelli and Jansen


def saltelli_points(groups: Groups, n: int, rng: np.random.Generator) -> FloatArray:
    """Points for total effects, shape (2 + groups, n, inputs): A, B, and A with each group taken from B.

    A and B are the halves of one scrambled Sobol sequence [saltelli2008].

    Raises
    ------
    ValueError
        If `n` is not a power of two.
    """
    from scipy.stats import qmc

    if n < 1 or n & (n - 1):
        raise ValueError(f"n must be a power of two, got {n}")
    count = _inputs(groups)
    both = qmc.Sobol(2 * count, rng=rng).random(n) if _takes_rng() else qmc.Sobol(2 * count, seed=rng).random(n)
    a, b = both[:, :count], both[:, count:]
    points = np.empty((2 + len(groups), n, count))
    points[0], points[1] = a, b
    for number, group in enumerate(groups, start=2):
        points[number] = a
        points[number][:, list(group)] = b[:, list(group)]
    return points


def _takes_rng() -> bool:
    """Whether scipy calls the generator rng (seed before 1.15)."""
    import inspect

    from scipy.stats import qmc

    return "rng" in inspect.signature(qmc.Sobol.__init__).parameters


@dataclass(frozen=True, slots=True)
class GroupEffects:
    """Shares of the answer's variance: of each group alone, and with all its interactions; shape (groups,).

    `first_error` and `total_error` are standard errors by the bootstrap over points.
    """

    first: FloatArray
    total: FloatArray
    first_error: FloatArray
    total_error: FloatArray


def jansen_effects(answers: ArrayLike, rng: int | np.random.Generator | None = 0, resamples: int = 200) -> GroupEffects:
    """First-order and total effects of groups from the answers at `saltelli_points` [jansen1999].

    Parameters
    ----------
    answers : array, shape (2 + groups, n)

    Raises
    ------
    ValueError
        If the shape does not fit, or an answer is missing.
    """
    y = np.asarray(answers, dtype=float)
    if y.ndim != 2 or y.shape[0] < 3:
        raise ValueError(f"needs answers of shape (2 + groups, n), got {y.shape}")
    _complete(y)
    first, total = _jansen(y)
    generator = np.random.default_rng(rng)
    again = [_jansen(y[:, generator.integers(0, y.shape[1], y.shape[1])]) for _ in range(resamples)]
    errors = np.array(again).std(axis=0, ddof=1)
    return GroupEffects(first, total, errors[0], errors[1])


def _jansen(y: FloatArray) -> tuple[FloatArray, FloatArray]:
    a, b, mixed = y[0], y[1], y[2:]
    variance = float(np.concatenate([a, b]).var())
    if variance == 0:
        return np.zeros(len(mixed)), np.zeros(len(mixed))
    first = 1.0 - ((mixed - b) ** 2).mean(axis=1) / (2.0 * variance)
    total = ((mixed - a) ** 2).mean(axis=1) / (2.0 * variance)
    return first, total


# ---------------------------------------------------------------- Shapley


def shapley(worth: Callable[[tuple[int, ...]], float], players: int) -> FloatArray:
    """Shapley value of each player of a game: exact, over all coalitions, shape (players,).

    Parameters
    ----------
    worth : callable
        Worth of a coalition, a tuple of players in order; asked once for each of the 2^players.

    Raises
    ------
    ValueError
        For more than `MOST_FOR_SHAPLEY` players.

    Examples
    --------
    >>> shapley(lambda who: float(len(who) == 2), 2)
    array([0.5, 0.5])
    """
    if players > MOST_FOR_SHAPLEY:
        raise ValueError(f"{players} players; join some to groups, {MOST_FOR_SHAPLEY} at most")
    everyone = range(players)
    worths = {who: worth(who) for size in range(players + 1) for who in itertools.combinations(everyone, size)}
    values = np.zeros(players)
    for who, without in worths.items():
        weight = 1.0 / (players * math.comb(players - 1, len(who))) if len(who) < players else 0.0
        for player in everyone:
            if player not in who:
                values[player] += weight * (worths[tuple(sorted((*who, player)))] - without)
    return values


def shapley_effects(inputs: ArrayLike, answer: ArrayLike, groups: Groups, neighbours: int = 3) -> FloatArray:
    """Shapley effects of groups from given draws, also of dependent inputs; they add up to 1, shape (groups,).

    Parameters
    ----------
    inputs : array, shape (draws, inputs)
        As drawn, dependence included; each is scaled by its own spread.
    answer : array, shape (draws,)
    neighbours : int
        How many draws, the draw itself included, stand for "the same value of these inputs".

    Notes
    -----
    The worth of a coalition is Var(E[answer | its inputs]) [song2016], the mean variance among the nearest
    neighbours in these inputs taken off the whole [broto2020]. It needs hundreds of draws, and
    thousands where many inputs matter.

    Raises
    ------
    ValueError
        If shapes do not fit, an answer is missing, or there are more groups than an exact value can take.
    """
    from scipy.spatial import cKDTree

    x, y = np.asarray(inputs, dtype=float), np.asarray(answer, dtype=float)
    if x.ndim != 2 or y.shape != (len(x),) or _inputs(groups) != x.shape[1]:
        raise ValueError(f"groups of {_inputs(groups)} inputs, inputs {x.shape}, answers {y.shape}: they do not fit")
    _complete(y)
    if not 2 <= neighbours <= len(y):
        raise ValueError(f"neighbours must be from 2 to the number of draws, got {neighbours}")
    spread = x.std(axis=0)
    x = x / np.where(spread > 0, spread, 1.0)
    variance = float(y.var(ddof=1))
    if variance == 0:
        return np.zeros(len(groups))

    def worth(who: tuple[int, ...]) -> float:
        if not who:
            return 0.0
        if len(who) == len(groups):
            return variance
        columns = [column for group in who for column in groups[group]]
        _, near = cKDTree(x[:, columns]).query(x[:, columns], k=neighbours)
        return variance - float(y[near].var(axis=1, ddof=1).mean())

    return shapley(worth, len(groups)) / variance


def _inputs(groups: Groups) -> int:
    numbers = sorted(number for group in groups for number in group)
    if numbers != list(range(len(numbers))) or not numbers:
        raise ValueError(f"groups must hold every input from 0 once, got {[list(group) for group in groups]}")
    return len(numbers)


def _complete(answers: FloatArray) -> None:
    missing = int((~np.isfinite(answers)).sum())
    if missing:
        raise ValueError(f"{missing} of {answers.size} answers are missing or not finite")
