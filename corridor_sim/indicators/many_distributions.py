"""How times are distributed at many places at once: what occurs is listed, few of all values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.records.visits import IntArray

CountArray = NDArray[np.int32]
AT_ONCE = 1 << 16
"""Counts that are looked through at once, so that what is made of them stays in the cache."""


class Occurring(NamedTuple):
    """What occurs of many distributions. The entries of one come one after the other, by value.

    Attributes
    ----------
    which
        Number of each distribution.
    ends
        Where its entries begin, and where the last one ends, shape (distribution + 1,).
    value, times
        Of each entry the number of the value, and how often it occurs.
    """

    which: IntArray
    ends: IntArray
    value: IntArray
    times: CountArray

    @classmethod
    def of(cls, counts: CountArray, which: IntArray) -> Occurring:
        """From all counts, shape (..., value), those of a distribution in one piece of memory."""
        values, flat = counts.shape[-1], counts.reshape(-1)
        found = [np.flatnonzero(flat[at : at + AT_ONCE] != 0) + at for at in range(0, len(flat), AT_ONCE)]
        at = np.concatenate(found or [np.empty(0, dtype=np.int64)])
        begin = np.arange(len(which) + 1) * values
        ends = np.searchsorted(at, begin)
        return cls(which, ends, at - np.repeat(begin[:-1], np.diff(ends)), flat[at])

    @classmethod
    def joined(cls, parts: Sequence[Occurring]) -> Occurring:
        """Those of different distributions, one after the other."""
        if not parts:
            none = np.empty(0, dtype=np.int64)
            return cls(none, np.zeros(1, dtype=np.int64), none, none.astype(np.int32))
        if len(parts) == 1:
            return parts[0]
        ends, size = [np.zeros(1, dtype=np.int64)], 0
        for one in parts:
            ends.append(one.ends[1:] + size)
            size += len(one.value)
        which, value = (
            np.concatenate(column) for column in zip(*((one.which, one.value) for one in parts), strict=True)
        )
        return cls(which, np.concatenate(ends), value, np.concatenate([one.times for one in parts]))

    def some(self, which: NDArray[np.bool_]) -> Occurring:
        """Those of some of the distributions."""
        number, entries = np.diff(self.ends), self.each(which)
        ends = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(number[which])])
        return Occurring(self.which[which], ends, self.value[entries], self.times[entries])

    def renumbered(self, which: IntArray) -> Occurring:
        """The same with these numbers; distributions that have one number are added up.

        Examples
        --------
        >>> two = np.array([2, 1, 7, 1], dtype=np.int32).reshape(2, 2)
        >>> Occurring.of(two, np.arange(2)).renumbered(np.array([3, 3])).times.tolist()
        [9, 2]
        """
        some, place, many = np.unique(which, return_inverse=True, return_counts=True)
        once = many[place] == 1
        if once.all():
            return self._replace(which=which)
        alone, others = self._replace(which=which).some(once), self.some(~once)
        values = int(others.value.max(initial=0)) + 1
        key = others.each(place[~once]) * values + others.value
        order = np.argsort(key, kind="stable")
        found, first = np.unique(key[order], return_index=True)
        times = np.add.reduceat(others.times[order], first, dtype=others.times.dtype) if len(first) else others.times
        own = np.flatnonzero(many > 1)
        ends = np.append(np.searchsorted(found, own * values), len(found))
        return Occurring.joined([alone, Occurring(some[own], ends, found % values, times)])

    def add_to(self, counts: CountArray, row: IntArray) -> None:
        """Add to counts of shape (row, value), to the row given for each distribution; -1 for none."""
        at = self.each(row)
        some = np.flatnonzero(at >= 0)
        np.add.at(counts.reshape(-1), at[some] * counts.shape[1] + self.value[some], self.times[some])

    def each(self, of_distribution: NDArray[Any]) -> NDArray[Any]:
        """Something of each distribution, for each of its entries."""
        return np.asarray(np.repeat(of_distribution, np.diff(self.ends)))


class Distributions:
    """Counts by time at several places in each replication. Nobody took no time there.

    Distributions are numbered by place, then by replication; `shape` is (place, replication, value).
    """

    def __init__(self, found: Occurring, shape: tuple[int, ...], value_h: FloatArray) -> None:
        self.found, self.shape, self.value_h = found, shape, value_h

    @classmethod
    def of(cls, counts: CountArray, value_h: FloatArray) -> Distributions:
        """From counts of shape (place, replication, value)."""
        places, replications, _ = counts.shape
        return cls(Occurring.of(counts, np.arange(places * replications)), counts.shape, value_h)

    @cached_property
    def _upto(self) -> IntArray:
        """Number up to each entry, over all distributions, 0 first."""
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.found.times, dtype=np.int64)])

    def _by_place(self, values: FloatArray) -> FloatArray:
        """Something of each distribution that there is, shape (place, replication)."""
        found = np.zeros(self.shape[:2])
        found.reshape(-1)[self.found.which] = values
        return found

    @cached_property
    def number(self) -> FloatArray:
        """Number in each, shape (place, replication)."""
        return self._by_place(np.diff(self._upto[self.found.ends]).astype(np.float64))

    def percentile(self, percent: float) -> FloatArray:
        """As `Distribution.percentile`, shape (place, replication). [h]"""
        found, which, ends = np.full(self.shape[:2], np.nan), self.found.which, self.found.ends
        number = self.number.reshape(-1)[which]
        some = np.flatnonzero(number)
        rank = np.ceil(number[some] * (percent / 100.0)).astype(np.int64)
        at = np.searchsorted(self._upto[1:], self._upto[ends[some]] + np.maximum(rank, 1))
        found.reshape(-1)[which[some]] = np.where(rank <= 0, 0.0, self.value_h[self.found.value[at]])
        return found

    def sums_of(self, *of_value: FloatArray) -> list[FloatArray]:
        """Sums over the counts of what each value is worth, once for each of `of_value`, shape (place, replication).

        Added in the order in which numpy adds all values, those that do not occur too, of one distribution alone.
        """
        found, sums = self.found, _PairedSums(self.shape[2])
        cell, cells = sums.cells_of(found.value)
        cell += found.each(np.arange(len(found.which)) * cells)
        size = len(found.which) * cells
        by_cell = [
            np.bincount(cell, found.times * one[found.value], size).astype(np.float64, copy=False) for one in of_value
        ]
        return [self._by_place(sums.total(one.reshape(-1, cells))) for one in by_cell]

    def by_value(self) -> tuple[FloatArray, CountArray, IntArray]:
        """Of one place after the other the values that occur, and counts of shape (replication, value).

        Those of place n are from ``ends[n]`` up to ``ends[n + 1]``, the third of what is returned.
        """
        (places, replications, values), found = self.shape, self.found
        place, replication = np.divmod(found.which, max(replications, 1))
        key = found.each(place * values)
        key += found.value
        occurs = np.zeros(places * values, dtype=np.bool_)
        occurs[key] = True
        column = np.flatnonzero(occurs)
        at: IntArray = np.cumsum(occurs, dtype=np.int64)[key]
        at += found.each(replication * len(column) - 1)
        counts = np.zeros((replications, len(column)), dtype=found.times.dtype)
        counts.reshape(-1)[at] = found.times
        begin = np.arange(places + 1) * values
        ends = np.searchsorted(column, begin)
        value_h = self.value_h[column - np.repeat(begin[:-1], np.diff(ends))]
        return value_h, counts, ends


class _PairedSums:
    """Sums in the order of numpy's own, from what is not 0: a tree of pieces of at most 128 numbers, in 8 lanes each.

    What is 0 changes no sum, so that only the place of the others in the tree counts.
    """

    MOST, LANES = 128, 8

    def __init__(self, size: int) -> None:
        self.pieces: list[tuple[int, int]] = []
        """Where each piece begins and ends, in order."""
        self._tree = self._cut(0, size)
        self._first = 0
        """The first piece in which anything is."""
        cell = []
        for number, (begin, end) in enumerate(self.pieces):
            in_lanes = (end - begin) // self.LANES * self.LANES
            # Only the last piece has numbers that fill no lanes: they are added one by one behind it.
            rest = np.arange(end - begin - in_lanes) + self.LANES
            cell.append(np.concatenate([np.arange(in_lanes) % self.LANES, rest]) + number * self.LANES)
        self._cell = np.concatenate(cell)

    def _cut(self, begin: int, end: int) -> Any:
        if end - begin <= self.MOST:
            self.pieces.append((begin, end))
            return len(self.pieces) - 1
        half = (end - begin) // 2
        half -= half % self.LANES
        return self._cut(begin, begin + half), self._cut(begin + half, end)

    def cells_of(self, value: IntArray) -> tuple[IntArray, int]:
        """Where numbers at these places are added first, and how many such cells there are."""
        if len(value):
            self._first = min(int(self._cell[value.min()]) // self.LANES, len(self.pieces) - 1)
        cell = self._cell[value] - self._first * self.LANES
        return cell, int(cell.max(initial=0)) + 1

    def total(self, cells: FloatArray) -> FloatArray:
        """The sum of each row of cells, shape (row,)."""
        there = len(self.pieces) - self._first
        lanes = np.zeros((len(cells), there * self.LANES))
        upto = min(cells.shape[1], lanes.shape[1])
        lanes[:, :upto] = cells[:, :upto]
        part = lanes.reshape(len(cells), there, self.LANES)
        while part.shape[2] > 1:
            part = part[:, :, ::2] + part[:, :, 1::2]
        sums = [*([None] * self._first), *part[:, :, 0].T]
        for rest in cells[:, upto:].T:
            sums[-1] = sums[-1] + rest
        return np.asarray(self._joined(self._tree, sums))

    def _joined(self, tree: Any, sums: Sequence[FloatArray | None]) -> FloatArray | None:
        """The sum over a part of the tree, None where nothing is."""
        if isinstance(tree, int):
            return sums[tree]
        one, other = (self._joined(half, sums) for half in tree)
        return other if one is None else one if other is None else one + other
