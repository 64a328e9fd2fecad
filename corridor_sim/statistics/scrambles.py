"""Evenly spread points in the unit cube: scrambled Sobol sequences, several sets independent of each other, and Latin
hypercubes."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray

MOST_DIMENSIONS = 21_201
"""What scipy's direction numbers reach to."""


def scrambles_of(draws: int) -> int:
    """Into how many independent scrambles so many draws are cut: 8 from 64 draws on, 4 from 8, else 2 or 1.

    Raises
    ------
    ValueError
        If the number is not a power of two.

    Examples
    --------
    >>> [scrambles_of(draws) for draws in (1, 2, 16, 64, 1024)]
    [1, 2, 4, 8, 8]
    """
    if draws < 1 or draws & (draws - 1):
        near = 1 << max(draws, 1).bit_length() - 1
        raise ValueError(
            f"draws must be a power of two, so that they are evenly spread, e.g. {near} or {2 * near}, got {draws}"
        )
    return 8 if draws >= 64 else 4 if draws >= 8 else draws if draws <= 2 else 2


def scrambled_points(
    draws: int, dimensions: int, root: int, scrambles: int | None = None
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Points (draws, dimensions) and the number of the scramble of each, shape (draws,).

    Each scramble is the first 2^m points of a Sobol sequence with a random linear scramble and a random
    shift of its own [owen1995] [matousek1998], so every point is uniform over the cube, and scrambles are independent.
    Which dimension of the sequence an input gets is drawn anew in each scramble. Two dimensions whose first direction
    numbers agree rise and fall together in few points [joe2008], and scrambling at most turns that round: one pair of
    inputs would be tied in every scramble, and an effect of the one be told of the other. One scramble alone is left
    as it is.

    Parameters
    ----------
    draws : int
        A power of two.
    dimensions : int
    root : int
        Root entropy; the same gives the same points.
    scrambles : int, optional
        How many, a power of two; by default as `scrambles_of`. One is as even as can be and tells no error.

    Raises
    ------
    ValueError
        If draws or dimensions are not allowed.
    """
    from scipy.stats import qmc

    most = scrambles_of(draws)
    count = most if scrambles is None else min(scrambles, most)
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise ValueError(f"there must be from 1 to {MOST_DIMENSIONS} ranged inputs, got {dimensions}")
    if count == 1:
        points = qmc.Sobol(dimensions, **_chance(qmc.Sobol, root, 0x5C7A, 0)).random(draws)
        return points, np.zeros(draws, dtype=np.int64)
    parts = []
    for number in range(count):
        points = qmc.Sobol(dimensions, **_chance(qmc.Sobol, root, 0x5C7A, number)).random(draws // count)
        order = np.random.default_rng(np.random.SeedSequence(root, spawn_key=(0x5C7C, number))).permutation(dimensions)
        parts.append(points[:, order])
    return np.concatenate(parts), np.repeat(np.arange(count), draws // count)


def latin_hypercube(points: int, dimensions: int, root: int) -> FloatArray:
    """Points (points, dimensions) of a Latin hypercube [mckay1979]: each dimension has one point in each n-th part.

    Where in its part a point lies is drawn too. The same root gives the same points.
    """
    from scipy.stats import qmc

    found: FloatArray = qmc.LatinHypercube(dimensions, **_chance(qmc.LatinHypercube, root, 0x5C7B)).random(points)
    return found


def _chance(sampler: Any, root: int, *key: int) -> dict[str, np.random.Generator]:
    """The generator of a sampler by the name that it has there: ``seed`` before scipy 1.15."""
    name = "rng" if "rng" in inspect.signature(sampler.__init__).parameters else "seed"
    return {name: np.random.default_rng(np.random.SeedSequence(root, spawn_key=key))}
