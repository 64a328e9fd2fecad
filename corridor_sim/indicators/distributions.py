"""How times are distributed, counted so that no order of counting shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from corridor_sim.core.units import FloatArray, to_grid
from corridor_sim.indicators.base import Kept, ratio
from corridor_sim.indicators.many_distributions import CountArray, Distributions, Occurring
from corridor_sim.records.visits import IntArray


class TimeCounts(Kept):
    """Histograms of times, exact in any order: log-linear bins on the bits of the number.

    Times are shifted by 1/64 h and sorted by exponent and 7 bits of the mantissa, so
    a bin is at most 0.8 % wide (its middle at most 0.4 % off) or half a second. How many do
    not exceed one of `limits_h` (rounded to the clock grid, as every time is) is exact.

    Parameters
    ----------
    places, replications : int
    longest_h : float
        No time is longer. [h]
    limits_h : iterable of float
    many : slice
        Places that may be many and are mostly read together (`of_several`): of what is taken in (`take`) only
        what occurs is kept of them.
    """

    SHIFT_H = 2.0**-6
    DROPPED_BITS = 52 - 7

    def __init__(
        self,
        places: int,
        replications: int,
        longest_h: float,
        limits_h: Iterable[float] = (),
        many: slice = slice(0, 0),
    ) -> None:
        self.first_bin = int(np.float64(self.SHIFT_H).view(np.int64)) >> self.DROPPED_BITS
        last = int(np.float64(longest_h + self.SHIFT_H).view(np.int64)) >> self.DROPPED_BITS
        self.bins = last - self.first_bin + 1
        self.shape = places, replications, self.bins
        """Number of places, replications and bins."""
        self.many, self._kept, self._added = many, list[Occurring](), False
        self.counts = np.zeros((places - (many.stop - many.start), replications, self.bins), dtype=np.int32)
        """Counts, shape (place, replication, bin), of the places that are not the `many`."""
        limits = np.unique(to_grid(list(limits_h)))
        self.limits_h = limits[limits <= longest_h]
        # Of the times in the bin of a limit: how many do not exceed it, less those of a limit before it there.
        self.near = np.zeros((places, replications, len(self.limits_h)), dtype=np.int32)
        self._limit_bin = self._bin(self.limits_h)
        self.is_near = np.zeros(self.bins, dtype=np.bool_)
        self.is_near[self._limit_bin] = True
        self.nbytes = places * replications * self.bins * self.counts.itemsize + self.near.nbytes
        edges = (np.arange(self.bins + 1, dtype=np.int64) + self.first_bin) << self.DROPPED_BITS
        edge_h = edges.view(np.float64) - self.SHIFT_H
        self._middle_h = 0.5 * (edge_h[:-1] + edge_h[1:])

    def add(self, place: int, row: IntArray, time_h: FloatArray) -> None:
        """Count `time_h`, each in its replication."""
        self._added = True
        key = self._bin(time_h)
        if len(self.limits_h):
            near = np.flatnonzero(self.is_near[key])
            among = np.searchsorted(self.limits_h, time_h[near], side="left")
            # Who exceeds every limit in this bin is in none: the next limit counts the whole bin.
            same = np.append(self._limit_bin, -1)[among] == key[near]
            near, among = near[same], among[same]
            among += row[near] * self.near.shape[2]
            np.add.at(self.near[place].reshape(-1), among, np.int32(1))
        key += row * self.bins
        np.add.at(self._held(place).reshape(-1), key, np.int32(1))

    def take(self, found: Occurring) -> None:
        """Take in what occurs of some distributions; place p in replication r is number ``p * replications + r``."""
        replications = self.shape[1]
        begin, end = self.many.start * replications, self.many.stop * replications
        is_many = (found.which >= begin) & (found.which < end)
        if not is_many.all():
            others = found.some(~is_many)
            which = np.where(others.which < begin, others.which, others.which - (end - begin))
            self.counts.reshape(-1)[others.each(which) * self.bins + others.value] += others.times
            found = found.some(is_many)
        if len(found.which):
            self._kept.append(found._replace(which=found.which - begin))

    @cached_property
    def _of_many(self) -> CountArray:
        """As `counts`, of the `many`: made only where they are not all read together."""
        return np.zeros((self.many.stop - self.many.start, *self.shape[1:]), dtype=np.int32)

    def _held(self, place: int) -> CountArray:
        """The counts at one place that are not kept as what occurs, shape (replication, bin)."""
        if self.many.start <= place < self.many.stop:
            return np.asarray(self._of_many[place - self.many.start])
        return np.asarray(self.counts[place if place < self.many.start else place - (self.many.stop - self.many.start)])

    def _at(self, place: int) -> CountArray:
        """All counts at one place, shape (replication, bin)."""
        if self._kept and self.many.start <= place < self.many.stop:
            self._spread()
        return self._held(place)

    def _spread(self) -> None:
        """Add what was kept of what occurs to the counts of all bins."""
        flat = self._of_many.reshape(-1)
        for one in self._kept:
            flat[one.each(one.which) * self.bins + one.value] += one.times
        self._kept, self._added = [], True

    def have(self, base: TimeCounts, there: IntArray, here: IntArray) -> None:
        """Have what was counted at some places of others as at places of these, where nothing was counted.

        Both have the same replications, and the same bins; places of which only what occurs is kept go together.

        Examples
        --------
        >>> one, other = TimeCounts(2, 1, 10.0), TimeCounts(3, 1, 10.0)
        >>> one.add(0, np.zeros(2, dtype=np.int64), np.array([1.0, 2.0]))
        >>> other.have(one, np.array([0]), np.array([2]))
        >>> other.counts.sum(axis=(1, 2)).tolist()
        [0, 0, 2]
        """
        many = (there >= base.many.start) & (there < base.many.stop) & (not base._added)
        self._added |= base._added
        for mine, place in zip(there[~many].tolist(), here[~many].tolist(), strict=True):
            self._at(place)[:] = base._at(mine)
        if not many.any():
            return
        replications = self.shape[1]
        at = np.full(base.many.stop - base.many.start, -1)
        at[there[many] - base.many.start] = here[many] - self.many.start
        # What was listed here of these places is empty.
        others = np.ones(self.many.stop - self.many.start, dtype=np.bool_)
        others[here[many] - self.many.start] = False
        self._kept = [one.some(others[one.which // replications]) for one in self._kept]
        for one in base._kept:
            place_there, replication = np.divmod(one.which, replications)
            some = at[place_there] >= 0
            which = (at[place_there] * replications + replication)[some]
            self._kept.append(one.some(some)._replace(which=which))

    def _bin(self, time_h: FloatArray) -> IntArray:
        key = (time_h + self.SHIFT_H).view(np.int64)
        key >>= self.DROPPED_BITS
        key -= self.first_bin
        return key

    @classmethod
    def half_bin(cls, time_h: float) -> float:
        """At most so far is a time from the middle of its bin. [h]

        >>> round(TimeCounts.half_bin(10.0), 3)
        0.039
        """
        return (time_h + cls.SHIFT_H) / 2.0 ** (53 - cls.DROPPED_BITS)

    def share_within(self, place: int, limit_h: float) -> FloatArray:
        """Share of the times at one place that are at most one of the limits, shape (replication,). [-]"""
        counts = self._at(place)
        number = counts.sum(axis=1)
        at = int(np.searchsorted(self.limits_h, to_grid(limit_h)))
        if at == len(self.limits_h):
            return ratio(number, number)
        same = int(np.searchsorted(self._limit_bin, self._limit_bin[at]))
        inside = counts[:, : self._limit_bin[at]].sum(axis=1) + self.near[place][:, same : at + 1].sum(axis=1)
        return ratio(inside, number)

    def shares_within(self, place: int, limits_h: Sequence[float]) -> FloatArray:
        """As `share_within` for several limits, shape (limit, replication). [-]"""
        upto: Any = np.cumsum(self._at(place), axis=1)
        found = []
        for at in np.searchsorted(self.limits_h, to_grid(list(limits_h))).tolist():
            if at == len(self.limits_h):
                found.append(upto[:, -1])
                continue
            bin = self._limit_bin[at]
            same = int(np.searchsorted(self._limit_bin, bin))
            below = upto[:, bin - 1] if bin else 0
            found.append(below + self.near[place][:, same : at + 1].sum(axis=1))
        return ratio(np.stack(found), upto[:, -1])

    def of_several(self, places: slice) -> Distributions:
        """Counts at several places where nobody took no time."""
        if places == self.many and not self._added:
            shape = (self.many.stop - self.many.start, *self.shape[1:])
            return Distributions(Occurring.joined(self._kept), shape, self._middle_h)
        if self._kept:
            self._spread()
        if places == self.many:
            return Distributions.of(self._of_many, self._middle_h)
        several = [self._held(place) for place in range(self.shape[0])[places]]
        return Distributions.of(np.array(several).reshape(-1, *self.shape[1:]), self._middle_h)

    def of(self, place: int, number: FloatArray | None = None) -> Distribution:
        """Counts at one place; of `number` in each replication those who were not counted took no time."""
        counts = self._at(place)
        found = Distribution(counts, np.zeros(len(counts)), self._middle_h)
        if number is not None:
            found.zeros = number - found.above_zero
        return found


STAY_STEPS_H = (
    *(0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0, 48.0, 72.0, 96.0, 120.0),
    *(168.0, 240.0, 336.0, 480.0, 672.0, 960.0, 1344.0, 1920.0, 2688.0, 4380.0, 8784.0),
)
"""Times at which the distribution of stays is read, to a year: where more comes than can pass they are so long. [h]"""


class Distribution:
    """Counts by time in each replication, with those of exactly zero apart."""

    def __init__(self, counts: CountArray, zeros: FloatArray, value_h: FloatArray) -> None:
        self.counts, self.zeros, self.value_h = counts, zeros, value_h

    @cached_property
    def _between(self) -> slice:
        """The values between the least and the largest that occur: mostly few of them all."""
        found = np.flatnonzero(self.counts.any(axis=0))
        return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 1)

    @cached_property
    def _upto(self) -> CountArray:
        """Number of those above zero up to each value in `_between`."""
        return np.cumsum(self.counts[:, self._between], axis=1, dtype=np.int32)

    @property
    def above_zero(self) -> CountArray:
        """Number of those above zero in each replication."""
        return self._upto[:, -1]

    @cached_property
    def number(self) -> FloatArray:
        """Number in each replication."""
        return np.asarray(self.above_zero + self.zeros)

    def by_value(self) -> tuple[FloatArray, CountArray]:
        """Values in increasing order and counts of shape (replication, value), zero first; none beyond the largest."""
        counts = np.concatenate([self.zeros[:, None].astype(np.int32), self.counts[:, self._between]], axis=1)
        return np.concatenate([[0.0], self.value_h[self._between]]), counts

    def percentile(self, percent: float) -> FloatArray:
        """Smallest time that at least `percent` of the consignments do not exceed (inverted cdf). [h]"""
        rank = np.ceil(self.number * (percent / 100.0)) - self.zeros
        at = np.argmax(self._upto >= rank.astype(np.int32)[:, None], axis=1)
        found = np.where(rank <= 0, 0.0, self.value_h[self._between][at])
        return np.where(self.number > 0, found, np.nan)

    def spread(self) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation, to the width of a bin. [h]"""
        total = (self.counts * self.value_h).sum(axis=1)
        mean = ratio(total, self.number)
        squares = (self.counts * self.value_h**2).sum(axis=1)
        variance = ratio(squares, self.number) - mean**2
        return mean, np.sqrt(np.maximum(variance, 0.0))
