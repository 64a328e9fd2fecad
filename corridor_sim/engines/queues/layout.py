"""How the kernels read their arrays: rows of replications, and step functions as tables.

Every public kernel takes times of shape (consignment,) or (replication,
consignment) and works on (replication, consignment). Padding at the end of a row is
``inf`` in the arrival and anything finite in the duration; what never happens is ``inf``.
Long loops run over the transposed arrays, one row a consignment, so that numpy works
on contiguous rows of replications.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor_sim.core import arguments
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.core.units import FloatArray

IntArray = NDArray[np.int64]

SCALAR_BELOW = 16
"""With fewer replications than this a Python loop with a heap beats numpy rows."""


def rows_of(
    arrival_h: ArrayLike, *others: ArrayLike
) -> tuple[list[FloatArray], Callable[[NDArray[Any]], NDArray[Any]]]:
    """The arrays with two axes, and the function that gives an answer the caller's shape.

    Raises
    ------
    ValueError
        If the arrays do not broadcast to the first, that one has neither one nor two axes,
        or one of the others is negative or NaN where a consignment arrives.
    """
    first = arguments.array("arrivals", arrival_h)
    others = tuple(arguments.array("durations", other) for other in others)
    if first.ndim not in (1, 2):
        raise ValueError(f"times need one axis (consignment) or two (replication, consignment), got {first.ndim}")
    shape = first.shape
    try:
        arrays = [first, *(np.broadcast_to(np.asarray(other, dtype=np.float64), shape) for other in others)]
    except ValueError:
        shapes = ", ".join(str(np.shape(other)) for other in others)
        raise ValueError(f"arrays must have the shape of the arrivals, {shape}; found {shapes}") from None
    for array in arrays[1:]:
        if array.size and not array.min() >= 0:
            _require_durations(np.atleast_2d(array), np.atleast_2d(first))
    if first.ndim == 1:
        return [array[None, :] for array in arrays], lambda answer: answer[0]
    return arrays, lambda answer: answer


def _require_durations(duration_h: FloatArray, arrival_h: FloatArray) -> None:
    """Raise ValueError at the first duration that is negative or NaN; the padding may hold anything."""
    wrong = ~(duration_h >= 0) & (arrival_h < np.inf)
    if wrong.any():
        row, k = np.argwhere(wrong)[0]
        raise ValueError(f"durations must be >= 0, got {duration_h[row, k]:g} at consignment {k} of replication {row}")


def require_sorted(arrival_h: FloatArray) -> None:
    """Raise ValueError unless every row is non-decreasing (padding of inf included)."""
    if arrival_h.shape[1] > 1 and not (in_order := arrival_h[:, 1:] >= arrival_h[:, :-1]).all():
        row, before = np.argwhere(~in_order)[0]
        pair = f"{arrival_h[row, before]:g} and then {arrival_h[row, before + 1]:g}"
        where = f"consignment {before + 1} of replication {row}"
        raise ValueError(f"arrivals must not decrease along the last axis and must not be NaN: {pair} at {where}")


def require_whole(name: str, values: ArrayLike) -> None:
    """Raise ValueError unless all are whole numbers >= 0."""
    found = np.asarray(values, dtype=np.float64)
    wrong = ~((found >= 0) & (found < 2.0**62) & (found == np.floor(found)))
    if wrong.any():
        raise ValueError(f"{name} must be whole numbers >= 0, got {found[wrong].flat[0]:g}")


def require_departures(depart_h: FloatArray, places: ArrayLike, count: int) -> IntArray:
    """Places of departures as whole numbers, shape (departure,) or (replication, departure).

    Raises
    ------
    ValueError
        If departures go back in time, or places are not one each (and a row a replication), whole and >= 0.
    """
    if len(depart_h) > 1 and not (depart_h[1:] >= depart_h[:-1]).all():
        raise ValueError("departures and days must be in order of time")
    require_whole("places", places)
    found = np.asarray(places, dtype=np.int64)
    if found.shape not in ((len(depart_h),), (count, len(depart_h))):
        raise ValueError(
            f"places must be one a departure ({len(depart_h)}), or a row of them a replication ({count}), "
            f"got shape {found.shape}"
        )
    return found


def upright(array: FloatArray) -> FloatArray:
    """(replication, consignment) as a contiguous (consignment, replication) copy."""
    return np.ascontiguousarray(array.T)


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Step functions of all replications as one table, shape (1 or replication, piece).

    `start_h[., 0]` is -inf; a row that has fewer pieces repeats its last value from
    inf on. Row 0 holds for all replications where there is only one.
    """

    start_h: FloatArray
    value: IntArray

    @classmethod
    def of(cls, function: StepFunction | int | float) -> Pieces:
        """One step function (or a constant) for every replication. Raises ValueError unless it counts something."""
        if not isinstance(function, StepFunction):
            function = StepFunction.constant(float(function))
        require_whole("lanes and other capacities", function.value)
        start = function.from_h.copy()
        start[0] = -np.inf
        return cls(start[None, :], function.value.astype(np.int64)[None, :])

    @property
    def end_h(self) -> FloatArray:
        """End of each piece, inf for the last."""
        return np.concatenate([self.start_h[:, 1:], np.full((len(self.start_h), 1), np.inf)], axis=1)

    @property
    def largest(self) -> int:
        """The largest value of all rows."""
        return int(self.value.max())

    def row(self, k: int) -> Pieces:
        """The pieces of replication `k` alone."""
        k = k if len(self.start_h) > 1 else 0
        return Pieces(self.start_h[k : k + 1], self.value[k : k + 1])

    def at(self, time_h: FloatArray) -> IntArray:
        """Values of the first row at `time_h`."""
        return np.asarray(self.value[0][np.maximum(np.searchsorted(self.start_h[0], time_h, side="right") - 1, 0)])

    def closes_h(self) -> FloatArray:
        """The first instant, from each piece on, at which the value is 0 (inf if never)."""
        nothing = np.where(self.value == 0, self.start_h, np.inf)
        return np.asarray(np.minimum.accumulate(nothing[:, ::-1], axis=1)[:, ::-1])

    def reopens_h(self) -> FloatArray:
        """The first instant after that closing at which the value is positive again (inf if never)."""
        count = self.value.shape[1]
        piece = np.arange(count)
        closing = np.where(self.value == 0, piece, count)
        closing = np.minimum.accumulate(closing[:, ::-1], axis=1)[:, ::-1]
        opening = np.where(self.value > 0, piece, count)
        opening = np.minimum.accumulate(opening[:, ::-1], axis=1)[:, ::-1]
        padded = np.concatenate([opening, np.full((len(opening), 1), count)], axis=1)
        begin = np.concatenate([self.start_h, np.full((len(opening), 1), np.inf)], axis=1)
        return np.asarray(np.take_along_axis(begin, np.take_along_axis(padded, closing, axis=1), axis=1))
