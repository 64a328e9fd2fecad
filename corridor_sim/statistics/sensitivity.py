"""Which inputs matter: Sobol indices of a function of independent uniform inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from corridor_sim.core.units import FloatArray


@dataclass(frozen=True, slots=True)
class SobolIndices:
    """Shares of the output's variance: by one input alone, and with all its interactions."""

    first: FloatArray
    total: FloatArray


def sobol(
    function: Callable[[FloatArray], FloatArray],
    bounds: Sequence[tuple[float, float]],
    n: int = 4096,
    rng: int | np.random.Generator | None = None,
) -> SobolIndices:
    """Sobol indices by `scipy.stats.sobol_indices` (Saltelli's design, n (d + 2) evaluations).

    Parameters
    ----------
    function : callable
        Takes inputs of shape (d, points), gives outputs of shape (points,).
    bounds : sequence of (low, high)
        Range of each of the d inputs.
    n : int
        Points of the base design, a power of two.
    """
    from scipy.stats import sobol_indices, uniform

    if n < 1 or n & (n - 1):
        raise ValueError(f"n must be a power of two, got {n}")
    laws = [uniform(loc=low, scale=high - low) for low, high in bounds]
    # The generator is called random_state before scipy 1.15.
    seed = "rng" if "rng" in inspect.signature(sobol_indices).parameters else "random_state"
    found = sobol_indices(
        func=lambda x: np.atleast_2d(function(x)), n=n, dists=laws, **{seed: np.random.default_rng(rng)}
    )
    return SobolIndices(np.ravel(found.first_order), np.ravel(found.total_order))


def ishigami(inputs: FloatArray, a: float = 7.0, b: float = 0.1) -> FloatArray:
    """Test function with known indices: sin x1 + a sin^2 x2 + b x3^4 sin x1 [ishigami1990]."""
    x1, x2, x3 = inputs
    return np.asarray(np.sin(x1) + a * np.sin(x2) ** 2 + b * x3**4 * np.sin(x1))


def ishigami_indices(a: float = 7.0, b: float = 0.1) -> SobolIndices:
    """The exact indices of `ishigami` on [-pi, pi]^3 [saltelli2008]."""
    pi4, pi8 = np.pi**4, np.pi**8
    one, two, both = 0.5 * (1.0 + b * pi4 / 5.0) ** 2, a**2 / 8.0, b**2 * pi8 * (1.0 / 18.0 - 1.0 / 50.0)
    variance = one + two + both
    return SobolIndices(np.array([one, two, 0.0]) / variance, np.array([one + both, two, both]) / variance)
