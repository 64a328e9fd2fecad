"""Values that change at instants: lanes, rates, shares and factors by date.

Level 0, so that the model (rates of arrival) and the plan can both use it;
`plan.StepFunction` is the same class.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.units import FloatArray, distinct, to_grid


class StepFunction:
    """A right-continuous step function of time: `value[k]` holds on [from_h[k], from_h[k+1]).

    Before `from_h[0]` the first value holds, after the last instant the last
    one does. Instants are rounded to the clock grid; equal neighbours are merged.

    Raises
    ------
    ValueError
        If the arrays are empty, of unequal length, or the instants do not increase.
    """

    __slots__ = ("from_h", "value")
    from_h: FloatArray
    value: FloatArray

    def __init__(self, from_h: ArrayLike, value: ArrayLike) -> None:
        instants = to_grid(from_h)
        values = np.array(value, dtype=np.float64)
        if instants.ndim != 1 or instants.shape != values.shape or not len(instants):
            raise ValueError("a step function needs equally many instants and values, at least one")
        if len(instants) > 1:
            if (instants[1:] <= instants[:-1]).any():
                raise ValueError("the instants of a step function must increase")
            keep = np.ones(len(instants), dtype=bool)
            np.not_equal(values[1:], values[:-1], out=keep[1:])
            instants, values = instants[keep], values[keep]
        self.from_h, self.value = instants, values
        self.from_h.setflags(write=False)
        self.value.setflags(write=False)

    @classmethod
    def constant(cls, value: float) -> StepFunction:
        """The function that is `value` throughout; those of equal values are one object."""
        value = float(value)
        return _constant(value, math.copysign(1.0, value))

    @classmethod
    def periodic(cls, from_h: Sequence[float], value: Sequence[float], period_h: float, until_h: float) -> StepFunction:
        """Pieces within one period, starting at 0, repeated up to `until_h`."""
        cycles = max(1, int(np.ceil(until_h / period_h)) + 1)
        start = np.arange(cycles)[:, None] * period_h
        return cls((start + np.asarray(from_h, float)[None, :]).ravel(), np.tile(np.asarray(value, float), cycles))

    def __call__(self, time_h: ArrayLike) -> FloatArray:
        """Values at `time_h` (any shape). NaN and inf are read as the last piece."""
        if len(self.value) == 1:
            return np.full(np.shape(time_h), self.value[0])
        piece = np.searchsorted(self.from_h, time_h, side="right") - 1
        return np.asarray(self.value[np.maximum(piece, 0)])

    def at(self, time_h: float) -> float:
        """The value at one instant."""
        if len(self.value) == 1:
            return float(self.value[0])
        return float(self.value[max(int(np.searchsorted(self.from_h, time_h, side="right")) - 1, 0)])

    @property
    def is_constant(self) -> bool:
        """Whether there is only one piece."""
        return len(self.value) == 1

    def integral(self, until_h: float, since_h: float = 0.0) -> float:
        """Integral over [since_h, until_h]. [value x h]"""
        if not until_h > since_h:
            return 0.0
        if self.is_constant and not since_h < self.from_h[0] < until_h:
            return float(self.value[0] * (until_h - since_h))
        edges = distinct(np.clip(np.append(self.from_h, [since_h, until_h]), since_h, until_h))
        return float((self(edges[:-1]) * np.diff(edges)).sum())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StepFunction):
            return NotImplemented
        if self is other:
            return True
        if len(self.value) != len(other.value):
            return False
        return bool((self.from_h == other.from_h).all() and (self.value == other.value).all())

    def __hash__(self) -> int:
        return hash((self.from_h.tobytes(), self.value.tobytes()))

    def __getstate__(self) -> tuple[FloatArray, FloatArray]:
        return self.from_h, self.value

    def __setstate__(self, state: tuple[FloatArray, FloatArray]) -> None:
        self.from_h, self.value = state

    def __repr__(self) -> str:
        if self.is_constant:
            return f"StepFunction({self.value[0]:g})"
        return f"StepFunction({len(self.value)} pieces, {self.value.min():g}..{self.value.max():g})"


@functools.lru_cache(maxsize=1 << 10)
def _constant(value: float, sign: float) -> StepFunction:
    """The function of one value; `sign` keeps 0 and -0 apart, which are equal."""
    return StepFunction([0.0], [math.copysign(value, sign)])
