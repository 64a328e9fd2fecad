"""How times are distributed, counted so that no order of counting shows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray, to_grid
from corridor_sim.indicators.base import Kept, ratio
from corridor_sim.records.visits import IntArray

CountArray = NDArray[np.int32]


class TimeCounts(Kept):
    """Histograms of times, exact in any order: log-linear bins on the bits of the number.

    Times are shifted by 1/64 h and sorted by exponent and 7 bits of the mantissa, so
    a bin is at most 0.8 % wide (its middle at most 0.4 % off) or half a second. How many do
    not exceed one of `limits_h` (rounded to the clock grid, as every time is) is exact.
    """

    SHIFT_H = 2.0**-6
    DROPPED_BITS = 52 - 7

    def __init__(self, places: int, replications: int, longest_h: float, limits_h: Iterable[float] = ()) -> None:
        self.first_bin = int(np.float64(self.SHIFT_H).view(np.int64)) >> self.DROPPED_BITS
        last = int(np.float64(longest_h + self.SHIFT_H).view(np.int64)) >> self.DROPPED_BITS
        self.bins = last - self.first_bin + 1
        self.counts = np.zeros((places, replications, self.bins), dtype=np.int32)
        limits = np.unique(to_grid(list(limits_h)))
        self.limits_h = limits[limits <= longest_h]
        # Of the times in the bin of a limit: how many do not exceed it, less those of a limit before it there.
        self.near = np.zeros((places, replications, len(self.limits_h)), dtype=np.int32)
        self._limit_bin = self._bin(self.limits_h)
        self.is_near = np.zeros(self.bins, dtype=np.bool_)
        self.is_near[self._limit_bin] = True
        self.nbytes = self.counts.nbytes + self.near.nbytes
        edges = (np.arange(self.bins + 1, dtype=np.int64) + self.first_bin) << self.DROPPED_BITS
        edge_h = edges.view(np.float64) - self.SHIFT_H
        self._middle_h = 0.5 * (edge_h[:-1] + edge_h[1:])

    def add(self, place: int, row: IntArray, time_h: FloatArray) -> None:
        """Count `time_h`, each in its replication."""
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
        np.add.at(self.counts[place].reshape(-1), key, np.int32(1))

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
        counts = self.counts[place]
        number = counts.sum(axis=1)
        at = int(np.searchsorted(self.limits_h, to_grid(limit_h)))
        if at == len(self.limits_h):
            return ratio(number, number)
        same = int(np.searchsorted(self._limit_bin, self._limit_bin[at]))
        inside = counts[:, : self._limit_bin[at]].sum(axis=1) + self.near[place][:, same : at + 1].sum(axis=1)
        return ratio(inside, number)

    def shares_within(self, place: int, limits_h: Sequence[float]) -> FloatArray:
        """As `share_within` for several limits, shape (limit, replication). [-]"""
        upto = np.cumsum(self.counts[place], axis=1)
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
        return Distributions(self.counts[places], self._middle_h)

    def of(self, place: int, number: FloatArray | None = None) -> Distribution:
        """Counts at one place; of `number` in each replication those who were not counted took no time."""
        counts = self.counts[place]
        zeros = np.zeros(len(counts)) if number is None else number - counts.sum(axis=1)
        return Distribution(counts, zeros, self._middle_h)


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

    @cached_property
    def number(self) -> FloatArray:
        """Number in each replication."""
        return np.asarray(self._upto[:, -1] + self.zeros)

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


AT_ONCE = 1 << 20
"""Counts that are looked through at once, so that what is made of them stays in the cache."""


class Distributions:
    """Counts by time at several places, by what occurs: few of all values. Nobody took no time there.

    `counts` have shape (place, replication, value).
    """

    def __init__(self, counts: CountArray, value_h: FloatArray) -> None:
        self.shape, self.value_h = counts.shape, value_h
        flat, found = counts.reshape(-1), [np.empty(0, dtype=np.int64)]
        for first in range(0, len(flat), AT_ONCE):
            found.append(np.flatnonzero(flat[first : first + AT_ONCE] != 0) + first)
        self.at: IntArray = np.concatenate(found)
        """Where the counts are that are not 0, in order."""
        self.count: CountArray = flat[self.at]
        self.value: IntArray = self.at % counts.shape[2]
        places, replications, values = self.shape
        self.ends: IntArray = np.searchsorted(self.at, np.arange(places * replications + 1) * values)
        """Where the entries of each distribution begin, and the last one ends."""

    @cached_property
    def _upto(self) -> IntArray:
        """Number up to each entry, over all distributions, 0 first."""
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.count, dtype=np.int64)])

    @cached_property
    def number(self) -> FloatArray:
        """Number in each, shape (place, replication)."""
        return np.diff(self._upto[self.ends]).reshape(self.shape[:2]).astype(np.float64)

    def percentile(self, percent: float) -> FloatArray:
        """As `Distribution.percentile`, shape (place, replication). [h]"""
        number = self.number.reshape(-1)
        found = np.full(number.shape, np.nan)
        some = np.flatnonzero(number)
        rank = np.ceil(number[some] * (percent / 100.0)).astype(np.int64)
        at = np.searchsorted(self._upto[1:], self._upto[self.ends[some]] + np.maximum(rank, 1))
        found[some] = np.where(rank <= 0, 0.0, self.value_h[self.value[at]])
        return found.reshape(self.shape[:2])

    def sums_of(self, *of_value: FloatArray) -> list[FloatArray]:
        """Sums over the counts of what each value is worth, once for each of `of_value`, shape (place, replication).

        Taken over all values, those that do not occur too, as one distribution alone is summed.
        """
        places, replications, values = self.shape
        worth = [self.count * one[self.value] for one in of_value]
        found = [np.zeros((places, replications)) for _ in of_value]
        row = np.zeros((replications, values))
        flat, ends = row.reshape(-1), self.ends[::replications].tolist()
        for place, (begin, end) in enumerate(itertools.pairwise(ends)):
            at = self.at[begin:end] - place * replications * values
            for mine, into in zip(worth, found, strict=True):
                flat[at] = mine[begin:end]
                row.sum(axis=1, out=into[place])
            flat[at] = 0.0
        return found

    def by_value(self) -> list[tuple[FloatArray, CountArray]]:
        """Of each place the values that occur, and counts of shape (replication, value)."""
        places, replications, values = self.shape
        distribution = self.at // values
        key = distribution // replications * values + self.value
        occurs = np.zeros(places * values, dtype=np.bool_)
        occurs[key] = True
        column = np.flatnonzero(occurs)
        number = np.empty(len(occurs), dtype=np.int64)
        number[column] = np.arange(len(column))
        counts = np.zeros((replications, len(column)), dtype=self.count.dtype)
        counts[distribution % replications, number[key]] = self.count
        ends = np.searchsorted(column, np.arange(places + 1) * values).tolist()
        value_h = self.value_h[column % values]
        return [(value_h[begin:end], counts[:, begin:end]) for begin, end in itertools.pairwise(ends)]
