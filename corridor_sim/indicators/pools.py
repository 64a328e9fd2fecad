"""Counts of consignments by value over all replications: what a percentile of all consignments is read from.

The mean of the replications' 95th percentiles is not the time that 5 % of all consignments
exceed: a congested replication has more of the long times. Here the counts are kept, in
sections of replications (number modulo `SECTIONS`), so that memory does not grow with
replications and no order of blocks shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.label import Label
from corridor_sim.records.visits import IntArray
from corridor_sim.statistics.skewness import lean_t, leaning

SECTIONS = 32
"""Sections of replications; up to so many replications are each a section of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class PooledCounts:
    """Counts by value and section of each distribution, and the percentiles that are read from it.

    Attributes
    ----------
    percentiles
        (label, number of the distribution, percent) of each row that can be read.
    which, value, counts
        Entries in order of distribution and value: number of the distribution, the value, and
        how many consignments of each section had it, shape (entry, `SECTIONS`).
    """

    percentiles: tuple[tuple[Label, int, float], ...]
    which: IntArray
    value: FloatArray
    counts: IntArray

    def of(self, distribution: int) -> tuple[FloatArray, IntArray]:
        """Values in increasing order and counts by section of one distribution."""
        here = slice(*np.searchsorted(self.which, [distribution, distribution + 1]))
        return self.value[here], self.counts[here]

    def rows(
        self, indicators: str | Iterable[str] | None = None, where: Mapping[str, Any] | None = None
    ) -> list[tuple[Label, int, float]]:
        """The percentiles of these indicators (None or ``"all"``: of every one) whose labels match."""
        every = indicators is None or indicators == "all"
        names = {indicators} if isinstance(indicators, str) else set(indicators or ())
        return [
            row
            for row in self.percentiles
            if (every or row[0].indicator in names)
            and all(getattr(row[0], column) == value for column, value in (where or {}).items())
        ]

    def arrays(self) -> dict[str, Any]:
        """As arrays for a file of numpy."""
        told = json.dumps([[asdict(label), number, percent] for label, number, percent in self.percentiles])
        return {"pools": np.array(told), "which": self.which, "value": self.value, "counts": self.counts}


ARRAYS = frozenset({"pools", "which", "value", "counts"})
"""Names of the arrays of `PooledCounts.arrays`."""


def from_arrays(arrays: Mapping[str, Any]) -> PooledCounts | None:
    """The pools that `PooledCounts.arrays` wrote; None where there are none."""
    if "pools" not in arrays:
        return None
    listed = json.loads(str(arrays["pools"]))
    percentiles = tuple((Label(**label), int(number), float(percent)) for label, number, percent in listed)
    return PooledCounts(percentiles, arrays["which"], arrays["value"], arrays["counts"])


def pooled(
    rows: Sequence[tuple[Sequence[tuple[Label, float]], FloatArray, IntArray]], replications: IntArray
) -> PooledCounts:
    """PooledCounts of distributions given as (labels with percent, values, counts of shape (replication, value))."""
    value, counts, percentiles = [], [], []
    section = replications % SECTIONS
    alone = len(np.unique(section)) == len(section)
    for number, (labels, values, by_replication) in enumerate(rows):
        percentiles += [(label, number, percent) for label, percent in labels]
        there = np.flatnonzero(by_replication.any(axis=0))
        value.append(values[there])
        counts.append(by_replication[:, there])
    if not rows:
        return PooledCounts((), np.empty(0, np.int64), np.empty(0), np.empty((0, SECTIONS), np.int64))
    which = np.repeat(np.arange(len(rows)), [len(one) for one in value])
    found = np.zeros((len(which), SECTIONS), dtype=np.int64)
    if alone:
        found[:, section] = np.concatenate(counts, axis=1).T
    else:
        np.add.at(found.T, section, np.concatenate(counts, axis=1))
    return PooledCounts(tuple(percentiles), which, np.concatenate(value), found)


def together(pools: Iterable[PooledCounts | None]) -> PooledCounts | None:
    """The pools of disjoint blocks of replications as one; None if one of them is missing."""
    found = list(pools)
    if not found or any(one is None for one in found):
        return None
    all_of = [one for one in found if one is not None]
    if len(all_of) == 1:
        return all_of[0]
    which, value = (np.concatenate([getattr(one, name) for one in all_of]) for name in ("which", "value"))
    counts = np.concatenate([one.counts for one in all_of])
    order = np.lexsort((value, which))
    which, value, counts = which[order], value[order], counts[order]
    if not len(which):
        return all_of[0]
    first = np.flatnonzero(np.append(True, (np.diff(which) != 0) | (np.diff(value) != 0)))
    return PooledCounts(all_of[0].percentiles, which[first], value[first], np.add.reduceat(counts, first, axis=0))


def sections(replications: IntArray) -> int:
    """Number of sections that some replications are in."""
    return len(np.unique(replications % SECTIONS))


def section_residuals(value: FloatArray, counts: IntArray, percent: float) -> FloatArray:
    """Consignments of each section up to the percentile, less its share of all, shape (section,).

    The sum is 0. Where two runs share their random numbers these go together.
    """
    number = counts.sum(axis=0)
    if not number.any():
        return np.zeros(counts.shape[1])
    upto = np.cumsum(counts, axis=0)[np.searchsorted(value, percentile_interval(value, counts, percent, np.nan)[0])]
    return np.asarray(upto - upto.sum() / number.sum() * number)


def percentile_interval(
    value: FloatArray, counts: IntArray, percent: float, quantile: float
) -> tuple[float, float, float]:
    """A percentile of all consignments, and its interval by inverting the distribution function.

    Parameters
    ----------
    value : array, shape (value,)
        In increasing order.
    counts : array, shape (value, section)
        Consignments of each section that had the value.
    percent : float
        0-100.
    quantile : float
        Of Student's t for the sections less one; NaN for no interval.

    Returns
    -------
    (percentile, low, high)
        NaN where there is no consignment or no interval.

    Notes
    -----
    The share F(x) of all consignments up to x is a ratio of sums over the sections; its
    standard error is that of a ratio estimator, and the interval holds every x at which F(x)
    may be `percent` (Woodruff's method [woodruff1952]). From ten sections on the test at x follows the
    skewness of what the sections are off: those beyond a high percentile are many in few sections
    (`statistics/skewness.py`).

    Examples
    --------
    >>> percentile_interval(np.array([1.0, 2.0, 3.0]), np.array([[5, 5], [4, 4], [1, 1]]), 95, 12.7)
    (3.0, 3.0, 3.0)
    """
    number = counts.sum(axis=0)
    used = np.flatnonzero(number > 0)
    if not len(used):
        return np.nan, np.nan, np.nan
    upto, total, goal = np.cumsum(counts[:, used], axis=0), number[used], percent / 100
    share = upto.sum(axis=1) / total.sum()

    def first(reached: Any) -> float:
        return float(value[np.argmax(reached)]) if reached.any() else np.nan

    # The smallest value that at least so many do not exceed, in whole consignments.
    found = first(upto.sum(axis=1) >= np.ceil(goal * total.sum() - 1e-9))
    if len(used) < 2 or not np.isfinite(quantile):
        return found, np.nan, np.nan
    off = upto - share[:, None] * total[None, :]
    error = np.sqrt((off**2).sum(axis=1) / (len(used) * (len(used) - 1))) / total.mean()
    beyond = lean_t((share - goal) / np.where(error > 0, error, 1e-300), leaning(off.T))
    return found, first(beyond >= -quantile), first(beyond >= quantile)
