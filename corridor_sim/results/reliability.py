"""When is an interval over replications not to be relied on?

Measured by ``python tests/benchmarks/intervals.py``: on two lanes (M/M/2) at loads 0.3, 0.7 and 0.9, with twenty
replications of thirty days, the intervals of rows without this note hold what they are about in 92 to 97 of
100 studies, within the noise of so many studies. What was found and why the limits are these stands in rule D27.
"""

from __future__ import annotations

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.table import Label
from corridor_sim.statistics.skewness import ENOUGH

UNRELIABLE = "interval not reliable"
"""The note of such a row."""
ALWAYS = ("queue_p", "unserved_wait")
"""Beginnings of the names of indicators whose interval is never relied on."""
RARE = {
    "cleared_within": 1.0,
    "stay_distribution": 1.0,
    "days_saturated": 1.0,
    "unserved": np.inf,
    "unfinished": np.inf,
    "saturation_day": np.inf,
    "queue_growth_per_day": np.inf,
}
"""Indicators of what may be rare, with their upper bound: shares, and what stands at one instant, the end."""
SPREAD, SPREAD_OF_FEW = 1.5, 0.5
"""Standard deviation over the distance of the mean from the nearer bound, beyond which such a row is too skew; the
second for so few replications that their interval does not follow the skewness."""


def unreliable(label: Label, values: FloatArray) -> bool:
    """Whether the interval of a row, one value a replication, is not to be relied on.

    So it is for

    * percentiles of a queue: they are whole numbers, and their mean is not the percentile of a long run;
      and waits of those who had not started by the end, who are few;
    * a row of which more than half of the replications, but not all, share one value: what makes the
      difference is rare, and few have seen it;
    * what may be rare (`RARE`) where no replication saw it, or where the spread is wide against the
      distance from the bound: the law of the mean is then too skew for so many values.

    Examples
    --------
    >>> label = Label("unserved", "1", "post", "samur_az")
    >>> unreliable(label, np.array([0.0, 1.0, 0.0, 3.0])), unreliable(label, np.array([410.0, 432.0, 395.0, 420.0]))
    (True, False)
    """
    if label.indicator.startswith(ALWAYS):
        return True
    there = values[~np.isnan(values)]
    if len(there) < 2:
        return False
    if _mostly_one_value(there):
        return True
    if label.indicator not in RARE:
        return False
    mean = there.mean()
    if label.indicator == "queue_growth_per_day":  # has no bound: only where no replication saw any
        return bool((there == 0).all())
    room = min(mean, RARE[label.indicator] - mean)
    most = SPREAD if len(there) >= ENOUGH else SPREAD_OF_FEW
    return bool(room <= 0 or there.std(ddof=1) > most * room)


def unreliable_difference(label: Label, base: FloatArray, other: FloatArray, paired: bool = True) -> bool:
    """Whether the interval of a difference is not to be relied on: as `unreliable` for either side and for the pairs.

    A side that is the same in every replication adds nothing to the interval: its rareness counts only
    where both are so and the runs are on different random numbers.

    Examples
    --------
    >>> label = Label("wait_h", "h", "post", "samur_az")
    >>> base = np.array([1.0, 2.0, 3.0, 4.0])
    >>> unreliable_difference(label, base, base + [0.0, 0.0, 0.0, 5.0])
    True
    >>> unreliable_difference(label, base, base + [0.1, 0.2, 0.1, 0.3])
    False
    """
    if label.indicator.startswith(ALWAYS):
        return True
    if paired and _mostly_one_value((other - base)[~np.isnan(other - base)]):
        return True
    varying = [side for side in (base, other) if len(np.unique(side[~np.isnan(side)])) > 1]
    if varying:
        return any(unreliable(label, side) for side in varying)
    return not paired and (unreliable(label, base) or unreliable(label, other))


def _mostly_one_value(values: FloatArray) -> bool:
    """Whether more than half of the values, but not all, are the same."""
    _, number = np.unique(values, return_counts=True)
    return bool(len(number) > 1 and 2 * number.max() > len(values))
