"""What the local clock of a post shows during the run, in hours after local midnight of the first day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from corridor_sim.core.units import H_PER_DAY, FloatArray
from corridor_sim.records.visits import IntArray


@dataclass(frozen=True)
class PostClock:
    """Pieces (from hour of the run, hours to add to it): local days of 23 and 25 hours are as long as they are.

    Examples
    --------
    >>> clock = PostClock(((-48.0, 3.5), (44.5, 4.5)))  # Tehran, from 20 March 2022 00:00 UTC
    >>> clock.shown_h([44.0, 44.5]).tolist(), clock.day_of([44.0, 44.5]).tolist(), clock.begins_h(2)
    ([47.5, 49.0], [1, 2], 44.5)
    """

    pieces: Sequence[tuple[float, float]]

    @property
    def fixed_h(self) -> float | None:
        """The hours to add, where they are the same all through the run."""
        return self.pieces[0][1] if len(self.pieces) == 1 else None

    @cached_property
    def _from_h(self) -> FloatArray:
        return np.array([from_h for from_h, _ in self.pieces])

    @cached_property
    def _shift_h(self) -> FloatArray:
        return np.array([shift_h for _, shift_h in self.pieces])

    def shown_h(self, time_h: ArrayLike, *, before: bool = False) -> FloatArray:
        """Hours shown at instants of the run (any shape), or just before them. [h]"""
        time = np.asarray(time_h, dtype=np.float64)
        if self.fixed_h is not None:
            return time + self.fixed_h
        piece = np.searchsorted(self._from_h, time, side="left" if before else "right") - 1
        return np.asarray(time + self._shift_h[np.maximum(piece, 0)])

    def day_of(self, time_h: ArrayLike) -> IntArray:
        """Local day of instants, day 0 that of the beginning."""
        return np.asarray(np.floor(self.shown_h(time_h) / H_PER_DAY), dtype=np.int64)

    def hour_before(self, time_h: ArrayLike) -> IntArray:
        """Whole hours shown in the time just before instants: a mark on the hour belongs to the hour that it ends."""
        return np.asarray(np.ceil(self.shown_h(time_h, before=True)), dtype=np.int64) - 1

    def begins_h(self, day: int) -> float:
        """The instant of the run at which a local day begins: when the clock first shows it. [h]"""
        for k, (from_h, shift_h) in enumerate(self.pieces):
            until_h = self.pieces[k + 1][0] if k + 1 < len(self.pieces) else np.inf
            midnight = day * H_PER_DAY - shift_h
            if midnight < until_h:
                return max(midnight, from_h) if k else midnight
        raise AssertionError("the last piece has no end")

    def days(self, horizon_h: float) -> int:
        """Local days that a run of this length touches, the broken ones included."""
        return int(np.ceil(float(self.shown_h(horizon_h, before=True)) / H_PER_DAY))
