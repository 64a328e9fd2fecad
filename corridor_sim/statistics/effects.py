"""Which inputs an answer hangs on, from draws that are there already: no further run is needed.

`first_order` is the share of the answer's variance that one input explains by itself,
`value_of_information` what it is worth to know it. Both regress the answer on the
input with orthogonal polynomials, so inputs must vary over bounded ranges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core.units import FloatArray


@dataclass(frozen=True, slots=True)
class FirstOrder:
    """First-order effects of inputs.

    Attributes
    ----------
    share : array, shape (inputs,)
        Var(E[answer | input]) / Var(answer), bias taken off, so it may be a little below 0.
    direction : array, shape (inputs,)
        Rank correlation with the answer: above 0 where more of the input is more of the answer.
    by_chance : float
        The largest share that one of as many inputs without any effect shows once in 20 times.
    """

    share: FloatArray
    direction: FloatArray
    by_chance: float


def first_order(
    inputs: ArrayLike, answer: ArrayLike, degree: int | None = None, rng: int | np.random.Generator | None = 0
) -> FirstOrder:
    """First-order effects from given draws.

    Parameters
    ----------
    inputs : array, shape (draws, inputs)
        Independent of each other. A constant input has no effect.
    answer : array, shape (draws,)
    degree : int, optional
        Of the polynomials; by default 1 for every 16 draws, 8 at most.
    rng
        For the permutations behind `by_chance`.

    Notes
    -----
    The share explained is that of a regression on Legendre polynomials of the input, as in the
    random-sampling form of high-dimensional model representation [li2002], with the usual
    adjustment for the number of terms. With n draws an effect below about 10 / n cannot be told from chance: see
    `by_chance`, from 200 answers in random order.

    Raises
    ------
    ValueError
        If shapes do not fit, or a value is missing.
    """
    x, y = _checked(inputs, answer)
    degree = degree or max(1, min(8, len(y) // 16))
    share = np.array([_explained(_basis(column, degree), y[:, None])[0] for column in x.T])
    generator = np.random.default_rng(rng)
    mixed = np.column_stack([generator.permutation(y) for _ in range(200)])
    most = np.max([_explained(_basis(column, degree), mixed) for column in x.T] or [np.zeros(200)], axis=0)
    ranked = _ranks(y)
    direction = np.array([_correlation(_ranks(column), ranked) for column in x.T])
    return FirstOrder(share, direction, float(np.quantile(most, 0.95)))


@dataclass(frozen=True, slots=True)
class Information:
    """What it is worth to know one input exactly before deciding.

    `value` is the expected gain of the decision (EVPPI), in the unit of the payoffs; `perfect` that of knowing
    all inputs (EVPI), which no input alone exceeds but by the error of the regression.
    """

    value: float
    perfect: float


def value_of_information(inputs: ArrayLike, payoffs: ArrayLike, degree: int = 4) -> list[Information]:
    """Expected value of knowing each input exactly (EVPPI) for a choice between options.

    Parameters
    ----------
    inputs : array, shape (draws, inputs)
    payoffs : array, shape (draws, options)
        What each option is worth in each draw (net present value, say; 0 for doing nothing).

    Notes
    -----
    E max_o E[payoff_o | input] - max_o E[payoff_o], the inner mean by regression on polynomials of the
    input [strong2014]. One input is worth no more than all: a polynomial through few draws that says more is cut there.

    Raises
    ------
    ValueError
        If shapes do not fit, or a value is missing.
    """
    x, worth = _with_payoffs(inputs, payoffs)
    now = float(worth.mean(axis=0).max())
    perfect = float(worth.max(axis=1).mean()) - now
    found = []
    for column in x.T:
        known = _fitted(_basis(column, degree), worth)
        found.append(Information(min(max(0.0, float(known.max(axis=1).mean()) - now), perfect), perfect))
    return found


def worth_by_chance(
    inputs: ArrayLike, payoffs: ArrayLike, degree: int = 4, rng: int | np.random.Generator | None = 0
) -> float:
    """Worth of the input that is worth most among as many without any effect, reached once in 20 times.

    Of a hundred inputs some seem worth knowing in any few draws: what `value_of_information` finds of an input is more
    than chance where it is above this. From 200 random orders of the payoffs, the largest over the inputs of each.

    Parameters
    ----------
    inputs, payoffs, degree
        As of `value_of_information`.
    rng
        For the random orders.

    Returns
    -------
    float
        In the unit of the payoffs; 0 without inputs.

    Raises
    ------
    ValueError
        If shapes do not fit, or a value is missing.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.random.default_rng(1).random((64, 100))
    >>> payoffs = np.column_stack([np.zeros(64), draws[:, 0] - 0.5])
    >>> bound = worth_by_chance(draws, payoffs, 2)
    >>> [k for k, one in enumerate(value_of_information(draws, payoffs, 2)) if one.value > bound]
    [0]
    """
    x, worth = _with_payoffs(inputs, payoffs)
    generator = np.random.default_rng(rng)
    bases = [_basis(column, degree) for column in x.T]
    now = float(worth.mean(axis=0).max())
    most = np.full(200, now)
    at_once = max(1, 2_000_000 // worth.size)  # orders that are held in memory together
    for first in range(0, len(most), at_once):
        orders = np.array([generator.permutation(len(worth)) for _ in range(min(at_once, len(most) - first))])
        mixed = worth[orders].transpose(1, 0, 2).reshape(len(worth), -1)
        here = most[first : first + len(orders)]
        for basis in bases:
            known = _fitted(basis, mixed).reshape(len(worth), len(orders), -1)
            np.maximum(here, known.max(axis=2).mean(axis=0), out=here)
    perfect = float(worth.max(axis=1).mean()) - now
    return float(np.quantile(np.clip(most - now, 0.0, perfect), 0.95))


def width_left(
    inputs: ArrayLike, answer: ArrayLike, level: float = 0.9, rng: int | np.random.Generator | None = 0
) -> FloatArray:
    """Mean width that the interval of an answer keeps when one input is known exactly, shape (inputs,).

    Compare with the width as it is. The largest fall says what to measure first where no option has
    a worth in money.

    Parameters
    ----------
    inputs : array, shape (draws, inputs)
        Independent of each other.
    answer : array, shape (draws,)
    rng
        For the random orders that small slices are held against.

    Notes
    -----
    The draws are cut into slices of equal numbers by the input, at least 16 draws each; the mean width inside slices
    is that of a known input, a straight trend in the slice taken off. As so few draws make
    an interval too narrow, it is held against the mean width inside slices of 50 random orders. So an answer
    that hangs on the input in one part of its range only, as a queue on a quota, is told rightly.
    With fewer than 32 draws there is one slice, and only the trend counts.
    """
    x, y = _checked(inputs, answer)
    slices = np.array_split(np.arange(len(y)), max(1, min(32, len(y) // 16)))
    ends = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
    generator = np.random.default_rng(rng)

    def width(values: FloatArray) -> float:
        low, high = np.quantile(values, ends, method="weibull")
        return float(high - low)

    def inside(order: NDArray[np.int64], place: FloatArray) -> float:
        widths = []
        for slice in slices:
            mine, z = y[order[slice]], place[slice] - place[slice].mean()
            spread = float(z @ z)
            widths.append(width(mine - (z * (z @ mine) / spread if spread > 0 else 0.0)))
        return float(np.mean(widths))

    ranks = np.arange(len(y), dtype=float)
    by_chance = float(np.mean([inside(generator.permutation(len(y)), ranks) for _ in range(50)]))
    if by_chance <= 0:
        return np.full(x.shape[1], width(y))
    orders = [np.argsort(column, kind="stable") for column in x.T]
    left = [inside(order, x[order, k]) if np.ptp(x[:, k]) > 0 else by_chance for k, order in enumerate(orders)]
    return np.asarray(width(y) * np.array(left) / by_chance)


# ---------------------------------------------------------------- regression


def _with_payoffs(inputs: ArrayLike, payoffs: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Inputs and payoffs as arrays; ValueError if they do not fit, or a payoff is missing."""
    worth = np.asarray(payoffs, dtype=float)
    if worth.ndim != 2 or not len(worth):
        raise ValueError(f"needs payoffs of shape (draws, options), got {worth.shape}")
    x, _ = _checked(inputs, worth[:, 0])
    if np.isnan(worth).any():
        raise ValueError("a payoff is missing")
    return x, worth


