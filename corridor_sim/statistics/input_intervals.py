"""What inputs that are not known do to an answer: the interval over draws, and whether its sign holds.

A draw gives every figure that has a range a value in it. The draws come in scrambles:
sets of evenly spread points, each set independent of the others [owen1995]. So the
spread over scrambles tells how exact the ends of an interval are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.units import FloatArray
from corridor_sim.statistics.intervals import require_confidence


@dataclass(frozen=True, slots=True)
class InputInterval:
    """Interval of an answer over the draws of its inputs.

    Attributes
    ----------
    low, high
        Its ends: quantiles of the answers, as many below as above.
    low_error, high_error, width_error
        Standard errors of the ends and of the width, over scrambles; NaN with one scramble.
    level
        The share of answers that it is meant to hold.
    draws
        Answers that it was made of.
    """

    low: float
    high: float
    low_error: float
    high_error: float
    width_error: float
    level: float
    draws: int

    @property
    def width(self) -> float:
        """From low to high."""
        return self.high - self.low

    @property
    def few(self) -> bool:
        """Whether the ends are just the smallest and the largest answer: there are not draws enough for the level."""
        return (1.0 - self.level) / 2.0 * (self.draws + 1) < 1.0 - 1e-9


def input_interval(answers: ArrayLike, scramble: ArrayLike | None = None, level: float = 0.9) -> InputInterval:
    """Interval that holds the answer for a share `level` of what the inputs may be.

    Parameters
    ----------
    answers : array, shape (draws,) or (draws, replications)
        Replications are averaged first. NaN is left out.
    scramble : array of int, shape (draws,), optional
        Number of the scramble of each draw; by default all are of one.
    level : float
        Above 0, below 1.

    Notes
    -----
    Ends are quantiles at rank p (n + 1): for independent draws such an interval holds a further
    draw with probability `level` exactly; for evenly spread draws with a little more. Standard errors
    are jackknifed over scrambles: each is left out in turn [efron1993].

    Raises
    ------
    ValueError
        If the level is not between 0 and 1, or the lengths differ.

    Examples
    --------
    >>> found = input_interval(range(1, 20))
    >>> found.low, found.high
    (1.0, 19.0)
    """
    require_confidence(level)
    values = np.asarray(answers, dtype=float)
    values = values if values.ndim == 1 else values.mean(axis=1)
    sets = np.zeros(len(values), dtype=np.int64) if scramble is None else np.asarray(scramble)
    if len(sets) != len(values):
        raise ValueError(f"{len(values)} draws, but the scramble of {len(sets)}")
    there = ~np.isnan(values)
    values, sets = values[there], sets[there]
    if not len(values):
        return InputInterval(math.nan, math.nan, math.nan, math.nan, math.nan, level, 0)
    low, high = _ends(values, level)
    numbers = np.unique(sets)
    low_error = high_error = width_error = math.nan
    if len(numbers) > 1:
        without = np.array([_ends(values[sets != number], level) for number in numbers])
        parts = np.column_stack([without, without[:, 1] - without[:, 0]])
        factor = (len(numbers) - 1) / len(numbers)
        errors = np.sqrt(factor * ((parts - parts.mean(axis=0)) ** 2).sum(axis=0))
        low_error, high_error, width_error = (float(error) for error in errors)
    return InputInterval(low, high, low_error, high_error, width_error, level, len(values))


def _ends(values: FloatArray, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], method="weibull")
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class SignChance:
    """How often an answer has the sign it has at the stated values.

    `chance` is the share of draws with that sign, `error` its standard error over scrambles; `holds` is whether all
    draws and all corners that were tried have it. More cannot be said of the whole box from
    finitely many draws: with none of n independent draws against it, the chance of the other
    sign is below `against_most` at 95 % confidence (3 / n, the rule of three [hanley1983]).
    """

    sign: int
    chance: float
    error: float
    holds: bool
    draws: int
    corners: int
    unchanged: int = 0
    """Draws whose answer is 0, where that is not the sign in question."""

    @property
    def against_most(self) -> float:
        """Bound of the chance of another sign, where no draw had one; NaN where one had."""
        return min(1.0, 3.0 / self.draws) if self.chance == 1.0 and self.draws else math.nan


def sign_chance(
    stated: float, answers: ArrayLike, corners: Sequence[float] = (), scramble: ArrayLike | None = None
) -> SignChance:
    """The chance that the sign of an answer holds.

    Parameters
    ----------
    stated : float
        The answer at the stated values, which has the sign in question; 0 is a sign too.
    answers : array, shape (draws,)
        NaN is left out.
    corners : sequence of float
        Answers at corners of the box (every figure at an end of its range).
    scramble : array of int, shape (draws,), optional

    Examples
    --------
    >>> found = sign_chance(-3.0, [-1.0, -2.0, 0.5, -4.0], corners=[-9.0])
    >>> found.sign, found.chance, found.holds
    (-1, 0.75, False)
    """
    values = np.asarray(answers, dtype=float)
    sets = np.zeros(len(values), dtype=np.int64) if scramble is None else np.asarray(scramble)
    there = ~np.isnan(values)
    values, sets = values[there], sets[there]
    if math.isnan(stated) or not len(values):
        return SignChance(0, math.nan, math.nan, False, len(values), len(corners))
    sign = int(np.sign(stated))
    same = np.sign(values) == sign
    numbers = np.unique(sets)
    error = math.nan
    if len(numbers) > 1:
        means = np.array([same[sets == number].mean() for number in numbers])
        error = float(means.std(ddof=1) / math.sqrt(len(numbers)))
    tried = [corner for corner in corners if not math.isnan(corner)]
    holds = bool(same.all()) and all(int(np.sign(corner)) == sign for corner in tried)
    unchanged = int((values == 0).sum()) if sign else 0
    return SignChance(sign, float(same.mean()), error, holds, len(values), len(tried), unchanged)
