"""Operational time: releases at a changing rate from sums of unit-mean gaps, and the check of it by thinning.

The cumulative rate is inverted at the sums. Sums do not depend on the rate, so
two rates share their releases one by one. Pure functions, no random numbers inside.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray


def running_sums(gaps: Callable[[int], FloatArray]) -> Callable[[int], FloatArray]:
    """Partial sums of what `gaps` gives, added one by one so that chunks change no bit."""
    total = 0.0

    def draw(n: int) -> FloatArray:
        nonlocal total
        sums = gaps(n)
        if n:
            sums[0] += total
            np.cumsum(sums, out=sums)
            total = float(sums[-1])
        return sums

    return draw


class RatePieces(NamedTuple):
    """A rate as the inversion reads it.

    Attributes
    ----------
    start_h
        Where each piece begins. [h]
    reached
        The cumulative rate there.
    divisor
        Its rate, 1 where that is 0: no sum falls inside such a piece, other than beyond the total. [1/h]
    total
        What the cumulative rate never exceeds.
    """

    start_h: FloatArray
    reached: FloatArray
    divisor: FloatArray
    total: float


@functools.lru_cache(maxsize=64)
def pieces_of(rate: StepFunction) -> RatePieces:
    """The pieces of a rate.

    Raises
    ------
    ValueError
        If the rate is negative or not finite anywhere.
    """
    if not (np.isfinite(rate.value).all() and (rate.value >= 0).all()):
        raise ValueError("a rate of arrivals must be finite and >= 0")
    start_h = np.append(0.0, rate.from_h[rate.from_h > 0])
    per_h = rate(start_h)
    reached = np.append(0.0, np.cumsum(per_h[:-1] * np.diff(start_h)))
    total = math.inf if per_h[-1] > 0 else float(reached[-1])
    return RatePieces(start_h, reached, np.where(per_h > 0, per_h, 1.0), total)


@functools.lru_cache(maxsize=64)
def inverse(rate: StepFunction) -> Callable[[ArrayLike], FloatArray]:
    """The function that takes sums to instants, see `invert_rate`; prepared once for many calls.

    Raises
    ------
    ValueError
        If the rate is negative or not finite anywhere.
    """
    start_h, reached, divisor, total = pieces_of(rate)

    def invert(sums: ArrayLike) -> FloatArray:
        target = np.asarray(sums, dtype=np.float64)
        if len(start_h) == 1:
            instants = np.asarray(target / divisor[0])
        else:
            piece = _piece(reached, target)
            instants = np.asarray(start_h[piece] + (target - reached[piece]) / divisor[piece])
        if total < math.inf:
            instants = np.where(target > total, np.inf, instants)
        return instants

    return invert


def _piece(reached: FloatArray, target: FloatArray) -> NDArray[np.intp]:
    """Piece k of the cumulative rate with reached[k] < target <= reached[k + 1]; 0 for a target of 0."""
    if target.ndim == 2:
        return np.array([_piece(reached, row) for row in target], dtype=np.intp).reshape(target.shape)
    if target.ndim != 1 or len(target) < 2:
        return np.maximum(np.searchsorted(reached, target, side="left") - 1, 0)
    first, last = np.maximum(np.searchsorted(reached, target[[0, -1]], side="left") - 1, 0)
    if last - first >= len(target) or (target[1:] < target[:-1]).any():
        return np.maximum(np.searchsorted(reached, target, side="left") - 1, 0)
    # Many sums a piece, in order: look up the pieces among the sums, not each sum among the pieces.
    bounds = np.searchsorted(target, reached[first + 1 : last + 1], side="right")
    return np.repeat(np.arange(first, last + 1), np.diff(bounds, prepend=0, append=len(target)))


def invert_rate(rate: StepFunction, sums: ArrayLike) -> FloatArray:
    """Smallest instants t >= 0 at which the integral of `rate` over [0, t] reaches `sums`.

    Parameters
    ----------
    rate : StepFunction
        Arrivals per hour, >= 0, right-continuous.
    sums : array, any shape
        Values of the cumulative rate, >= 0.

    Returns
    -------
    array, same shape
        Instants, inf where the cumulative rate never gets there. [h]

    Notes
    -----
    With partial sums of unit exponentials these are the arrivals of a Poisson
    process of that rate [cinlar1975] ch. 4.7. The sums do not depend on the rate, so that two
    rates share their arrivals one by one.

    Examples
    --------
    >>> invert_rate(StepFunction([0, 1, 2], [2.0, 0.0, 4.0]), [1.0, 2.0, 3.0])
    array([0.5 , 1.  , 2.25])
    """
    return inverse(rate)(sums)


def thin(candidates_h: ArrayLike, uniforms: ArrayLike, rate: StepFunction, majorant: float) -> FloatArray:
    """Arrivals at `rate` out of candidates that come at the higher constant rate `majorant`.

    A candidate at t stays iff ``u * majorant < rate(t)`` [lewis1979]. An independent check
    of `invert_rate`: it gives the same process but not the same arrivals.

    Raises
    ------
    ValueError
        If the majorant is less than the rate somewhere, or the arrays differ in length.
    """
    instants, uniform = np.asarray(candidates_h, dtype=np.float64), np.asarray(uniforms, dtype=np.float64)
    if instants.shape != uniform.shape:
        raise ValueError("thinning needs one uniform a candidate")
    if rate.value.max() > majorant:
        raise ValueError(f"the majorant must be at least the highest rate {rate.value.max():g}, got {majorant:g}")
    return np.asarray(instants[uniform * majorant < rate(instants)])
