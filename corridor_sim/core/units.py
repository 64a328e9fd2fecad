"""The clock: hours on a dyadic grid, so that every sum of times is exact.

All durations and instants that an engine sees are multiples of 2^-20 h
(3.4 ms). Below 2^32 h such numbers add and subtract in float64 without
rounding, so any engine, order of operations or block size gives the same bits.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

GRID_PER_H = float(2**20)
"""Grid points in one hour."""
LONGEST_H = float(2**31)
"""A drawn time is at most this (245,000 years), so that the clock grid stays exact. [h]"""
H_PER_DAY = 24.0
H_PER_WEEK = 168.0
H_PER_YEAR = 8766.0
"""Mean Julian year, 365.25 days. [h]"""

FloatArray = NDArray[np.float64]


Number = TypeVar("Number", np.float64, np.int64)


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """The different ones of some numbers (none of them NaN), in increasing order.

    `numpy.unique` says the same; its first call loads the masked arrays of numpy.

    >>> distinct(np.array([2.0, 1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    found = np.sort(values, axis=None)
    return found[np.append(True, found[1:] != found[:-1])] if len(found) else found


def to_grid(time_h: ArrayLike) -> FloatArray:
    """`time_h` rounded to the nearest multiple of 2^-20 h (ties to even). [h]"""
    return np.asarray(np.rint(np.asarray(time_h, dtype=np.float64) * GRID_PER_H) / GRID_PER_H)


def grid_point(time_h: float) -> float:
    """One instant or duration rounded to the grid. [h]"""
    return round(time_h * GRID_PER_H) / GRID_PER_H if abs(time_h) != float("inf") else time_h


def whole_points(time_h: float, *, down: bool = False) -> float:
    """A duration on the grid, not below `time_h`, or with `down` not above it. [h]

    So many constant times of 7.2 minutes as fit into 12 hours by hand fit on the clock too, none more.

    >>> whole_points(0.12) * 100 >= 12 > whole_points(0.12) * 99, whole_points(0.12, down=True) * 100 <= 12
    (True, True)
    """
    points = time_h * GRID_PER_H
    near = round(points)
    if abs(points - near) > 1e-6:  # not the rounding of the number itself
        near = math.floor(points) if down else math.ceil(points)
    return near / GRID_PER_H


def counted(number: int, word: str) -> str:
    """A number with its noun; the plural takes an s.

    >>> counted(1, "flow"), counted(8760, "leg")
    ('1 flow', '8,760 legs')
    """
    return f"{number:,} {word}" + ("" if number == 1 else "s")
