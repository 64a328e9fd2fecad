"""A quick stand-in for a model: a polynomial through its runs, with the error that it makes where it was not run.

History matching looks for the part of a box that observations leave [vernon2010]. The model is run at some points; the
emulator says of thousands of others which are hopeless, and its own error counts where it is held against an
observation, so what it does not know rules out nothing. It has two forms: `emulate` for many inputs, of which it takes
up the few that the result hangs on, each by itself; `emulate_all` for few inputs, with a term for each pair too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core.errors import ArgumentError
from corridor_sim.core.units import FloatArray

MOST_INPUTS = 10
"""Inputs that an emulator of many takes up; the others count as its error."""
FEWEST = 8
"""Results that an emulator of many needs; assumed."""
LEAST_GAIN = 0.98
"""An input is taken up if it leaves at most so much of the error; assumed."""


@dataclass(frozen=True, slots=True, eq=False)
class Emulator:
    """``c0 + sum of c1 P1(z) + c2 P2(z)`` over some inputs, Legendre's polynomials, and ``c3 z z'`` over pairs of them.

    Attributes
    ----------
    inputs : array of int
        Columns of the points that it takes up.
    centre, half : arrays, shape (inputs,)
        Of the box of the runs: z is -1 to 1 in it.
    pairs : bool
        Whether pairs have terms.
    coefficients : array, shape (terms,)
    sd : float
        Root mean square of how far it is from each run if fitted without it.
    """

    inputs: NDArray[np.int64]
    centre: FloatArray
    half: FloatArray
    pairs: bool
    coefficients: FloatArray
    sd: float

    def __call__(self, points: ArrayLike) -> FloatArray:
        """The expected result at points (n, all inputs), shape (n,)."""
        z = (np.asarray(points, dtype=float)[:, self.inputs] - self.centre) / self.half
        return np.asarray(_terms(z, self.pairs) @ self.coefficients)


def terms_of(inputs: int) -> int:
    """Terms of an emulator of all of so many inputs.

    >>> [terms_of(n) for n in (1, 2, 10)]
    [3, 6, 66]
    """
    return 1 + inputs + inputs * (inputs + 1) // 2


def emulate(points: ArrayLike, results: ArrayLike, most: int = MOST_INPUTS) -> Emulator:
    """An emulator of many inputs: those that the result hangs on are chosen one after the other, without pairs.

    Parameters
    ----------
    points : array, shape (draws, inputs)
    results : array, shape (draws,)
        NaN is left out.
    most : int
        Inputs taken up at most, and never more than a fifth of the draws.

    Raises
    ------
    ArgumentError
        If there are fewer than 8 results.

    Examples
    --------
    >>> x = np.random.default_rng(1).random((64, 3))
    >>> found = emulate(x, 5.0 + 2.0 * x[:, 1])
    >>> found.inputs.tolist(), round(float(found([[0.0, 0.5, 0.0]])[0]), 6)
    ([1], 6.0)
    """
    x, y = _there(points, results)
    if len(y) < FEWEST:
        raise ArgumentError(f"an emulator needs at least {FEWEST} results, got {len(y)}")
    found = _fitted(x, y, [], pairs=False)
    centre, half = _box(x)
    each = _singles((x - centre) / half)
    size = np.maximum(np.linalg.norm(each, axis=0), 1e-300)
    exact = 1e-12 * max(1.0, abs(float(y.mean())))
    while len(found.inputs) < min(most, x.shape[1], len(y) // 5) and found.sd > exact:
        gain = np.abs(np.einsum("nik,n->ik", each, y - found(x)) / size).max(axis=1)
        gain[found.inputs] = -1.0
        more = _fitted(x, y, [*found.inputs, int(gain.argmax())], pairs=False)
        if more.sd > LEAST_GAIN * found.sd:
            break
        found = more
    return found


def emulate_all(points: ArrayLike, results: ArrayLike) -> Emulator:
    """An emulator of few inputs: the quadratic in all of them and their pairs.

    Parameters
    ----------
    points : array, shape (runs, inputs)
    results : array, shape (runs,)
        NaN is left out.

    Raises
    ------
    ArgumentError
        If there are not more results than terms.
    """
    x, y = _there(points, results)
    if len(y) <= terms_of(x.shape[1]):
        inputs, needed = x.shape[1], terms_of(x.shape[1]) + 1
        raise ArgumentError(f"an emulator of {inputs} inputs needs {needed} runs with a value, got {len(y)}")
    return _fitted(x, y, list(range(x.shape[1])), pairs=True)


def _there(points: ArrayLike, results: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, y = np.asarray(points, dtype=float), np.asarray(results, dtype=float)
    return x[~np.isnan(y)], y[~np.isnan(y)]


def _box(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    low, high = x.min(axis=0), x.max(axis=0)
    return (low + high) / 2.0, np.maximum((high - low) / 2.0, 1e-12)


def _fitted(x: FloatArray, y: FloatArray, inputs: list[int], *, pairs: bool) -> Emulator:
    """Least squares; the error of a run that is left out follows from its leverage."""
    chosen = np.array(inputs, dtype=np.int64)
    centre, half = (one[chosen] for one in _box(x))
    terms = _terms((x[:, chosen] - centre) / half, pairs)
    coefficients, *_ = np.linalg.lstsq(terms, y, rcond=None)
    leverage = np.einsum("ij,ji->i", terms, np.linalg.pinv(terms))
    apart = (y - terms @ coefficients) / np.maximum(1.0 - leverage, 1e-3)
    sd = float(np.sqrt(np.mean(apart**2)))
    return Emulator(chosen, centre, half, pairs, np.asarray(coefficients, dtype=np.float64), sd)


def _singles(z: FloatArray) -> FloatArray:
    """First and second polynomial of each input, shape (points, inputs, 2)."""
    return np.stack([z, 1.5 * z**2 - 0.5], axis=-1)


def _terms(z: FloatArray, pairs: bool) -> FloatArray:
    first, second = np.triu_indices(z.shape[1], 1) if pairs else (np.empty(0, int), np.empty(0, int))
    return np.column_stack([np.ones(len(z)), _singles(z).reshape(len(z), -1), z[:, first] * z[:, second]])
