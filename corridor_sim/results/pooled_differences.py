"""How far are the percentiles of all consignments of two runs apart?

Each percentile has its interval by inverting its distribution function (`indicators/pools.py`). For runs on different
random numbers the interval of the difference is put together from the arms of the two (MOVER [zou2007]). On common
random numbers a section of replications that is congested in one run is congested in the other: arms of the same side
are put together, less what the residuals of the sections have in common, as in the variance of any difference. That
the arms are those of the same side is an assumption of ours, measured (docs/rules.md, rule D27).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.distributions import TimeCounts
from corridor_sim.indicators.pools import percentile_interval, section_residuals, sections
from corridor_sim.indicators.table import Label, Table
from corridor_sim.statistics.intervals import t_p_values, t_quantile

COLUMNS = ("base", "other", "difference", "low", "high", "p", "correlation", "variance_ratio", "n", "same")


def pooled_differences(
    base: Table,
    other: Table,
    indicators: str | Iterable[str],
    where: Mapping[str, Any],
    confidence: float,
    paired: bool = True,
) -> tuple[tuple[Label, ...], dict[str, Any], list[bool]]:
    """Labels of the pooled percentiles that both tables have, what `paired_statistics` gives of means, and a mark each.

    The mark is True where there are sections enough and no interval: the counts do not reach so far.

    Parameters
    ----------
    indicators : str or iterable of str
        Names, or ``"all"``.
    where
        Columns to match, as in `Table.select`.
    paired : bool
        False for runs on different random numbers: nothing is in common then.

    Notes
    -----
    An interval reaches at least half the width of the bin to which its percentile was counted on either side.
    ``same`` is 1 where both runs counted the same in every section.
    """
    labels: list[Label] = []
    rows: list[list[float]] = []
    free = min(sections(table.replications) for table in (base, other)) - 1
    n = min(len(base.replications), len(other.replications))
    if base.pools is not None and other.pools is not None:
        theirs = {label: number for label, number, _ in other.pools.percentiles}
        for label, number, percent in base.pools.rows(indicators, where):
            if label not in theirs:
                continue
            first, second = base.pools.of(number), other.pools.of(theirs[label])
            same = np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])
            quantile = t_quantile(confidence, free) if free > 0 else math.nan
            known, its = _with_arms(*first, percent, quantile), _with_arms(*second, percent, quantile)
            shared = _correlation(section_residuals(*first, percent), section_residuals(*second, percent))
            labels.append(label)
            rows.append([*_difference(known, its, shared, paired, free, quantile, same), n, same])
    values = np.array(rows, dtype=np.float64).reshape(-1, len(COLUMNS)).T
    found: dict[str, Any] = dict(zip(COLUMNS, values, strict=True))
    found["n"] = found["n"].astype(np.int64)
    few = ~np.isnan(found["difference"]) & np.isnan(found["low"]) & (free > 0)
    return tuple(labels), found, few.tolist()


def _with_arms(value: FloatArray, counts: Any, percent: float, quantile: float) -> tuple[float, float, float]:
    """A percentile, and how far its interval reaches below and above it."""
    found, low, high = percentile_interval(value, counts, percent, quantile)
    least = TimeCounts.half_bin(found)
    return found, max(found - low, least), max(high - found, least)


def _difference(
    base: tuple[float, float, float],
    other: tuple[float, float, float],
    shared: float,
    paired: bool,
    free: int,
    quantile: float,
    same: bool,
) -> list[float]:
    """Base, other, difference, low, high, p-value, correlation and variance ratio."""
    (first, down_1, up_1), (second, down_2, up_2) = base, other
    change = second - first
    if same:
        known = change if free > 0 and not math.isnan(change) else math.nan
        return [first, second, change, known, known, 1.0 if free > 0 else math.nan, 1.0, math.inf]
    wide_1, wide_2 = (down_1 + up_1) / 2, (down_2 + up_2) / 2
    if paired:
        # Both percentiles are high in a congested world and low in a quiet one, and the larger one moves more.
        quiet, congested = _apart(down_1, down_2, shared), _apart(up_1, up_2, shared)
        below, above = (quiet, congested) if change > 0 else (congested, quiet)
    else:
        below, above = math.hypot(down_2, up_1), math.hypot(up_2, down_1)
    if free < 1 or math.isnan(below + above):
        return [first, second, change, math.nan, math.nan, math.nan, math.nan, math.nan]
    # Each percentile is the middle of a bin: the difference is not known better than that.
    least = TimeCounts.half_bin(first) + TimeCounts.half_bin(second)
    below, above = max(below, least), max(above, least)
    error = (below if change > 0 else above) / quantile
    p = float(t_p_values([change / error], [free])[0])
    common = [shared, (wide_1**2 + wide_2**2) / ((below + above) / 2) ** 2] if paired else [math.nan, math.nan]
    return [first, second, change, change - below, change + above, p, *common]


def _apart(first: float, second: float, shared: float) -> float:
    """Arm of a difference from those of its parts, less what they have in common."""
    return math.sqrt(max(first**2 + second**2 - 2 * shared * first * second, 0.0))


def _correlation(base: FloatArray, other: FloatArray) -> float:
    """Of the residuals of the sections, whose sums are 0."""
    size = math.sqrt(float((base**2).sum() * (other**2).sum()))
    return float((base * other).sum()) / size if size > 0 else 0.0