def _checked(inputs: ArrayLike, answer: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, y = np.asarray(inputs, dtype=float), np.asarray(answer, dtype=float)
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y) or len(y) < 3:
        raise ValueError(f"needs inputs (draws, inputs) and answers (draws,), 3 draws at least: {x.shape}, {y.shape}")
    if np.isnan(x).any() or np.isnan(y).any():
        raise ValueError("a value is missing")
    return x, y


def _basis(column: FloatArray, degree: int) -> FloatArray:
    """Legendre polynomials of degree 1 to `degree` of an input scaled to [-1, 1], shape (draws, terms)."""
    low, high = float(column.min()), float(column.max())
    if high <= low:
        return np.empty((len(column), 0))
    scaled = (2.0 * column - low - high) / (high - low)
    degree = min(degree, len(np.unique(column)) - 1)
    return np.asarray(np.polynomial.legendre.legvander(scaled, degree)[:, 1:])


def _fitted(basis: FloatArray, y: FloatArray) -> FloatArray:
    """Values of a least-squares fit with an intercept, shape as `y` (draws, columns)."""
    mean = y.mean(axis=0)
    if not basis.shape[1]:
        return np.broadcast_to(mean, y.shape).copy()
    centred = basis - basis.mean(axis=0)
    coefficients, *_ = np.linalg.lstsq(centred, y - mean, rcond=None)
    return np.asarray(mean + centred @ coefficients)


def _explained(basis: FloatArray, y: FloatArray) -> FloatArray:
    """Adjusted share of the variance explained, shape (columns,); 0 where nothing varies."""
    n, terms = basis.shape
    total = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    if not terms or n - terms - 1 < 1:
        return np.zeros(y.shape[1])
    left = ((y - _fitted(basis, y)) ** 2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 1.0 - (left / total) * (n - 1) / (n - terms - 1)
    return np.where(total > 0, share, 0.0)


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks from 0; equal values share the mean of theirs."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2.0)[where])


def _correlation(a: FloatArray, b: FloatArray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0
