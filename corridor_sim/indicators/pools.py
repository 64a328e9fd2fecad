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
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.label import Label
from corridor_sim.records.visits import IntArray
from corridor_sim.statistics.skewness import lean_t, leaning

Counts = NDArray[np.signedinteger[Any]]
"""Whole numbers of any width."""
PooledRow = tuple[Sequence[tuple[Label, float]], FloatArray, Counts]
"""Labels with their percent, values in increasing order, and counts of shape (replication, value)."""


class PooledRows(NamedTuple):
    """The same of several distributions at once, of which everything occurs: those of n end at ``ends[n + 1]``.

    Labels are one list for each distribution.
    """

    labels: Sequence[Sequence[tuple[Label, float]]]
    value: FloatArray
    counts: Counts
    ends: IntArray


SECTIONS = 32
"""Sections of replications; up to so many replications are each a section of their own."""


class Counted(Protocol):
    """Counts of consignments by value in each replication; `distributions.Distribution` is one."""

    def by_value(self) -> tuple[FloatArray, Counts]:
        """Values in increasing order and counts of shape (replication, value)."""


@dataclass(frozen=True, slots=True, eq=False)
class PooledCounts:
    """Counts by value and section of each distribution, and the percentiles that are read from it.

    Attributes
    ----------
    percentiles
        (label, number of the distribution, percent) of each row that can be read.
    which, value
        Entries in order of distribution and value: number of the distribution, and the value.
    section, by_section
        The sections that there are, in order, and how many of their consignments had the value of each entry,
        shape (section, entry), as narrow as they fit: blocks of few replications are held until the run ends.
    """

    percentiles: tuple[tuple[Label, int, float], ...]
    which: IntArray
    value: FloatArray
    section: IntArray
    by_section: Counts

    @property
    def counts(self) -> IntArray:
        """How many consignments of each section had the value of each entry, shape (entry, `SECTIONS`)."""
        return self._counts(slice(None))

    def _counts(self, entries: slice) -> IntArray:
        found = np.zeros((len(self.which[entries]), SECTIONS), dtype=np.int64)
        found[:, self.section] = self.by_section[:, entries].T
        return found

    def of(self, distribution: int) -> tuple[FloatArray, IntArray]:
        """Values in increasing order and counts by section of one distribution, shape (value, `SECTIONS`)."""
        here = slice(*np.searchsorted(self.which, [distribution, distribution + 1]))
        return self.value[here], self._counts(here)

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
    counts = arrays["counts"]
    section = np.flatnonzero(counts.any(axis=0))
    return PooledCounts(percentiles, arrays["which"], arrays["value"], section, _narrow(counts[:, section].T))


def _narrow(counts: Counts) -> Counts:
    """Counts in as many bytes as they need, in rows."""
    fits = counts.dtype.itemsize <= 4 or not counts.size or counts.max() <= np.iinfo(np.int32).max
    return np.ascontiguousarray(counts, dtype=np.int32 if fits else np.int64)


def pooled(rows: Sequence[PooledRow | PooledRows], replications: IntArray) -> PooledCounts:
    """PooledCounts of some distributions."""
    value, counts, percentiles = [], [], []
    length: list[int] = []
    section = np.unique(replications % SECTIONS)
    of_replication, fewer = np.searchsorted(section, replications % SECTIONS), len(section) < len(replications)
    for row in rows:
        labels = row.labels if isinstance(row, PooledRows) else (row[0],)
        percentiles += [(label, len(length) + n, percent) for n, own in enumerate(labels) for label, percent in own]
        values, by_replication = row[1:3]
        # Sums first: most columns of replications hold nothing, and there are many more of these than of sections.
        found = _by_section(by_replication, of_replication, len(section)) if fewer else by_replication
        if isinstance(row, PooledRows):
            length += np.diff(row.ends).tolist()
        else:
            there = found.any(axis=0)
            if not there.all():
                values, found = values[there], found[:, there]
            length.append(len(values))
        value.append(values)
        counts.append(found)
    if not rows:
        none = np.empty((len(section), 0), np.int32)
        return PooledCounts((), np.empty(0, np.int64), np.empty(0), section, none)
    which = np.repeat(np.arange(len(length)), length)
    found = np.concatenate(counts, axis=1)
    if not fewer and (section != replications % SECTIONS).any():
        found = found[np.argsort(replications % SECTIONS, kind="stable")]
    return PooledCounts(tuple(percentiles), which, np.concatenate(value), section, _narrow(found))


def _by_section(counts: Counts, section: IntArray, many: int) -> Counts:
    """Sums of the rows of each section, one row after the other: as narrow as they surely fit."""
    most = int(counts.max(initial=0)) * len(counts)
    found = np.zeros((many, counts.shape[1]), dtype=np.int32 if most <= np.iinfo(np.int32).max else np.int64)
    whole = len(counts) // many * many
    if not (section[many:] == section[:-many]).all():
        whole = 0
    if whole:
        # Replications that follow each other: every `many` of them are one of each section.
        turns = counts[:whole].reshape(-1, many, counts.shape[1])
        found[section[:many]] = np.add.reduce(turns, axis=0, dtype=found.dtype)
    for row, into in zip(counts[whole:], section[whole:].tolist(), strict=True):
        found[into] += row
    return found


def together(pools: Iterable[PooledCounts | None]) -> PooledCounts | None:
    """The pools of disjoint blocks of replications as one; None if one of them is missing."""
    blocks = list(pools)
    if not blocks or any(one is None for one in blocks):
        return None
    all_of = [one for one in blocks if one is not None]
    if len(all_of) == 1:
        return all_of[0]
    which = np.concatenate([one.which for one in all_of])
    value = np.concatenate([one.value for one in all_of])
    section = np.unique(np.concatenate([one.section for one in all_of]))
    order = np.lexsort((value, which))
    which, value = which[order], value[order]
    first = np.flatnonzero(np.append(True, (np.diff(which) != 0) | (np.diff(value) != 0))[: len(which)])
    # Each block goes straight to its entries in the whole.
    entry = np.empty(len(order), dtype=np.int64)
    entry[order] = np.repeat(np.arange(len(first)), np.diff(first, append=len(order)))
    found = np.zeros((len(section), len(first)), dtype=np.int64 if _may_be_many(all_of) else np.int32)
    end = 0
    for one in all_of:
        begin, end = end, end + len(one.which)
        for row, counts in zip(np.searchsorted(section, one.section), one.by_section, strict=True):
            found[row, entry[begin:end]] += counts
    return PooledCounts(all_of[0].percentiles, which[first], value[first], section, _narrow(found))


def _may_be_many(pools: Sequence[PooledCounts]) -> bool:
    """Whether counts may be more than fit into four bytes."""
    return sum(int(one.by_section.max(initial=0)) for one in pools) > np.iinfo(np.int32).max


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
