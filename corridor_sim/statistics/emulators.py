"""A quick stand-in for a model: a polynomial in the few inputs that a result hangs on, with the error that it makes.

History matching looks for the part of a box that observations leave [vernon2010]. The model is run at some
points; the emulator says of thousands of others which are hopeless, and its own error counts
where it is held against an observation, so what it does not know rules out nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core.units import FloatArray

MOST_INPUTS = 10
"""Inputs that one emulator takes up; the others count as its error."""
LEAST_GAIN = 0.98
"""An input is taken up if it leaves at most so much of the error; assumed."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """``mean + sum of a1 P1(x) + a2 P2(x)`` over some inputs x, with Legendre's polynomials on [0, 1].

    Attributes
    ----------
    inputs : array of int
        Columns of the points, in the order of what they explain.
    coefficients : array, shape (1 + 2 inputs,)
    sd
        Standard deviation of what the model gives about the emulator.
    """

    inputs: NDArray[np.int64]
    coefficients: FloatArray
    sd: float

    def __call__(self, points: ArrayLike) -> FloatArray:
        """The expected result at points (n, all inputs), shape (n,)."""
        return np.asarray(_basis(np.asarray(points, dtype=float), self.inputs) @ self.coefficients)


def emulate(points: ArrayLike, results: ArrayLike, most: int = MOST_INPUTS) -> Emulator:
    """An emulator fitted by least squares, its inputs chosen one after the other.

    Parameters
    ----------
    points : array, shape (draws, inputs)
        From 0 to 1.
    results : array, shape (draws,)
        NaN is left out.
    most : int
        Inputs taken up at most, and never more than a fifth of the draws.

    Raises
    ------
    ValueError
        If there are fewer than 8 results.

    Examples
    --------
    >>> x = np.random.default_rng(1).random((64, 3))
    >>> found = emulate(x, 5.0 + 2.0 * x[:, 1])
    >>> found.inputs.tolist(), round(float(found([[0.0, 0.5, 0.0]])[0]), 6)
    ([1], 6.0)
    """
    x, y = np.asarray(points, dtype=float), np.asarray(results, dtype=float)
    there = ~np.isnan(y)
    x, y = x[there], y[there]
    if len(y) < 8:
        raise ValueError(f"an emulator needs at least 8 results, got {len(y)}")
    chosen: list[int] = []
    coefficients, sd = _fitted(x, y, chosen)
    while len(chosen) < min(most, x.shape[1], len(y) // 5) and sd > 1e-12 * max(1.0, abs(float(y.mean()))):
        left = y - _basis(x, np.array(chosen, dtype=np.int64)) @ coefficients
        terms = _legendre(x)
        gains = np.abs(np.einsum("nik,n->ik", terms, left)) / np.linalg.norm(terms, axis=0)
        gain = np.where(np.isin(np.arange(x.shape[1]), chosen), -1.0, np.nan_to_num(gains).max(axis=1))
        tried = [*chosen, int(gain.argmax())]
        more, smaller = _fitted(x, y, tried)
        if smaller > LEAST_GAIN * sd:
            break
        chosen, coefficients, sd = tried, more, smaller
    return Emulator(np.array(chosen, dtype=np.int64), coefficients, sd)


def _legendre(x: FloatArray) -> FloatArray:
    """First and second polynomial of each input, shape (draws, inputs, 2)."""
    z = 2.0 * x - 1.0
    return np.stack([z, 1.5 * z**2 - 0.5], axis=-1)


def _basis(x: FloatArray, chosen: NDArray[np.int64]) -> FloatArray:
    return np.column_stack([np.ones(len(x)), _legendre(x[:, chosen]).reshape(len(x), -1)])


def _fitted(x: FloatArray, y: FloatArray, chosen: list[int]) -> tuple[FloatArray, float]:
    basis = _basis(x, np.array(chosen, dtype=np.int64))
    coefficients, *_ = np.linalg.lstsq(basis, y, rcond=None)
    left = y - basis @ coefficients
    return np.asarray(coefficients), float(np.sqrt((left**2).sum() / max(len(y) - basis.shape[1], 1)))
